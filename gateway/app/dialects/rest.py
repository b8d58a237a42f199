"""Opening a partner with a REST interface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from gateway.adapters.outlets.https import HttpsAccess, HttpsLine, is_plain_loopback
from gateway.adapters.outlets.rest.dialect import Held, Renewing, Rest, RestLink, Secrets
from gateway.adapters.outlets.rest.inbound import RestCallbacks, RestPoll
from gateway.adapters.outlets.rest.schemes.gjzwfwpt import Gjzwfwpt
from gateway.adapters.outlets.rest.schemes.http_signatures import HttpSignatures
from gateway.adapters.outlets.rest.schemes.jpaas import Jpaas
from gateway.adapters.outlets.rest.schemes.scheme import Scheme
from gateway.adapters.outlets.rest.schemes.x_bg_hmac import XBgHmac
from gateway.adapters.outlets.rest.schemes.x_tif import Wrapping, XTif
from gateway.adapters.outlets.rest.settings import (
    GjzwfwptSettings,
    HttpSignaturesSettings,
    JpaasSettings,
    RestSettings,
    WrappingSettings,
    XBgHmacSettings,
    XTifSettings,
)
from gateway.adapters.pki.sm2 import NoNationalCrypto, SystemNationalCrypto, sm3
from gateway.adapters.pki.suites import KeyProblem
from gateway.app.dialects.files import read_named, read_secret, read_secret_text
from gateway.app.dialects.opening import Opened, Opening
from gateway.app.dialects.soap import platform_tls
from gateway.app.problems import ConfigProblem

_SM4_KEY_BYTES = 16


@dataclass(frozen=True)
class RestKind:
    """Implements `DialectKind`."""

    settings: type[RestSettings] = RestSettings

    def open(self, settings: RestSettings, opening: Opening) -> Opened:
        """See `DialectKind`."""
        s, partner = settings, opening.partner.gateway_id
        tls = platform_tls(opening, s.url, s.authorities, (s.client_certificate, s.client_key))
        line = HttpsLine(HttpsAccess(s.url, tls, s.server_name, s.timeout_s))
        link = RestLink(s, line, opening.clock, opening.entropy)
        scheme = _scheme(s, _Files(opening))
        secrets = _secrets(s, scheme, opening)
        base = s.http_signatures.inbound_url if s.http_signatures else None
        handler = RestCallbacks(
            partner,
            scheme,
            base or "",
            is_plain_loopback(s.url),
            opening.reception,
            opening.translation.say,
            opening.clock,
            opening.log,
        )
        poll = None
        if s.poll is not None:
            poll = RestPoll(
                partner, s.poll, link, secrets, opening.reception, opening.clock, opening.log
            ).run
        return Opened(Rest(s, link, secrets), handler if s.calls_back else None, poll)


@dataclass(frozen=True)
class _Files:
    """What the settings of one partner name."""

    opening: Opening

    def secret(self, name: str) -> bytes:
        return read_secret(self.opening.folder, name, demo=self.opening.demo)

    def text(self, name: str) -> str:
        return read_secret_text(self.opening.folder, name, demo=self.opening.demo)

    def inbound(self, name: str | None, *others: str) -> str:
        """Return the secret of what the partner sends; none is needed where it sends nothing."""
        if name is None or not all(others):
            if self._hears:
                told = "outlet.rest: the partner calls back; set every `inbound_…` of its scheme"
                raise ConfigProblem(self.opening.folder, [f"{told}, or calls_back = false"])
            return ""
        return self.text(name)

    @property
    def _hears(self) -> bool:
        platform = self.opening.partner.platform
        return platform is None or platform.settings.get("calls_back", True) is not False

    def wrong(self, name: str, why: str) -> ConfigProblem:
        return ConfigProblem(self.opening.folder, [f"{name}: {why}"])

    def public(self, name: str) -> bytes:
        return read_named(self.opening.folder, name)


def _scheme(s: RestSettings, files: _Files) -> Scheme:
    """Return the scheme with its secrets.

    Raises:
        ConfigProblem: a file cannot be used; there is no SM2 on this system and it is needed.
    """
    if s.gjzwfwpt is not None:
        return _gjzwfwpt(s.gjzwfwpt, files)
    if s.jpaas is not None:
        return _jpaas(s.jpaas)
    if s.x_tif is not None:
        return _x_tif(s.x_tif, files)
    if s.x_bg_hmac is not None:
        return _x_bg_hmac(s.x_bg_hmac, files)
    assert s.http_signatures is not None, "the settings hold the scheme's table"
    return _http_signatures(s.http_signatures, files, hears=s.calls_back)


def _ms(seconds: float) -> int:
    return int(seconds * 1_000)


def _gjzwfwpt(g: GjzwfwptSettings, files: _Files) -> Gjzwfwpt:
    inbound = files.inbound(g.inbound_secret_file, g.inbound_rid, g.inbound_sid).encode()
    secret = files.secret(g.secret_file)
    ours = g.inbound_rid, g.inbound_sid, inbound
    return Gjzwfwpt(g.rid, g.sid, secret, *ours, g.order, _ms(g.skew_s_max))


def _jpaas(j: JpaasSettings) -> Jpaas:
    return Jpaas(j.app_id, j.inbound_app_id, j.origin, j.version, _ms(j.skew_s_max), sm3)


def _x_bg_hmac(x: XBgHmacSettings, files: _Files) -> XBgHmac:
    inbound = files.inbound(x.inbound_secret_file, x.inbound_access_key).encode()
    own = files.secret(x.secret_file)
    return XBgHmac(x.access_key, own, x.inbound_access_key, inbound, _ms(x.skew_s_max))


def _x_tif(x: XTifSettings, files: _Files) -> XTif:
    inbound = files.inbound(x.inbound_token_file, x.inbound_paas_id)
    token = files.text(x.token_file)
    wrapping = None if x.wrapping is None else _wrapping(x.wrapping, files)
    return XTif(x.paas_id, token, x.inbound_paas_id, inbound, _ms(x.skew_s_max), wrapping)


@lru_cache(maxsize=1)
def _national_crypto() -> SystemNationalCrypto:
    """Open the system's national algorithms once; its example is checked then."""
    return SystemNationalCrypto()


