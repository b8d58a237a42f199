"""How cases go, from the first form to the last word."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gateway.kernel.case import Stage
from gateway.kernel.envelope import Kind, Outcome
from gateway.kernel.faults import Fault, FaultCode
from gateway.rules.schema import FormSchemas
from tests.flow.judge import require_converged
from tests.flow.world import (
    LICENCE,
    REFUSED,
    REGISTRAR,
    WINDOW,
    Side,
    World,
    actor,
    declared,
    id_of,
    query_wish,
)
from tests.support.world import sample_files


async def test_the_founding_case_goes_from_the_window_to_the_licence_and_back(world: World) -> None:
    case_id = await world.open_branch()
    await world.drain()
    for kind in (Kind.ACKNOWLEDGED, Kind.ACCEPTED):
        await world.act(case_id, kind)
        await world.drain()
    await world.act(case_id, Kind.DECIDED, form=LICENCE)
    await world.drain()
    held = await world.jq.case(case_id)
    assert (held.stage, held.result) == (Stage.DECIDED, "approved")
    await world.hand_over(case_id)
    await world.drain()
    assert (await world.jyg.case(case_id)).stage is Stage.DELIVERED
    await require_converged(world)
    kinds = [m.kind for m in await world.jq.history(case_id)]
    assert kinds == [
        Kind.SUBMITTED,
        Kind.ACKNOWLEDGED,
        Kind.ACCEPTED,
        Kind.DECIDED,
        Kind.DELIVERED,
    ]


async def test_a_form_the_partner_finds_invalid_is_refused_at_intake(world: World) -> None:
    loosen_forms(world.jq)
    case_id = id_of(
        await world.jq.desk.open_case(actor(WINDOW), query_wish(form=b'{"uscc":"1"}'), None)
    )
    await world.drain()
    case = await world.jq.case(case_id)
    assert case.stage is Stage.REFUSED_AT_INTAKE
    assert case.attention == FaultCode.SCHEMA_FORM_INVALID
    (said,) = await world.jq.said(case_id)
    assert (said.outcome, said.rule) == (Outcome.REFUSED, FaultCode.SCHEMA_FORM_INVALID)
    assert not await world.jyg.journal.read(lambda s: s.cases_by_id(case_id))
    await require_converged(world)


async def test_the_office_may_return_a_case_before_it_acknowledges_it(world: World) -> None:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.NOT_ACCEPTED)
    await world.drain()
    assert (await world.jq.case(case_id)).stage is Stage.REFUSED_AT_INTAKE
    await require_converged(world)


async def test_a_case_may_be_not_accepted_after_examination(world: World) -> None:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.NOT_ACCEPTED)
    await world.drain()
    case = await world.jq.case(case_id)
    assert case.stage is Stage.NOT_ACCEPTED
    assert json.loads(case.outcome)["reason_code"] == "X1"
    await require_converged(world)


async def test_a_refused_decision_is_delivered_like_any_other(world: World) -> None:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.ACCEPTED)
    await world.act(case_id, Kind.DECIDED, form=REFUSED)
    await world.drain()
    assert (await world.jq.case(case_id)).result == "refused"
    await world.act(case_id, Kind.DELIVERED)
    await world.drain()
    assert (await world.jq.case(case_id)).stage is Stage.DELIVERED
    await require_converged(world)


async def test_material_that_was_asked_for_is_supplied_with_its_file(world: World) -> None:
    case_id = await world.open_branch()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.MATERIALS_REQUESTED)
    await world.drain()
    content = b"%PDF-1.4 sealed"
    await world.jq.desk.supplement(actor(WINDOW), case_id, None, [declared("04", content)], None)
    await world.upload(case_id, "04", content)
    await world.drain()
    assert (await world.jyg.case(case_id)).stage is Stage.MATERIALS_SUPPLIED
    await require_converged(world)
    task = await world.jyg.tasks.task(actor(REGISTRAR), case_id)
    supplied = [m for m in task["materials"] if m["sent_with"] == "materials_supplied"]  # type: ignore[attr-defined]
    download = await world.jyg.tasks.material(
        actor(REGISTRAR), case_id, bytes.fromhex(supplied[0]["commitment"])
    )
    assert b"".join([c async for c in download.chunks]) == content


@pytest.mark.parametrize(
    "before",
    [
        (),
        (Kind.ACKNOWLEDGED,),
        (Kind.ACKNOWLEDGED, Kind.MATERIALS_REQUESTED),
        (Kind.ACKNOWLEDGED, Kind.ACCEPTED),
    ],
    ids=lambda kinds: kinds[-1].name.lower() if kinds else "submitted",
)
async def test_a_case_may_be_withdrawn_in_every_stage_before_the_decision(
    world: World, before: tuple[Kind, ...]
) -> None:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, *before)
    await world.drain()
    await world.withdraw(case_id)
    await world.drain()
    assert (await world.jyg.case(case_id)).stage is Stage.WITHDRAWN
    await require_converged(world)


async def test_a_case_with_supplied_material_may_be_withdrawn(world: World) -> None:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.MATERIALS_REQUESTED)
    await world.drain()
    await world.supply(case_id)
    await world.withdraw(case_id)
    await world.drain()
    assert (await world.jyg.case(case_id)).stage is Stage.WITHDRAWN
    await require_converged(world)


async def test_a_case_that_was_never_sent_is_withdrawn_without_a_word(world: World) -> None:
    case_id = await world.open_branch(upload=False)
    await world.withdraw(case_id)
    await world.drain()
    assert (await world.jq.case(case_id)).stage is Stage.WITHDRAWN
    assert not world.jq.link.calls
    with pytest.raises(Fault) as raised:
        await world.upload(case_id, "01", sample_files()["01"])
    assert raised.value.code is FaultCode.ATTACHMENT_NOT_DECLARED


async def test_nothing_is_withdrawn_once_the_decision_is_known(world: World) -> None:
    case_id = await decided(world)
    await world.drain()
    with pytest.raises(Fault) as raised:
        await world.withdraw(case_id)
    assert raised.value.code is FaultCode.CASE_ALREADY_DECIDED


# --- messages that cross -----------------------------------------------------------------------


async def test_a_withdrawal_that_crosses_the_decision_is_refused_and_the_decision_adopted(
    world: World,
) -> None:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.ACCEPTED)
    await world.drain()
    await world.act(case_id, Kind.DECIDED)
    await world.withdraw(case_id)
    await world.drain()
    case = await world.jq.case(case_id)
    assert (case.stage, case.result) == (Stage.DECIDED, "approved")
    refused = [m for m in await world.jq.said(case_id) if m.kind is Kind.WITHDRAWN]
    assert [m.rule for m in refused] == [FaultCode.CASE_ALREADY_DECIDED]
    await world.hand_over(case_id)
    await world.drain()
    await require_converged(world)


@pytest.mark.parametrize("lane_first", ["jq", "jyg"])
@pytest.mark.parametrize(
    ("before", "crossing"),
    [
        ((), Kind.ACKNOWLEDGED),
        ((Kind.ACKNOWLEDGED,), Kind.MATERIALS_REQUESTED),
        ((Kind.ACKNOWLEDGED,), Kind.ACCEPTED),
    ],
    ids=["acknowledged", "requested", "accepted"],
)
async def test_a_withdrawal_wins_over_what_crosses_it_before_the_decision(
    world: World, before: tuple[Kind, ...], crossing: Kind, lane_first: str
) -> None:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, *before)
    await world.drain()
    await world.act(case_id, crossing)
    await world.withdraw(case_id)
    await getattr(world, lane_first).lane.turn()
    await world.drain()
    assert (await world.jq.case(case_id)).stage is Stage.WITHDRAWN
    assert crossing in [m.kind for m in await world.jq.history(case_id)]
    await require_converged(world)


async def test_a_withdrawal_that_crosses_a_return_meets_a_closed_case(world: World) -> None:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.NOT_ACCEPTED)
    await world.withdraw(case_id)
    await world.drain()
    assert (await world.jq.case(case_id)).stage is Stage.REFUSED_AT_INTAKE
    assert (await world.jq.said(case_id))[-1].rule == FaultCode.CASE_CLOSED
    await require_converged(world)


@pytest.mark.parametrize("lane_first", ["jq", "jyg"])
async def test_material_that_crosses_a_not_acceptance_comes_too_late(
    world: World, lane_first: str
) -> None:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.MATERIALS_REQUESTED)
    await world.drain()
    await world.supply(case_id)
    await world.act(case_id, Kind.NOT_ACCEPTED)
    await getattr(world, lane_first).lane.turn()
    await world.drain()
    assert (await world.jq.case(case_id)).stage is Stage.NOT_ACCEPTED
    supplied = (await world.jq.said(case_id))[-1]
    assert (supplied.kind, supplied.rule) == (Kind.MATERIALS_SUPPLIED, FaultCode.CASE_CLOSED)
    await require_converged(world)


async def test_both_sides_may_say_delivered_at_once(world: World) -> None:
    case_id = await decided(world)
    await world.drain()
    await world.hand_over(case_id)
    await world.act(case_id, Kind.DELIVERED)
    await world.drain()
    assert (await world.jq.case(case_id)).stage is Stage.DELIVERED
    await require_converged(world)


async def decided(world: World) -> bytes:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.ACCEPTED, Kind.DECIDED)
    return case_id


def loosen_forms(side: Side) -> None:
    """Have a side's own copy of every form allow anything."""
    book = side.directory.current()
    versions = [v for item in book.catalogue.values() for v in item.versions.values()]
    forms = FormSchemas({v.form_schema: b'{"type":"object"}' for v in versions})
    side.directory.replace(replace(book, forms=forms))
