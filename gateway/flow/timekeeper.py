"""Turns the passing of time into kept events: what clocks tell, each once."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.flow.clockwork import counted
from gateway.flow.committer import Committer, Group
from gateway.kernel.faults import Fault
from gateway.kernel.identifiers import CaseKey, MessageRef, uuid_text
from gateway.kernel.limits import CLOCK_BATCH_MAX, CLOCK_POLL_MS
from gateway.ports.calendar import CalendarSource
from gateway.ports.clock import Clock
from gateway.ports.journal_clocks import ClockKept, KeptClocks
from gateway.ports.telemetry import EventLog
from gateway.rules.deadlines import Level, WorkingCalendar, outlook, unknown_years


class _NoMessages:
    """A work that looks up by time, not by message or case."""

    def refs(self) -> Iterable[MessageRef]:
        """See `Work`."""
        return ()

    def keys(self) -> Iterable[CaseKey]:
        """See `Work`."""
        return ()


class _Tell(_NoMessages):
    """Keeps what has fallen due in some cases, and when to look at them again."""

    def __init__(self, calendar: WorkingCalendar) -> None:
        self._calendar = calendar
        self.cases = 0
        self.told: list[ClockKept] = []
        self.missing: set[int] = set()
        """Years that are in the way of a clock."""

    def step(self, group: Group) -> None:
        """See `Work`."""
        due = group.tx.clocks_due(group.now_ms, CLOCK_BATCH_MAX)
        self.cases = len(due)
        rows = [self._tell(kept, group.now_ms) for kept in due]
        if rows:
            group.tx.keep_clock_events(self.told)
            group.tx.save_clocks(rows)

    def _tell(self, kept: KeptClocks, now_ms: int) -> KeptClocks:
        found = outlook(self._calendar, kept.clocks, kept.told, now_ms).due
        self.told += [ClockKept(kept.clocks.key, warning, now_ms) for warning in found]
        if any(warning.level is Level.CALENDAR_MISSING for warning in found):
            self.missing |= unknown_years(self._calendar, kept.clocks, now_ms)
        told = kept.told | {(w.clock, w.number, w.level) for w in found}
        return counted(self._calendar, kept._replace(told=told), now_ms)


class _Recount(_NoMessages):
    """Counts some cases anew that were counted with another calendar."""

    def __init__(self, calendar: WorkingCalendar) -> None:
        self._calendar = calendar
        self.cases = 0

    def step(self, group: Group) -> None:
        """See `Work`."""
        stale = group.tx.clocks_stale(self._calendar.fingerprint, CLOCK_BATCH_MAX)
        self.cases = len(stale)
        if stale:
            now_ms = group.now_ms
            group.tx.save_clocks([counted(self._calendar, kept, now_ms) for kept in stale])


class Timekeeper:
    """Looks every `CLOCK_POLL_MS` for what has fallen due; it always starts from the journal."""

    def __init__(
        self, committer: Committer, calendar: CalendarSource, clock: Clock, log: EventLog
    ) -> None:
        self._committer = committer
        self._calendar = calendar
        self._clock = clock
        self._log = log
        self._counted_with = ""

    async def run(self) -> None:
        """Go on until cancelled; trouble of the journal is told and waited out."""
        while True:
            try:
                await self.recount()
                while await self.turn():
                    pass
            except Fault as fault:
                self._log.event("timekeeper_waits", rule=fault.code.value)
            await self._clock.sleep_ms(CLOCK_POLL_MS)

    async def recount(self) -> int:
        """Count again what was counted with another calendar; return how many cases.

        Raises:
            Fault: the journal or the writer cannot be had now.
        """
        calendar, cases = self._calendar.current(), 0
        while self._counted_with != calendar.fingerprint:
            work = _Recount(calendar)
            await self._committer.submit(work)
            cases += work.cases
            if work.cases < CLOCK_BATCH_MAX:
                self._counted_with = calendar.fingerprint
        if cases:
            self._log.event("clocks_recounted", cases=cases)
        return cases

    async def turn(self) -> bool:
        """Keep one batch of what has fallen due; tell whether there was any.

        Raises:
            Fault: the journal or the writer cannot be had now. Nothing was kept then.
        """
        work = _Tell(self._calendar.current())
        await self._committer.submit(work)
        for kept in work.told:
            self._log.event(
                "clock_told",
                case_id=uuid_text(kept.case_key.case_id),
                clock=kept.warning.clock.value,
                state=kept.warning.level.value,
            )
        for year in sorted(work.missing):
            self._log.event("calendar_missing", error="CalendarMissing", year=year)
        return work.cases > 0
