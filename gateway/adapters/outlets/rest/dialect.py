"""Pushes of JSON documents to a partner's interface, signed by its scheme."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple, Protocol
from urllib.parse import quote

from gateway.adapters.outlets.beside import read_beside
from gateway.adapters.outlets.dialect import DialectAnswer
from gateway.adapters.outlets.documents import read_json, write_json
from gateway.adapters.outlets.https import HttpAnswer, HttpsLine
from gateway.adapters.outlets.rest.schemes.gjzwfwpt import Gjzwfwpt
from gateway.adapters.outlets.rest.schemes.scheme import Call, Proof, Scheme
from gateway.adapters.outlets.rest.settings import Renewal, RestSettings
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.trees import Tree, steps_of
from gateway.kernel.trees import get as get_at
from gateway.ports.clock import Clock, Entropy
from gateway.ports.outlet import Listed, OutletDown
from gateway.rules.arrivals import require_unused

_JSON: Final = "application/json; charset=utf-8"
_NONCE_BYTES: Final = 16
_RENEW_EARLY_MS: Final = 30_000
_UNPROVEN: Final = (401, 403)


class Secrets(Protocol):
    """The scheme as its secret is now."""

    async def scheme(self, link: RestLink) -> Scheme:
        """Return it.

        Raises:
            OutletDown: the secret cannot be had.
        """
        ...

    def forget(self) -> None:
        """Have it fetched anew: the partner believed it no longer."""
        ...


class Held:
    """Implements `Secrets`: one that stays."""

    def __init__(self, scheme: Scheme) -> None:
        self._scheme = scheme

    async def scheme(self, link: RestLink) -> Scheme:
        """See `Secrets`."""
        return self._scheme

    def forget(self) -> None:
        """See `Secrets`: there is no other."""


class _Renewed(NamedTuple):
    scheme: Gjzwfwpt
    until_ms: int


class Renewing:
    """Implements `Secrets`: a short-lived one, had for the long-lived one (两步取密)."""

    def __init__(self, founding: Gjzwfwpt, renewal: Renewal, clock: Clock) -> None:
        self._founding = founding
        self._renewal = renewal
        self._clock = clock
        self._turn = asyncio.Lock()
        self._held: _Renewed | None = None

    async def scheme(self, link: RestLink) -> Scheme:
        """See `Secrets`: fetched once for all who wait."""
        async with self._turn:
            now_ms = self._clock.now_ms()
            if self._held is None or self._held.until_ms <= now_ms:
                self._held = await self._fetched(link, now_ms)
            return self._held.scheme

    def forget(self) -> None:
        """See `Secrets`."""
        self._held = None

    async def _fetched(self, link: RestLink, now_ms: int) -> _Renewed:
        answer = await link.call(self._founding, self._renewal.path, "", b"{}")
        try:
            told = read_json(answer.body)
            secret = get_at(told, steps_of(self._renewal.secret_at))
            seconds = get_at(told, steps_of(self._renewal.seconds_at))
        except Fault as unread:
            raise OutletDown("secret_unreadable") from unread
        if not isinstance(secret, str) or not secret or not str(seconds).isdigit():
            raise OutletDown("secret_refused")
        life_ms = min(int(str(seconds)), 86_400) * 1_000
        until_ms = now_ms + max(life_ms - _RENEW_EARLY_MS, life_ms // 2)
        return _Renewed(replace(self._founding, secret=secret.encode()), until_ms)


class RestLink:
    """Signs calls and makes them."""

    def __init__(
        self, settings: RestSettings, line: HttpsLine, clock: Clock, entropy: Entropy
    ) -> None:
        self._settings = settings
        self._line = line
        self._clock = clock
        self._entropy = entropy
        self._used: dict[str, int] = {}
        """Nonces of answers, with the time after which they would be too old anyway."""

    async def call(self, scheme: Scheme, path: str, operation: str, body: bytes) -> HttpAnswer:
        """Make one signed call and return its answer, of any status that is one.

        Raises:
            OutletDown: none was had.
        """
        nonce = self._entropy.token(_NONCE_BYTES).hex()
        url = self._settings.url + path
        plain = Call("POST", url, operation, {"content-type": _JSON}, body)
        signed = scheme.sign(plain, self._clock.now_ms(), nonce)
        return await self._line.request("POST", path, signed.headers, signed.body)

    def opened(self, scheme: Scheme, answer: HttpAnswer) -> Proof:
        """Return an answer's document; one that was signed counts once.

        Raises:
            Fault: those of `Scheme.open_answer`; `partner.nonce_replayed`.
        """
        now_ms = self._clock.now_ms()
        proof = scheme.open_answer(answer.body, now_ms)
        if proof.nonce:
            self._used = {n: until for n, until in self._used.items() if until > now_ms}
            require_unused(proof.nonce in self._used)
            self._used[proof.nonce] = proof.nonce_until_ms
        return proof

    async def close(self) -> None:
        """Let go of connections."""
        await self._line.close()


class Rest:
    """Implements `adapters.outlets.dialect.Dialect`."""

    def __init__(self, settings: RestSettings, link: RestLink, secrets: Secrets) -> None:
        self._settings = settings
        self._link = link
        self._secrets = secrets

    async def send(
        self, operation: str, document: Tree, number: str, timeout_s: float
    ) -> DialectAnswer | Listed:
        """See `Dialect`: one call, answered at once."""
        path = self._settings.path.replace("{operation}", quote(operation, safe=""))
        document_bytes = write_json(document)
        scheme = await self._secrets.scheme(self._link)
        answer = await self._link.call(scheme, path, operation, document_bytes)
        if answer.status in _UNPROVEN:
            self._secrets.forget()
            raise OutletDown(f"http_{answer.status}")
        try:
            proof = self._link.opened(scheme, answer)
            told = await read_beside(len(proof.body), partial(read_json, proof.body))
            return DialectAnswer(answer.body, told, proof.strength)
        except Fault as unread:
            raise OutletDown(_told(answer, unread)) from unread

    async def close(self) -> None:
        """See `Dialect`."""
        await self._link.close()


def _told(answer: HttpAnswer, fault: Fault) -> str:
    """Say why an answer is none: a page where a document was to be, or the rule."""
    media_type = answer.headers.get("content-type", "")
    if "html" in media_type or answer.body.lstrip()[:1] == b"<":
        return "answer_is_html"
    if fault.code is FaultCode.PARTNER_DOCUMENT_UNREADABLE or fault.code.value.startswith("schema"):
        return "answer_is_no_json"
    return fault.code.value
