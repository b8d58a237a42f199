"""Reads of the journal on a driver's cursor."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from gateway.adapters.sql.agreements import SqlAgreementSnapshot
from gateway.adapters.sql.announced import SqlAnnouncedReads
from gateway.adapters.sql.arrivals import SqlArrivalReads
from gateway.adapters.sql.assisted import SqlAssistedReads
from gateway.adapters.sql.clocks import SqlClockReads
from gateway.adapters.sql.item_list import SqlItemListReader
from gateway.adapters.sql.joint import SqlJointReads
from gateway.adapters.sql.lanes import SqlLaneReads
from gateway.adapters.sql.operators import SqlOperatorReads
from gateway.adapters.sql.rows import (
    CHANGE_NUMBER,
    OUTBOX_COLUMNS,
    case_of,
    material_of,
    message_of,
    outbox_of,
    status_of,
)
from gateway.kernel.case import CaseRecord, CaseRole
from gateway.kernel.identifiers import CaseKey, MessageRef
from gateway.ports.journal import (
    Direction,
    Evidence,
    LaneState,
    Material,
    OutboxEntry,
    Remembered,
    StoredMessage,
)

_ABOVE_ALL_IDS = b"\xff" * 17


class SqlSnapshot(
    SqlAgreementSnapshot,
    SqlClockReads,
    SqlAssistedReads,
    SqlJointReads,
    SqlArrivalReads,
    SqlOperatorReads,
    SqlLaneReads,
    SqlAnnouncedReads,
):
    """Implements `ports.journal.Snapshot` within a transaction that someone else began."""

    @property
    def item_list(self) -> SqlItemListReader:
        """See `Snapshot`."""
        return SqlItemListReader(self._cursor, self._sql)

    def messages(self, refs: Collection[MessageRef]) -> Mapping[MessageRef, StoredMessage]:
        """See `Snapshot`."""
        found = map(message_of, self._look_up(self._sql.messages, refs))
        return {m.ref: m for m in found}

    def messages_by_id(self, message_id: bytes) -> Sequence[StoredMessage]:
        """See `Snapshot`."""
        return [message_of(row) for row in self._rows(self._sql.messages_by_id, message_id)]

    def second_receipt(self, ref: MessageRef, header_digest: bytes) -> bytes | None:
        """See `Snapshot`."""
        row = self._row(self._sql.second_receipt, *ref, header_digest)
        return None if row is None else row[0]

    def cases(self, keys: Collection[CaseKey]) -> Mapping[CaseKey, CaseRecord]:
        """See `Snapshot`."""
        found = map(case_of, self._look_up(self._sql.cases, keys))
        return {c.key: c for c in found}

    def cases_by_id(self, case_id: bytes) -> Sequence[CaseRecord]:
        """See `Snapshot`."""
        return [case_of(row) for row in self._rows(self._sql.cases_by_id, case_id)]

    def cases_of(
        self, unit: str | None, *, role: CaseRole | None = None, limit: int, before: bytes = b""
    ) -> Sequence[CaseRecord]:
        """See `Snapshot`."""
        below = before or _ABOVE_ALL_IDS
        if unit is None:
            if role is None:
                rows = self._rows(self._sql.cases_page, below, limit)
            else:
                rows = self._rows(self._sql.cases_page_of_role, below, role.value, limit)
            return [case_of(row) for row in rows]
        # One walk of the index for each role, so that a rare role never reads past a common one.
        page = self._sql.cases_page_of_unit
        rows = [
            row
            for one in (CaseRole if role is None else (role,))
            for row in self._rows(page, below, unit, one.value, limit)
        ]
        found = [case_of(row) for row in rows]
        return sorted(found, key=lambda c: c.key.case_id, reverse=True)[:limit]

    def tasks_of(self, unit: str, *, after: int, limit: int) -> Sequence[tuple[int, CaseRecord]]:
        """See `Snapshot`."""
        rows = self._rows(self._sql.tasks, unit, after, limit)
        return [(row[CHANGE_NUMBER], case_of(row)) for row in rows]

    def history(self, key: CaseKey) -> Sequence[StoredMessage]:
        """See `Snapshot`."""
        return [message_of(row) for row in self._rows(self._sql.history, *key)]

    def knows_header(self, key: CaseKey, direction: Direction, header_digest: bytes) -> bool:
        """See `Snapshot`."""
        known = self._row(self._sql.knows_header, *key, direction.value, header_digest)
        return known is not None

    def outbox(self, key: CaseKey) -> Sequence[OutboxEntry]:
        """See `Snapshot`."""
        rows = self._rows(self._sql.outbox, *key)
        return [outbox_of(row, row[OUTBOX_COLUMNS]) for row in rows]

    def outbox_of(self, refs: Collection[MessageRef]) -> Mapping[MessageRef, OutboxEntry]:
        """See `Snapshot`."""
        found = {}
        for row in self._look_up(self._sql.outbox_of, refs):
            entry = outbox_of(row, None)
            ref = MessageRef(row[OUTBOX_COLUMNS], entry.message_id)  # type: ignore[arg-type]
            found[ref] = entry
        return found

    def lanes(self) -> Sequence[LaneState]:
        """See `Snapshot`."""
        return [
            LaneState(partner, status_of(status), count, oldest_ms, due_ms)
            for partner, status, count, oldest_ms, due_ms in self._rows(self._sql.lanes)
        ]

    def materials(self, key: CaseKey) -> Sequence[Material]:
        """See `Snapshot`."""
        return [material_of(row) for row in self._rows(self._sql.materials, *key)]

    def remembered(self, unit: str, key: str) -> Remembered | None:
        """See `Snapshot`."""
        row = self._row(self._sql.remembered, unit, key)
        return None if row is None else Remembered(unit, key, *row)

    def evidence(self, digest: bytes) -> Evidence | None:
        """See `Snapshot`."""
        row = self._row(self._sql.evidence, digest)
        return None if row is None else Evidence(*row)

    def ledger_pending(self) -> int:
        """See `Snapshot`."""
        row = self._row(self._sql.pending)
        assert row is not None
        count: int = row[0]
        return count
