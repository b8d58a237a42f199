"""The operator's calendar file: taken whole or refused by name."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from gateway.app.calendar import load_calendar, read_years
from gateway.app.problems import ConfigProblem
from gateway.rules.deadlines import CalendarMissing, due_day

GOOD = """
[[years]]
year = 2027
source = "示例通知"
rest_days = [2027-01-01, 2027-02-08]
workdays = [2027-02-20]
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "calendar.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_that_is_not_there_leaves_the_librarys_years(tmp_path: Path) -> None:
    calendar = load_calendar(tmp_path / "calendar.toml").current()
    assert (min(calendar.years), max(calendar.years)) == (2004, 2026)
    assert due_day(calendar, date(2026, 12, 31), 1) == CalendarMissing(2027)


def test_a_year_of_the_file_is_known(tmp_path: Path) -> None:
    calendar = load_calendar(written(tmp_path, GOOD)).current()
    assert due_day(calendar, date(2026, 12, 31), 1) == date(2027, 1, 4)
    assert due_day(calendar, date(2027, 2, 19), 1) == date(2027, 2, 20)
    assert due_day(calendar, date(2027, 12, 31), 1) == CalendarMissing(2028)


def test_a_year_of_the_file_takes_the_librarys_place_whole(tmp_path: Path) -> None:
    text = GOOD.replace("2027", "2026").replace("2026-02-20", "2026-02-21")
    calendar = load_calendar(written(tmp_path, text)).current()
    assert calendar.is_workday(date(2026, 10, 1)) is True


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("years = 1", "years"),
        ("[[years]]\nyear = 2027", "years.0.source"),
        (GOOD.replace("2027-02-20", "2027-02-19"), "2027-02-19 is worked anyway"),
        (GOOD.replace("2027-01-01", "2028-01-01"), "2028-01-01 is not in 2027"),
        (GOOD.replace("2027-02-20", "2027-02-08"), "both rest and work"),
        (GOOD.replace("2027-02-08", "2027-01-01"), "2027-01-01 stands twice"),
        (GOOD + GOOD, "2027 stands twice"),
        (GOOD.replace("[2027-01-01, 2027-02-08]", "[]"), "is empty"),
        (GOOD.replace("2027-02-20", '"2027-02-20"'), "workdays"),
        (GOOD.replace("year = 2027", "year = 27"), "year"),
        (GOOD + "extra = 1\n", "extra"),
        ("years = [", "not TOML"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_by_name(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(ConfigProblem) as problem:
        read_years(written(tmp_path, text))
    assert told in "\n".join(problem.value.messages)


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match="cannot be read"):
        read_years(tmp_path)


def test_a_file_that_is_wrong_when_read_again_leaves_the_calendar_as_it_was(
    tmp_path: Path,
) -> None:
    held = load_calendar(written(tmp_path, GOOD))
    before = held.current()
    for broken in (GOOD[:-20], "years = 7", GOOD + GOOD):
        written(tmp_path, broken)
        with pytest.raises(ConfigProblem):
            held.reload()
        assert held.current() is before


def test_a_file_read_again_tells_which_years_it_changed(tmp_path: Path) -> None:
    held = load_calendar(tmp_path / "calendar.toml")
    assert held.reload() == ([], [], [])
    written(tmp_path, GOOD)
    assert held.reload() == ([2027], [], [])
    assert due_day(held.current(), date(2026, 12, 31), 1) == date(2027, 1, 4)
    written(tmp_path, GOOD.replace("2027", "2026").replace("2026-02-20", "2026-02-21"))
    assert held.reload() == ([], [2026], [2027])
    (tmp_path / "calendar.toml").unlink()
    assert held.reload() == ([], [2026], [])
    assert held.current() == load_calendar(tmp_path / "calendar.toml").current()
