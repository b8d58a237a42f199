"""The operator's calendar file: years the library does not know yet, or knows wrongly."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field

from gateway.adapters.calendars.published import PublishedCalendar
from gateway.app.problems import ConfigProblem
from gateway.app.toml_files import Name, Strict, read_table, twice
from gateway.rules.deadlines import CalendarYear, WorkingCalendar, contradictions


class _Year(Strict):
    year: Annotated[int, Field(ge=1949, le=2200)]
    source: Name
    rest_days: Annotated[list[date], Field(max_length=366)]
    workdays: list[date] = Field(default_factory=list, max_length=366)


class _Document(Strict):
    years: list[_Year] = Field(default_factory=list)


def read_years(path: Path) -> Mapping[int, CalendarYear]:
    """Read the years of an operator's file; a file that is not there holds none.

    Each takes the place of the library's. What it says is *not* compared with the State Council's
    notice (国务院办公厅关于部分节假日安排的通知): its `source` names that.

    Raises:
        ConfigProblem: naming everything that is wrong.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as problem:
        raise ConfigProblem(path, [f"cannot be read: {problem.strerror}"]) from None
    document = read_table(raw, _Document, path)
    wrong = [f"years: {year} stands twice" for year in _twice(document)]
    years = {}
    for given in document.years:
        rest, work = frozenset(given.rest_days), frozenset(given.workdays)
        years[given.year] = year = CalendarYear(given.year, rest, work)
        for days, name in ((given.rest_days, "rest_days"), (given.workdays, "workdays")):
            doubled = twice([day.isoformat() for day in days])
            wrong += [f"years.{given.year}.{name}: {day} stands twice" for day in doubled]
        wrong += [f"years.{given.year}: {line}" for line in contradictions(year)]
        if not rest:
            wrong.append(f"years.{given.year}.rest_days: is empty; no year is without holidays")
    if wrong:
        raise ConfigProblem(path, wrong)
    return years


def _twice(document: _Document) -> list[str]:
    return twice([str(given.year) for given in document.years])


class YearChanges(NamedTuple):
    """Which years another reading of the operator's file changed, in order."""

    added: list[int]
    changed: list[int]
    removed: list[int]


class OperatorCalendar:
    """Implements `ports.calendar.CalendarSource`: the file as it was last read without a fault."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            ConfigProblem: naming everything that is wrong with it.
        """
        self._path = path
        self._held = PublishedCalendar(read_years(path))

    def current(self) -> WorkingCalendar:
        """See `CalendarSource`."""
        return self._held.current()

    def reload(self) -> YearChanges:
        """Read the file again and go by it from now on.

        Raises:
            ConfigProblem: naming everything that is wrong with it; what was held stays.
        """
        before, read = self._held.current().years, PublishedCalendar(read_years(self._path))
        after, self._held = read.current().years, read
        return YearChanges(
            sorted(after.keys() - before.keys()),
            sorted(y for y in after.keys() & before.keys() if after[y] != before[y]),
            sorted(before.keys() - after.keys()),
        )


def load_calendar(path: Path) -> OperatorCalendar:
    """Return the library's years under those of the operator's file.

    Raises:
        ConfigProblem: naming everything that is wrong with the file.
    """
    return OperatorCalendar(path)
