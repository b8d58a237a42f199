"""Messages that wait behind another of their case, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.kernel.case import Stage
from gateway.kernel.envelope import Kind, Outcome
from gateway.kernel.faults import FaultCode
from gateway.kernel.limits import SKEW_MS_MAX
from tests.flow.judge import require_converged, require_linked
from tests.flow.link import Answer, Trouble
from tests.flow.stillness import rest
from tests.flow.world import LICENCE, Side, World
from tests.support.world import BRANCH


@pytest.mark.parametrize("step_ms", [0, 1_000, -3_600_000], ids=["standing", "later", "back"])
async def test_acts_said_while_the_partner_is_down_are_sealed_in_the_order_they_were_said(
    world: World, step_ms: int
) -> None:
    case_id = await world.open_query()
    await world.drain()
    world.jyg.link.always = Trouble.DOWN
    kinds = (Kind.ACKNOWLEDGED, Kind.ACCEPTED, Kind.DECIDED, Kind.DELIVERED)
    for kind in kinds:
        await world.act(case_id, kind)
        world.clock.step(step_ms)  # the time of day, not the passing of time
    case = await world.jyg.case(case_id)
    assert (case.stage, case.outstanding and case.outstanding.kind) == (Stage.DELIVERED, kinds[0])
    assert case.waiting == kinds[1:]
    assert [e.kind for e in await world.jyg.outbox()] == list(kinds)
    world.clock.step(-4 * step_ms)
    world.jyg.link.always = Trouble.NONE
    await world.drain()
    assert [m.kind for m in await world.jyg.said(case_id)] == list(kinds)
    assert (await world.jq.case(case_id)).stage is Stage.DELIVERED
    await require_converged(world)


async def test_a_withdrawal_behind_the_submission_waits_for_its_receipt(world: World) -> None:
    world.jq.link.always = Trouble.DOWN
    case_id = await world.open_query()
    await world.withdraw(case_id)
    assert (await world.jq.case(case_id)).waiting == (Kind.WITHDRAWN,)
    world.jq.link.always = Trouble.NONE
    await world.drain()
    sequences = [(m.kind, m.sequence) for m in await world.jq.said(case_id)]
    assert sequences == [(Kind.SUBMITTED, 1), (Kind.WITHDRAWN, 2)]
    assert (await world.jyg.case(case_id)).stage is Stage.WITHDRAWN
    await require_converged(world)


async def test_a_draft_that_became_impossible_is_dropped(world: World) -> None:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.MATERIALS_REQUESTED)
    await world.drain()
    world.jq.link.next.append(Trouble.HOLD_REQUEST)
    await world.supply(case_id)
    await world.withdraw(case_id)
    under_way = world.begin_turn(world.jq)
    await rest()
    await world.act(case_id, Kind.NOT_ACCEPTED)
    await world.jyg.lane.turn()
    world.jq.link.release()
    await under_way
    case = await world.jq.case(case_id)
    assert (case.stage, case.attention) == (Stage.NOT_ACCEPTED, FaultCode.CASE_CLOSED)
    assert await world.jq.outbox() == []
    assert Kind.WITHDRAWN not in [m.kind for m in await world.jq.history(case_id)]
    await require_converged(world)


async def test_what_waits_behind_a_refused_submission_is_dropped(world: World) -> None:
    end_agreement(world.jyg)
    case_id = await world.open_query()
    await world.withdraw(case_id)
    await world.drain()
    case = await world.jq.case(case_id)
    assert (case.stage, case.attention) == (
        Stage.REFUSED_AT_INTAKE,
        FaultCode.AGREEMENT_ENDED,
    )
    assert [m.kind for m in await world.jq.said(case_id)] == [Kind.SUBMITTED]
    await require_converged(world)


async def test_a_refused_message_of_the_deciding_side_rolls_the_case_back_to_what_both_hold(
    world: World,
) -> None:
    case_id = await accepted_branch(world)
    change_licence_type(world.jq)
    await world.act(case_id, Kind.DECIDED, form=LICENCE)
    await world.act(case_id, Kind.DELIVERED)
    await world.drain()
    case = await world.jyg.case(case_id)
    assert (case.stage, case.attention) == (Stage.ACCEPTED, FaultCode.SCHEMA_FORM_INVALID)
    assert (case.result, case.outcome, case.waiting) == ("", b"", ())
    assert (await world.jq.case(case_id)).stage is Stage.ACCEPTED
    world.jq.directory.replace(world.jq.setup.book)
    await world.act(case_id, Kind.DECIDED, form=LICENCE)
    await world.drain()
    case = await world.jyg.case(case_id)
    assert (case.stage, case.result) == (Stage.DECIDED, "approved")
    taken = [m for m in await world.jyg.said(case_id) if m.outcome is Outcome.TAKEN_IN]
    require_linked(taken)
    assert (await world.jq.case(case_id)).stage is Stage.DECIDED


async def test_a_rollback_counts_what_an_answer_confirmed_before_its_receipt(
    world: World,
) -> None:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED)
    await world.drain()
    world.jyg.link.next.append(Trouble.LOSE_ANSWER)
    await world.act(case_id, Kind.MATERIALS_REQUESTED)
    await world.jyg.lane.turn()
    await world.supply(case_id)
    await world.jq.lane.turn()
    require_other_suites(world.jq)
    world.clock.advance(1_000)
    await world.act(case_id, Kind.ACCEPTED)
    world.jyg.link.tamper = forget_first  # the receipt of the request is still not here
    await world.jyg.lane.turn()
    case = await world.jyg.case(case_id)
    assert case.attention == FaultCode.AGREEMENT_SUITES_DIFFER
    assert case.stage is Stage.MATERIALS_SUPPLIED is (await world.jq.case(case_id)).stage


def forget_first(answers: list[Answer]) -> list[Answer]:
    """Spoil the receipt that comes first."""
    return [b"", *answers[1:]]


async def accepted_branch(world: World) -> bytes:
    case_id = await world.open_branch()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.ACCEPTED)
    await world.drain()
    return case_id


def change_licence_type(side: Side) -> None:
    """Have a side's copy of the item say that it issues another licence."""
    book = side.directory.current()
    key, item = next((k, i) for k, i in book.catalogue.items() if k[1] == BRANCH)
    other = replace(item, licence_type="11100000000000000R999")
    side.directory.replace(replace(book, catalogue={**book.catalogue, key: other}))


