"""The lanes' part of the memory journal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gateway.adapters.memory.undo import Table, UndoLog
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import LANE_FAULTS_MAX
from gateway.ports.journal import OutboxStatus
from gateway.ports.journal_lanes import LaneRecord

if TYPE_CHECKING:
    from gateway.adapters.memory.state import State


class LaneTables:
    """Lanes by partner."""

    def __init__(self, log: UndoLog) -> None:
        self.lanes: Table[GatewayId, LaneRecord] = Table(log)


class MemoryLaneReads:
    """Implements `ports.journal_lanes.LaneReads`."""

    if TYPE_CHECKING:
        _state: State

    def lane_records(self) -> Mapping[GatewayId, LaneRecord]:
        """See `LaneReads`."""
        return dict(sorted(self._state.lanes.lanes.rows.items()))

    def lane_record(self, partner: GatewayId) -> LaneRecord:
        """See `LaneReads`."""
        return self._state.lanes.lanes.rows.get(partner, LaneRecord(partner))

    def lane_fault(self, partner: GatewayId) -> str:
        """See `LaneReads`."""
        entries = sorted(self._state.outbox.rows.items())
        for status in (OutboxStatus.UNKNOWN, OutboxStatus.PENDING):
            waits = [e for _, e in entries if (e.partner, e.status) == (partner, status)]
            found = next((e.last_fault for e in waits[:LANE_FAULTS_MAX] if e.last_fault), "")
            if found:
                return found
        return ""


class MemoryLaneWrites:
    """Implements `ports.journal_lanes.LaneWrites`."""

    if TYPE_CHECKING:
        _state: State

    def put_lane(self, record: LaneRecord) -> None:
        """See `LaneWrites`."""
        self._state.lanes.lanes.put(record.partner, record)

    def hasten(self, partner: GatewayId) -> None:
        """See `LaneWrites`."""
        for draft_id, entry in list(self._state.outbox.rows.items()):
            if entry.partner == partner and entry.due_ms > 0:
                self._state.outbox.put(draft_id, entry._replace(due_ms=0))
