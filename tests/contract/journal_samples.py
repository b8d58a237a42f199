"""Messages, cases and entries for the journal's suite: invented, marked 示例, and all different."""

from __future__ import annotations

from hashlib import sha256

from gateway.kernel.case import CaseRecord, CaseRole, Chain, Outstanding, Stage
from gateway.kernel.envelope import Body, Header, Kind, Mode, Outcome
from gateway.kernel.identifiers import CaseId, CaseKey, Digest, GatewayId, MessageId, MessageRef
from gateway.kernel.stages import (
    Authenticated,
    Authorised,
    Conformant,
    Received,
    Refused,
    TakenIn,
)
from gateway.ports.journal import (
    Direction,
    Journal,
    Material,
    OutboxEntry,
    OutboxStatus,
    ReceiptRecord,
    Remembered,
    StoredMessage,
    Transaction,
    VoidRecord,
)

HOME = GatewayId("620200")
PARTNER = GatewayId("620900")
OTHER = GatewayId("620600")
NOW_MS = 1_653_614_400_000  # 2022-05-27
UNIT = "11620200MB0000000X"
OTHER_UNIT = "11620900MB0000000Y"
FORM = '{"name":"示例商贸有限公司嘉峪关分公司"}'.encode() * 30


def digest_of(text: str) -> Digest:
    """Return a digest that only `text` has."""
    return Digest(sha256(text.encode()).digest())


def id_of(number: int) -> bytes:
    """Return the UUIDv7 with this number; greater numbers are greater ids."""
    return (NOW_MS + number).to_bytes(6, "big") + b"\x70\x00\x80" + bytes(7)


def key_of(number: int, origin: GatewayId = PARTNER) -> CaseKey:
    """Return a case's key."""
    return CaseKey(origin, CaseId(id_of(number)))


def ref_of(number: int, sender: GatewayId = PARTNER) -> MessageRef:
    """Return a message's name."""
    return MessageRef(sender, MessageId(id_of(number)))


def authenticated(
    number: int,
    *,
    sender: GatewayId = PARTNER,
    case: CaseKey | None = None,
    kind: Kind = Kind.SUBMITTED,
    variant: str = "",
    sequence: int = 1,
) -> Authenticated:
    """Return message `number`; another `variant` is another header under the same id."""
    header = Header(
        MessageId(id_of(number)),
        sender,
        HOME,
        NOW_MS + number,
        NOW_MS + number + 1000,
        kind,
        digest_of("body"),
        case_origin=GatewayId("") if case is None else case.origin,
        case_id=b"" if case is None else case.case_id,
        sequence=0 if case is None else sequence,
    )
    received = Received(
        f"{variant}{number}".encode() + b"e" * 3000,
        b"",
        header,
        digest_of(f"{variant}{sender}{number}"),
        b"s" * 32,
        FORM,
        (),
        sender,
        NOW_MS + number,
    )
    return Authenticated(received, digest_of("standing"))


def receipt_for(seen: Authenticated, outcome: str) -> bytes:
    """Return what stands for the encoded signed receipt."""
    return f"{outcome} {seen.received.header_digest.hex()} ".encode() + b"r" * 500


def taken(number: int, **more: object) -> TakenIn:
    """Return message `number` as taken in."""
    seen = authenticated(number, **more)  # type: ignore[arg-type]
    conformant = Conformant(seen, Body(FORM), {})
    return TakenIn(Authorised(conformant, None), receipt_for(seen, "taken"))


def refused(number: int, *, rule: str = "case.role", **more: object) -> Refused:
    """Return message `number` as refused."""
    seen = authenticated(number, **more)  # type: ignore[arg-type]
    return Refused(seen, rule, receipt_for(seen, "refused"))


def stored(one: TakenIn | Refused) -> StoredMessage:
    """Return what the journal should say of it."""
    if isinstance(one, TakenIn):
        seen, outcome, rule = one.authorised.conformant.authenticated, Outcome.TAKEN_IN, ""
    else:
        seen, outcome, rule = one.authenticated, Outcome.REFUSED, one.rule
    r = seen.received
    return StoredMessage(
        r.header.ref,
        r.header_digest,
        Direction.IN,
        r.header.sender,
        r.header.case_key if r.header.case_id else None,
        r.header.kind,
        r.header.sequence,
        r.received_at_ms,
        r.raw,
        outcome,
        rule,
        one.receipt,
        r.received_at_ms,
        seen.standing,
    )