def end_agreement(side: Side) -> None:
    """Have a side's agreements end long enough ago for every clock."""
    book = side.directory.current()
    ended = side.clock.now_ms() - 2 * SKEW_MS_MAX
    agreements = {d: replace(a, not_after_ms=ended) for d, a in book.agreements.items()}
    side.directory.replace(replace(book, agreements=agreements))


def require_other_suites(side: Side) -> None:
    """Have a side read in the agreement that messages need another suite."""
    book = side.directory.current()
    agreements = {d: replace(a, required_suites=("EdDSA",)) for d, a in book.agreements.items()}
    side.directory.replace(replace(book, agreements=agreements))


async def test_a_rollback_counts_what_comes_in_with_the_refusal(world: World) -> None:
    case_id = await world.open_query()
    await world.drain()
    book = world.jq.directory.current()
    require_other_suites(world.jq)  # so that the acknowledgement meets a refusal
    world.jyg.link.next.append(Trouble.HOLD_ANSWER)
    await world.act(case_id, Kind.ACKNOWLEDGED)
    theirs = world.begin_turn(world.jyg)
    await rest()
    world.jq.directory.replace(book)
    world.jq.link.next.append(Trouble.HOLD_REQUEST)
    await world.withdraw(case_id)
    ours = world.begin_turn(world.jq)
    await rest()
    world.jq.link.release()  # the withdrawal and the refusal meet in one commit group
    world.jyg.link.release()
    await theirs
    await ours
    assert (await world.jyg.case(case_id)).stage is Stage.WITHDRAWN
    await world.drain()
    assert (await world.jq.case(case_id)).stage is Stage.WITHDRAWN
