"""The journal kept in memory: the reference of what the port promises, except a power cut."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from typing import Final, TypeVar

from gateway.adapters.memory.agreements import (
    MemoryAgreementSnapshot,
    MemoryAgreementTransaction,
)
from gateway.adapters.memory.announced import MemoryAnnouncedReads, MemoryAnnouncedWrites
from gateway.adapters.memory.arrivals import MemoryArrivalReads, MemoryArrivalWrites
from gateway.adapters.memory.assisted import MemoryAssistedReads, MemoryAssistedWrites
from gateway.adapters.memory.item_list import MemoryItemList
from gateway.adapters.memory.journal_clocks import MemoryClockReads, MemoryClockWrites
from gateway.adapters.memory.journal_joint import MemoryJointReads, MemoryJointWrites
from gateway.adapters.memory.journal_lanes import MemoryLaneReads, MemoryLaneWrites
from gateway.adapters.memory.operators import MemoryOperatorReads, MemoryOperatorWrites
from gateway.adapters.memory.state import LedgerEntry, State
from gateway.adapters.memory.undo import Table
from gateway.kernel.case import AWAITS_US, CaseRecord, CaseRole
from gateway.kernel.envelope import CASELESS, Outcome
from gateway.kernel.identifiers import CaseKey, GatewayId, MessageRef
from gateway.kernel.stages import Authenticated, Refused, TakenIn
from gateway.ports.journal import (
    Direction,
    Evidence,
    JournalDown,
    LaneState,
    Material,
    OutboxEntry,
    OutboxStatus,
    ReceiptRecord,
    Remembered,
    Snapshot,
    StoredMessage,
    Transaction,
    VoidRecord,
)

T = TypeVar("T")

_CASE_CHANGES: Final = "case_changes"


class MemorySnapshot(
    MemoryAgreementSnapshot,
    MemoryClockReads,
    MemoryAssistedReads,
    MemoryJointReads,
    MemoryArrivalReads,
    MemoryOperatorReads,
    MemoryLaneReads,
    MemoryAnnouncedReads,
):
    """Implements `ports.journal.Snapshot`."""

    def __init__(self, state: State) -> None:
        self._state = state

    @property
    def item_list(self) -> MemoryItemList:
        """See `Snapshot`."""
        return MemoryItemList(self._state.item_list)

    def messages(self, refs: Collection[MessageRef]) -> Mapping[MessageRef, StoredMessage]:
        """See `Snapshot`."""
        rows = self._state.messages.rows
        return {ref: rows[ref] for ref in refs if ref in rows}

    def messages_by_id(self, message_id: bytes) -> Sequence[StoredMessage]:
        """See `Snapshot`."""
        rows = self._state.messages.rows
        return [m for ref, m in rows.items() if ref.message_id == message_id]

    def second_receipt(self, ref: MessageRef, header_digest: bytes) -> bytes | None:
        """See `Snapshot`."""
        return self._state.second.rows.get((ref, header_digest))

    def cases(self, keys: Collection[CaseKey]) -> Mapping[CaseKey, CaseRecord]:
        """See `Snapshot`."""
        rows = self._state.cases.rows
        return {key: rows[key][1] for key in keys if key in rows}

    def cases_by_id(self, case_id: bytes) -> Sequence[CaseRecord]:
        """See `Snapshot`."""
        rows = self._state.cases.rows
        return [rows[key][1] for key in sorted(rows) if key.case_id == case_id]

    def cases_of(
        self, unit: str | None, *, role: CaseRole | None = None, limit: int, before: bytes = b""
    ) -> Sequence[CaseRecord]:
        """See `Snapshot`."""
        found = [
            c
            for _, c in self._state.cases.rows.values()
            if unit in (None, c.unit)
            and role in (None, c.role)
            and (not before or c.key.case_id < before)
        ]
        return sorted(found, key=lambda c: c.key.case_id, reverse=True)[:limit]

    def tasks_of(self, unit: str, *, after: int, limit: int) -> Sequence[tuple[int, CaseRecord]]:
        """See `Snapshot`."""
        found = [
            (number, c)
            for number, c in self._state.cases.rows.values()
            if number > after and c.unit == unit and (c.role, c.stage) in AWAITS_US
        ]
        return sorted(found, key=lambda task: task[0])[:limit]

    def history(self, key: CaseKey) -> Sequence[StoredMessage]:
        """See `Snapshot`."""
        rows = self._state.messages.rows
        return [rows[ref] for ref in self._state.of_case.rows.get(key, ())]

    def knows_header(self, key: CaseKey, direction: Direction, header_digest: bytes) -> bool:
        """See `Snapshot`."""
        asked = (direction, header_digest)
        return any((m.direction, m.header_digest) == asked for m in self.history(key))

    def outbox(self, key: CaseKey) -> Sequence[OutboxEntry]:
        """See `Snapshot`."""
        rows = self._state.outbox.rows
        return [self._filled(rows[d]) for d in sorted(rows) if rows[d].case_key == key]

    def _filled(self, entry: OutboxEntry) -> OutboxEntry:
        for message in self.messages_by_id(entry.message_id) if entry.message_id else ():
            if message.direction is Direction.OUT:
                return entry._replace(envelope=message.envelope)
        return entry

    def outbox_of(self, refs: Collection[MessageRef]) -> Mapping[MessageRef, OutboxEntry]:
        """See `Snapshot`."""
        waiting = {e.message_id: e for e in self._state.outbox.rows.values()}
        return {
            ref: waiting[ref.message_id]
            for ref, message in self.messages(refs).items()
            if message.direction is Direction.OUT and ref.message_id in waiting
        }

    def lanes(self) -> Sequence[LaneState]:
        """See `Snapshot`."""

        def lane(e: OutboxEntry) -> tuple[GatewayId, OutboxStatus]:
            return e.partner, e.status

        found = []
        entries = sorted(self._state.outbox.rows.values(), key=lane)
        for (partner, status), group in groupby(entries, lane):
            waits = list(group)
            oldest_ms = min(e.created_at_ms for e in waits)
            next_ms = min(e.due_ms for e in waits)
            found.append(LaneState(partner, status, len(waits), oldest_ms, next_ms))
        return found

    def materials(self, key: CaseKey) -> Sequence[Material]:
        """See `Snapshot`."""
        rows = self._state.materials.rows
        return [rows[place] for place in sorted(rows) if place[0] == key]

    def remembered(self, unit: str, key: str) -> Remembered | None:
        """See `Snapshot`."""
        return self._state.remembered.rows.get((unit, key))

    def evidence(self, digest: bytes) -> Evidence | None:
        """See `Snapshot`."""
        return self._state.evidence.rows.get(digest)

    def ledger_pending(self) -> int:
        """See `Snapshot`."""
        return len(self._state.ledger.rows)


class MemoryTransaction(
    MemoryAgreementTransaction,
    MemorySnapshot,
    MemoryClockWrites,
    MemoryAssistedWrites,
    MemoryJointWrites,
    MemoryArrivalWrites,
    MemoryOperatorWrites,
    MemoryLaneWrites,
    MemoryAnnouncedWrites,
):
    """Implements `ports.journal.Transaction`. A key that is taken raises ValueError."""

    def _add(self, message: StoredMessage) -> None:
        self._state.messages.add(message.ref, message)
        if message.case_key is not None:
            before = self._state.of_case.rows.get(message.case_key, ())
            self._state.of_case.put(message.case_key, (*before, message.ref))

    def _pend(self, kind: str, ref: MessageRef, receipt: bytes, at_ms: int) -> None:
        digest = sha256(receipt).digest()
        self._state.ledger.add((ref, digest), LedgerEntry(kind, ref, digest, at_ms))

    def append(self, taken: Sequence[TakenIn]) -> None:
        """See `Transaction`."""
        for one in taken:
            seen = one.authorised.conformant.authenticated
            message = _received(seen, Outcome.TAKEN_IN, "", one.receipt)
            self._add(message)
            self._pend("message", message.ref, one.receipt, message.recorded_at_ms)

    def refuse(self, refused: Sequence[Refused]) -> None:
        """See `Transaction`."""
        for one in refused:
            message = _received(one.authenticated, Outcome.REFUSED, one.rule, one.receipt)
            first = self._state.messages.rows.get(message.ref)
            if first is None:
                self._add(message)
            elif first.header_digest == message.header_digest:
                raise ValueError("this header has a receipt already")
            else:
                self._state.second.add((message.ref, message.header_digest), one.receipt)
            self._pend("refusal", message.ref, one.receipt, message.recorded_at_ms)

    def void(self, voids: Sequence[VoidRecord]) -> None:
        """See `Transaction`."""
        for v in voids:
            at_ms = v.received_at_ms
            named = StoredMessage(
                v.ref, v.header_digest, Direction.IN, v.ref.sender, None, None, 0, at_ms, b""
            )
            self._add(
                named._replace(outcome=Outcome.VOID, receipt=v.receipt, receipted_at_ms=at_ms)
            )
            self._pend("void", v.ref, v.receipt, at_ms)

    def seal(self, messages: Sequence[StoredMessage]) -> None:
        """See `Transaction`."""
        for message in messages:
            self._add(message)

    def receipted(self, receipts: Sequence[ReceiptRecord]) -> None:
        """See `Transaction`. The same receipt once more is no error and writes nothing."""
        for r in receipts:
            message = self._state.messages.rows.get(r.ref)
            if message is None or message.direction is not Direction.OUT:
                raise ValueError("a receipt for no message of ours")
            if message.outcome is not None:
                if message.receipt != r.receipt:
                    raise ValueError("a message has another receipt already")
                continue
            told = message._replace(
                outcome=r.outcome,
                rule=r.rule,
                receipt=r.receipt,
                receipted_at_ms=r.received_at_ms,
            )
            self._state.messages.put(r.ref, told)
            self._pend("receipt", r.ref, r.receipt, r.received_at_ms)

    def save_cases(self, cases: Sequence[CaseRecord]) -> None:
        """See `Transaction`."""
        for case in cases:
            number = _next(self._state.counters, _CASE_CHANGES)
            self._state.cases.put(case.key, (number, case))

    def put_outbox(self, entries: Sequence[OutboxEntry]) -> None:
        """See `Transaction`."""
        for entry in entries:
            self._state.outbox.put(entry.draft_id, entry._replace(envelope=b""))

    def drop_outbox(self, draft_ids: Sequence[bytes]) -> None:
        """See `Transaction`."""
        for draft_id in draft_ids:
            self._state.outbox.drop(draft_id)

    def claim(
        self,
        partner: GatewayId,
        status: OutboxStatus,
        *,
        now_ms: int,
        leased_until_ms: int,
        limit: int,
    ) -> Sequence[OutboxEntry]:
        """See `Transaction`."""
        due = [
            e
            for _, e in sorted(self._state.outbox.rows.items())
            if (e.partner, e.status) == (partner, status)
            and e.due_ms <= now_ms
            and e.leased_until_ms <= now_ms
        ]
        leased = [
            e._replace(attempts=e.attempts + 1, leased_until_ms=leased_until_ms)
            for e in due[:limit]
        ]
        self.put_outbox(leased)
        return [self._filled(e) for e in leased]

    def release_leases(self) -> int:
        """See `Transaction`."""
        held = [e for e in self._state.outbox.rows.values() if e.leased_until_ms > 0]
        self.put_outbox([e._replace(leased_until_ms=0) for e in held])
        return len(held)

    def put_materials(self, materials: Sequence[Material]) -> None:
        """See `Transaction`."""
        for m in materials:
            self._state.materials.put((m.case_key, m.batch, m.position), m)

    def remember(self, answers: Sequence[Remembered]) -> None:
        """See `Transaction`."""
        for answer in answers:
            self._state.remembered.add((answer.unit, answer.key), answer)

    def put_evidence(self, documents: Sequence[Evidence]) -> None:
        """See `Transaction`."""
        for document in documents:
            if document.digest not in self._state.evidence.rows:
                self._state.evidence.put(document.digest, document)

    def next_serial(self, scope: str, count: int = 1) -> int:
        """See `Transaction`."""
        last = [_next(self._state.serials, scope) for _ in range(count)][-1]
        return last - count + 1


def _next(counters: Table[str, int], name: str) -> int:
    number = counters.rows.get(name, 0) + 1
    counters.put(name, number)
    return number


def _received(seen: Authenticated, outcome: Outcome, rule: str, receipt: bytes) -> StoredMessage:
    r = seen.received
    h = r.header
    in_case = h.kind not in CASELESS and h.case_origin and h.case_id
    return StoredMessage(
        h.ref,
        r.header_digest,
        Direction.IN,
        h.sender,
        h.case_key if in_case else None,
        h.kind,
        h.sequence,
        r.received_at_ms,
        r.raw,
        outcome,
        rule,
        receipt,
        r.received_at_ms,
        seen.standing,
    )


class MemoryJournal:
    """Implements `ports.journal.Journal`, except that nothing outlives the process."""

    def __init__(self) -> None:
        self._state = State()
        self._lock = asyncio.Lock()
        self._closed = False

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """See `Journal`. `work` runs inline."""
        async with self._lock:
            self._require_open()
            try:
                result = work(MemoryTransaction(self._state))
            except BaseException:
                self._state.log.undo()
                raise
            self._state.log.forget()
            return result

    async def read(self, query: Callable[[Snapshot], T]) -> T:
        """See `Journal`. `query` runs inline, so it never meets half a write."""
        self._require_open()
        return query(MemorySnapshot(self._state))

    async def probe(self) -> None:
        """See `Journal`."""
        self._require_open()

    async def close(self) -> None:
        """See `Journal`."""
        async with self._lock:
            self._closed = True

    def _require_open(self) -> None:
        if self._closed:
            raise JournalDown("the journal is closed")
