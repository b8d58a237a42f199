"""What `ports.calendar` promises, for every adapter."""

from __future__ import annotations

from datetime import date, timedelta

import chinese_calendar
import pytest

from gateway.adapters.calendars.published import PublishedCalendar, library_years
from gateway.adapters.memory.calendar import HeldCalendar
from gateway.ports.calendar import CalendarSource
from gateway.rules.deadlines import CalendarMissing, CalendarYear, contradictions

OWN = CalendarYear(2026, frozenset({date(2026, 1, 1)}))


@pytest.fixture(params=["published", "memory"])
def source(request: pytest.FixtureRequest) -> CalendarSource:
    if request.param == "published":
        return PublishedCalendar()
    return HeldCalendar(library_years().values())


def test_every_published_day_is_worked_or_not_as_the_library_says(source: CalendarSource) -> None:
    calendar, today = source.current(), date(2004, 1, 1)
    while today.year in calendar.years:
        assert calendar.is_workday(today) is chinese_calendar.is_workday(today), today
        today += timedelta(days=1)
    assert today == date(max(calendar.years) + 1, 1, 1)


def test_a_year_that_was_not_published_is_absent(source: CalendarSource) -> None:
    calendar = source.current()
    for year in (2003, max(calendar.years) + 1):
        assert year not in calendar.years
        assert calendar.is_workday(date(year, 5, 5)) == CalendarMissing(year)


def test_the_calendar_stays_the_same_until_it_is_changed(source: CalendarSource) -> None:
    assert source.current() is source.current()


def test_no_published_year_contradicts_itself() -> None:
    assert [line for year in library_years().values() for line in contradictions(year)] == []


def test_both_adapters_take_an_operators_year_alike() -> None:
    own, held = PublishedCalendar({2026: OWN}), HeldCalendar(library_years().values())
    assert own.current().fingerprint != held.current().fingerprint
    held.hold([*(y for y in library_years().values() if y.year != 2026), OWN])
    assert own.current() == held.current()
    assert own.current().fingerprint == held.current().fingerprint
