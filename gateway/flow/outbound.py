"""Our own messages: queued as drafts, sealed one at a time per case, settled by receipts.

At most one message of a case is on its way: the next draft is sealed when the one before is known
to be taken in, so that sequence numbers and previous digests are right and a refused message never
blocks a later one.
"""

from __future__ import annotations

from gateway.flow.committer import Group
from gateway.flow.decisions import back_to_standing
from gateway.kernel.case import OPENING, CaseRecord, CaseRole, Chain, Outstanding, Stage
from gateway.kernel.digests import TYPE_HEADER, commitment, digest, pae
from gateway.kernel.envelope import Header, Kind, Outcome, Receipt, Right, Signature, Strength
from gateway.kernel.faults import Fault
from gateway.kernel.identifiers import GatewayId, MessageId, uuid7
from gateway.kernel.limits import MESSAGE_LIFE_MS, SALT_BYTES
from gateway.ports.journal import Direction, OutboxEntry, OutboxStatus, StoredMessage
from gateway.ports.journal_agreements import SettledNotice
from gateway.rules.casework import can_step, step
from gateway.wire.envelopes import Draft, decode_draft, encode_draft, encode_envelope
from gateway.wire.headers import decode_body, encode_header

NOT_DELIVERED = "not_delivered:"
"""Begins a case's `attention` while a message of ours does not arrive; the reason follows."""


def expected_stage(case: CaseRecord) -> Stage:
    """Return the stage once everything we have said is taken in."""
    stage = case.stage
    if case.role.orders:
        return stage
    said = ((case.outstanding.kind,) if case.outstanding else ()) + case.waiting
    for kind in said:
        if can_step(stage, kind):
            stage = step(stage, kind)
    return stage


def draft_of(
    case: CaseRecord,
    home: GatewayId,
    kind: Kind,
    body_bytes: bytes,
    *,
    unit: str,
    subject: str,
    capacity: str,
    suites: tuple[str, ...],
    right: Right = Right.NONE,
) -> Draft:
    """Return a message of a case as far as it is known before sealing."""
    header = Header(
        MessageId(b""),
        home,
        case.counterpart,
        0,
        0,
        kind,
        b"",
        case.key.origin,
        case.key.case_id,
        agreement_digest=case.agreement_digest,
        item_code=case.item_code,
        item_version=case.item_version,
        mode=case.mode,
        delegated_right=right,
        purpose=case.purpose,
        acting_unit=unit,
        staff_pseudonym=subject,
        staff_capacity=capacity,
        strength=Strength.SIGNED,
        required_suites=suites,
    )
    return Draft(header, body_bytes)


def say(group: Group, case: CaseRecord, draft: Draft) -> CaseRecord:
    """Queue a message of ours and return the case after it; the caller saves it.

    The deciding (or participating) side's word counts at once, and so does what opens a case; what
    else the other side says counts when that side has taken it in. That the message may be said
    is *not* checked.
    """
    kind = draft.header.kind
    if case.role.orders or kind in OPENING:
        case = case._replace(stage=step(case.stage, kind))
    entry = OutboxEntry(
        draft_id=_draft_id(group, case),
        partner=case.counterpart,
        case_key=case.key,
        kind=kind,
        status=OutboxStatus.WAITING,
        draft=encode_draft(draft),
        created_at_ms=group.now_ms,
    )
    if case.outstanding is None and not case.waiting:
        return _seal(group, case, entry)
    group.put_outbox(entry)
    return case._replace(waiting=(*case.waiting, kind))


def _draft_id(group: Group, case: CaseRecord) -> bytes:
    """Return an id above those of the case's drafts that wait.

    Drafts are sealed in the order of their ids, and the time of day may stand still or step back.
    """
    fresh = uuid7(group.now_ms, group.entropy.token(10))
    if case.outstanding is None and not case.waiting:
        return fresh
    latest = max((e.draft_id for e in group.waiting_of(case.key)), default=b"")
    if latest < fresh:
        return fresh
    return (int.from_bytes(latest, "big") + 1).to_bytes(len(latest), "big")


def prepare(group: Group, case: CaseRecord, draft: Draft) -> None:
    """Keep a draft whose files are still to come; it replaces an earlier one of the case."""
    drop_prepared(group, case)
    group.put_outbox(
        OutboxEntry(
            draft_id=uuid7(group.now_ms, group.entropy.token(10)),
            partner=case.counterpart,
            case_key=case.key,
            kind=draft.header.kind,
            status=OutboxStatus.PREPARING,
            draft=encode_draft(draft),
            created_at_ms=group.now_ms,
        )
    )


