"""What a partner's platform sent, made a message: case, header, body (来件转报文)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from gateway.kernel.case import OPENING, CaseRecord
from gateway.kernel.digests import commitment
from gateway.kernel.envelope import CASELESS, Attachment, Body, Header, Kind, Mode, Right
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseKey, GatewayId, MessageRef, parse_uuid7
from gateway.kernel.limits import MESSAGE_LIFE_MS_MAX
from gateway.kernel.translations import Ours
from gateway.kernel.trees import Tree
from gateway.ports.directory import Book
from gateway.ports.journal import Snapshot
from gateway.ports.journal_arrivals import StoredArrival
from gateway.rules import agreement as agreements
from gateway.rules.agreement import Agreement, Exchange
from gateway.rules.arrivals import attested_id, case_id, require_named
from gateway.wire.headers import encode_body, encode_header

_NUMBERS: Final = ("applicant_number", "handling_number")
_SUBMITTED_PARTS: Final = ("identity", "authorisation")


class Prepared(NamedTuple):
    """A message before it is attested."""

    header: Header
    header_bytes: bytes
    salt: bytes
    body_bytes: bytes


def ref_of(a: StoredArrival) -> MessageRef:
    """Return the name of the message that an arrival becomes, or would have become."""
    natural = f"{a.natural_key}\0{a.content_digest.hex()}"
    return MessageRef(a.partner, attested_id(a.adapter, a.partner, natural, a.received_at_ms))


def salt_of(a: StoredArrival, use: str) -> bytes:
    """Return a salt of 32 bytes for one use: trying again makes the same message."""
    return hmac.digest(a.salt, use.encode(), "sha256")


def case_of(s: Snapshot, partner: GatewayId, ours: Ours) -> CaseRecord | None:
    """Return the case that an arrival names by our id or by a number; None if it opens one.

    Raises:
        Fault: `partner.case_unnamed` if it names none that we have with this partner.
    """
    if ours.kind in OPENING or ours.kind in CASELESS:
        return None
    named = section(ours.tree, "case")
    key = _key(named)
    for name in _NUMBERS if key is None else ():
        number = named.get(name)
        if isinstance(number, str) and number:
            key = key or s.case_named(partner, number)
    case = None if key is None else s.cases([key]).get(key)
    found = case is not None and case.counterpart == partner
    require_named(found)
    return case


def _key(named: Mapping[str, object]) -> CaseKey | None:
    text = named.get("id")
    if not isinstance(text, str) or not text:
        return None
    origin, _, ident = text.partition("/")
    raw = parse_uuid7(ident)
    if raw is None:
        raise Fault(FaultCode.PARTNER_CASE_UNNAMED, "/case/id")
    return CaseKey(GatewayId(origin), raw)  # type: ignore[arg-type]


def section(tree: Tree, name: str) -> Mapping[str, object]:
    """Return an object of a tree, empty if it is none."""
    found = tree.get(name)
    return found if isinstance(found, dict) else {}


def prepare(
    book: Book,
    arrival: StoredArrival,
    ours: Ours,
    case: CaseRecord | None,
    attachments: Sequence[Attachment],
) -> Prepared:
    """Return the message, next in its case.

    Raises:
        Fault: `trust.partner_not_active`; `agreement.*` if nothing in force allows a new case;
            `mapping.value_invalid` for what is no JSON or no mode or right.
    """
    body_bytes = encode_body(Body(_form(ours), tuple(attachments)))
    salt = salt_of(arrival, "body")
    header = _header(book, arrival, ours, case)
    header = header._replace(body_commitment=commitment(salt, body_bytes))
    return Prepared(header, encode_header(header), salt, body_bytes)


def new_case(arrival: StoredArrival) -> CaseKey:
    """Return the key of the case that an arrival opens."""
    natural = f"{arrival.natural_key}\0{arrival.content_digest.hex()}"
    ident = case_id(arrival.adapter, arrival.partner, natural, arrival.received_at_ms)
    return CaseKey(arrival.partner, ident)


def _header(book: Book, a: StoredArrival, ours: Ours, case: CaseRecord | None) -> Header:
    partner = book.partners.get(a.partner)
    if partner is None:
        raise Fault(FaultCode.TRUST_PARTNER_NOT_ACTIVE, "no longer in the directory")
    said = section(ours.tree, "message")
    header = Header(
        ref_of(a).message_id,
        a.partner,
        book.home.gateway_id,
        a.received_at_ms,
        a.received_at_ms + MESSAGE_LIFE_MS_MAX,
        ours.kind,
        b"",
        acting_unit=_text(said, "unit") or partner.unit,
        staff_capacity=a.adapter,
        strength=a.strength,
    )
    if ours.kind in CASELESS:
        return header
    header = header._replace(delegated_right=_right(said))
    if case is None:
        return _opening(book, a, header, said)
    return header._replace(
        case_origin=case.key.origin,
        case_id=case.key.case_id,
        sequence=case.received.sequence + 1,
        previous_digest=case.received.digest,
        last_seen_digest=case.sent.digest,
        agreement_digest=case.agreement_digest,
        item_code=case.item_code,
        item_version=case.item_version,
        mode=case.mode,
        purpose=case.purpose,
    )


def _opening(book: Book, a: StoredArrival, header: Header, said: Mapping[str, object]) -> Header:
    key = new_case(a)
    try:
        mode = Mode[_text(said, "mode").upper()]
    except KeyError:
        raise Fault(FaultCode.MAPPING_VALUE_INVALID, "/message/mode") from None
    wish = Exchange(
        header.sender,
        header.recipient,
        _text(said, "item_code"),
        _text(said, "item_version"),
        mode,
        _text(said, "purpose"),
        header.delegated_right,
        "",
    )
    return header._replace(
        case_origin=key.origin,
        case_id=key.case_id,
        sequence=1,
        agreement_digest=_agreement(book, wish, header.sent_at_ms).digest,
        item_code=wish.item_code,
        item_version=wish.item_version,
        mode=mode,
        purpose=wish.purpose,
    )


def _agreement(book: Book, wish: Exchange, at_ms: int) -> Agreement:
    """Return the agreement in force that allows a new case; with none, raise why the last does not.

    The intake judges it again.
    """
    broken = Fault(FaultCode.AGREEMENT_UNKNOWN, "none with this partner")
    for agreement in book.agreements_with(wish.origin):
        try:
            agreements.require_in_force(agreement, at_ms)
            agreements.require_permitted(agreement, wish)
        except Fault as fault:
            broken = fault
        else:
            return agreement
    raise broken


def _text(said: Mapping[str, object], name: str) -> str:
    value = said.get(name, "")
    return value if isinstance(value, str) else ""


def _right(said: Mapping[str, object]) -> Right:
    try:
        return Right[(_text(said, "right") or "none").upper()]
    except KeyError:
        raise Fault(FaultCode.MAPPING_VALUE_INVALID, "/message/right") from None


def _form(ours: Ours) -> bytes:
    """Write the body's form: an application is our own words around the item's form."""
    form: object = ours.tree.get("form", {})
    if ours.kind is Kind.SUBMITTED:
        number = section(ours.tree, "case").get("applicant_number", "")
        parts: dict[str, object] = {n: ours.tree[n] for n in _SUBMITTED_PARTS if n in ours.tree}
        wrapped: dict[str, object] = {"applicant_number": number, "form": form, **parts}
        form = wrapped
    try:
        return json.dumps(form, ensure_ascii=False, default=_number).encode()
    except (TypeError, UnicodeEncodeError):
        raise Fault(FaultCode.MAPPING_VALUE_INVALID, "/form") from None


def _number(value: object) -> int | float:
    """Write an exact amount as JSON's number."""
    if not isinstance(value, Decimal) or not value.is_finite():
        raise TypeError
    return int(value) if value == value.to_integral_value() else float(value)
