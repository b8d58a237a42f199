"""`gjzwfwpt`: headers sid, rid, rtime and an HMAC over them; the body is not signed.

`_sign` = base64(HMAC-SHA256(sid + rid + rtime, secret)); older code puts rid first. Public code of
platforms of the national style.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Literal

from gateway.adapters.outlets.rest.schemes.scheme import (
    Call,
    Proof,
    header,
    plain_answer,
    require_now,
    require_same,
)
from gateway.kernel.envelope import Strength

_RID, _SID, _TIME, _SIGN = (f"gjzwfwpt_{name}" for name in ("rid", "sid", "rtime", "sign"))
Order = Literal["sid_rid_rtime", "rid_sid_rtime"]
PROVEN: Final = Strength.AUTHENTICATED


def signature(sid: str, rid: str, rtime: str, secret: bytes, order: Order) -> str:
    """Return what `_sign` must be."""
    ids = (sid, rid) if order == "sid_rid_rtime" else (rid, sid)
    made = hmac.digest(secret, "".join((*ids, rtime)).encode(), sha256)
    return base64.b64encode(made).decode()


@dataclass(frozen=True)
class Gjzwfwpt:
    """Implements `Scheme`. `rid` names the caller, `sid` the service."""

    rid: str
    sid: str
    secret: bytes = field(repr=False)
    inbound_rid: str
    inbound_sid: str
    inbound_secret: bytes = field(repr=False)
    order: Order
    skew_ms_max: int

    def sign(self, call: Call, now_ms: int, nonce: str) -> Call:
        """See `Scheme`. The nonce is not used: the time is the only thing that changes."""
        time = str(now_ms)
        made = signature(self.sid, self.rid, time, self.secret, self.order)
        added = {_RID: self.rid, _SID: self.sid, _TIME: time, _SIGN: made}
        return call._replace(headers={**call.headers, **added})

    def verify(self, call: Call, now_ms: int) -> Proof:
        """See `Scheme`. The body is believed on the connection alone."""
        rid, sid, time, given = (header(call, name) for name in (_RID, _SID, _TIME, _SIGN))
        wanted = signature(
            self.inbound_sid, self.inbound_rid, time, self.inbound_secret, self.order
        )
        known = (rid, sid) == (self.inbound_rid, self.inbound_sid)
        require_same(hmac.compare_digest(given.encode(), wanted.encode()) and known, _SIGN)
        at_ms = require_now(time, 1, now_ms, self.skew_ms_max)
        return Proof(PROVEN, call.body, f"gjzwfwpt {given}", at_ms + self.skew_ms_max)

    def open_answer(self, body: bytes, now_ms: int) -> Proof:
        """See `Scheme`: answers are as they are."""
        return plain_answer(body)
