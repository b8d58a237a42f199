"""A process that died with messages in hand: what it had leased comes back."""

from __future__ import annotations

from asyncio import gather, sleep

from gateway.kernel.case import Stage
from gateway.kernel.envelope import Kind, NotTakenIn, Outcome
from gateway.kernel.limits import ATTEMPTS_MAX, LEASE_MS
from gateway.ports.journal import OutboxStatus
from tests.flow.judge import require_converged
from tests.flow.link import Trouble
from tests.flow.stillness import rest
from tests.flow.world import World


async def test_a_leased_message_is_not_claimed_again_before_its_lease_ends(world: World) -> None:
    world.jq.link.next.append(Trouble.HOLD_REQUEST)
    await world.open_query()
    dying = world.begin_turn(world.jq)
    await rest()
    dying.cancel()
    await gather(dying, return_exceptions=True)
    assert not await world.jq.lane.turn()
    world.clock.advance(LEASE_MS - 1)
    assert not await world.jq.lane.turn()
    world.clock.advance(1)
    assert await world.jq.lane.turn()
    assert await world.jq.outbox() == []
    await require_converged(world)


async def test_a_started_process_takes_up_at_once_what_the_dead_one_had_leased(
    world: World,
) -> None:
    world.jq.link.next.append(Trouble.HOLD_ANSWER)
    case_id = await world.open_query()
    dying = world.begin_turn(world.jq)
    await rest()
    dying.cancel()
    await gather(dying, return_exceptions=True)
    await world.jq.crash()
    assert await world.jq.lane.turn()
    assert (await world.jq.said(case_id))[0].outcome is Outcome.TAKEN_IN
    assert len(await world.jyg.history(case_id)) == 1
    await require_converged(world)


async def test_a_crash_between_taking_in_and_answering_is_made_good_by_the_repetition(
    world: World,
) -> None:
    world.jq.link.next.append(Trouble.LOSE_ANSWER)
    case_id = await world.open_query()
    await world.jq.lane.turn()
    (heard,) = await world.jyg.history(case_id)
    await world.jyg.crash()
    await world.drain()
    (said,) = await world.jq.said(case_id)
    assert said.receipt == heard.receipt
    await require_converged(world)


async def test_two_calls_of_one_lane_never_carry_the_same_message(world: World) -> None:
    for _ in range(3):
        await world.open_query()
    world.jq.link.next.append(Trouble.HOLD_REQUEST)
    first = world.begin_turn(world.jq)
    await rest()
    assert not await world.jq.lane.turn()
    await world.open_query()
    assert await world.jq.lane.turn()
    world.jq.link.release()
    await first
    assert world.jq.link.calls == [("deliver", 3), ("deliver", 1)]
    await require_converged(world)


async def test_files_that_take_longer_than_a_lease_go_once(world: World) -> None:
    case_id = await world.open_branch()
    link = world.jq.link
    link.chunk_takes_s = LEASE_MS / 2 / 1000
    slow = world.begin_turn(world.jq)
    while not slow.done():
        await sleep(LEASE_MS / 4 / 1000)
        assert not await world.jq.lane.turn(), "another call took it up"
    assert await slow
    assert link.calls.count(("upload", 1)) == 5
    assert (await world.jq.said(case_id))[0].outcome is Outcome.TAKEN_IN
    await require_converged(world)


async def test_a_call_that_outlives_its_lease_changes_nothing_that_was_settled_meanwhile(
    world: World,
) -> None:
    case_id = await world.open_query()
    world.jq.link.next.append(Trouble.HANG)
    slow = world.begin_turn(world.jq)
    await rest()
    # The clock of leases jumps ahead of the call's own timeout: a machine that was asleep.
    world.clock.step(LEASE_MS)
    assert await world.jq.lane.turn()
    assert (await world.jq.said(case_id))[0].outcome is Outcome.TAKEN_IN
    assert not await slow
    assert await world.jq.outbox() == []
    await require_converged(world)


async def test_two_receipts_for_one_message_in_one_group_settle_it_once(world: World) -> None:
    case_id = await world.open_query()
    await two_calls_of_one_message(world)
    assert (await world.jq.case(case_id)).stage is Stage.SUBMITTED
    await world.drain()
    await require_converged(world)


async def test_two_voids_for_one_message_in_one_group_seal_it_anew_once(world: World) -> None:
    case_id = await world.open_query()
    world.jq.link.always = Trouble.LOSE_REQUEST
    for _ in range(ATTEMPTS_MAX):
        await world.jq.lane.turn()
        world.clock.advance(400_000)
    world.jq.link.always = Trouble.NONE
    await two_calls_of_one_message(world)
    (entry,) = await world.jq.outbox()
    assert entry.status is OutboxStatus.PENDING
    await world.drain()
    assert [m.outcome for m in await world.jq.said(case_id)] == [Outcome.VOID, Outcome.TAKEN_IN]
    await require_converged(world)


async def test_a_receipt_and_a_lost_answer_in_one_group_leave_nothing_to_send(
    world: World,
) -> None:
    await world.open_query()
    await two_calls_of_one_message(world, spoilt=True)
    assert await world.jq.outbox() == []
    await require_converged(world)


async def two_calls_of_one_message(world: World, *, spoilt: bool = False) -> None:
    """Have two calls carry the same message, and their answers settled in one commit group."""
    link = world.jq.link
    link.next.extend([Trouble.HOLD_ANSWER, Trouble.HOLD_ANSWER])
    turns = [world.begin_turn(world.jq)]
    await rest()
    world.clock.step(LEASE_MS)
    world.jq.lane.gate.heard()  # the partner answered another call meanwhile
    turns.append(world.begin_turn(world.jq))
    await rest()
    assert link.held == 2
    if spoilt:
        spoil = iter((False, True))

        def tamper(answers: list[bytes | NotTakenIn]) -> list[bytes | NotTakenIn]:
            return [b""] if next(spoil) else answers

        link.tamper = tamper
    writes = world.jq.journal.writes
    link.release()
    link.release()
    await rest()
    link.tamper = None
    await gather(*turns)
    assert world.jq.journal.writes > writes


async def test_the_kinds_of_a_case_stay_apart_from_those_of_another(world: World) -> None:
    first, second = await world.open_query(), await world.open_query()
    await world.drain()
    world.jyg.link.always = Trouble.DOWN
    await world.act(first, Kind.ACKNOWLEDGED, Kind.ACCEPTED)
    await world.act(second, Kind.NOT_ACCEPTED)
    world.jyg.link.always = Trouble.NONE
    await world.drain()
    assert (await world.jq.case(first)).stage is Stage.ACCEPTED
    assert (await world.jq.case(second)).stage is Stage.REFUSED_AT_INTAKE
    await require_converged(world)
