"""Rows <-> values. A row's order is that of its table's columns in `schema`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.kernel.case import AWAITS_US, CaseRecord, CaseRole, Chain, Outstanding, Stage
from gateway.kernel.envelope import CASELESS, Kind, Mode, Outcome
from gateway.kernel.identifiers import CaseKey, MessageRef
from gateway.kernel.stages import Authenticated
from gateway.ports.journal import (
    Direction,
    Material,
    OutboxEntry,
    OutboxStatus,
    StoredMessage,
    VoidRecord,
)

Row = tuple[Any, ...]

# Plain dictionaries: a look-up costs a fifth of the enumeration's own.
_KINDS: Final[Mapping[int | None, Kind]] = {k.value: k for k in Kind}
_MODES: Final = {m.value: m for m in Mode}
_OUTCOMES: Final[Mapping[int | None, Outcome]] = {o.value: o for o in Outcome}
_ROLES: Final = {r.value: r for r in CaseRole}
_STAGES: Final = {s.value: s for s in Stage}
_DIRECTIONS: Final = {d.value: d for d in Direction}
_STATUSES: Final = {s.value: s for s in OutboxStatus}

_IN: Final = Direction.IN.value
_NONE_OUTSTANDING: Final = (None, None, None, None)
_NO_CASE: Final = (None, None)


def _case_columns(key: CaseKey | None) -> tuple[str | None, bytes | None]:
    return _NO_CASE if key is None else (key.origin, key.case_id)


def received_row(seen: Authenticated, outcome: Outcome, rule: str, receipt: bytes) -> Row:
    """Make the `messages` row of a partner's message."""
    received = seen.received
    h = received.header
    in_case = h.kind not in CASELESS and h.case_origin and h.case_id
    at_ms = received.received_at_ms
    return (
        h.sender,
        h.message_id,
        received.header_digest,
        _IN,
        h.sender,
        h.case_origin if in_case else None,
        h.case_id if in_case else None,
        int(h.kind),
        h.sequence,
        at_ms,
        int(outcome),
        rule,
        at_ms,
        seen.standing,
        receipt,
        received.raw,
    )


def void_row(void: VoidRecord) -> Row:
    """Make the `messages` row of an id that its sender burnt unseen."""
    at_ms, sender = void.received_at_ms, void.ref.sender
    named = (sender, void.ref.message_id, void.header_digest, _IN, sender, None, None, None, 0)
    return (*named, at_ms, int(Outcome.VOID), "", at_ms, b"", void.receipt, b"")


def message_row(m: StoredMessage) -> Row:
    """Make the `messages` row of a message of our own."""
    return (
        *m.ref,
        m.header_digest,
        m.direction.value,
        m.counterpart,
        *_case_columns(m.case_key),
        None if m.kind is None else int(m.kind),
        m.sequence,
        m.recorded_at_ms,
        None if m.outcome is None else int(m.outcome),
        m.rule,
        m.receipted_at_ms,
        m.standing,
        m.receipt,
        m.envelope,
    )


def message_of(row: Row) -> StoredMessage:
    """Read a `messages` row without its position."""
    return StoredMessage(
        MessageRef(row[0], row[1]),
        row[2],
        _DIRECTIONS[row[3]],
        row[4],
        None if row[5] is None else CaseKey(row[5], row[6]),
        _KINDS.get(row[7]),
        row[8],
        row[9],
        row[15],
        _OUTCOMES.get(row[10]),
        row[11],
        row[14],
        row[12],
        row[13],
    )


def case_row(c: CaseRecord, change_number: int) -> Row:
    """Make the `cases` row of a case under a new change number."""
    told = c.outstanding
    return (
        c.key.origin,
        c.key.case_id,
        c.role.value,
        c.counterpart,
        c.unit,
        c.stage.value,
        c.item_code,
        c.item_version,
        int(c.mode),
        c.agreement_digest,
        c.purpose,
        c.opened_at_ms,
        c.changed_at_ms,
        c.sent.sequence,
        c.sent.digest,
        c.received.sequence,
        c.received.digest,
        *(_NONE_OUTSTANDING if told is None else (int(told.kind), *told[1:])),
        bytes(c.waiting),
        c.applicant_number,
        c.handling_number,
        c.result,
        c.attention,
        c.revision,
        change_number,
        (c.role, c.stage) in AWAITS_US,
        c.outcome,
        c.form,
    )


def case_of(row: Row) -> CaseRecord:
    """Read a `cases` row."""
    return CaseRecord(
        CaseKey(row[0], row[1]),
        _ROLES[row[2]],
        row[3],
        row[4],
        _STAGES[row[5]],
        row[6],
        row[7],
        _MODES[row[8]],
        row[9],
        row[10],
        row[11],
        row[12],
        Chain(row[13], row[14]),
        Chain(row[15], row[16]),
        None if row[17] is None else Outstanding(_KINDS[row[17]], row[18], row[19], row[20]),
        tuple(_KINDS[number] for number in row[21]),
        row[22],
        row[23],
        row[24],
        row[30],
        row[29],
        row[25],
        row[26],
    )


CHANGE_NUMBER: Final = 27
"""Where a `cases` row has its change number."""


def outbox_row(e: OutboxEntry) -> Row:
    """Make the `outbox` row of an entry; its envelope is in `messages`."""
    return (
        e.draft_id,
        e.partner,
        *_case_columns(e.case_key),
        int(e.kind),
        e.status.value,
        e.message_id,
        e.header_digest,
        e.attempts,
        e.due_ms,
        e.leased_until_ms,
        e.last_fault,
        e.created_at_ms,
        e.draft,
    )


OUTBOX_COLUMNS: Final = 14


def outbox_of(row: Row, envelope: bytes | None) -> OutboxEntry:
    """Read an `outbox` row; None for the envelope of an entry that is not sealed."""
    return OutboxEntry(
        row[0],
        row[1],
        None if row[2] is None else CaseKey(row[2], row[3]),
        _KINDS[row[4]],
        _STATUSES[row[5]],
        row[13],
        row[6],
        row[7],
        envelope or b"",
        row[8],
        row[9],
        row[10],
        row[11],
        row[12],
    )


def material_row(m: Material) -> Row:
    """Make the `materials` row of a declared file."""
    return (*m.case_key, *m[1:])


def material_of(row: Row) -> Material:
    """Read a `materials` row."""
    return Material(CaseKey(row[0], row[1]), *row[2:])


def status_of(text: str) -> OutboxStatus:
    """Read the status of an outbox entry."""
    return _STATUSES[text]