def prepared(group: Group, case: CaseRecord) -> OutboxEntry | None:
    """Return the case's draft that waits for its files."""
    for entry in group.waiting_of(case.key):
        if entry.status is OutboxStatus.PREPARING:
            return entry
    return None


def drop_prepared(group: Group, case: CaseRecord) -> None:
    """Throw the draft away that waits for its files, if there is one."""
    entry = prepared(group, case)
    if entry is not None:
        group.drop_outbox(entry.draft_id)


def _seal(group: Group, case: CaseRecord, entry: OutboxEntry) -> CaseRecord:
    """Give the draft its id, times and place in the chain, and have it signed with the group."""
    draft = decode_draft(entry.draft)
    chained = draft.header._replace(
        sequence=case.sent.sequence + 1,
        previous_digest=case.sent.digest,
        last_seen_digest=case.received.digest,
    )
    header, header_digest = _sealed(group, Draft(chained, draft.body_bytes), entry)
    return case._replace(
        outstanding=Outstanding(header.kind, header.message_id, header.sequence, header_digest)
    )


def notify(group: Group, draft: Draft) -> bytes:
    """Say something that belongs to no case; it is sealed at once. Return the draft's id."""
    entry = OutboxEntry(
        draft_id=uuid7(group.now_ms, group.entropy.token(10)),
        partner=draft.header.recipient,
        case_key=None,
        kind=draft.header.kind,
        status=OutboxStatus.PENDING,
        draft=encode_draft(draft),
        created_at_ms=group.now_ms,
    )
    _sealed(group, draft, entry)
    return entry.draft_id


def settle_notice(group: Group, entry: OutboxEntry, receipt: Receipt) -> None:
    """Let go of a caseless message that met its receipt, and keep what became of a notice.

    One whose id was burnt is sealed anew.
    """
    if receipt.outcome is Outcome.VOID:
        _sealed(group, decode_draft(entry.draft), entry)
        return
    group.drop_outbox(entry.draft_id)
    group.settled_notices.append(
        SettledNotice(
            entry.draft_id,
            int(receipt.outcome),
            group.now_ms,
            receipt.rule,
            receipt.text_zh,
            receipt.text_en,
        )
    )


def _sealed(group: Group, draft: Draft, entry: OutboxEntry) -> tuple[Header, bytes]:
    """Give a message its id, times and salt, have it signed with the group, and queue it."""
    salt = group.entropy.token(SALT_BYTES)
    header = draft.header._replace(
        message_id=MessageId(uuid7(group.now_ms, group.entropy.token(10))),
        sent_at_ms=group.now_ms,
        expires_at_ms=group.now_ms + MESSAGE_LIFE_MS,
        body_commitment=commitment(salt, draft.body_bytes),
    )
    header_bytes = encode_header(header)
    header_digest = digest(header_bytes)
    now_ms = group.now_ms

    def finish(signatures: tuple[Signature, ...]) -> None:
        group.sealed.append(
            StoredMessage(
                header.ref,
                header_digest,
                Direction.OUT,
                entry.partner,
                entry.case_key,
                header.kind,
                header.sequence,
                now_ms,
                encode_envelope(header_bytes, salt, draft.body_bytes, signatures),
            )
        )

    group.sign(pae(TYPE_HEADER, header_bytes), finish, header.required_suites)
    group.put_outbox(
        entry._replace(
            status=OutboxStatus.PENDING,
            message_id=header.message_id,
            header_digest=header_digest,
            attempts=0,
            due_ms=0,
            leased_until_ms=0,
            last_fault="",
        )
    )
    return header, header_digest


def counted(case: CaseRecord) -> CaseRecord:
    """Count the outstanding message as taken in. The next draft is *not* sealed yet: `advance`."""
    told = case.outstanding
    assert told is not None
    sent = Chain(told.sequence, told.header_digest)
    # What a person must know of another message stays; that this one did not arrive is over.
    case = case._replace(outstanding=None, sent=sent, attention=_standing_mark(case))
    if not case.role.orders and can_step(case.stage, told.kind):
        case = case._replace(stage=step(case.stage, told.kind))
    return case


