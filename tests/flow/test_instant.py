"""Cases decided by rule in the group that takes them in, and all that leaves them to a person."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.flow import casefile
from gateway.flow import instant as flow_instant
from gateway.flow.desk import OpenCase, View
from gateway.kernel.case import CaseRecord, Stage
from gateway.kernel.envelope import Kind, Mode
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.rules.instant import Instant, Issue, RuleSet, decision_document
from gateway.rules.schema.formats import is_licence_id, is_uscc
from gateway.wire.envelopes import decode_envelope
from tests.flow.judge import require_converged
from tests.flow.link import Trouble
from tests.flow.world import REGISTRAR, WINDOW, World, actor, as_json, declared, id_of
from tests.support.instant import INDIVIDUAL, instant_form
from tests.support.world import sample_files

WHOLE = [Kind.SUBMITTED, Kind.ACKNOWLEDGED, Kind.ACCEPTED, Kind.DECIDED]


async def open_individual(world: World, **changes: object) -> bytes:
    """Have the window send in the sample application with these changes, whole."""
    files = sample_files(("01",))
    wish = OpenCase(
        GatewayId("620200"),
        INDIVIDUAL,
        None,
        Mode.ONLINE,
        "individual-business-registration",
        as_json(instant_form(**changes)),
        tuple(declared(code, content) for code, content in files.items()),
    )
    case_id = id_of(await world.jq.desk.open_case(actor(WINDOW), wish, None))
    for code, content in files.items():
        await world.upload(case_id, code, content)
    return case_id


def have_rules(world: World, *rules: RuleSet) -> None:
    book = world.jyg.directory.current()
    world.jyg.directory.replace(replace(book, instant=rules))


def rule_of(world: World) -> RuleSet:
    (rule,) = world.jyg.directory.current().instant
    return rule


async def left_to_a_person(world: World, case_id: bytes) -> View:
    """Assert that the case was taken in and nothing was said; return what the task shows."""
    await world.drain()
    assert (await world.jq.case(case_id)).stage is Stage.SUBMITTED
    assert [m.kind for m in await world.jyg.history(case_id)] == [Kind.SUBMITTED]
    task = await world.jyg.tasks.task(actor(REGISTRAR), case_id)
    shown = task["instant_rules"]
    assert isinstance(shown, dict)
    assert shown["decides"] is False
    return shown


async def decided(world: World, case_id: bytes) -> CaseRecord:
    """Assert that both sides hold one whole decision."""
    await world.drain()
    for side in world.sides:
        assert [m.kind for m in await side.history(case_id)] == WHOLE
    held = await world.jq.case(case_id)
    assert (held.stage, held.result, held.attention) == (Stage.DECIDED, "approved", "")
    await require_converged(world)
    return held


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"business_scopes": ["日用百货销售", "烟花爆竹零售"]}, "scope_outside"),
        ({"premises_use": "residential"}, "field_differs"),
        ({"promise_true": False}, "field_differs"),
        ({"employees": 20}, "field_differs"),
    ],
)
async def test_a_form_outside_the_rule_waits_for_a_person_who_may_still_decide(
    world: World, changes: dict[str, object], reason: str
) -> None:
    case_id = await open_individual(world, **changes)
    assert (await left_to_a_person(world, case_id))["reason"] == reason
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.ACCEPTED)
    await world.act(case_id, Kind.DECIDED, form={"result": "refused", "reason_zh": "（示例）"})
    await world.drain()
    assert (await world.jq.case(case_id)).result == "refused"


async def test_without_a_rule_a_person_decides(world: World) -> None:
    have_rules(world)
    assert (await left_to_a_person(world, await open_individual(world)))["reason"] == "no_rule"


async def test_a_rule_of_another_version_of_the_item_leaves_it_to_a_person(world: World) -> None:
    have_rules(world, replace(rule_of(world), item_versions=frozenset({"9"})))
    found = await left_to_a_person(world, await open_individual(world))
    assert found["reason"] == "item_version"


async def test_two_rules_that_both_match_leave_it_to_a_person(world: World) -> None:
    rule = rule_of(world)
    have_rules(world, rule, replace(rule, id="another"))
    assert (await left_to_a_person(world, await open_individual(world)))["reason"] == "ambiguous"


async def test_a_material_the_rule_needs_and_the_item_does_not_leaves_it_to_a_person(
    world: World,
) -> None:
    have_rules(world, replace(rule_of(world), materials=frozenset({"01", "02"})))
    found = await left_to_a_person(world, await open_individual(world))
    assert (found["reason"], found["where"]) == ("material_absent", "02")


async def test_a_superseded_rule_leaves_it_to_a_person(world: World) -> None:
    have_rules(world, replace(rule_of(world), superseded_at_ms=world.clock.now_ms()))
    assert (await left_to_a_person(world, await open_individual(world)))["reason"] == "superseded"


async def test_a_licence_the_rule_cannot_make_is_left_to_a_person(world: World) -> None:
    rule = rule_of(world)
    nowhere = replace(rule.result, from_form={**rule.result.from_form, "dom": "/employees"})
    have_rules(world, replace(rule, result=nowhere))
    found = await left_to_a_person(world, await open_individual(world))
    assert (found["reason"], found["where"]) == ("not_applied", "individual-business@1")


async def test_a_licence_face_that_breaks_the_schema_is_left_to_a_person(world: World) -> None:
    rule = rule_of(world)
    too_long = replace(rule.result, fixed={**rule.result.fixed, "enttypeCn": "长" * 101})
    have_rules(world, replace(rule, result=too_long))
    case_id = await open_individual(world)
    await world.drain()
    assert [m.kind for m in await world.jyg.history(case_id)] == [Kind.SUBMITTED]
    assert await world.jyg.outbox() == []


async def test_a_used_up_series_of_codes_leaves_the_next_case_to_a_person(world: World) -> None:
    rule = rule_of(world)
    one = replace(rule.result, codes=replace(rule.result.codes, first=5, last=5))
    have_rules(world, replace(rule, result=one))
    first, second = await open_individual(world), await open_individual(world)
    await world.drain()
    stages = sorted([(await world.jq.case(each)).stage for each in (first, second)])
    assert stages == [Stage.DECIDED, Stage.SUBMITTED]


@pytest.mark.parametrize(
    "spoilt", [{"inputs_digest": "00" * 32}, {"inputs": ["/employees", "/nowhere"]}]
)
async def test_a_decision_by_rule_about_another_form_is_refused_by_who_submitted_it(
    world: World, monkeypatch: pytest.MonkeyPatch, spoilt: dict[str, object]
) -> None:
    def dishonest(verdict: Instant, issue: Issue, form: object) -> dict[str, object]:
        made = decision_document(verdict, issue, form)
        said = made["instant"]
        assert isinstance(said, dict)
        return {**made, "instant": {**said, **spoilt}}

    monkeypatch.setattr(flow_instant, "decision_document", dishonest)
    case_id = await open_individual(world)
    await world.drain()
    # Our own gateway does not let it out: the case is a person's.
    assert [m.kind for m in await world.jyg.history(case_id)] == [Kind.SUBMITTED]
    monkeypatch.setattr(casefile, "require_instant", lambda *_: None)
    case_id = await open_individual(world)
    await world.drain()
    held = await world.jq.case(case_id)
    assert (held.stage, held.result) == (Stage.ACCEPTED, "")
    said = await world.jyg.case(case_id)
    assert (said.stage, said.attention) == (Stage.ACCEPTED, FaultCode.CASE_INSTANT_DIFFERS)


async def test_a_person_cannot_claim_a_rule_for_a_decision(world: World) -> None:
    first = await decided(world, await open_individual(world))
    claimed = json.loads(first.outcome)
    have_rules(world)
    case_id = await open_individual(world)
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.ACCEPTED)
    with pytest.raises(Fault) as raised:
        await world.act(case_id, Kind.DECIDED, form=claimed)
    assert raised.value.code is FaultCode.CASE_INSTANT_DIFFERS
    del claimed["instant"]
    await world.act(case_id, Kind.DECIDED, form=claimed)
    await world.drain()
    assert (await world.jq.case(case_id)).result == "approved"


async def test_a_complete_application_inside_is_decided_when_it_is_taken_in(world: World) -> None:
    case_id = await open_individual(world)
    await world.begin_turn(world.jq)
    taken = await world.jyg.case(case_id)
    assert (taken.stage, taken.result, taken.revision) == (Stage.DECIDED, "approved", 1)
    held = await decided(world, case_id)
    document: dict[str, Any] = json.loads(held.outcome)
    licence, said = document["licence"], document["instant"]
    assert is_uscc(licence["uniscid"])
    assert is_licence_id(licence["licence_id"])
    assert licence["opscope"] == "；".join(instant_form()["business_scopes"])
    assert licence["name"] == instant_form()["operator"]["name"]
    assert (said["rule"], said["version"]) == ("individual-business", "1")


async def test_each_word_of_the_rule_is_said_as_a_rule_and_answers_the_submission(
    world: World,
) -> None:
    case_id = await open_individual(world)
    await decided(world, case_id)
    submitted, *said = await world.jyg.history(case_id)
    headers = [decode_envelope(m.envelope).header for m in said]
    assert {h.staff_capacity for h in headers} == {"rule"}
    assert {h.staff_pseudonym for h in headers} == {"rule:individual-business@1"}
    assert [h.sequence for h in headers] == [1, 2, 3]
    assert {h.last_seen_digest for h in headers} == {submitted.header_digest}


async def test_the_rule_document_is_kept_with_the_evidence(world: World) -> None:
    case_id = await open_individual(world)
    held = await decided(world, case_id)
    named = bytes.fromhex(json.loads(held.outcome)["instant"]["document"])
    kept = await world.jyg.journal.read(lambda s: s.evidence(named))
    assert kept is not None
    assert (kept.kind, kept.content) == (
        "instant_rule",
        world.jyg.directory.current().documents[named][1],
    )


@pytest.mark.parametrize("trouble", [Trouble.TWICE, Trouble.LOSE_ANSWER, Trouble.LOSE_REQUEST])
async def test_a_submission_that_comes_again_is_decided_once(
    world: World, trouble: Trouble
) -> None:
    world.jq.link.next.append(trouble)
    first = await decided(world, await open_individual(world))
    second = await decided(world, await open_individual(world))
    codes = [json.loads(case.outcome)["licence"]["uniscid"] for case in (first, second)]
    assert len(set(codes)) == 2


async def test_a_crash_after_taking_in_still_brings_the_decision_once(world: World) -> None:
    case_id = await open_individual(world)
    world.jq.link.next.append(Trouble.LOSE_ANSWER)
    await world.begin_turn(world.jq)
    await world.jyg.crash()
    await world.jq.crash()
    await decided(world, case_id)


async def test_a_lost_commit_leaves_nothing_and_the_next_attempt_decides(world: World) -> None:
    case_id = await open_individual(world)
    world.jyg.journal.lost_commits = 1
    await world.begin_turn(world.jq)
    assert await world.jyg.journal.read(lambda s: s.cases_by_id(case_id)) == []
    await decided(world, case_id)


async def test_a_withdrawal_after_the_decision_is_too_late(world: World) -> None:
    case_id = await open_individual(world)
    await decided(world, case_id)
    with pytest.raises(Fault) as raised:
        await world.withdraw(case_id)
    assert raised.value.code is FaultCode.CASE_ALREADY_DECIDED


async def test_a_case_that_a_rule_left_is_not_decided_when_material_comes_later(
    world: World,
) -> None:
    case_id = await open_individual(world, promise_true=False)
    await left_to_a_person(world, case_id)
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.MATERIALS_REQUESTED)
    await world.drain()
    form = as_json(instant_form())
    await world.jq.desk.supplement(actor(WINDOW), case_id, form, (), None)
    await world.drain()
    assert (await world.jyg.case(case_id)).stage is Stage.MATERIALS_SUPPLIED


async def test_the_result_may_be_handed_over_and_both_sides_agree(world: World) -> None:
    case_id = await open_individual(world)
    await decided(world, case_id)
    await world.hand_over(case_id)
    await world.drain()
    assert (await world.jyg.case(case_id)).stage is Stage.DELIVERED
    await require_converged(world)
