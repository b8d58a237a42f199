"""Working days (工作日) in China's civil time: a calendar that knows some years, and no others."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Final, NamedTuple

_DAY_MS: Final = 86_400_000
_CHINA_MS: Final = 8 * 3_600_000  # UTC+8 all year, whole country
_EPOCH: Final = date(1970, 1, 1).toordinal()
_SATURDAY: Final = 5


def china_day(instant_ms: int) -> date:
    """Return the civil date in China of an instant (Unix ms)."""
    return date.fromordinal(_EPOCH + (instant_ms + _CHINA_MS) // _DAY_MS)


def end_of(day: date) -> int:
    """Return the first instant (Unix ms) after `day` in China: its 24:00."""
    return (day.toordinal() + 1 - _EPOCH) * _DAY_MS - _CHINA_MS


def start_of_day(instant_ms: int) -> int:
    """Return the first instant (Unix ms) of the day in China that `instant_ms` is in."""
    return instant_ms - (instant_ms + _CHINA_MS) % _DAY_MS


class CalendarMissing(NamedTuple):
    """What a count answers that meets a year whose rest days are not known: never a guess."""

    year: int


class CalendarYear(NamedTuple):
    """A year as the State Council publishes it, beside Saturdays and Sundays."""

    year: int
    rest_days: frozenset[date] = frozenset()
    """节假日: no working days, whatever day of the week."""
    workdays: frozenset[date] = frozenset()
    """调休上班: Saturdays and Sundays that are worked."""


def contradictions(year: CalendarYear) -> list[str]:
    """Return what cannot be right in a year, a line each; empty if nothing."""
    given = sorted(year.rest_days | year.workdays)
    return [
        *(f"{day} is not in {year.year}" for day in given if day.year != year.year),
        *(f"{day} is both rest and work" for day in sorted(year.rest_days & year.workdays)),
        *(
            f"{day} is worked anyway, it is no Saturday or Sunday"
            for day in sorted(year.workdays)
            if day.weekday() < _SATURDAY
        ),
    ]


@dataclass(frozen=True)
class WorkingCalendar:
    """The years that are known. A value: two with the same years are equal.

    That the years hold no contradiction is *not* checked here: `contradictions`.
    """

    years: Mapping[int, CalendarYear]
    fingerprint: str = field(init=False, compare=False)
    """Short and the same for the same years: what was counted under another one is stale."""
    _ordinals: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = MappingProxyType({number: self.years[number] for number in sorted(self.years)})
        object.__setattr__(self, "years", known)
        object.__setattr__(
            self, "_ordinals", tuple(d for y in known.values() for d in _workdays_of(y))
        )
        object.__setattr__(self, "fingerprint", _fingerprint(known.values()))

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def is_workday(self, day: date) -> bool | CalendarMissing:
        """Tell whether `day` is worked."""
        if day.year not in self.years:
            return CalendarMissing(day.year)
        place = bisect_left(self._ordinals, day.toordinal())
        return place < len(self._ordinals) and self._ordinals[place] == day.toordinal()

    def unknown(self, first: date, last: date) -> CalendarMissing | None:
        """Return the first year from `first` to `last` that is not known."""
        for number in range(first.year, last.year + 1):
            if number not in self.years:
                return CalendarMissing(number)
        return None

    def _first_unknown(self, number: int) -> CalendarMissing:
        while number in self.years:
            number += 1
        return CalendarMissing(number)

    def _nth(self, place: int, first: date) -> date | CalendarMissing:
        if place >= len(self._ordinals):
            return self._first_unknown(first.year)
        found = date.fromordinal(self._ordinals[place])
        return self.unknown(first, found) or found


def due_day(calendar: WorkingCalendar, start: date, days: int) -> date | CalendarMissing:
    """Return the last of `days` working days, counted from the day after `start`.

    No days at all means `start` itself, or the first working day after it if it is a rest day.

    Raises:
        ValueError: `days` is negative.
    """
    if days < 0:
        raise ValueError("days are counted forwards")
    ordinal = start.toordinal()
    if days == 0:
        return calendar._nth(bisect_left(calendar._ordinals, ordinal), start)
    place = bisect_right(calendar._ordinals, ordinal) + days - 1
    return calendar._nth(place, start + timedelta(days=1))


def days_between(calendar: WorkingCalendar, after: date, until: date) -> int | CalendarMissing:
    """Count the working days after `after` up to and with `until`; 0 if that is not later."""
    if until <= after:
        return 0
    missing = calendar.unknown(after + timedelta(days=1), until)
    if missing is not None:
        return missing
    low = bisect_right(calendar._ordinals, after.toordinal())
    return bisect_right(calendar._ordinals, until.toordinal()) - low


def _workdays_of(year: CalendarYear) -> Iterable[int]:
    first, last = date(year.year, 1, 1).toordinal(), date(year.year, 12, 31).toordinal()
    rest = {day.toordinal() for day in year.rest_days}
    work = {day.toordinal() for day in year.workdays}
    for ordinal in range(first, last + 1):
        weekday = (ordinal + 6) % 7  # as date.weekday(): ordinal 1 was a Monday
        if ordinal in work or (weekday < _SATURDAY and ordinal not in rest):
            yield ordinal


def _fingerprint(years: Iterable[CalendarYear]) -> str:
    told = sha256()
    for year in years:
        told.update(f"{year.year}".encode())
        for mark, days in ((b"-", year.rest_days), (b"+", year.workdays)):
            for day in sorted(days):
                told.update(mark + day.isoformat().encode())
    return told.hexdigest()[:16]
