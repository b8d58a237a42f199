"""`X-BG-HMAC`: an HMAC over method, path, sorted query, access key and date; not over the body.

HMAC-SHA256, base64, over METHOD, URI, query, access key and GMT date, each with a line feed. The
date is at most 90 s off. Public code of platforms of the Zhejiang style.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from gateway.adapters.outlets.rest.schemes.scheme import (
    Call,
    Proof,
    header,
    plain_answer,
    require_same,
)
from gateway.kernel.envelope import Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.instants import from_datetime

_KEY, _SIGN, _ALGORITHM, _DATE = (
    "x-bg-hmac-access-key", "x-bg-hmac-signature", "x-bg-hmac-algorithm", "x-bg-date-time",
)  # fmt: skip
_NAMED: Final = "hmac-sha256"


def signature(method: str, uri: str, query: str, access_key: str, date: str, secret: bytes) -> str:
    """Return what the signature must be; `query` is sorted here."""
    ordered = "&".join(sorted(query.split("&"))) if query else ""
    text = "".join(f"{line}\n" for line in (method, uri, ordered, access_key, date))
    return base64.b64encode(hmac.digest(secret, text.encode(), sha256)).decode()


@dataclass(frozen=True)
class XBgHmac:
    """Implements `Scheme`."""

    access_key: str
    secret: bytes = field(repr=False)
    inbound_access_key: str
    inbound_secret: bytes = field(repr=False)
    skew_ms_max: int

    def sign(self, call: Call, now_ms: int, nonce: str) -> Call:
        """See `Scheme`. The nonce is not used."""
        date = format_datetime(datetime.fromtimestamp(now_ms // 1_000, UTC), usegmt=True)
        parts = urlsplit(call.url)
        made = signature(call.method, parts.path, parts.query, self.access_key, date, self.secret)
        added = {_KEY: self.access_key, _SIGN: made, _ALGORITHM: _NAMED, _DATE: date}
        return call._replace(headers={**call.headers, **added})

    def verify(self, call: Call, now_ms: int) -> Proof:
        """See `Scheme`. The body is believed on the connection alone."""
        key, given, date = (header(call, name) for name in (_KEY, _SIGN, _DATE))
        parts = urlsplit(call.url)
        wanted = signature(
            call.method, parts.path, parts.query, self.inbound_access_key, date, self.inbound_secret
        )
        held = hmac.compare_digest(given.encode(), wanted.encode())
        require_same(held and key == self.inbound_access_key, _SIGN)
        try:
            at_ms = from_datetime(parsedate_to_datetime(date))
        except (ValueError, TypeError):
            raise Fault(FaultCode.PARTNER_UNSIGNED, _DATE) from None
        if abs(now_ms - at_ms) > self.skew_ms_max:
            raise Fault(FaultCode.PARTNER_CLOCK_SKEW, f"{(at_ms - now_ms) // 1000} s")
        # The date has whole seconds and the body is not signed: two bodies of one second differ.
        nonce = f"x-bg {given} {sha256(call.body).hexdigest()}"
        return Proof(Strength.AUTHENTICATED, call.body, nonce, at_ms + self.skew_ms_max)

    def open_answer(self, body: bytes, now_ms: int) -> Proof:
        """See `Scheme`: answers are as they are."""
        return plain_answer(body)
