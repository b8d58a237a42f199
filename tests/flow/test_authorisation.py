"""Another unit's token: what it asks for is as if it were not there. And who may open what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from gateway.flow.desk import TaskAct
from gateway.kernel.case import Stage
from gateway.kernel.envelope import Kind, Outcome
from gateway.kernel.faults import Fault, FaultCode
from gateway.rules.agreement import Act, Verdict
from tests.flow.judge import require_converged
from tests.flow.world import (
    REGISTRAR,
    WINDOW,
    Side,
    World,
    actor,
    as_json,
    chunks,
    query_wish,
)

STRANGER = actor("91620900MA0000000M")
Ask = Callable[[World, bytes], Awaitable[object]]


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda w, c: w.jq.desk.case(STRANGER, c), id="case"),
        pytest.param(
            lambda w, c: w.jq.desk.add_material(STRANGER, c, "01", "x/y", 1, chunks(b"x")),
            id="add_material",
        ),
        pytest.param(lambda w, c: w.jq.desk.supplement(STRANGER, c, None, (), None), id="supply"),
        pytest.param(lambda w, c: w.jq.desk.withdraw(STRANGER, c, "", None), id="withdraw"),
        pytest.param(
            lambda w, c: w.jq.desk.confirm_delivered(STRANGER, c, "window", None), id="deliver"
        ),
        pytest.param(lambda w, c: w.jyg.tasks.task(STRANGER, c), id="task"),
        pytest.param(
            lambda w, c: w.jyg.tasks.act(
                STRANGER, c, TaskAct(Kind.ACKNOWLEDGED, b"{}"), None, None
            ),
            id="act",
        ),
        pytest.param(lambda w, c: w.jyg.tasks.material(STRANGER, c, bytes(32)), id="material"),
        # Its own unit, but at the desk that is not its own in this case.
        pytest.param(
            lambda w, c: w.jq.tasks.act(
                actor(WINDOW), c, TaskAct(Kind.ACKNOWLEDGED, b"{}"), None, None
            ),
            id="origin's unit at the registrar's desk",
        ),
        pytest.param(lambda w, c: w.jq.tasks.task(actor(WINDOW), c), id="origin's unit, task"),
        pytest.param(
            lambda w, c: w.jyg.desk.withdraw(actor(REGISTRAR), c, "", None),
            id="registrar at the window's desk",
        ),
        pytest.param(
            lambda w, _c: w.jq.desk.case(actor(WINDOW), bytes(16)), id="a case there never was"
        ),
    ],
)
async def test_a_case_of_another_unit_is_not_found(world: World, ask: Ask) -> None:
    case_id = await world.open_query()
    await world.drain()
    before = [await side.case(case_id) for side in world.sides]
    with pytest.raises(Fault) as raised:
        await ask(world, case_id)
    assert raised.value.code is FaultCode.PORTAL_NOT_FOUND
    assert [await side.case(case_id) for side in world.sides] == before


async def test_lists_show_a_unit_its_own_cases_only(world: World) -> None:
    case_id = await world.open_query()
    await world.drain()
    assert await world.jq.desk.cases(STRANGER, 10, b"") == []
    assert await world.jyg.tasks.tasks(STRANGER, 0, 0, 10) == ([], 0)
    assert len(await world.jq.desk.cases(actor(WINDOW), 10, b"")) == 1
    tasks, _ = await world.jyg.tasks.tasks(actor(REGISTRAR), 0, 0, 10)
    assert [t["case_id"] for t in tasks] == [
        (await world.jq.desk.case(actor(WINDOW), case_id))["case_id"]
    ]


# --- agreements --------------------------------------------------------------------------------


def change_agreements(side: Side, **changes: object) -> None:
    book = side.directory.current()
    agreements = {d: replace(a, **changes) for d, a in book.agreements.items()}  # type: ignore[arg-type]
    side.directory.replace(replace(book, agreements=agreements))


async def test_an_agreement_that_ended_refuses_a_new_case_but_an_open_one_goes_on(
    world: World,
) -> None:
    case_id = await world.open_query()
    await world.drain()
    for side in world.sides:
        change_agreements(side, not_after_ms=world.clock.now_ms() - 1)
    with pytest.raises(Fault) as raised:
        await world.open_query()
    assert raised.value.code is FaultCode.AGREEMENT_ENDED
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.ACCEPTED, Kind.DECIDED)
    await world.drain()
    await world.hand_over(case_id)
    await world.drain()
    assert (await world.jyg.case(case_id)).stage is Stage.DELIVERED
    await require_converged(world)


async def test_a_case_sent_before_the_end_and_received_after_it_is_refused(world: World) -> None:
    case_id = await world.open_query()
    change_agreements(world.jyg, not_after_ms=world.clock.now_ms() - 1)
    await world.drain()
    case = await world.jq.case(case_id)
    assert (case.stage, case.attention) == (Stage.REFUSED_AT_INTAKE, FaultCode.AGREEMENT_ENDED)
    await require_converged(world)


async def test_a_revoked_agreement_refuses_a_new_case_at_both_ends(world: World) -> None:
    case_id = await world.open_query()
    (agreement,) = world.jyg.directory.current().agreements.values()
    revoked = (*agreement.acts, Act(world.jyg.id, Verdict.REVOKE, world.clock.now_ms()))
    change_agreements(world.jyg, acts=revoked)
    await world.drain()
    assert (await world.jq.case(case_id)).attention == FaultCode.AGREEMENT_REVOKED
    change_agreements(world.jq, acts=revoked)
    with pytest.raises(Fault) as raised:
        await world.open_query()
    assert raised.value.code is FaultCode.AGREEMENT_REVOKED


async def test_an_agreement_that_starts_tomorrow_refuses_today(world: World) -> None:
    change_agreements(world.jq, not_before_ms=world.clock.now_ms() + 86_400_000)
    with pytest.raises(Fault) as raised:
        await world.open_query()
    assert raised.value.code is FaultCode.AGREEMENT_NOT_YET
    world.clock.advance(86_400_000)
    assert await world.open_query()


async def test_a_message_under_an_agreement_not_known_yet_waits_until_it_is(world: World) -> None:
    book = world.jyg.directory.current()
    world.jyg.directory.replace(replace(book, agreements={}))
    case_id = await world.open_query()
    await world.jq.lane.turn()
    (entry,) = await world.jq.outbox()
    assert entry.last_fault == FaultCode.AGREEMENT_UNKNOWN
    assert not await world.jyg.history(case_id)
    world.jyg.directory.replace(book)
    await world.drain()
    assert (await world.jq.said(case_id))[0].outcome is Outcome.TAKEN_IN
    await require_converged(world)


@pytest.mark.parametrize(
    ("wish", "rule"),
    [
        ({"purpose": "curiosity"}, FaultCode.AGREEMENT_PURPOSE_UNLISTED),
        ({"item_code": "00013112700999"}, FaultCode.CATALOGUE_ITEM_UNKNOWN),
        ({"item_version": "9"}, FaultCode.CATALOGUE_VERSION_UNKNOWN),
        ({"verified_originals": True}, FaultCode.AGREEMENT_RIGHT_NOT_DELEGATED),
        ({"form": as_json({"uscc": "1"})}, FaultCode.SCHEMA_FORM_INVALID),
        ({"form": b'{"uscc":1,"uscc":2}'}, FaultCode.SCHEMA_JSON_DUPLICATE_KEY),
    ],
)
async def test_a_wish_that_breaks_a_rule_opens_nothing(
    world: World, wish: dict[str, object], rule: FaultCode
) -> None:
    with pytest.raises(Fault) as raised:
        await world.jq.desk.open_case(actor(WINDOW), query_wish(**wish), None)
    assert raised.value.code is rule
    assert not await world.jq.journal.read(lambda s: s.cases_of(None, limit=9))


@pytest.mark.parametrize(
    ("before", "kind", "rule"),
    [
        ((), Kind.ACCEPTED, FaultCode.CASE_STAGE),
        ((Kind.ACKNOWLEDGED,), Kind.DECIDED, FaultCode.CASE_STAGE),
        ((Kind.ACKNOWLEDGED,), Kind.ACKNOWLEDGED, FaultCode.CASE_STAGE),
        ((Kind.NOT_ACCEPTED,), Kind.ACKNOWLEDGED, FaultCode.CASE_CLOSED),
    ],
)
async def test_an_act_out_of_turn_is_refused_at_the_desk_and_says_nothing(
    world: World, before: tuple[Kind, ...], kind: Kind, rule: FaultCode
) -> None:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, *before)
    said = len(await world.jyg.said(case_id))
    with pytest.raises(Fault) as raised:
        await world.act(case_id, kind)
    assert raised.value.code is rule
    assert len(await world.jyg.said(case_id)) == said