def advance(group: Group, case: CaseRecord) -> CaseRecord:
    """Seal the first waiting draft that may still be said; drop those that may not, and tell."""
    if case.outstanding is not None or not case.waiting:
        return case
    for entry in group.waiting_of(case.key):
        if entry.status is not OutboxStatus.WAITING:
            continue
        case = case._replace(waiting=case.waiting[1:])
        counted = case.role.orders or entry.kind in OPENING
        if counted or can_step(case.stage, entry.kind):
            return _seal(group, case, entry)
        group.drop_outbox(entry.draft_id)
        # Whoever said it was told that it is on its way: a person must learn that it is not.
        noted = _standing_mark(case) or _obstacle(case.stage, entry.kind)
        case = case._replace(attention=noted)
    return case._replace(waiting=())


def _standing_mark(case: CaseRecord) -> str:
    """Return the case's mark, unless it only says that a message does not arrive."""
    return "" if case.attention.startswith(NOT_DELIVERED) else case.attention


def _obstacle(stage: Stage, kind: Kind) -> str:
    """Return the rule by which `kind` may not be said in `stage`."""
    try:
        step(stage, kind)
    except Fault as fault:
        return fault.code.value
    return ""


def settle(
    group: Group, case: CaseRecord, entry: OutboxEntry, outcome: Outcome, rule: str
) -> CaseRecord:
    """Return the case after the receipt for the message of `entry`; the caller saves it."""
    current = case.outstanding is not None and case.outstanding.message_id == entry.message_id
    match outcome:
        case Outcome.TAKEN_IN:
            group.drop_outbox(entry.draft_id)
            return advance(group, _with_own_refusal(counted(case), entry)) if current else case
        case Outcome.REFUSED:
            group.drop_outbox(entry.draft_id)
            return _refused(group, case, entry.kind, rule) if current else case
        case Outcome.VOID:
            if not current:
                group.drop_outbox(entry.draft_id)
                return case
            # The id is burnt, the intent is not: seal the same draft anew, first in line.
            group.put_outbox(entry._replace(status=OutboxStatus.WAITING, message_id=b""))
            again = case._replace(outstanding=None, waiting=(entry.kind, *case.waiting))
            return advance(group, again)


def _with_own_refusal(case: CaseRecord, entry: OutboxEntry) -> CaseRecord:
    """Keep the reasons of our own refusal to accept, said under the delegated right."""
    closed = case.stage in (Stage.NOT_ACCEPTED, Stage.REFUSED_AT_INTAKE)
    if case.role is not CaseRole.ORIGIN or entry.kind is not Kind.NOT_ACCEPTED or not closed:
        return case
    return case._replace(outcome=decode_body(decode_draft(entry.draft).body_bytes).form)


def _refused(group: Group, case: CaseRecord, kind: Kind, rule: str) -> CaseRecord:
    case = case._replace(outstanding=None, attention=rule)
    if kind in OPENING:
        _drop_waiting(group, case)
        return case._replace(stage=Stage.REFUSED_AT_INTAKE, waiting=())
    if case.role.orders:
        # What followed was said on top of the refused message: back to what both sides hold.
        _drop_waiting(group, case)
        back = case._replace(stage=_agreed_stage(group, case), waiting=())
        if kind is Kind.JOINT_ANSWER:
            return back._replace(result="", outcome=b"")
        decided = Kind.DECIDED in (kind, *case.waiting)
        return back_to_standing(group, back) if decided else back
    return advance(group, case)


def _drop_waiting(group: Group, case: CaseRecord) -> None:
    for entry in group.waiting_of(case.key):
        if entry.status is OutboxStatus.WAITING:
            group.drop_outbox(entry.draft_id)


def _agreed_stage(group: Group, case: CaseRecord) -> Stage:
    """Replay the messages that both sides have taken in.

    Ours that an answer confirmed count, though their receipts are not here yet; so does what this
    very group has settled and taken in, which the journal does not show yet.
    """
    settled = {receipt.ref: receipt.outcome for receipt in group.receipts}
    kinds: list[Kind] = []
    for message in group.tx.history(case.key):
        outcome = settled.get(message.ref, message.outcome)
        ours = message.direction is Direction.OUT and message.sequence <= case.sent.sequence
        counts = outcome is Outcome.TAKEN_IN or (ours and outcome is None)
        if counts and message.kind is not None:
            kinds.append(message.kind)
    stage = Stage.RECEIVING
    for kind in (*kinds, *group.counted.get(case.key, ())):
        if can_step(stage, kind):
            stage = step(stage, kind)
    return stage
