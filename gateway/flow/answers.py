"""An answer that was typed back, made a message: header, body, and the record it stands on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from gateway.kernel.case import CaseRecord
from gateway.kernel.digests import digest
from gateway.kernel.envelope import Body, Header, Kind, Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import MESSAGE_LIFE_MS_MAX, SALT_BYTES
from gateway.kernel.stages import Authenticated, Conformant, Received
from gateway.ports.assisted import Typing
from gateway.ports.directory import Book
from gateway.rules.assisted import attested_id

_NUMBER_FIELD: Final[Mapping[Kind, str]] = {
    Kind.ACKNOWLEDGED: "handling_number",
    Kind.ACCEPTED: "handling_number",
    Kind.DECIDED: "decision_number",
}
"""Where the partner's own number belongs in the body of each kind."""


def complete(kind: Kind, number: str, content: Mapping[str, object]) -> dict[str, object]:
    """Return the body form, with the partner's number where its kind has a place for one."""
    field = _NUMBER_FIELD.get(kind)
    return dict(content) if field is None else {field: number, **content}


def answer_header(
    book: Book, case: CaseRecord, typing: Typing, body_commitment: bytes = bytes(32)
) -> Header:
    """Return the header of the partner's answer, next in its case, proven by people only.

    Raises:
        Fault: `trust.partner_not_active`.
    """
    home = book.home.gateway_id
    partner = book.partners.get(typing.partner)
    if partner is None:
        raise Fault(FaultCode.TRUST_PARTNER_NOT_ACTIVE, "no longer in the directory")
    return Header(
        attested_id(typing.partner, typing.natural_key, typing.typed_at_ms),
        typing.partner,
        home,
        typing.typed_at_ms,
        typing.typed_at_ms + MESSAGE_LIFE_MS_MAX,
        typing.kind,
        body_commitment,
        case.key.origin,
        case.key.case_id,
        sequence=case.received.sequence + 1,
        previous_digest=case.received.digest,
        last_seen_digest=case.sent.digest,
        in_reply_to=typing.work_id,
        agreement_digest=case.agreement_digest,
        item_code=case.item_code,
        item_version=case.item_version,
        mode=case.mode,
        purpose=case.purpose,
        acting_unit=partner.unit,
        staff_capacity="assisted",
        strength=Strength.ASSISTED,
    )


def rehearsed(header: Header, home: GatewayId, form: bytes, document: object) -> Conformant:
    """Return the message as the intake would see it, to be judged before anyone confirms it."""
    received = Received(
        b"", b"", header, digest(b""), bytes(SALT_BYTES), b"", (), home, header.sent_at_ms
    )
    return Conformant(Authenticated(received, b""), Body(form), document)


def record_of(typing: Typing, confirmed_by: str, confirmed_at_ms: int, confirmed: bytes) -> bytes:
    """Write who typed and who confirmed what, both verbatim: what the attestation's digest is of.

    Both are UTF-8, which the JSON readers before have checked.
    """
    return json.dumps(
        {
            "partner": typing.partner,
            "natural_key": typing.natural_key,
            "typed": {
                "by": typing.typed_by,
                "at_ms": typing.typed_at_ms,
                "text": typing.typed.decode(),
            },
            "confirmed": {"by": confirmed_by, "at_ms": confirmed_at_ms, "text": confirmed.decode()},
        },
        ensure_ascii=False,
        sort_keys=True,
    ).encode()