def _wrapping(w: WrappingSettings, files: _Files) -> Wrapping:
    try:
        crypto = _national_crypto()
    except NoNationalCrypto as problem:
        raise files.wrong("x_tif.wrapping", str(problem)) from problem
    try:
        own = crypto.private_key(files.secret(w.own_key_file))
        theirs = crypto.public_key(files.public(w.their_key_file))
    except KeyProblem as problem:
        raise files.wrong("x_tif.wrapping", str(problem)) from problem
    sm4_key = b""
    if w.sm4_key_file is not None:
        try:
            sm4_key = bytes.fromhex(files.secret(w.sm4_key_file).decode("ascii"))
        except ValueError:
            sm4_key = b""
        if len(sm4_key) != _SM4_KEY_BYTES:
            raise files.wrong(w.sm4_key_file, "an SM4 key is 32 hex digits")
    user_id = w.user_id.encode()
    return Wrapping(crypto, own, theirs, user_id, w.signature_form, w.cipher, sm4_key, w.sm2_order)


def _http_signatures(h: HttpSignaturesSettings, files: _Files, *, hears: bool) -> HttpSignatures:
    if hears and h.inbound_url is None:
        told = "is needed, since the partner signs it; else set calls_back = false"
        raise files.wrong("http_signatures.inbound_url", told)
    own = files.secret(h.key_file)
    shared = h.algorithm == "hmac-sha256"
    theirs = (files.secret if shared else files.public)(h.their_key_file)
    keys: tuple[Any, Any] = (own, theirs)
    if not shared:
        keys = (
            _key(files, h.key_file, lambda: load_pem_private_key(own, None)),
            _key(files, h.their_key_file, lambda: load_pem_public_key(theirs)),
        )
    skew_ms = _ms(h.skew_s_max)
    return HttpSignatures(h.algorithm, h.key_id, keys[0], h.their_key_id, keys[1], skew_ms, h.tag)


def _key(files: _Files, name: str, read: Callable[[], object]) -> object:
    try:
        return read()
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise files.wrong(name, "no readable key (PEM)") from problem


def _secrets(s: RestSettings, scheme: Scheme, opening: Opening) -> Secrets:
    if s.gjzwfwpt is None or s.gjzwfwpt.renewal is None:
        return Held(scheme)
    assert isinstance(scheme, Gjzwfwpt), "made of the same table"
    return Renewing(scheme, s.gjzwfwpt.renewal, opening.clock)
