"""A calendar held in memory: the years a test knows, and nothing of others."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.rules.deadlines import CalendarYear, WorkingCalendar


class HeldCalendar:
    """Implements `ports.calendar.CalendarSource`."""

    def __init__(self, years: Iterable[CalendarYear] = ()) -> None:
        self.hold(years)

    def hold(self, years: Iterable[CalendarYear]) -> None:
        """Know these years from now on and no others, as after an operator's new file."""
        self._calendar = WorkingCalendar({year.year: year for year in years})

    def current(self) -> WorkingCalendar:
        """See `CalendarSource`."""
        return self._calendar
