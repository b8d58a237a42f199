"""Working days are counted from the day after, and never guessed."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.rules.deadlines import (
    CalendarMissing,
    CalendarYear,
    WorkingCalendar,
    china_day,
    contradictions,
    days_between,
    due_day,
    end_of,
)
from tests.support.clocks import CALENDAR, at, day

VECTORS = json.loads(
    (Path(__file__).parent.parent.parent / "vectors" / "working_days.json").read_bytes()
)["cases"]
PLAIN = WorkingCalendar({2030: CalendarYear(2030)})


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['start']}+{v['days']}")
def test_the_last_day_is_that_of_the_vector(vector: dict[str, object]) -> None:
    start, days = day(str(vector["start"])), vector["days"]
    assert isinstance(days, int)
    due = due_day(CALENDAR, start, days)
    assert due == day(str(vector["due"]))
    assert isinstance(due, date)
    assert days_between(CALENDAR, start, due) == days


def test_there_are_vectors() -> None:
    assert len(VECTORS) == 5


@pytest.mark.parametrize(
    ("start", "days"),
    [("2026-12-31", 1), ("2026-12-25", 10), ("2027-03-01", 1), ("2004-01-01", 6_000)],
)
def test_a_count_that_needs_an_unknown_year_is_missing_not_guessed(start: str, days: int) -> None:
    assert due_day(CALENDAR, day(start), days) == CalendarMissing(2027)


def test_a_count_that_begins_before_the_known_years_is_missing() -> None:
    assert due_day(CALENDAR, day("2003-12-30"), 1) == CalendarMissing(2003)
    assert days_between(CALENDAR, day("2003-12-30"), day("2004-01-05")) == CalendarMissing(2003)


def test_a_year_missing_between_two_known_ones_is_noticed() -> None:
    gap = WorkingCalendar({y: CalendarYear(y) for y in (2029, 2031)})
    assert due_day(gap, date(2029, 12, 28), 1) == date(2029, 12, 31)
    assert due_day(gap, date(2029, 12, 28), 2) == CalendarMissing(2030)
    assert days_between(gap, date(2029, 12, 1), date(2031, 1, 2)) == CalendarMissing(2030)


def test_a_calendar_without_years_answers_missing_and_never_raises() -> None:
    none = WorkingCalendar({})
    assert due_day(none, date(2026, 1, 1), 0) == CalendarMissing(2026)
    assert none.is_workday(date(2026, 1, 1)) == CalendarMissing(2026)


def test_the_last_known_day_can_still_be_due() -> None:
    assert due_day(CALENDAR, day("2026-12-30"), 1) == day("2026-12-31")


def test_no_days_at_all_is_the_same_day_or_the_first_worked_after_it() -> None:
    assert due_day(CALENDAR, day("2021-05-27"), 0) == day("2021-05-27")
    assert due_day(CALENDAR, day("2021-10-01"), 0) == day("2021-10-08")


def test_days_are_not_counted_backwards() -> None:
    with pytest.raises(ValueError, match="forwards"):
        due_day(CALENDAR, day("2021-05-27"), -1)
    assert days_between(CALENDAR, day("2021-05-27"), day("2021-05-20")) == 0


def test_a_worked_saturday_and_a_rest_weekday_are_counted_as_published() -> None:
    year = CalendarYear(2030, frozenset({date(2030, 1, 1)}), frozenset({date(2030, 1, 5)}))
    calendar = WorkingCalendar({2030: year})
    assert calendar.is_workday(date(2030, 1, 5)) is True  # a Saturday
    assert calendar.is_workday(date(2030, 1, 1)) is False  # a Tuesday
    assert due_day(calendar, date(2030, 1, 4), 1) == date(2030, 1, 5)
    assert due_day(PLAIN, date(2030, 1, 4), 1) == date(2030, 1, 7)


@pytest.mark.parametrize(
    ("year", "told"),
    [
        (CalendarYear(2030, frozenset({date(2031, 1, 1)})), "is not in 2030"),
        (CalendarYear(2030, frozenset(), frozenset({date(2030, 1, 4)})), "is worked anyway"),
        (
            CalendarYear(2030, frozenset({date(2030, 1, 5)}), frozenset({date(2030, 1, 5)})),
            "both rest and work",
        ),
    ],
)
def test_a_year_that_contradicts_itself_is_told(year: CalendarYear, told: str) -> None:
    assert [line for line in contradictions(year) if told in line]
    assert contradictions(CalendarYear(2030)) == []


def test_a_day_ends_at_midnight_in_china_wherever_the_machine_stands() -> None:
    assert china_day(at("2021-05-27", "23:59")) == day("2021-05-27")
    assert china_day(at("2021-05-28", "00:00")) == day("2021-05-28")
    assert end_of(day("2021-05-27")) == at("2021-05-28", "00:00")
    assert china_day(-1) == date(1970, 1, 1)


def test_the_same_years_have_the_same_fingerprint_and_others_another() -> None:
    again = WorkingCalendar({2030: CalendarYear(2030)})
    changed = WorkingCalendar({2030: CalendarYear(2030, frozenset({date(2030, 1, 1)}))})
    assert again == PLAIN
    assert again.fingerprint == PLAIN.fingerprint != changed.fingerprint


def test_every_known_day_counts_one_or_none() -> None:
    today, count = date(2025, 12, 31), 0
    while today < date(2026, 12, 31):
        today += timedelta(days=1)
        count += CALENDAR.is_workday(today) is True
        assert days_between(CALENDAR, date(2025, 12, 31), today) == count
