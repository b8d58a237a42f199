"""The years the `chinesecalendar` library knows, under an operator's own years."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache

from chinese_calendar import constants

from gateway.rules.deadlines import CalendarYear, WorkingCalendar


@cache
def library_years() -> Mapping[int, CalendarYear]:
    """Return every year of the library, from its tables: asked for another, it would raise."""
    rest, work = set(constants.holidays), set(constants.workdays)
    return {
        year: CalendarYear(year, _within(rest, year), _within(work, year))
        for year in sorted({day.year for day in rest})
    }


def _within(days: Iterable[date], year: int) -> frozenset[date]:
    return frozenset(day for day in days if day.year == year)


class PublishedCalendar:
    """Implements `ports.calendar.CalendarSource`: the operator's years replace the library's."""

    def __init__(self, own: Mapping[int, CalendarYear] | None = None) -> None:
        self._calendar = WorkingCalendar({**library_years(), **(own or {})})

    def current(self) -> WorkingCalendar:
        """See `CalendarSource`."""
        return self._calendar
