"""The clock of a joint task at both ends, and the limits of joint handling for the main case."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from gateway.flow.clock_views import clocks_view, overdue_views
from gateway.flow.timekeeper import Timekeeper
from gateway.kernel.case import CaseRecord
from gateway.kernel.envelope import Kind
from gateway.ports.journal import Snapshot
from gateway.rules.deadlines import ClockName, ClockState, Level, Reading, WorkingCalendar, readings
from tests.flow.link import Trouble
from tests.flow.sites import Setup
from tests.flow.trio import ASK, Trio, TrioSide, provision, trio_of

DAY_MS = 86_400_000
N, S, L = ClockName, ClockState, Level


@pytest.fixture(scope="session")
def trio_setups(tmp_path_factory: pytest.TempPathFactory) -> tuple[Setup, Setup, Setup]:
    return provision(tmp_path_factory.mktemp("trio"))


@pytest.fixture
async def trio(trio_setups: tuple[Setup, Setup, Setup]) -> AsyncIterator[Trio]:
    async with trio_of(trio_setups) as running:
        yield running


async def shown(side: TrioSide, case_id: bytes) -> dict[ClockName, Reading]:
    case = await side.case(case_id)
    kept = (await side.journal.read(lambda s: s.clocks([case.key])))[case.key]
    found = readings(side.calendar.current(), kept.clocks, side.clock.now_ms())
    return {r.name: r for r in found}


async def tell(side: TrioSide) -> list[tuple[str, str]]:
    keeper: Timekeeper = side.timekeeper
    before = len(side.log.events)
    while await keeper.turn():
        pass
    return [
        (str(f["clock"]), str(f["state"]))
        for name, f in side.log.events[before:]
        if name == "clock_told" and f["clock"] == "answer"
    ]


async def overdue(side: TrioSide) -> list[dict[str, object]]:
    views, _ = await side.journal.read(
        lambda s: overdue_views(
            s, None, side.id, side.calendar.current(), side.clock.now_ms(), limit=9
        )
    )
    return [v for v in views if any(c["clock"] == "answer" for c in v["clocks"])]  # type: ignore[attr-defined]


def _clocks_of(
    case: CaseRecord, home: str, calendar: WorkingCalendar, now_ms: int, s: Snapshot
) -> dict[str, Any]:
    return clocks_view(s, case, home, calendar, now_ms)


async def test_a_task_left_lying_is_overdue_at_both_ends_with_the_place_that_holds_it(
    trio: Trio,
) -> None:
    _, task_id = await trio.asked()
    trio.clock.advance(7 * DAY_MS)  # Monday 2026-06-08, the last day
    for side in (trio.zjg, trio.bs):
        running = (await shown(side, task_id))[N.ANSWER]
        assert (running.state, str(running.due), running.used_days) == (S.RUNNING, "2026-06-08", 5)
        assert await overdue(side) == []
    trio.clock.advance(DAY_MS)
    for side in (trio.zjg, trio.bs):
        levels = (L.HALF, L.THREE_QUARTERS, L.DAY_BEFORE, L.OVERDUE)
        assert set(await tell(side)) == {("answer", level.value) for level in levels}
        (late,) = await overdue(side)
        assert (late["held_by"], late["late_days"]) == (trio.bs.id, 1)
        assert late["clocks"][0]["clock_zh"] == "协办答复"  # type: ignore[index]


async def test_an_answer_stops_the_clock_at_both_ends_on_the_same_day(trio: Trio) -> None:
    _, task_id = await trio.asked()
    trio.clock.advance(2 * DAY_MS)
    await trio.answer(task_id)
    trio.clock.advance(DAY_MS)
    await trio.drain()
    ends = [(await shown(side, task_id))[N.ANSWER] for side in (trio.zjg, trio.bs)]
    assert ends[0] == ends[1]
    assert (ends[0].state, ends[0].used_days) == (S.STOPPED, 2)
    for side in (trio.zjg, trio.bs):
        case = await side.case(task_id)
        kept = (await side.journal.read(lambda s, k=case.key: s.clocks([k])))[case.key]  # type: ignore[misc]
        assert kept.clocks.closed_at_ms is not None
        assert kept.late_from_ms is None


async def test_the_clock_runs_from_the_day_of_asking_though_the_way_is_down(trio: Trio) -> None:
    case_id = await trio.accepted()
    trio.zjg.links[trio.bs.id].always = Trouble.DOWN
    task_id = await trio.ask(case_id)
    trio.clock.advance(2 * DAY_MS)
    assert (await shown(trio.zjg, task_id))[N.ANSWER].used_days == 2
    trio.zjg.links[trio.bs.id].always = Trouble.NONE
    await trio.drain()
    ends = [(await shown(side, task_id))[N.ANSWER] for side in (trio.zjg, trio.bs)]
    assert ends[0] == ends[1]
    assert str(ends[0].due) == "2026-06-08"


async def test_a_withdrawn_task_has_no_clock_left(trio: Trio) -> None:
    case_id, task_id = await trio.asked()
    await trio.take_back(case_id, task_id)
    await trio.drain()
    for side in (trio.zjg, trio.bs):
        assert (await shown(side, task_id))[N.ANSWER].state is S.STOPPED


async def test_the_clocks_of_a_task_name_both_gateways(trio: Trio) -> None:
    _, task_id = await trio.asked()
    for side in (trio.zjg, trio.bs):
        case = await side.case(task_id)
        view: dict[str, Any] = await side.journal.read(
            partial(_clocks_of, case, side.id, side.calendar.current(), side.clock.now_ms())
        )
        assert [c["held_by"] for c in view["clocks"]] == [trio.bs.id]
        assert [h["gateway"] for h in view["held"]] == [trio.zjg.id, trio.bs.id]


async def test_a_joint_case_has_the_limits_of_joint_handling(trio: Trio) -> None:
    for side in trio.sides[:2]:
        book = side.directory.current()
        item = book.catalogue[trio.zjg.id, "00070920200301"]
        assert item.joint is not None
        limit = item.joint.statutory_days
        case_id = await trio.accepted()
        assert (await shown(side, case_id))[N.STATUTORY].limit_days == limit


async def test_a_day_named_by_the_asking_office_is_the_day_the_clock_ends(trio: Trio) -> None:
    case_id = await trio.accepted()
    task_id = await trio.ask(case_id, replace(ASK, due_on="2026-06-03"))
    await trio.drain()
    for side in (trio.zjg, trio.bs):
        assert str((await shown(side, task_id))[N.ANSWER].due) == "2026-06-03"
    assert (await trio.joint(case_id))[0]["due_on"] == "2026-06-03"
    history = await trio.bs.journal.read(lambda s: s.cases_by_id(task_id))
    assert [c.stage.value for c in history] == ["asked"]
    assert Kind.JOINT_TASK in {
        m.kind for m in await trio.bs.journal.read(lambda s: s.history(history[0].key))
    }
