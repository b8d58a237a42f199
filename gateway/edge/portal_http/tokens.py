"""Bearer tokens (RFC 6750, RFC 7519): who a request speaks for."""

from __future__ import annotations

import re
from collections import OrderedDict
from hashlib import sha256
from typing import Final, NamedTuple

from jwt import PyJWK
from jwt.api_jws import PyJWS
from jwt.exceptions import PyJWTError

from gateway.edge.portal_http.keys import KeySource
from gateway.flow.desk import Actor
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import (
    HEADER_TEXT_CHARS_MAX,
    TOKEN_CACHE_MAX,
    TOKEN_CHARS_MAX,
    TOKEN_LEEWAY_S,
    TOKEN_LIFE_S_MAX,
)
from gateway.ports.clock import Clock
from gateway.rules.schema import strict_json

_UNIT: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}\Z")


class _Verified(NamedTuple):
    actor: Actor
    not_before_s: int
    expires_s: int


class TokenChecker:
    """Believes a token if a key in force signed it for us and its time is now.

    Verified tokens are remembered until they expire or the keys change; their time is checked at
    every use. Whether the unit is known is *not* checked, nor the check digit of its code.
    """

    def __init__(
        self,
        keys: KeySource,
        *,
        issuer: str,
        audience: str,
        algorithms: frozenset[str],
        clock: Clock,
        cache_max: int = TOKEN_CACHE_MAX,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._algorithms = sorted(algorithms)
        self._jws = PyJWS(algorithms=self._algorithms)
        self._clock = clock
        self._cache: OrderedDict[bytes, _Verified] = OrderedDict()
        self._cache_max = cache_max
        self._generation = keys.current().generation

    def check(self, token: str) -> Actor:
        """Return who acts.

        Raises:
            Fault: `portal.token_invalid`, `portal.token_expired`.
        """
        if len(token) > TOKEN_CHARS_MAX or not token.isascii():
            raise Fault(FaultCode.PORTAL_TOKEN_INVALID, "form")
        key_set = self._keys.current()
        if key_set.generation != self._generation:
            self._cache.clear()
            self._generation = key_set.generation
        name = sha256(token.encode("ascii")).digest()
        verified = self._cache.get(name)
        if verified is None:
            verified = self._verify(token)
            self._require_now(verified)
            self._remember(name, verified)
        else:
            self._require_now(verified)
            self._cache.move_to_end(name)
        return verified.actor

    def _remember(self, name: bytes, verified: _Verified) -> None:
        self._cache[name] = verified
        while len(self._cache) > self._cache_max:
            self._cache.popitem(last=False)

    def _require_now(self, verified: _Verified) -> None:
        now_s = self._clock.now_ms() // 1000
        if now_s >= verified.expires_s + TOKEN_LEEWAY_S:
            raise Fault(FaultCode.PORTAL_TOKEN_EXPIRED)
        if now_s < verified.not_before_s - TOKEN_LEEWAY_S:
            raise Fault(FaultCode.PORTAL_TOKEN_INVALID, "not yet valid")

    def _verify(self, token: str) -> _Verified:
        try:
            header = self._jws.get_unverified_header(token)
            key = self._key_for(header)
            payload = self._jws.decode(token, key, algorithms=self._algorithms)
        except (PyJWTError, ValueError, TypeError) as error:
            raise Fault(FaultCode.PORTAL_TOKEN_INVALID, "signature or form") from error
        return self._claims(payload)

    def _key_for(self, header: dict[str, object]) -> PyJWK:
        """Return the key named by `kid`; `jwk`, `jku`, `x5u` and `x5c` are never looked at."""
        if "crit" in header:
            raise Fault(FaultCode.PORTAL_TOKEN_INVALID, "crit")
        kid = header.get("kid")
        key = self._keys.current().keys.get(kid) if isinstance(kid, str) else None
        if key is None:
            raise Fault(FaultCode.PORTAL_TOKEN_INVALID, "kid unknown")
        return key

    def _claims(self, payload: bytes) -> _Verified:
        try:
            claims = strict_json.parse(payload)
        except Fault as fault:
            raise Fault(FaultCode.PORTAL_TOKEN_INVALID, "claims are not sound JSON") from fault
        if not isinstance(claims, dict):
            raise Fault(FaultCode.PORTAL_TOKEN_INVALID, "claims are not an object")
        self._require_ours(claims)
        not_before_s, expires_s = _lifetime(claims)
        return _Verified(_actor(claims), not_before_s, expires_s)

    def _require_ours(self, claims: dict[str, object]) -> None:
        if claims.get("iss") != self._issuer:
            raise Fault(FaultCode.PORTAL_TOKEN_INVALID, "iss")
        audience = claims.get("aud")
        heard = audience if isinstance(audience, list) else [audience]
        if self._audience not in heard:
            raise Fault(FaultCode.PORTAL_TOKEN_INVALID, "aud")


def _lifetime(claims: dict[str, object]) -> tuple[int, int]:
    """Return (not before, expires) in Unix seconds; `iat` and `nbf` both bound the start."""
    issued_s = _seconds(claims, "iat")
    expires_s = _seconds(claims, "exp")
    not_before_s = _seconds(claims, "nbf") if "nbf" in claims else issued_s
    if not 0 < expires_s - issued_s <= TOKEN_LIFE_S_MAX:
        raise Fault(FaultCode.PORTAL_TOKEN_INVALID, f"lifetime of at most {TOKEN_LIFE_S_MAX} s")
    return max(issued_s, not_before_s), expires_s


def _seconds(claims: dict[str, object], name: str) -> int:
    value = claims.get(name)
    if type(value) is not int or value <= 0:
        raise Fault(FaultCode.PORTAL_TOKEN_INVALID, name)
    return value


def _text(claims: dict[str, object], name: str, default: str | None = None) -> str:
    value = claims.get(name, default)
    if not isinstance(value, str) or len(value) > HEADER_TEXT_CHARS_MAX:
        raise Fault(FaultCode.PORTAL_TOKEN_INVALID, name)
    if not value.isprintable() or (default is None and not value):
        raise Fault(FaultCode.PORTAL_TOKEN_INVALID, name)
    return value


def _actor(claims: dict[str, object]) -> Actor:
    unit = _text(claims, "unit")
    if _UNIT.match(unit) is None:
        raise Fault(FaultCode.PORTAL_TOKEN_INVALID, "unit")
    scope = claims.get("scope", "")
    if not isinstance(scope, str):
        raise Fault(FaultCode.PORTAL_TOKEN_INVALID, "scope")
    return Actor(
        unit=unit,
        subject=_text(claims, "sub"),
        capacity=_text(claims, "capacity", default=""),
        scopes=frozenset(scope.split()),
    )
