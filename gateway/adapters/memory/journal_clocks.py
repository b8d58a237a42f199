"""The clocks' part of the memory journal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from gateway.adapters.memory.undo import Table, UndoLog
from gateway.kernel.case import CaseRole, Stage
from gateway.kernel.identifiers import CaseKey
from gateway.ports.journal_clocks import FIRST_PAGE, ClockKept, KeptClocks, LatePlace
from gateway.rules.deadlines import ClockName, Level

if TYPE_CHECKING:
    from gateway.adapters.memory.state import State


class ClockTables:
    """Clocks by case, and what they told."""

    def __init__(self, log: UndoLog) -> None:
        self.kept: Table[CaseKey, KeptClocks] = Table(log)
        self.events: Table[tuple[CaseKey, ClockName, int, Level], ClockKept] = Table(log)


class MemoryClockReads:
    """Implements `ports.journal_clocks.ClockReads`."""

    if TYPE_CHECKING:
        _state: State

    def clocks(self, keys: Collection[CaseKey]) -> Mapping[CaseKey, KeptClocks]:
        """See `ClockReads`."""
        rows = self._state.clocks.kept.rows
        return {key: rows[key] for key in keys if key in rows}

    def clocks_due(self, now_ms: int, limit: int) -> Sequence[KeptClocks]:
        """See `ClockReads`."""
        rows = self._state.clocks.kept.rows.values()
        due = [(k.next_ms, k) for k in rows if k.next_ms is not None and k.next_ms <= now_ms]
        return [k for _, k in sorted(due, key=lambda one: one[0])[:limit]]

    def clocks_stale(self, calendar: str, limit: int) -> Sequence[KeptClocks]:
        """See `ClockReads`."""
        rows = self._state.clocks.kept.rows.values()
        open_ = [k for k in rows if k.clocks.closed_at_ms is None]
        return [k for k in open_ if k.calendar != calendar][:limit]

    def clocks_late(
        self, unit: str | None, now_ms: int, *, limit: int, after: LatePlace = FIRST_PAGE
    ) -> Sequence[KeptClocks]:
        """See `ClockReads`."""
        late = [
            (LatePlace(k.late_from_ms, *k.clocks.key), k)
            for k in self._state.clocks.kept.rows.values()
            if k.late_from_ms is not None
            and k.late_from_ms <= now_ms
            and unit in (None, k.clocks.unit)
        ]
        later = [(place, k) for place, k in late if place > after]
        return [k for _, k in sorted(later, key=lambda one: one[0])[:limit]]

    def clocks_to_rectify(self, unit: str, limit: int) -> Sequence[KeptClocks]:
        """See `ClockReads`."""
        held = self._state.clocks.kept.rows
        found = []
        for key in sorted(held):
            case = self._state.cases.rows[key][1] if key in self._state.cases.rows else None
            over = case is not None and case.stage in (Stage.DELIVERED, Stage.ARCHIVED)
            if case is None or not over or case.role is not CaseRole.DECIDING:
                continue
            if held[key].clocks.unit == unit and held[key].clocks.closed_at_ms is None:
                found.append(held[key])
        return found[:limit]

    def clock_events(self, key: CaseKey) -> Sequence[ClockKept]:
        """See `ClockReads`."""
        found = [e for e in self._state.clocks.events.rows.values() if e.case_key == key]
        return sorted(found, key=lambda e: (e.warning.at_ms, *e.warning[:3]))


class MemoryClockWrites:
    """Implements `ports.journal_clocks.ClockWrites`."""

    if TYPE_CHECKING:
        _state: State

    def save_clocks(self, clocks: Sequence[KeptClocks]) -> None:
        """See `ClockWrites`."""
        for kept in clocks:
            self._state.clocks.kept.put(kept.clocks.key, kept)

    def keep_clock_events(self, events: Sequence[ClockKept]) -> None:
        """See `ClockWrites`."""
        table = self._state.clocks.events
        for event in events:
            place = (event.case_key, *event.warning[:3])
            if place not in table.rows:
                table.put(place, event)
