"""Clocks of real cases: the same at both sides, told once, and the same after a restart."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from gateway.flow.clock_views import clocks_view, cursor_of, cursor_text, overdue_views
from gateway.flow.clockwork import events_of
from gateway.flow.deadlines import Deadlines
from gateway.kernel.case import Stage
from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseId, CaseKey, GatewayId
from gateway.kernel.limits import CLOCK_POLL_MS
from gateway.ports.journal import Snapshot
from gateway.ports.journal_clocks import ClockKept, KeptClocks
from gateway.rules.deadlines import (
    ClockName,
    ClockState,
    Level,
    Reading,
    readings,
)
from tests.flow.judge import require_converged
from tests.flow.world import REGISTRAR, WINDOW, Side, World, actor, settle

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
N, S, L = ClockName, ClockState, Level
# Monday 2026-06-01, 10:00. 19 June (Dragon Boat Festival, 端午节) is a day of rest.


def key_of(case_id: bytes) -> CaseKey:
    return CaseKey(GatewayId("620900"), CaseId(case_id))


async def kept(side: Side, case_id: bytes) -> KeptClocks:
    key = key_of(case_id)
    return (await side.journal.read(lambda s: s.clocks([key])))[key]


async def shown(side: Side, case_id: bytes) -> dict[tuple[ClockName, int], Reading]:
    clocks = (await kept(side, case_id)).clocks
    found = readings(side.calendar.current(), clocks, side.clock.now_ms())
    return {(r.name, r.number): r for r in found}


async def told(side: Side, case_id: bytes) -> Sequence[ClockKept]:
    key = key_of(case_id)
    return await side.journal.read(lambda s: s.clock_events(key))


async def tell(side: Side) -> list[tuple[ClockName, Level]]:
    """Have the timekeeper keep what is due; return what it has logged for that."""
    before = len(side.log.events)
    while await side.timekeeper.turn():
        pass
    logged = [fields for name, fields in side.log.events[before:] if name == "clock_told"]
    return [(N(str(f["clock"])), L(str(f["state"]))) for f in logged]


async def listed(side: Side, unit: str | None) -> list[dict[str, object]]:
    calendar, now_ms = side.calendar.current(), side.clock.now_ms()
    views, _ = await side.journal.read(
        lambda s: overdue_views(s, unit, side.id, calendar, now_ms, limit=50)
    )
    return views


async def test_both_sides_read_the_same_clocks_to_the_millisecond(world: World) -> None:
    case_id = await world.open_query()
    world.clock.advance(2 * HOUR_MS)
    await world.drain()
    for kinds in ((Kind.ACKNOWLEDGED, Kind.MATERIALS_REQUESTED), (Kind.ACCEPTED,)):
        for kind in kinds:
            world.clock.advance(3 * HOUR_MS)
            await world.act(case_id, kind)
            await world.drain()
        if Kind.MATERIALS_REQUESTED in kinds:
            world.clock.advance(DAY_MS)
            await world.supply(case_id)
            await world.drain()
    here, there = await kept(world.jq, case_id), await kept(world.jyg, case_id)
    assert here.clocks.events == there.clocks.events
    assert [e.kind for e in here.clocks.events] == [
        Kind.SUBMITTED,
        Kind.ACKNOWLEDGED,
        Kind.MATERIALS_REQUESTED,
        Kind.MATERIALS_SUPPLIED,
        Kind.ACCEPTED,
    ]
    for side in world.sides:
        history = await side.history(case_id)
        clocks = (await kept(side, case_id)).clocks
        assert events_of(await side.case(case_id), history) == clocks.events
    window, office = await shown(world.jq, case_id), await shown(world.jyg, case_id)
    assert {k: v for k, v in window.items() if k[0] is not N.WINDOW_INTAKE} == office
    assert window[N.WINDOW_INTAKE, 1].state is S.STOPPED
    assert office[N.CORRECTION, 1].used_days == 1
    assert office[N.STATUTORY, 1].limit_days == 1
    await require_converged(world)


async def test_a_silent_office_is_warned_and_then_has_accepted(world: World) -> None:
    case_id = await world.open_query()
    await world.drain()
    received_ms = world.clock.now_ms()
    assert await tell(world.jyg) == []
    world.clock.advance(7 * DAY_MS)  # to Monday 8 June: the fifth working day
    assert await tell(world.jyg) == [
        (N.ACKNOWLEDGEMENT, L.DAY_BEFORE),
        (N.ACKNOWLEDGEMENT, L.OVERDUE),
        (N.ACCEPTANCE, L.HALF),
        (N.ACCEPTANCE, L.THREE_QUARTERS),
        (N.ACCEPTANCE, L.DAY_BEFORE),
    ]
    assert (await shown(world.jyg, case_id))[N.ACCEPTANCE, 1].state is S.RUNNING
    world.clock.advance(DAY_MS)
    assert await tell(world.jyg) == [
        (N.STATUTORY, L.DAY_BEFORE),
        (N.PROMISED, L.OVERDUE),
        (N.STATUTORY, L.OVERDUE),
        (N.ACCEPTANCE, L.DEEMED_ACCEPTED),
    ]
    statutory = (await shown(world.jyg, case_id))[N.STATUTORY, 1]
    assert statutory.deemed
    assert abs(statutory.started_ms - received_ms) < HOUR_MS
    assert (statutory.state, statutory.late_days) == (S.OVERDUE, 5)
    assert await tell(world.jyg) == []
    await world.act(case_id, Kind.ACKNOWLEDGED)
    await world.drain()
    await world.act(case_id, Kind.ACCEPTED)
    await world.drain()
    assert (await shown(world.jyg, case_id))[N.STATUTORY, 1].started_ms == statutory.started_ms
    await require_converged(world)


async def test_what_was_told_is_told_once_through_crashes_and_lost_commits(world: World) -> None:
    case_id = await world.open_query()
    await world.drain()
    world.clock.advance(9 * DAY_MS)
    side = world.jyg
    side.journal.lost_commits = 2  # the group, and the group of one that is tried after it
    with pytest.raises(Fault):
        await side.timekeeper.turn()
    assert await told(side, case_id) == []
    side.journal.lost_commits = 0
    before = await shown(side, case_id)
    await side.crash()
    assert await shown(side, case_id) == before
    first = await tell(side)
    assert len(first) == len(set(first)) == 9
    events = await told(side, case_id)
    await side.crash()
    assert await tell(side) == []
    assert await told(side, case_id) == events
    assert {e.kept_at_ms for e in events} == {world.clock.now_ms()}
    assert all(e.warning.at_ms <= e.kept_at_ms for e in events)


async def test_a_stop_without_the_timekeeper_loses_no_event(world: World) -> None:
    """The gateway was down when the limit passed; the case was decided before anyone looked."""
    case_id = await world.open_query()
    await world.drain()
    for kind in (Kind.ACKNOWLEDGED, Kind.ACCEPTED):
        await world.act(case_id, kind)
        await world.drain()
    world.clock.advance(10 * DAY_MS)
    await world.act(case_id, Kind.DECIDED)
    await world.drain()
    assert (N.STATUTORY, L.OVERDUE) in await tell(world.jyg)
    assert [v["case_id"] for v in await listed(world.jyg, None)] == []


async def test_an_unknown_year_alarms_once_and_refuses_nothing(world: World) -> None:
    for side in world.sides:
        side.calendar.hold(())
    case_id = await world.open_query()
    await world.drain()
    assert set(await tell(world.jyg)) == {
        (N.ACKNOWLEDGEMENT, L.CALENDAR_MISSING),
        (N.ACCEPTANCE, L.CALENDAR_MISSING),
    }
    alarms = [f for name, f in world.jyg.log.events if name == "calendar_missing"]
    assert alarms == [{"error": "CalendarMissing", "year": 2026}]
    assert await tell(world.jyg) == []
    world.clock.advance(30 * DAY_MS)
    view = await world.jyg.journal.read(_view_of(world.jyg, await kept(world.jyg, case_id)))
    clocks = view["clocks"]
    assert isinstance(clocks, list)
    assert {c["due"] for c in clocks if c["state"] == "running"} == {"calendar_missing"}
    assert await listed(world.jyg, REGISTRAR) == []
    for kind in (Kind.ACKNOWLEDGED, Kind.ACCEPTED, Kind.DECIDED):
        await world.act(case_id, kind)
        await world.drain()
    assert (await world.jq.case(case_id)).stage is Stage.DECIDED
    await require_converged(world)


def _view_of(side: Side, clocks: KeptClocks) -> Callable[[Snapshot], dict[str, object]]:
    now_ms, calendar = side.clock.now_ms(), side.calendar.current()

    def query(s: Snapshot) -> dict[str, object]:
        case = s.cases([clocks.clocks.key])[clocks.clocks.key]
        return clocks_view(s, case, side.id, calendar, now_ms)

    return query


async def test_a_year_that_becomes_known_is_counted_at_the_next_start(world: World) -> None:
    side = world.jyg
    known = side.calendar.current().years[2026]
    side.calendar.hold(())
    case_id = await world.open_query()
    await world.drain()
    world.clock.advance(15 * DAY_MS)
    await tell(side)
    assert (await kept(side, case_id)).late_from_ms is None
    side.calendar.hold([known])
    await side.crash()
    assert await side.timekeeper.recount() == 1
    assert await side.timekeeper.recount() == 0
    assert (await kept(side, case_id)).late_from_ms is not None
    assert (N.ACCEPTANCE, L.DEEMED_ACCEPTED) in await tell(side)
    assert len(await listed(side, REGISTRAR)) == 1


async def test_a_case_of_before_there_were_clocks_gets_them_from_its_messages(
    world: World,
) -> None:
    case_id = await world.open_query()
    await world.drain()
    for kind in (Kind.ACKNOWLEDGED, Kind.ACCEPTED):
        await world.act(case_id, kind)
        await world.drain()
    for side in world.sides:
        whole = await kept(side, case_id)
        key = key_of(case_id)
        await side.journal.write(lambda tx, k=key: tx._state.clocks.kept.drop(k))  # type: ignore[misc]
        assert await side.journal.read(lambda s: s.clocks([key_of(case_id)])) == {}
        world_case = await side.case(case_id)
        assert events_of(world_case, await side.history(case_id)) == whole.clocks.events
    await world.act(case_id, Kind.DECIDED)
    await world.drain()
    here, there = await kept(world.jq, case_id), await kept(world.jyg, case_id)
    assert here.clocks.events == there.clocks.events
    assert [e.kind for e in here.clocks.events][-1] is Kind.DECIDED
    assert here.clocks.facts.statutory_days == 1
    await require_converged(world)


async def test_a_file_still_missing_keeps_the_case_at_the_window(world: World) -> None:
    case_id = await world.open_branch(upload=False)
    world.clock.advance(14 * DAY_MS)
    (late,) = await listed(world.jq, WINDOW)
    assert (late["held_by"], late["late_days"]) == ("620900", 5)
    await world.withdraw(case_id)
    assert await listed(world.jq, WINDOW) == []
    assert (await shown(world.jq, case_id))[N.WINDOW_INTAKE, 1].state is S.STOPPED


async def test_a_message_that_does_not_arrive_is_on_the_road_not_at_the_office(
    world: World,
) -> None:
    case_id = await world.open_query()
    world.clock.advance(3 * DAY_MS)  # no lane has done a round
    read = await shown(world.jq, case_id)
    assert read[N.WINDOW_INTAKE, 1].state is S.STOPPED
    assert read[N.TRANSIT, 1].state is S.OVERDUE
    assert (N.ACCEPTANCE, 1) not in read
    (late,) = await listed(world.jq, WINDOW)
    assert isinstance(late["clocks"], list)
    assert [c["clock"] for c in late["clocks"]] == ["transit"]
    await world.drain()
    assert (await shown(world.jq, case_id))[N.TRANSIT, 1].used_days == 3


async def test_the_list_says_who_holds_the_case_since_when_and_shows_no_other_units(
    world: World,
) -> None:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED)
    await world.act(case_id, Kind.ACCEPTED)
    await world.drain()
    world.clock.advance(21 * DAY_MS)  # Monday 22 June
    (late,) = await listed(world.jyg, REGISTRAR)
    assert (late["held_by"], late["stage"]) == ("620200", "accepted")
    assert late["late_days"] == 14  # promised at once; the 19th was no working day
    clocks = late["clocks"]
    assert isinstance(clocks, list)
    assert [(c["clock"], c["due"]) for c in clocks] == [
        ("statutory", "2026-06-02"),
        ("promised", "2026-06-01"),
    ]
    held = late["held"]
    assert isinstance(held, list)
    assert [(h["gateway"], h["days"], bool(h["since"])) for h in held] == [
        ("620900", 0, False),
        ("620200", 14, True),
    ]
    assert await listed(world.jyg, WINDOW) == []
    desk = Deadlines(world.jyg.journal, world.jyg.directory, world.jyg.calendar, world.clock)
    views, cursor = await desk.overdue(actor(REGISTRAR), 1, "")
    assert [v["case_id"] for v in views] == [late["case_id"]]
    assert await desk.overdue(actor(REGISTRAR), 1, cursor) == ([], "")
    with pytest.raises(Fault) as refused:
        await desk.clocks(actor(WINDOW), case_id)
    assert refused.value.code is FaultCode.PORTAL_NOT_FOUND
    with pytest.raises(Fault):
        await desk.overdue(actor(REGISTRAR), 1, "1.2")


async def test_the_timekeeper_goes_on_by_itself_and_waits_out_a_broken_journal(
    world: World,
) -> None:
    case_id = await world.open_query()
    await world.drain()
    side = world.jyg
    side.journal.down = True
    run = side.owner.start("timekeeper", side.timekeeper.run())
    world.clock.advance(DAY_MS)
    await settle()
    assert [name for name, _ in side.log.events].count("timekeeper_waits") == 1
    side.journal.down = False
    world.clock.advance(CLOCK_POLL_MS - 1)
    await settle()
    assert await told(side, case_id) == []
    world.clock.advance(1)
    await settle()
    assert {e.warning.clock for e in await told(side, case_id)} == {N.ACKNOWLEDGEMENT}
    run.cancel()


@pytest.mark.parametrize("text", ["1", "1.2", "x.620900.y", "1.620900.nothing", "-1.620900.a"])
def test_a_cursor_that_is_none_is_not_read(text: str) -> None:
    assert cursor_of(text) is None


def test_a_cursor_is_read_back() -> None:
    place = cursor_of("1780279200000.620900.0190a2b4-3c5d-7e6f-8a9b-0c1d2e3f4a5b")
    assert place is not None
    assert cursor_of(cursor_text(place)) == place
