"""Rules of the assisted desk: two people, one reading (双人录入复核)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from hashlib import sha256
from typing import assert_never

from gateway.kernel.assisted import TypingEvent, TypingStatus, WorkStatus
from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, MessageId, uuid7, uuid_text


def step(status: TypingStatus | None, event: TypingEvent) -> TypingStatus:
    """Return what becomes of a typed outcome; None stands for nothing typed yet.

    Raises:
        Fault: `assisted.awaits_confirmation` if it can no longer be typed over,
            `assisted.nothing_typed` if there is nothing to confirm or settle.
    """
    match event:
        case TypingEvent.TYPE:
            if status in (TypingStatus.CONFIRMED, TypingStatus.TAKEN_IN):
                raise Fault(FaultCode.ASSISTED_AWAITS_CONFIRMATION, "confirmed already")
            return TypingStatus.TYPED
        case TypingEvent.REPLACE:
            return _from(status, TypingStatus.TYPED, TypingStatus.REPLACED)
        case TypingEvent.MISMATCH:
            return _from(status, TypingStatus.TYPED, TypingStatus.MISMATCHED)
        case TypingEvent.CONFIRM:
            return _from(status, TypingStatus.TYPED, TypingStatus.CONFIRMED)
        case TypingEvent.TAKE_IN:
            return _from(status, TypingStatus.CONFIRMED, TypingStatus.TAKEN_IN)
        case TypingEvent.REFUSE:
            return _from(status, TypingStatus.CONFIRMED, TypingStatus.REFUSED)
        case _ as never:
            assert_never(never)


def _from(status: TypingStatus | None, needed: TypingStatus, after: TypingStatus) -> TypingStatus:
    if status is not needed:
        raise Fault(FaultCode.ASSISTED_NOTHING_TYPED, status.value if status else "")
    return after


def require_handed_over(status: WorkStatus) -> None:
    """Check that the partner was told before its answer is typed.

    Raises:
        Fault: `assisted.not_handed_over`.
    """
    if status is WorkStatus.LISTED:
        raise Fault(FaultCode.ASSISTED_NOT_HANDED_OVER)


def require_same_case(given: tuple[str, str], sheet: tuple[str, str]) -> None:
    """Check that (partner's region, our case number) as typed are those of the sheet.

    Raises:
        Fault: `assisted.wrong_case` naming the field, never a value.
    """
    for name, mine, its in zip(("region", "case_number"), given, sheet, strict=True):
        if _plain(mine) != _plain(its):
            raise Fault(FaultCode.ASSISTED_WRONG_CASE, name, errors=((f"/{name}", "differs"),))


def require_other_person(typist: str, confirmer: str) -> None:
    """Check that two people were at work. That two pseudonyms are two people is *not* checked.

    Raises:
        Fault: `assisted.same_person`.
    """
    if typist.casefold().strip() == confirmer.casefold().strip():
        raise Fault(FaultCode.ASSISTED_SAME_PERSON)


def key_fields(kind: Kind, number: str, content: Mapping[str, object]) -> dict[str, str]:
    """Return what the second person reads and types again, by field name.

    Always kind and number; then what the outcome hangs on: result and licence id of a decision,
    the materials asked for, the reason's code, the dates.
    """
    fields = {"kind": kind.name.lower(), "number": number}
    for name in ("result", "reason_code", "accepted_on", "delivered_on"):
        if name in content:
            fields[name] = str(content[name])
    licence = content.get("licence")
    if isinstance(licence, Mapping):
        fields["licence_id"] = str(licence.get("licence_id", ""))
    materials = content.get("materials")
    if isinstance(materials, list):
        codes = (str(m.get("code", "")) for m in materials if isinstance(m, Mapping))
        fields["materials"] = ",".join(sorted(codes))
    return fields


def require_match(typed: Mapping[str, str], confirmed: Mapping[str, str]) -> None:
    """Check that both people read the same. Widths of characters and spaces do not count.

    Raises:
        Fault: `assisted.mismatch` with the names of the fields that differ, never their values.
    """
    names = sorted(typed.keys() | confirmed.keys())
    wrong = [n for n in names if _plain(typed.get(n, "")) != _plain(confirmed.get(n, ""))]
    if wrong:
        raise Fault(
            FaultCode.ASSISTED_MISMATCH,
            ",".join(wrong),
            errors=tuple((f"/{name}", "differs") for name in wrong),
        )


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def natural_key(work_id: bytes, kind: Kind, number: str) -> str:
    """Return the partner's own key of an answer: its number, the kind, and what it answers."""
    return f"{_plain(number)}/{kind.name.lower()}/{uuid_text(work_id)}"


def attested_id(partner: GatewayId, natural: str, at_ms: int) -> MessageId:
    """Return the message id of (partner, natural key), with `at_ms` as its time.

    The random part of the UUIDv7 is a digest, so that one natural key typed at one time is one id.
    """
    drawn = sha256(f"kuayu assisted\0{partner}\0{natural}".encode()).digest()
    return MessageId(uuid7(at_ms, drawn[:10]))
