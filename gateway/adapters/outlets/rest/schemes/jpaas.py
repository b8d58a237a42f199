"""`jpaas`: form fields and an SM3 digest over them, without any key.

`sign` = SM3 hex over seven fields, sorted by name, as `k=v` with `&` between. Nobody is proven by
it, and no change on purpose is seen: integrity only. Public code of provincial portals.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode

from gateway.adapters.outlets.rest.schemes.scheme import (
    Call,
    Proof,
    plain_answer,
    require_now,
    require_same,
)
from gateway.kernel.envelope import Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import FORM_ESCAPES_MAX

_SIGNED: Final = (
    "app_id", "biz_content", "charset", "interface_id", "origin", "timestamp", "version",
)  # fmt: skip
_FIELDS_MAX: Final = 32
_FORM: Final = "application/x-www-form-urlencoded"
Sm3 = Callable[[bytes], bytes]


def signature(fields: Mapping[str, str], sm3: Sm3) -> str:
    """Return what `sign` must be."""
    return sm3("&".join(f"{name}={fields[name]}" for name in _SIGNED).encode()).hex()


@dataclass(frozen=True)
class Jpaas:
    """Implements `Scheme`. `interface_id` is the operation."""

    app_id: str
    inbound_app_id: str
    origin: str
    version: str
    skew_ms_max: int
    sm3: Sm3

    def sign(self, call: Call, now_ms: int, nonce: str) -> Call:
        """See `Scheme`: the document becomes the field `biz_content`."""
        fields = {
            "app_id": self.app_id,
            "interface_id": call.operation,
            "version": self.version,
            "header": "{}",
            "biz_content": call.body.decode(),
            "charset": "UTF-8",
            "origin": self.origin,
            "timestamp": str(now_ms),
        }
        fields["sign"] = signature(fields, self.sm3)
        headers = {**call.headers, "content-type": _FORM}
        return call._replace(headers=headers, body=urlencode(fields).encode())

    def verify(self, call: Call, now_ms: int) -> Proof:
        """See `Scheme`."""
        fields = _fields(call.body)
        missing = next((n for n in (*_SIGNED, "sign") if not fields.get(n)), None)
        if missing:
            raise Fault(FaultCode.PARTNER_UNSIGNED, missing)
        wanted = signature(fields, self.sm3)
        given = fields["sign"].lower()
        require_same(hmac.compare_digest(given.encode(), wanted.encode()), "sign")
        require_same(fields["app_id"] == self.inbound_app_id, "app_id")
        at_ms = require_now(fields["timestamp"], 1, now_ms, self.skew_ms_max)
        return Proof(
            Strength.INTEGRITY_ONLY,
            fields["biz_content"].encode(),
            f"jpaas {given}",
            at_ms + self.skew_ms_max,
            fields["interface_id"],
        )

    def open_answer(self, body: bytes, now_ms: int) -> Proof:
        """See `Scheme`: answers are as they are, over a connection that was checked."""
        return plain_answer(body)


def _fields(body: bytes) -> dict[str, str]:
    """Read form fields, each once.

    Raises:
        Fault: `partner.document_unreadable`.
    """
    if body.count(b"%") > FORM_ESCAPES_MAX:  # before anybody is proven
        raise Fault(FaultCode.PARTNER_DOCUMENT_UNREADABLE, f"more than {FORM_ESCAPES_MAX} escapes")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_FIELDS_MAX,
        )
    except ValueError:
        raise Fault(FaultCode.PARTNER_DOCUMENT_UNREADABLE, "no form fields") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Fault(FaultCode.PARTNER_DOCUMENT_UNREADABLE, "a field given twice")
    return fields
