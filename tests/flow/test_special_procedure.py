"""A special procedure (特别程序): the clock stands still, nothing is decided, and it is told."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.kernel.case import Stage
from gateway.kernel.envelope import Kind, Outcome
from gateway.kernel.faults import Fault, FaultCode
from gateway.rules.schema.words import PROCEDURES
from tests.flow.judge import require_converged
from tests.flow.world import REGISTRAR, World, actor

HEARING = {"procedure": "hearing", "reason_zh": "利害关系人申请听证（示例）"}


async def accepted(world: World) -> bytes:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.ACCEPTED)
    await world.drain()
    return case_id


async def suspended(world: World) -> bytes:
    case_id = await accepted(world)
    await world.act(case_id, Kind.CLOCK_SUSPENDED, form=HEARING)
    await world.drain()
    return case_id


async def refused(
    world: World, case_id: bytes, kind: Kind, form: Mapping[str, object]
) -> FaultCode:
    said = len(await world.jyg.said(case_id))
    with pytest.raises(Fault) as raised:
        await world.act(case_id, kind, form=form)
    assert len(await world.jyg.said(case_id)) == said
    return raised.value.code


async def test_nothing_is_decided_while_a_hearing_is_under_way(world: World) -> None:
    case_id = await suspended(world)
    form = {"result": "approved", "answer_zh": "存续（示例）"}
    assert await refused(world, case_id, Kind.DECIDED, form) is FaultCode.CASE_SUSPENDED
    assert (await world.jyg.case(case_id)).stage is Stage.SUSPENDED


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"procedure": "hearing"},
        {"procedure": "holiday", "reason_zh": "示例"},
        {**HEARING, "expected_end_on": "soon"},
        {**HEARING, "days": 3},
    ],
)
async def test_a_suspension_without_a_procedure_of_the_law_is_refused(
    world: World, form: dict[str, object]
) -> None:
    case_id = await accepted(world)
    code = await refused(world, case_id, Kind.CLOCK_SUSPENDED, form)
    assert code is FaultCode.SCHEMA_FORM_INVALID


async def test_a_case_is_neither_suspended_twice_nor_resumed_while_it_runs(world: World) -> None:
    case_id = await accepted(world)
    assert await refused(world, case_id, Kind.CLOCK_RESUMED, {}) is FaultCode.CASE_STAGE
    await world.act(case_id, Kind.CLOCK_SUSPENDED, form=HEARING)
    assert await refused(world, case_id, Kind.CLOCK_SUSPENDED, HEARING) is FaultCode.CASE_STAGE


async def test_a_case_that_is_not_accepted_has_no_clock_to_suspend(world: World) -> None:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED)
    assert await refused(world, case_id, Kind.CLOCK_SUSPENDED, HEARING) is FaultCode.CASE_STAGE


@pytest.mark.parametrize("procedure", PROCEDURES)
async def test_every_procedure_of_the_law_is_told_and_ended(world: World, procedure: str) -> None:
    case_id = await accepted(world)
    form = {"procedure": procedure, "reason_zh": "示例", "expected_end_on": "2026-07-01"}
    await world.act(case_id, Kind.CLOCK_SUSPENDED, form=form)
    await world.drain()
    assert (await world.jq.case(case_id)).stage is Stage.SUSPENDED
    tasks, _ = await world.jyg.tasks.tasks(actor(REGISTRAR), 0, 0, 10)
    assert [t["acts"] for t in tasks] == [["clock_resumed"]]
    await world.act(case_id, Kind.CLOCK_RESUMED, form={"findings_zh": "示例"})
    await world.act(case_id, Kind.DECIDED)
    await world.drain()
    assert (await world.jq.case(case_id)).stage is Stage.DECIDED
    await require_converged(world)
    kinds = [m.kind for m in await world.jq.history(case_id)]
    assert kinds[-3:] == [Kind.CLOCK_SUSPENDED, Kind.CLOCK_RESUMED, Kind.DECIDED]


async def test_a_suspended_case_may_be_withdrawn(world: World) -> None:
    case_id = await suspended(world)
    await world.withdraw(case_id)
    await world.drain()
    assert (await world.jyg.case(case_id)).stage is Stage.WITHDRAWN
    await require_converged(world)


@pytest.mark.parametrize("lane_first", ["jq", "jyg"])
async def test_a_withdrawal_that_crosses_suspension_and_resumption_holds(
    world: World, lane_first: str
) -> None:
    case_id = await accepted(world)
    await world.act(case_id, Kind.CLOCK_SUSPENDED, form=HEARING)
    await world.act(case_id, Kind.CLOCK_RESUMED, form={})
    await world.withdraw(case_id)
    await getattr(world, lane_first).lane.turn()
    await world.drain()
    assert (await world.jq.case(case_id)).stage is Stage.WITHDRAWN
    said = await world.jyg.said(case_id)
    assert {m.outcome for m in said} == {Outcome.TAKEN_IN}
    await require_converged(world)
