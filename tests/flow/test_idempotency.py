"""A request that is repeated under its key happens once."""

from __future__ import annotations

from asyncio import gather

import pytest

from gateway.flow.desk import TaskAct
from gateway.kernel.case import Stage
from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault, FaultCode
from tests.flow.world import REGISTRAR, WINDOW, World, actor, as_json, query_wish


async def test_the_same_key_and_request_get_the_first_answer_and_open_one_case(
    world: World,
) -> None:
    first = await world.jq.desk.open_case(actor(WINDOW), query_wish(), "k1")
    world.clock.advance(60_000)
    again = await world.jq.desk.open_case(actor(WINDOW), query_wish(), "k1")
    assert again == first
    assert len(await world.jq.journal.read(lambda s: s.cases_of(WINDOW, limit=9))) == 1


async def test_the_same_key_with_another_request_is_refused(world: World) -> None:
    await world.jq.desk.open_case(actor(WINDOW), query_wish(), "k1")
    other = query_wish(applicant_number="JQ-2026-000009")
    with pytest.raises(Fault) as raised:
        await world.jq.desk.open_case(actor(WINDOW), other, "k1")
    assert raised.value.code is FaultCode.PORTAL_IDEMPOTENCY_REUSED
    assert len(await world.jq.journal.read(lambda s: s.cases_of(WINDOW, limit=9))) == 1


async def test_concurrent_duplicates_in_one_group_open_one_case(world: World) -> None:
    views = await gather(
        *(world.jq.desk.open_case(actor(WINDOW), query_wish(), "k1") for _ in range(5))
    )
    assert world.jq.journal.writes == 1
    assert [v["case_id"] for v in views] == [views[0]["case_id"]] * 5
    assert len(await world.jq.journal.read(lambda s: s.cases_of(WINDOW, limit=9))) == 1
    assert len(await world.jq.outbox()) == 1


async def test_concurrent_requests_that_differ_under_one_key_let_the_first_pass(
    world: World,
) -> None:
    wishes = [query_wish(), query_wish(applicant_number="JQ-2026-000009")]
    first, second = await gather(
        *(world.jq.desk.open_case(actor(WINDOW), wish, "k1") for wish in wishes),
        return_exceptions=True,
    )
    assert not isinstance(first, BaseException)
    assert isinstance(second, Fault)
    assert second.code is FaultCode.PORTAL_IDEMPOTENCY_REUSED


async def test_a_key_of_another_unit_is_another_key(world: World) -> None:
    first = await world.jq.desk.open_case(actor(WINDOW), query_wish(), "k1")
    second = await world.jq.desk.open_case(actor("91620900MA0000000M"), query_wish(), "k1")
    assert first["case_id"] != second["case_id"]


async def test_a_refused_request_does_not_use_its_key_up(world: World) -> None:
    with pytest.raises(Fault):
        await world.jq.desk.open_case(actor(WINDOW), query_wish(form=b"{}"), "k1")
    assert await world.jq.desk.open_case(actor(WINDOW), query_wish(), "k1")


async def test_an_act_of_the_registrar_under_a_key_is_said_once(world: World) -> None:
    case_id = await world.open_query()
    await world.drain()
    act = TaskAct(Kind.ACKNOWLEDGED, as_json({}))
    answers = [
        await world.jyg.tasks.act(actor(REGISTRAR), case_id, act, None, "a1") for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert len(await world.jyg.said(case_id)) == 1


async def test_an_act_on_a_case_that_changed_since_it_was_read_is_stale(world: World) -> None:
    case_id = await world.open_query()
    await world.drain()
    revision = (await world.jyg.case(case_id)).revision
    await world.act(case_id, Kind.ACKNOWLEDGED)
    act = TaskAct(Kind.NOT_ACCEPTED, as_json({"reason_code": "X1", "reason_zh": "示例"}))
    with pytest.raises(Fault) as raised:
        await world.jyg.tasks.act(actor(REGISTRAR), case_id, act, revision, None)
    assert raised.value.code is FaultCode.PORTAL_STALE
    assert (await world.jyg.case(case_id)).stage is Stage.ACKNOWLEDGED


async def test_a_withdrawal_and_a_supplement_under_one_key_are_two_requests(world: World) -> None:
    case_id = await world.open_query()
    await world.jq.desk.withdraw(actor(WINDOW), case_id, "示例", "k1")
    with pytest.raises(Fault) as raised:
        await world.jq.desk.supplement(actor(WINDOW), case_id, None, (), "k1")
    assert raised.value.code is FaultCode.PORTAL_IDEMPOTENCY_REUSED
