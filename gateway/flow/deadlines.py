"""The deadlines of cases, as their units ask for them."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.flow.clock_views import (
    clocks_view,
    cursor_of,
    cursor_text,
    overdue_views,
    rectification_views,
)
from gateway.flow.desk import Actor, View
from gateway.kernel.faults import Fault, FaultCode
from gateway.ports.calendar import CalendarSource
from gateway.ports.clock import Clock
from gateway.ports.directory import Directory
from gateway.ports.journal import Journal, Snapshot


class Deadlines:
    """Implements `flow.desk.ClockDesk` on the journal."""

    def __init__(
        self, journal: Journal, directory: Directory, calendar: CalendarSource, clock: Clock
    ) -> None:
        self._journal = journal
        self._directory = directory
        self._calendar = calendar
        self._clock = clock

    async def overdue(self, actor: Actor, limit: int, after: str) -> tuple[Sequence[View], str]:
        """See `ClockDesk`."""
        place = cursor_of(after)
        if place is None:
            raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "after is no cursor of ours")
        home, calendar = self._directory.current().home.gateway_id, self._calendar.current()
        now_ms = self._clock.now_ms()
        views, following = await self._journal.read(
            lambda s: overdue_views(s, actor.unit, home, calendar, now_ms, limit=limit, after=place)
        )
        return views, cursor_text(following)

    async def to_rectify(self, actor: Actor, limit: int) -> Sequence[View]:
        """See `ClockDesk`."""
        home, calendar = self._directory.current().home.gateway_id, self._calendar.current()
        now_ms = self._clock.now_ms()
        return await self._journal.read(
            lambda s: rectification_views(s, actor.unit, home, calendar, now_ms, limit=limit)
        )

    async def clocks(self, actor: Actor, case_id: bytes) -> View:
        """See `ClockDesk`."""
        home, calendar = self._directory.current().home.gateway_id, self._calendar.current()
        now_ms = self._clock.now_ms()

        def query(s: Snapshot) -> dict[str, object]:
            found = [c for c in s.cases_by_id(case_id) if c.unit == actor.unit]
            if not found:
                raise Fault(FaultCode.PORTAL_NOT_FOUND)
            # A partner may have used our id for a case of its own: ours comes first.
            case = min(found, key=lambda c: (c.key.origin != home, c.opened_at_ms))
            return clocks_view(s, case, home, calendar, now_ms)

        return await self._journal.read(query)
