"""An answer may come before the receipt of what it answers: then it is the proof of arrival."""

from __future__ import annotations

from gateway.kernel.case import Stage
from gateway.kernel.envelope import Kind, Outcome
from gateway.wire.envelopes import decode_envelope
from tests.flow.judge import require_converged
from tests.flow.link import Trouble
from tests.flow.stillness import rest
from tests.flow.world import World


async def test_an_answer_that_overtakes_the_receipt_confirms_the_submission(world: World) -> None:
    world.jq.link.next.append(Trouble.HOLD_ANSWER)
    case_id = await world.open_query()
    under_way = world.begin_turn(world.jq)
    await rest()
    await world.act(case_id, Kind.ACKNOWLEDGED)
    await world.jyg.lane.turn()
    case = await world.jq.case(case_id)
    assert (case.stage, case.outstanding) == (Stage.ACKNOWLEDGED, None)
    (submitted,) = await world.jq.said(case_id)
    assert (submitted.outcome, case.sent.digest) == (None, submitted.header_digest)
    world.jq.link.release()
    await under_way
    (submitted,) = await world.jq.said(case_id)
    assert submitted.outcome is Outcome.TAKEN_IN
    assert (await world.jq.case(case_id)).stage is Stage.ACKNOWLEDGED
    await require_converged(world)


async def test_an_answer_that_overtakes_the_receipt_confirms_a_request_for_material(
    world: World,
) -> None:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED)
    await world.drain()
    world.jyg.link.next.append(Trouble.HOLD_ANSWER)
    await world.act(case_id, Kind.MATERIALS_REQUESTED)
    under_way = world.begin_turn(world.jyg)
    await rest()
    await world.supply(case_id)
    await world.jq.lane.turn()
    case = await world.jyg.case(case_id)
    assert (case.stage, case.outstanding) == (Stage.MATERIALS_SUPPLIED, None)
    await world.act(case_id, Kind.ACCEPTED)
    world.jyg.link.release()
    await under_way
    assert (await world.jyg.case(case_id)).stage is Stage.ACCEPTED
    await world.drain()
    assert all(m.outcome is Outcome.TAKEN_IN for m in await world.jyg.said(case_id))
    await require_converged(world)


async def test_a_confirmed_message_whose_receipt_is_lost_is_asked_for_and_applied_once(
    world: World,
) -> None:
    world.jq.link.next.append(Trouble.LOSE_ANSWER)
    case_id = await world.open_query()
    await world.jq.lane.turn()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.MATERIALS_REQUESTED)
    await world.jyg.lane.turn()  # acknowledged; then the next draft is sealed
    await world.jyg.lane.turn()
    assert (await world.jq.case(case_id)).stage is Stage.MATERIALS_REQUESTED
    await world.supply(case_id)
    waiting = {e.kind for e in await world.jq.outbox()}
    assert waiting == {Kind.SUBMITTED, Kind.MATERIALS_SUPPLIED}
    await world.drain()
    assert (await world.jq.case(case_id)).stage is Stage.MATERIALS_SUPPLIED
    kinds = [m.kind for m in await world.jyg.history(case_id) if m.kind is not None]
    assert sorted(set(kinds)) == sorted(kinds), "each took effect once"
    await require_converged(world)


async def test_both_answers_may_overtake_their_receipts_at_once(world: World) -> None:
    for side in world.sides:
        side.link.always = Trouble.HOLD_ANSWER
    case_id = await world.open_query()
    turns = [world.begin_turn(world.jq)]
    await rest()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.MATERIALS_REQUESTED)
    turns.append(world.begin_turn(world.jyg))
    await rest()
    await world.withdraw(case_id)
    turns.append(world.begin_turn(world.jq))
    await rest()
    # The withdrawal has seen the acknowledgement: the request goes out, after the withdrawal.
    assert (await world.jyg.case(case_id)).stage is Stage.WITHDRAWN
    turns.append(world.begin_turn(world.jyg))
    await rest()
    assert (await world.jq.case(case_id)).stage is Stage.WITHDRAWN
    for side in world.sides:
        while side.link.held:
            side.link.release(-1)  # the latest receipt first
            await rest()
        side.link.always = Trouble.NONE
    for turn in turns:
        await turn
    await world.drain()
    await require_converged(world)


async def test_each_message_names_the_last_one_seen(world: World) -> None:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED)
    await world.drain()
    history = await world.jyg.history(case_id)
    submitted, acknowledged = (decode_envelope(m.envelope).header for m in history)
    assert submitted.last_seen_digest == b""
    assert acknowledged.last_seen_digest == history[0].header_digest


async def test_a_call_that_arrives_twice_has_one_effect_and_one_receipt(world: World) -> None:
    for side in world.sides:
        side.link.always = Trouble.TWICE
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.ACCEPTED, Kind.DECIDED)
    await world.drain()
    assert len(await world.jyg.history(case_id)) == 4
    await require_converged(world)
