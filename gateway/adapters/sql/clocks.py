"""The clocks' part of the journal on a driver's cursor."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gateway.adapters.sql.cursor import SqlReader, SqlWriter
from gateway.kernel.case import CaseRole
from gateway.kernel.envelope import Kind
from gateway.kernel.identifiers import CaseKey
from gateway.ports.journal_clocks import FIRST_PAGE, ClockKept, KeptClocks, LatePlace
from gateway.rules.deadlines import (
    CaseClocks,
    ClockEvent,
    ClockFacts,
    ClockName,
    ClockWarning,
    Level,
    Pending,
)

Row = tuple[Any, ...]


class SqlClockReads(SqlReader):
    """Implements `ports.journal_clocks.ClockReads`."""

    def clocks(self, keys: Collection[CaseKey]) -> Mapping[CaseKey, KeptClocks]:
        """See `ClockReads`."""
        found = map(clocks_of, self._look_up(self._sql.clocks, keys))
        return {kept.clocks.key: kept for kept in found}

    def clocks_due(self, now_ms: int, limit: int) -> Sequence[KeptClocks]:
        """See `ClockReads`."""
        return [clocks_of(row) for row in self._rows(self._sql.clocks_due, now_ms, limit)]

    def clocks_stale(self, calendar: str, limit: int) -> Sequence[KeptClocks]:
        """See `ClockReads`."""
        return [clocks_of(row) for row in self._rows(self._sql.clocks_stale, calendar, limit)]

    def clocks_late(
        self, unit: str | None, now_ms: int, *, limit: int, after: LatePlace = FIRST_PAGE
    ) -> Sequence[KeptClocks]:
        """See `ClockReads`."""
        if unit is None:
            rows = self._rows(self._sql.clocks_late, *after, now_ms, limit)
        else:
            rows = self._rows(self._sql.clocks_late_of_unit, *after, now_ms, unit, limit)
        return [clocks_of(row) for row in rows]

    def clocks_to_rectify(self, unit: str, limit: int) -> Sequence[KeptClocks]:
        """See `ClockReads`."""
        return [clocks_of(row) for row in self._rows(self._sql.clocks_to_rectify, unit, limit)]

    def clock_events(self, key: CaseKey) -> Sequence[ClockKept]:
        """See `ClockReads`."""
        found = map(_event_of, self._rows(self._sql.clock_events, *key))
        return sorted(found, key=lambda e: (e.warning.at_ms, *e.warning[:3]))


class SqlClockWrites(SqlWriter):
    """Implements `ports.journal_clocks.ClockWrites`."""

    def save_clocks(self, clocks: Sequence[KeptClocks]) -> None:
        """See `ClockWrites`."""
        self._write(self._sql.save_clocks, map(clocks_row, clocks))

    def keep_clock_events(self, events: Sequence[ClockKept]) -> None:
        """See `ClockWrites`."""
        self._write(self._sql.keep_clock_event, map(_event_row, events))


def clocks_row(kept: KeptClocks) -> Row:
    """Make the `case_clocks` row of a case's clocks."""
    c = kept.clocks
    content = {
        "facts": c.facts,
        "events": [(int(e.kind), e.sender.value, *e[2:]) for e in c.events],
        "pending": [(int(p.kind), *p[1:]) for p in c.pending],
        "told": sorted(kept.told),
    }
    return (
        *c.key,
        c.unit,
        kept.calendar,
        c.closed_at_ms,
        kept.next_ms,
        kept.late_from_ms,
        json.dumps(content, separators=(",", ":")).encode(),
    )


def clocks_of(row: Row) -> KeptClocks:
    """Read a `case_clocks` row."""
    content = json.loads(row[7])
    clocks = CaseClocks(
        CaseKey(row[0], row[1]),
        row[2],
        ClockFacts(*content["facts"]),
        tuple(ClockEvent(Kind(e[0]), CaseRole(e[1]), *e[2:]) for e in content["events"]),
        tuple(Pending(Kind(p[0]), *p[1:]) for p in content["pending"]),
        row[4],
    )
    told = frozenset((ClockName(n), number, Level(level)) for n, number, level in content["told"])
    return KeptClocks(clocks, told, row[3], row[5], row[6])


def _event_row(event: ClockKept) -> Row:
    w = event.warning
    named = (w.clock.value, w.number, w.level.value, w.holder.value)
    return (*event.case_key, *named, w.at_ms, event.kept_at_ms)


def _event_of(row: Row) -> ClockKept:
    warning = ClockWarning(ClockName(row[2]), row[3], Level(row[4]), CaseRole(row[5]), row[6])
    return ClockKept(CaseKey(row[0], row[1]), warning, row[7])
