"""A calendar held in memory: the years a test knows, and nothing of others."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.rules.deadlines import CalendarYear, WorkingCalendar


class HeldCalendar:
    """Implements `ports.calendar.CalendarSource`."""

    def __init__(self, years: Iterable[CalendarYear] = ()) -> None:
        self._calendar = WorkingCalendar({year.year: year for year in years})

    def learn(self, year: CalendarYear) -> None:
        """Take a year in, as an operator's new file would."""
        self._calendar = WorkingCalendar({**self._calendar.years, year.year: year})

    def current(self) -> WorkingCalendar:
        """See `CalendarSource`."""
        return self._calendar
