"""`kuayu overdue` and `kuayu calendar`, as the console script."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from gateway.adapters.calendars.published import PublishedCalendar
from gateway.adapters.sql.sqlite import open_sqlite
from gateway.flow.clockwork import counted
from gateway.kernel.case import CaseRole, Stage
from gateway.kernel.envelope import Kind
from gateway.kernel.identifiers import uuid_text
from gateway.ports.journal import Transaction
from gateway.ports.journal_clocks import KeptClocks
from gateway.rules.deadlines import CaseClocks, ClockEvent, ClockFacts
from tests.contract import journal_samples as s
from tests.support.clocks import at

from .console import answer, kuayu

CASES = 3


def _write(tx: Transaction) -> None:
    """Keep cases that were submitted in March 2026 and never looked at."""
    calendar = PublishedCalendar().current()
    for number in range(CASES):
        case = s.case(number, role=CaseRole.DECIDING, stage=Stage.SUBMITTED)._replace(form=b"{}")
        tx.save_cases([case])
        begun = at(f"2026-03-0{number + 2}")
        event = ClockEvent(Kind.SUBMITTED, CaseRole.ORIGIN, begun, begun)
        clocks = CaseClocks(case.key, case.unit, ClockFacts(None, 1, 3), (event,))
        tx.save_clocks([counted(calendar, KeptClocks(clocks), at("2026-04-01"))])


@pytest.fixture
def late(lone: Path) -> Path:
    """A gateway whose journal holds overdue cases; its configuration."""

    async def fill() -> None:
        journal = await open_sqlite(lone.parent / "state" / "journal.sqlite3")
        await journal.write(_write)
        await journal.close()

    asyncio.run(fill())
    return lone


def test_nothing_overdue_is_said_so(lone: Path) -> None:
    assert "没有超期件" in kuayu("overdue", "--config", lone).stdout
    told = answer("overdue", "--config", lone)
    assert (told["overdue"], told["next"]) == ([], None)


def test_the_longest_overdue_comes_first_with_who_holds_it_and_pages_follow(late: Path) -> None:
    told = answer("overdue", "--config", late)
    assert [case["case_id"] for case in told["overdue"]] == [
        uuid_text(s.key_of(n).case_id) for n in range(CASES)
    ]
    first = told["overdue"][0]
    assert {c["clock"]: c["due"] for c in first["clocks"]} == {
        "acknowledgement": "2026-03-03",
        "statutory": "2026-03-05",
        "promised": "2026-03-03",
    }
    page = answer("overdue", "--config", late, "--limit", "2")
    rest = answer("overdue", "--config", late, "--limit", "2", "--after", page["next"])
    assert [c["case_id"] for c in (*page["overdue"], *rest["overdue"])] == [
        c["case_id"] for c in told["overdue"]
    ]
    assert answer("overdue", "--config", late, "--unit", s.OTHER_UNIT)["overdue"] == []
    shown = kuayu("overdue", "--config", late, "--limit", "1").stdout
    assert first["case_id"] in shown
    assert "kuayu overdue --after" in shown
    assert "工作日 working days" in shown


def test_a_cursor_that_is_none_is_a_usage_error(lone: Path) -> None:
    done = kuayu("overdue", "--config", lone, "--after", "x")
    assert done.returncode == 2
    assert "copied whole" in done.stderr


def test_a_case_shows_its_clocks(late: Path) -> None:
    ident = uuid_text(s.key_of(0).case_id)
    case = answer("case", "show", ident, "--config", late)["cases"][0]
    clocks = {c["clock"]: c for c in case["deadlines"]["clocks"]}
    assert clocks["statutory"]["deemed_accepted"] is True
    assert clocks["acceptance"]["state"] == "stopped"
    text = kuayu("explain", ident, "--config", late).stdout
    assert "法定办结时限 statutory" in text
    assert "视为受理 deemed accepted" in text


def test_a_known_year_is_shown_with_its_source(lone: Path) -> None:
    year = answer("calendar", "show", "2026", "--config", lone)
    assert (year["from"], year["working_days"]) == ("chinesecalendar", 248)
    assert "2026-02-28" in year["workdays"]
    assert "2026-10-01" in year["rest_days"]
    assert "248 个工作日" in kuayu("calendar", "show", "2026", "--config", lone).stdout


def test_an_unknown_year_says_what_to_add(lone: Path) -> None:
    done = kuayu("calendar", "show", "2031", "--config", lone)
    assert done.returncode == 1
    assert "calendar_missing" in done.stderr
    assert str(lone.parent / "calendar.toml") in done.stderr


def test_check_ends_with_1_until_the_years_ahead_are_known(lone: Path) -> None:
    file = lone.parent / "calendar.toml"
    years = [
        f'[[years]]\nyear = {y}\nsource = "示例"\nrest_days = [{y}-01-01]\n'
        for y in range(2027, 2100)
    ]
    file.write_text("".join(years), encoding="utf-8")
    told = answer("calendar", "check", "--config", lone)
    assert (told["missing"], told["own_years"][0]) == (None, 2027)
    assert "2004-2099" in kuayu("calendar", "check", "--config", lone).stdout
    file.write_text('[[years]]\nyear = 2027\nsource = "x"\nrest_days = [2026-01-01]\n')
    done = kuayu("calendar", "check", "--config", lone)
    assert done.returncode == 78
    assert "2026-01-01 is not in 2027" in done.stderr


def test_check_names_the_year_that_is_missing(lone: Path) -> None:
    done = kuayu("calendar", "check", "--config", lone, "--json")
    told = json.loads(done.stdout)
    assert (told["missing"] is None) is (done.returncode == 0)
    if told["missing"] is not None:
        assert str(told["missing"]) in done.stderr