def void(number: int, sender: GatewayId = PARTNER) -> VoidRecord:
    """Return the burning of an id."""
    return VoidRecord(
        ref_of(number, sender), digest_of(f"void{number}"), NOW_MS, f"void {number}".encode()
    )


def sealed(number: int, case: CaseKey | None = None, kind: Kind = Kind.ACCEPTED) -> StoredMessage:
    """Return an own message that has no receipt yet."""
    return StoredMessage(
        ref_of(number, HOME),
        digest_of(f"own{number}"),
        Direction.OUT,
        PARTNER,
        case,
        kind,
        1 if case else 0,
        NOW_MS + number,
        f"own envelope {number}".encode(),
    )


def receipt(number: int, outcome: Outcome = Outcome.TAKEN_IN, rule: str = "") -> ReceiptRecord:
    """Return the partner's receipt for own message `number`."""
    raw = f"receipt {number} {outcome.name}".encode()
    return ReceiptRecord(ref_of(number, HOME), outcome, rule, raw, NOW_MS + number + 50)


def case(
    number: int,
    *,
    origin: GatewayId = PARTNER,
    role: CaseRole = CaseRole.DECIDING,
    stage: Stage = Stage.SUBMITTED,
    unit: str = UNIT,
) -> CaseRecord:
    """Return a case as first saved: nothing optional is set."""
    return CaseRecord(
        key_of(number, origin),
        role,
        PARTNER,
        unit,
        stage,
        "11620200MB0000000X4620131001000",
        "1",
        Mode.ONLINE,
        digest_of("agreement"),
        "企业登记",
        NOW_MS + number,
        NOW_MS + number,
        form=FORM,
    )


def full_case(number: int) -> CaseRecord:
    """Return a case in which everything optional is set."""
    return case(number)._replace(
        mode=Mode.JOINT,
        sent=Chain(3, digest_of("sent")),
        received=Chain(2, digest_of("received")),
        outstanding=Outstanding(Kind.DECIDED, id_of(77), 4, digest_of("told")),
        waiting=(Kind.DELIVERED, Kind.ARCHIVED, Kind.DELIVERED),
        applicant_number="示例办件编号一",
        handling_number="示例办件编号二",
        result="approved",
        outcome='{"licence":"示例"}'.encode(),
        attention="case.role",
        revision=9,
    )


def entry(
    number: int,
    *,
    partner: GatewayId = PARTNER,
    case: CaseKey | None = None,
    status: OutboxStatus = OutboxStatus.PENDING,
    message: int | None = None,
    due_ms: int = 0,
) -> OutboxEntry:
    """Return an outbox entry, sealed as own message `message` if that is given."""
    return OutboxEntry(
        id_of(number),
        partner,
        case,
        Kind.ACCEPTED,
        status,
        f"draft {number}".encode(),
        b"" if message is None else id_of(message),
        b"" if message is None else digest_of(f"own{message}"),
        due_ms=due_ms,
        created_at_ms=NOW_MS + number,
    )


def material(case_key: CaseKey, batch: int, position: int, commitment: bytes = b"") -> Material:
    """Return a declared file."""
    return Material(
        case_key,
        batch,
        position,
        f"M{position}",
        "示例章程.pdf",
        "application/pdf",
        1234,
        digest_of(f"file{batch}{position}"),
        b"s" * 32,
        commitment,
    )


def remembered(key: str, unit: str = UNIT) -> Remembered:
    """Return an answer under an idempotency key."""
    return Remembered(unit, key, digest_of(key), f"answer {key}".encode(), NOW_MS)


def write_some(tx: Transaction) -> None:
    """Write twenty messages and their case."""
    tx.append([taken(n, case=key_of(1)) for n in range(20)])
    tx.save_cases([full_case(1)])


async def holds_some(journal: Journal) -> bool:
    """Tell whether the journal has all that `write_some` wrote."""
    expected = {ref_of(n): stored(taken(n, case=key_of(1))) for n in range(20)}
    found = await journal.read(lambda q: (q.messages(expected), q.cases([key_of(1)])))
    return found == (expected, {key_of(1): full_case(1)})
