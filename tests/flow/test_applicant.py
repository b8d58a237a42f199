"""How an applicant was identified (身份核验), and who acts for whom (帮办代办)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.flow import submission
from gateway.flow.desk import OpenCase
from gateway.kernel.case import Stage
from gateway.kernel.envelope import Outcome
from gateway.kernel.faults import Fault, FaultCode
from tests.flow.judge import require_converged
from tests.flow.world import (
    REGISTRAR,
    WINDOW,
    World,
    actor,
    as_json,
    branch_wish,
    id_of,
    query_wish,
)
from tests.support.world import sample_answer, sample_files

FILES = sample_files(("01", "02", "03", "04", "05"))
IDENTITY = {"method": "in_person_id_card"}
AUTHORISATION = sample_answer("submitted")["authorisation"]
assert isinstance(AUTHORISATION, dict)
BOTH = {"identity": IDENTITY, "authorisation": AUTHORISATION}
AGENT = {"identity": {"method": "agent"}}


def branch(applicant: object) -> OpenCase:
    return replace(branch_wish(FILES), applicant=as_json(applicant))


BROKEN: list[tuple[object, FaultCode]] = [
    ({}, FaultCode.CASE_IDENTITY_REQUIRED),
    (AGENT, FaultCode.CASE_AUTHORISATION_MISSING),
    (
        {**BOTH, "authorisation": {**AUTHORISATION, "material_code": "06"}},
        FaultCode.CASE_AUTHORISATION_MISSING,
    ),
    (
        {**BOTH, "authorisation": {**AUTHORISATION, "valid_until": "2021-05-27"}},
        FaultCode.CASE_AUTHORISATION_ENDED,
    ),
]


@pytest.mark.parametrize(("applicant", "rule"), BROKEN)
async def test_a_window_sends_nothing_for_someone_it_has_not_identified(
    world: World, applicant: object, rule: FaultCode
) -> None:
    with pytest.raises(Fault) as raised:
        await world.jq.desk.open_case(actor(WINDOW), branch(applicant), None)
    assert raised.value.code is rule
    assert not await world.jq.journal.read(lambda s: s.cases_of(None, limit=9))


@pytest.mark.parametrize(("applicant", "rule"), BROKEN)
async def test_the_deciding_side_refuses_what_the_window_should_not_have_sent(
    world: World, applicant: object, rule: FaultCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission, "require_identified", lambda *_: None)
    case_id = id_of(await world.jq.desk.open_case(actor(WINDOW), branch(applicant), None))
    for code, content in FILES.items():
        await world.upload(case_id, code, content)
    await world.drain()
    (said,) = await world.jq.said(case_id)
    assert (said.outcome, said.rule) == (Outcome.REFUSED, rule)
    assert (await world.jq.case(case_id)).stage is Stage.REFUSED_AT_INTAKE
    assert not await world.jyg.journal.read(lambda s: s.cases_by_id(case_id))


@pytest.mark.parametrize(
    "applicant",
    [
        {"identity": {"method": "acquaintance"}},
        {"identity": {}},
        {"identity": {**IDENTITY, "verified_by": "1"}},
        {"identity": {**IDENTITY, "verified_at": "this morning"}},
        {"identity": {**IDENTITY, "name": "示例"}},
        {"authorisation": AUTHORISATION},
        {**BOTH, "authorisation": {**AUTHORISATION, "agent_id": "629900199207080007"}},
        {**BOTH, "authorisation": {**AUTHORISATION, "valid_until": "for ever"}},
    ],
)
async def test_an_identity_outside_the_list_or_an_agent_without_one_is_refused(
    world: World, applicant: object
) -> None:
    with pytest.raises(Fault) as raised:
        await world.jq.desk.open_case(actor(WINDOW), branch(applicant), None)
    assert raised.value.code is FaultCode.SCHEMA_FORM_INVALID
    assert "6299" not in str(raised.value)


async def test_who_verified_the_identity_and_for_whom_an_agent_acts_reach_the_deciding_side(
    world: World,
) -> None:
    case_id = id_of(await world.jq.desk.open_case(actor(WINDOW), branch(BOTH), None))
    for code, content in FILES.items():
        await world.upload(case_id, code, content)
    await world.drain()
    task = await world.jyg.tasks.task(actor(REGISTRAR), case_id)
    identity = task["identity"]
    assert isinstance(identity, dict)
    at = identity.pop("verified_at")
    assert identity == {**IDENTITY, "verified_by": WINDOW, "staff": "staff-7"}
    assert task["authorisation"] == AUTHORISATION
    view = await world.jq.desk.case(actor(WINDOW), case_id)
    assert view["identity"] == identity | {"verified_at": at}
    assert "6299" not in str(view), "operators see this view too"
    await require_converged(world)


async def test_online_a_portal_may_leave_the_identity_unsaid_and_nothing_is_made_up(
    world: World,
) -> None:
    case_id = await world.open_query()
    await world.drain()
    task = await world.jyg.tasks.task(actor(REGISTRAR), case_id)
    assert (task["identity"], task["authorisation"]) == (None, None)
    stated = as_json({"identity": {"method": "real_name_account"}})
    wish = query_wish(applicant=stated)
    case_id = id_of(await world.jq.desk.open_case(actor(WINDOW), wish, None))
    await world.drain()
    assert (await world.jyg.case(case_id)).stage is Stage.SUBMITTED
