"""The lanes as they run by themselves: woken, polling, held up, stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from gateway.kernel.case import Stage
from gateway.kernel.envelope import Kind, Outcome
from gateway.kernel.limits import (
    ATTEMPTS_MAX,
    DELIVER_TIMEOUT_S,
    LANE_CALLS_MAX,
    LANE_DRAIN_S_MAX,
    LANE_POLL_S,
    RETRY_MS_MAX,
)
from gateway.ports.journal import OutboxStatus
from gateway.ports.outlet import OutletDown
from tests.flow.judge import require_converged
from tests.flow.link import Answer, Trouble
from tests.flow.stillness import rest
from tests.flow.world import REGISTRAR, World, actor


@pytest.fixture
async def live(world: World) -> AsyncIterator[World]:
    """Both gateways with their lanes running by themselves."""
    for side in world.sides:
        side.dispatcher.start(side.owner)
    await rest()
    yield world
    for side in world.sides:
        await side.dispatcher.drain()
        await side.dispatcher.close()


async def test_a_message_leaves_as_soon_as_it_is_committed(live: World) -> None:
    began_ms = live.clock.now_ms()
    case_id = await live.open_query()
    await rest()
    assert (await live.jq.said(case_id))[0].outcome is Outcome.TAKEN_IN
    await live.act(case_id, Kind.ACKNOWLEDGED, Kind.ACCEPTED, Kind.DECIDED)
    await rest()
    assert (await live.jq.case(case_id)).stage is Stage.DECIDED
    assert live.clock.now_ms() - began_ms < LANE_POLL_S * 1000, "no one waited for a poll"
    await require_converged(live)


async def test_a_message_no_one_was_woken_for_leaves_at_the_next_poll(live: World) -> None:
    live.jq.committer._listeners.clear()
    case_id = await live.open_query()
    await rest()
    assert (await live.jq.said(case_id))[0].outcome is None
    await asyncio.sleep(2 * LANE_POLL_S)
    assert (await live.jq.said(case_id))[0].outcome is Outcome.TAKEN_IN


async def test_a_partner_that_hangs_is_left_alone_for_a_while_and_then_asked_again(
    live: World,
) -> None:
    live.jq.link.always = Trouble.HANG
    case_id = await live.open_query()
    await asyncio.sleep(600)
    assert len(live.jq.link.calls) < 600 / DELIVER_TIMEOUT_S
    assert "lane_down" in live.jq.log.names()
    live.jq.link.always = Trouble.NONE
    await asyncio.sleep(2 * RETRY_MS_MAX / 1000 + 2 * DELIVER_TIMEOUT_S)
    assert (await live.jyg.case(case_id)).stage is Stage.SUBMITTED
    await require_converged(live)


async def test_there_are_never_more_calls_under_way_than_allowed(live: World) -> None:
    live.jq.link.always = Trouble.HOLD_ANSWER
    for _ in range(3 * LANE_CALLS_MAX):
        await live.open_query()
        await rest()
        live.clock.advance(1_000)
        assert live.jq.link.held <= LANE_CALLS_MAX
    live.jq.link.always = Trouble.NONE
    while live.jq.link.held:
        live.jq.link.release()
        await rest()
    await asyncio.sleep(2 * LANE_POLL_S)
    await require_converged(live)


async def test_a_stop_waits_for_the_calls_under_way_and_settles_them(live: World) -> None:
    live.jq.link.always = Trouble.HOLD_ANSWER
    case_id = await live.open_query()
    await rest()
    stopping = live.jq.owner.start("drain", live.jq.dispatcher.drain())
    await rest()
    assert not stopping.done()
    live.jq.link.release()
    await stopping
    assert (await live.jq.said(case_id))[0].outcome is Outcome.TAKEN_IN
    assert not live.jq.owner.alive(f"lane-{live.jyg.id}-0")


async def test_a_stop_waits_no_longer_than_its_bound_for_a_partner_that_hangs(
    live: World,
) -> None:
    live.jq.link.always = Trouble.HANG
    await live.open_query()
    await rest()
    began_ms = live.clock.monotonic_ms()
    await live.jq.dispatcher.drain()
    assert live.clock.monotonic_ms() - began_ms <= LANE_DRAIN_S_MAX * 1000 + 1
    (entry,) = await live.jq.outbox()
    assert entry.leased_until_ms > 0, "an ordinary retry, later"


async def test_a_round_that_breaks_ends_neither_its_lane_nor_the_message(live: World) -> None:
    def broken(_answers: object) -> list[bytes]:
        raise ZeroDivisionError

    live.jq.link.tamper = broken  # type: ignore[assignment]
    case_id = await live.open_query()
    await asyncio.sleep(5)
    assert "round_broke" in live.jq.log.names()
    live.jq.link.tamper = None
    await asyncio.sleep(60)
    assert (await live.jq.said(case_id))[0].outcome is Outcome.TAKEN_IN
    await require_converged(live)


async def test_a_task_that_waits_is_woken_by_the_case_that_comes(live: World) -> None:
    waiting = asyncio.ensure_future(live.jyg.tasks.tasks(actor(REGISTRAR), 0, 50.0, 10))
    await rest()
    assert not waiting.done()
    began_ms = live.clock.now_ms()
    await live.open_query()
    tasks, cursor = await waiting
    assert len(tasks) == 1
    assert cursor > 0
    assert live.clock.now_ms() - began_ms < 1_000


async def test_a_wait_for_tasks_ends_empty_when_none_come(live: World) -> None:
    began_ms = live.clock.monotonic_ms()
    assert await live.jyg.tasks.tasks(actor(REGISTRAR), 7, 30.0, 10) == ([], 7)
    assert live.clock.monotonic_ms() - began_ms >= 30_000


async def test_a_partner_that_asks_for_time_is_given_it_and_is_never_given_up(live: World) -> None:
    asked: list[int] = []

    async def full(envelopes: Sequence[bytes], timeout_s: float) -> list[Answer]:
        asked.append(len(envelopes))
        raise OutletDown("limit.partner_rate", 7_000)

    deliver = live.jq.link.deliver
    live.jq.link.deliver = full  # type: ignore[method-assign]
    case_id = await live.open_query()
    await asyncio.sleep(7 * 3 * ATTEMPTS_MAX)
    assert 2 * ATTEMPTS_MAX < len(asked) <= 3 * ATTEMPTS_MAX + 1
    (entry,) = await live.jq.outbox()
    assert (entry.status, entry.attempts) == (OutboxStatus.PENDING, 0)
    assert "breaker_opened" not in live.jq.log.names()
    live.jq.link.deliver = deliver  # type: ignore[method-assign]
    await asyncio.sleep(10)
    assert (await live.jq.said(case_id))[0].outcome is Outcome.TAKEN_IN


async def test_while_a_partner_is_down_one_message_at_a_time_tries_and_then_all_go(
    live: World,
) -> None:
    live.jq.link.always = Trouble.DOWN
    for _ in range(5):
        await live.open_query()
    await asyncio.sleep(300)
    assert "breaker_opened" in live.jq.log.names()
    tries = len(live.jq.link.calls)
    await asyncio.sleep(2 * RETRY_MS_MAX / 1000)
    probes = live.jq.link.calls[tries:]
    assert probes
    assert {count for _, count in probes} == {1}
    live.jq.link.always = Trouble.NONE
    await asyncio.sleep(2 * RETRY_MS_MAX / 1000)
    assert await live.jq.outbox() == []
    assert "breaker_closed" in live.jq.log.names()
    await require_converged(live)
