"""Bad reviews are put right (差评整改): answered once, with a clock that both sides count alike."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.flow.clockwork import events_of
from gateway.flow.deadlines import Deadlines
from gateway.kernel.case import Stage
from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import uuid_text
from gateway.rules.deadlines import ClockName, ClockState
from tests.flow.judge import require_converged
from tests.flow.link import Trouble
from tests.flow.test_clocks import DAY_MS, kept, key_of, listed, shown
from tests.flow.world import REGISTRAR, WINDOW, World, actor

BAD = {"grade": "dissatisfied", "comment_zh": "等候过久（示例）"}
WORSE = {"grade": "very_dissatisfied"}
GOOD = {"grade": "satisfied"}


async def delivered(world: World) -> bytes:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, *(Kind.ACKNOWLEDGED, Kind.ACCEPTED, Kind.DECIDED, Kind.DELIVERED))
    await world.drain()
    return case_id


async def reviewed(world: World, *forms: dict[str, str]) -> bytes:
    case_id = await delivered(world)
    for form in forms:
        await world.say(case_id, Kind.REVIEWED, form)
    await world.drain()
    return case_id


async def reviews(world: World, case_id: bytes) -> Sequence[dict[str, str]]:
    """Return reviews and answers as the deciding office sees them."""
    view = await world.jyg.tasks.task(actor(REGISTRAR), case_id)
    found: Sequence[dict[str, str]] = view["reviews"]  # type: ignore[assignment]
    return found


def answer(digest: str, **more: str) -> dict[str, object]:
    said = {"answers": digest, "outcome": "rectified", "measures_zh": "已增设窗口（示例）"}
    return {**said, **more}


async def refused(world: World, case_id: bytes, form: dict[str, object]) -> FaultCode:
    with pytest.raises(Fault) as raised:
        await world.act(case_id, Kind.REVIEWED, form=form)
    return raised.value.code


async def states(world: World, case_id: bytes) -> list[dict[int, ClockState]]:
    """Return the state of each rectification clock at both sides, by number."""
    found = []
    for side in world.sides:
        clocks = await shown(side, case_id)
        mine = {n: r.state for (name, n), r in clocks.items() if name is ClockName.RECTIFICATION}
        found.append(mine)
    return found


# --- what is refused --------------------------------------------------------------------------


async def test_only_a_review_of_this_case_is_answered(world: World) -> None:
    case_id, other = await reviewed(world, BAD), await reviewed(world, BAD)
    (theirs,) = await reviews(world, other)
    for digest in (theirs["digest"], "ab" * 32):
        assert await refused(world, case_id, answer(digest)) is FaultCode.CASE_REVIEW_UNKNOWN
    assert await refused(world, case_id, {"answers": 7}) is FaultCode.SCHEMA_FORM_INVALID
    (ours,) = await reviews(world, case_id)
    odd = answer(ours["digest"], outcome="forgotten")
    assert await refused(world, case_id, odd) is FaultCode.SCHEMA_FORM_INVALID


async def test_a_review_is_answered_once_also_while_the_answer_is_on_its_way(world: World) -> None:
    case_id = await reviewed(world, BAD)
    (review,) = await reviews(world, case_id)
    await world.act(case_id, Kind.REVIEWED, form=answer(review["digest"]))
    again = answer(review["digest"], outcome="explained")
    assert await refused(world, case_id, again) is FaultCode.CASE_REVIEW_ANSWERED
    await world.drain()
    assert await refused(world, case_id, again) is FaultCode.CASE_REVIEW_ANSWERED
    await require_converged(world)


async def test_an_answer_to_an_answer_and_one_by_the_window_are_refused(world: World) -> None:
    case_id = await reviewed(world, BAD)
    (review,) = await reviews(world, case_id)
    with pytest.raises(Fault) as raised:
        await world.say(case_id, Kind.REVIEWED, answer(review["digest"]))
    assert raised.value.code is FaultCode.CASE_ROLE
    await world.act(case_id, Kind.REVIEWED, form=answer(review["digest"]))
    await world.drain()
    mine = (await reviews(world, case_id))[-1]["digest"]
    assert await refused(world, case_id, answer(mine)) is FaultCode.CASE_REVIEW_UNKNOWN


# --- the clock --------------------------------------------------------------------------------


async def test_a_bad_review_is_to_be_put_right_in_fifteen_working_days(world: World) -> None:
    case_id = await reviewed(world, BAD)
    # Monday 1 June 2026: fifteen working days end on 23 June, 19 June being a festival.
    for side in world.sides:
        reading = (await shown(side, case_id))[ClockName.RECTIFICATION, 1]
        assert (str(reading.due), reading.limit_days) == ("2026-06-23", 15)
        assert reading.holder.value == "deciding"
    world.clock.advance(23 * DAY_MS)
    for side, unit in ((world.jq, WINDOW), (world.jyg, REGISTRAR)):
        (late,) = await listed(side, unit)
        assert [c["clock"] for c in late["clocks"]] == ["rectification"]  # type: ignore[attr-defined]
    (review,) = await reviews(world, case_id)
    await world.act(case_id, Kind.REVIEWED, form=answer(review["digest"]))
    await world.drain()
    assert await states(world, case_id) == [{1: ClockState.STOPPED}] * 2
    for side, unit in ((world.jq, WINDOW), (world.jyg, REGISTRAR)):
        assert await listed(side, unit) == []
        assert (await kept(side, case_id)).clocks.closed_at_ms is not None


async def test_an_office_finds_what_it_has_to_put_right_and_nobody_elses(world: World) -> None:
    good, case_id = await reviewed(world, GOOD), await reviewed(world, BAD, WORSE)
    assert good != case_id
    side = world.jyg
    desk = Deadlines(side.journal, side.directory, side.calendar, side.clock)
    (found,) = await desk.to_rectify(actor(REGISTRAR), 50)
    assert found["case_id"] == uuid_text(case_id)
    clocks: list[dict[str, object]] = found["clocks"]  # type: ignore[assignment]
    assert [(c["clock"], c["number"], c["due"]) for c in clocks] == [
        ("rectification", 1, "2026-06-23"),
        ("rectification", 2, "2026-06-23"),
    ]
    assert await desk.to_rectify(actor(WINDOW), 50) == []
    for review in await reviews(world, case_id):
        await world.act(case_id, Kind.REVIEWED, form=answer(review["digest"]))
    await world.drain()
    assert await desk.to_rectify(actor(REGISTRAR), 50) == []


async def test_a_good_review_starts_no_clock_and_may_be_answered(world: World) -> None:
    case_id = await reviewed(world, GOOD)
    assert await states(world, case_id) == [{}, {}]
    (review,) = await reviews(world, case_id)
    await world.act(case_id, Kind.REVIEWED, form=answer(review["digest"], outcome="explained"))
    await world.drain()
    seen = await world.jq.desk.case(actor(WINDOW), case_id)
    told = seen["reviews"][-1]  # type: ignore[index]
    assert (told["said_by"], told["outcome"]) == ("620200", "explained")
    assert told["measures_zh"] == "已增设窗口（示例）", "the window reads what was done"


async def test_each_bad_review_has_a_clock_that_its_own_answer_stops(world: World) -> None:
    case_id = await reviewed(world, BAD, GOOD, WORSE)
    running, stopped = ClockState.RUNNING, ClockState.STOPPED
    assert await states(world, case_id) == [{1: running, 2: running}] * 2
    said = await reviews(world, case_id)
    await world.act(case_id, Kind.REVIEWED, form=answer(said[2]["digest"]))
    await world.drain()
    assert await states(world, case_id) == [{1: running, 2: stopped}] * 2
    assert (await kept(world.jyg, case_id)).clocks.closed_at_ms is None
    await world.act(case_id, Kind.ARCHIVED)
    await world.act(case_id, Kind.REVIEWED, form=answer(said[0]["digest"]))
    await world.drain()
    assert await states(world, case_id) == [{1: stopped, 2: stopped}] * 2
    assert (await world.jq.case(case_id)).stage is Stage.ARCHIVED
    await require_converged(world)


async def test_the_clocks_are_the_same_recomputed_from_the_messages(world: World) -> None:
    case_id = await reviewed(world, GOOD, BAD, WORSE)
    said = await reviews(world, case_id)
    await world.act(case_id, Kind.REVIEWED, form=answer(said[2]["digest"]))
    await world.drain()
    for side in world.sides:
        history = await side.journal.read(lambda s: s.history(key_of(case_id)))
        again = events_of(await side.case(case_id), history)
        held = (await kept(side, case_id)).clocks.events
        said_of = [(e.sender.value, e.rectify) for e in again if e.kind is Kind.REVIEWED]
        assert sorted(said_of) == [("deciding", 2), ("origin", 0), ("origin", 1), ("origin", 1)]
        assert sorted(e[:2] + e[4:] for e in again) == sorted(e[:2] + e[4:] for e in held)


async def test_an_answer_whose_receipt_was_lost_counts_once(world: World) -> None:
    case_id = await reviewed(world, BAD)
    (review,) = await reviews(world, case_id)
    world.jyg.link.next.append(Trouble.LOSE_ANSWER)
    await world.act(case_id, Kind.REVIEWED, form=answer(review["digest"]))
    await world.drain()
    assert await states(world, case_id) == [{1: ClockState.STOPPED}] * 2
    assert len(await reviews(world, case_id)) == 2
    await require_converged(world)
