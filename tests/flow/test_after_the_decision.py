"""After the decision: a wrong result corrected (更正), papers archived (归档), service reviewed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

import pytest

from gateway.flow import handling
from gateway.flow.inquiry import explain
from gateway.kernel.case import Stage
from gateway.kernel.envelope import Kind, Outcome
from gateway.kernel.faults import Fault, FaultCode
from tests.flow.judge import require_converged
from tests.flow.world import FORMS, REFUSED, REGISTRAR, WINDOW, World, actor

ARCHIVE = FORMS[Kind.ARCHIVED]
GRADE = {"grade": "very_satisfied"}
STRANGER = "ab" * 32


async def decided(world: World) -> bytes:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.ACCEPTED, Kind.DECIDED)
    await world.drain()
    return case_id


async def delivered(world: World) -> bytes:
    case_id = await decided(world)
    await world.hand_over(case_id)
    await world.drain()
    return case_id


async def archived(world: World) -> bytes:
    case_id = await delivered(world)
    await world.act(case_id, Kind.ARCHIVED)
    await world.drain()
    return case_id


# --- corrections ---------------------------------------------------------------------------------


async def test_a_result_is_never_replaced_silently(world: World) -> None:
    for case_id in (await decided(world), await delivered(world)):
        said = len(await world.jyg.said(case_id))
        with pytest.raises(Fault) as raised:
            await world.act(case_id, Kind.DECIDED, form=REFUSED)
        assert raised.value.code is FaultCode.CASE_CORRECTION_UNNAMED
        with pytest.raises(Fault) as raised:
            await world.correct(case_id, STRANGER)
        assert raised.value.code is FaultCode.CASE_DECISION_DIFFERS
        with pytest.raises(Fault) as raised:
            await world.act(case_id, Kind.DECIDED, form={**REFUSED, "corrects": STRANGER})
        assert raised.value.code in {
            FaultCode.SCHEMA_FORM_INVALID,  # no reason is given
            FaultCode.CASE_DECISION_DIFFERS,
        }
        assert len(await world.jyg.said(case_id)) == said


async def test_a_correction_without_a_reason_is_refused(world: World) -> None:
    case_id = await decided(world)
    form = {**REFUSED, "corrects": await world.standing(case_id)}
    with pytest.raises(Fault) as raised:
        await world.act(case_id, Kind.DECIDED, form=form)
    assert raised.value.code is FaultCode.SCHEMA_FORM_INVALID


async def test_a_first_decision_corrects_nothing(world: World) -> None:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.ACCEPTED)
    with pytest.raises(Fault) as raised:
        await world.correct(case_id, STRANGER)
    assert raised.value.code is FaultCode.CASE_DECISION_DIFFERS


async def test_a_decision_still_on_its_way_cannot_be_named_yet(world: World) -> None:
    case_id = await world.open_query()
    await world.drain()
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.ACCEPTED, Kind.DECIDED)
    assert await world.standing(case_id) is None
    with pytest.raises(Fault) as raised:
        await world.correct(case_id, STRANGER)
    assert raised.value.code is FaultCode.CASE_DECISION_DIFFERS
    await world.drain()
    await world.correct(case_id, await world.standing(case_id))
    await world.drain()
    await require_converged(world)


@pytest.mark.parametrize("handed_over", [False, True])
async def test_a_corrected_result_takes_its_place_and_is_delivered_anew(
    world: World, handed_over: bool
) -> None:
    case_id = await (delivered if handed_over else decided)(world)
    first = await world.standing(case_id)
    await world.correct(case_id, first, answer_zh="登记状态：注销（示例）")
    await world.drain()
    held = await world.jq.case(case_id)
    assert held.stage is Stage.DECIDED
    assert json.loads(held.outcome)["answer_zh"] == "登记状态：注销（示例）"
    view = await world.jq.desk.case(actor(WINDOW), case_id)
    assert view["decision"] == await world.standing(case_id) != first
    await world.hand_over(case_id)
    await world.drain()
    assert (await world.jyg.case(case_id)).stage is Stage.DELIVERED
    decisions = [m for m in await world.jq.history(case_id) if m.kind is Kind.DECIDED]
    assert [m.header_digest.hex() for m in decisions] == [first, view["decision"]]
    assert {m.outcome for m in decisions} == {Outcome.TAKEN_IN}
    await require_converged(world)


@pytest.mark.parametrize(
    ("form", "rule"),
    [
        (REFUSED, FaultCode.CASE_CORRECTION_UNNAMED),
        (
            {**REFUSED, "corrects": STRANGER, "correction_reason_zh": "示例"},
            FaultCode.CASE_DECISION_DIFFERS,
        ),
    ],
)
async def test_the_applicants_side_refuses_a_silent_replacement_and_the_first_result_stands(
    world: World, form: dict[str, object], rule: FaultCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = await delivered(world)
    first = await world.standing(case_id)
    monkeypatch.setattr(handling, "require_decision_named", lambda *_: None)  # a gateway that lies
    await world.act(case_id, Kind.DECIDED, form=form)
    await world.drain()
    for side in world.sides:
        case = await side.case(case_id)
        assert (case.stage, case.result) == (Stage.DELIVERED, "approved")
    assert (await world.jyg.case(case_id)).attention == rule
    assert await world.standing(case_id) == first
    held = [(await side.case(case_id)).outcome for side in world.sides]
    assert held[0] == held[1]


async def test_a_correction_may_itself_be_corrected(world: World) -> None:
    case_id = await decided(world)
    names = []
    for _ in range(3):
        names.append(await world.standing(case_id))
        await world.correct(case_id, names[-1])
        await world.drain()
    assert len(set(names)) == 3
    with pytest.raises(Fault) as raised:
        await world.correct(case_id, names[0])
    assert raised.value.code is FaultCode.CASE_DECISION_DIFFERS
    await require_converged(world)


async def test_the_delivery_of_the_old_result_that_crosses_its_correction_is_refused(
    world: World,
) -> None:
    case_id = await decided(world)
    await world.correct(case_id, await world.standing(case_id))
    await world.hand_over(case_id)
    await world.jq.lane.turn()
    await world.drain()
    case = await world.jq.case(case_id)
    assert (case.stage, case.attention) == (Stage.DECIDED, FaultCode.CASE_DECISION_DIFFERS)
    await world.hand_over(case_id)
    await world.drain()
    assert (await world.jq.case(case_id)).stage is Stage.DELIVERED
    await require_converged(world)


@pytest.mark.parametrize(("kind", "form"), [(Kind.ARCHIVED, ARCHIVE), (Kind.REVIEWED, GRADE)])
async def test_words_on_the_old_result_that_cross_its_correction_and_new_delivery_are_refused(
    world: World, kind: Kind, form: Mapping[str, object]
) -> None:
    case_id = await delivered(world)
    await world.correct(case_id, await world.standing(case_id))
    await world.act(case_id, Kind.DELIVERED)
    await world.say(case_id, kind, form)
    await world.jq.lane.turn()
    await world.drain()
    case = await world.jq.case(case_id)
    assert (case.stage, case.attention) == (Stage.DELIVERED, FaultCode.CASE_DECISION_DIFFERS)
    await require_converged(world)


async def test_nothing_is_withdrawn_after_delivery_or_archiving(world: World) -> None:
    for case_id in (await delivered(world), await archived(world)):
        with pytest.raises(Fault) as raised:
            await world.withdraw(case_id)
        assert raised.value.code is FaultCode.CASE_ALREADY_DECIDED


# --- archives ------------------------------------------------------------------------------------


async def test_an_archived_case_is_not_reopened(world: World) -> None:
    case_id = await archived(world)
    with pytest.raises(Fault) as raised:
        await world.correct(case_id, await world.standing(case_id))
    assert raised.value.code in {FaultCode.CASE_CLOSED, FaultCode.CASE_DECISION_DIFFERS}
    assert (await world.jq.case(case_id)).stage is Stage.ARCHIVED


async def test_nothing_is_archived_before_it_is_delivered(world: World) -> None:
    case_id = await decided(world)
    with pytest.raises(Fault) as raised:
        await world.act(case_id, Kind.ARCHIVED)
    assert raised.value.code is FaultCode.CASE_STAGE
    with pytest.raises(Fault) as raised:
        await world.say(case_id, Kind.ARCHIVED, ARCHIVE)
    assert raised.value.code is FaultCode.CASE_STAGE


def changed(**changes: object) -> dict[str, object]:
    materials = cast("list[dict[str, object]]", ARCHIVE["materials"])
    material = materials[0]
    return {**ARCHIVE, "materials": [{**material, **changes}]}


@pytest.mark.parametrize(
    ("form", "rule"),
    [
        ({**ARCHIVE, "materials": []}, FaultCode.SCHEMA_FORM_INVALID),
        (changed(retention=0), FaultCode.SCHEMA_FORM_INVALID),
        (changed(retention="long"), FaultCode.SCHEMA_FORM_INVALID),
        (changed(kept_as="memory"), FaultCode.SCHEMA_FORM_INVALID),
        (changed(holder={"region": "620200"}), FaultCode.SCHEMA_FORM_INVALID),
        (changed(holder={"region": "620700", "unit": "X"}), FaultCode.SCHEMA_FORM_INVALID),
        (changed(code="99"), FaultCode.CATALOGUE_MATERIAL_UNKNOWN),
    ],
)
async def test_an_archive_of_nothing_by_no_one_or_of_what_is_not_listed_is_refused(
    world: World, form: dict[str, object], rule: FaultCode
) -> None:
    case_id = await delivered(world)
    with pytest.raises(Fault) as raised:
        await world.act(case_id, Kind.ARCHIVED, form=form)
    assert raised.value.code is rule
    with pytest.raises(Fault) as raised:
        await world.say(case_id, Kind.ARCHIVED, form)
    assert raised.value.code is rule


@pytest.mark.parametrize("lane_first", ["jq", "jyg"])
async def test_both_sides_may_say_at_once_what_each_of_them_keeps(
    world: World, lane_first: str
) -> None:
    case_id = await delivered(world)
    window = changed(holder={"region": "620900", "unit": WINDOW}, kept_as="copy", retention=30)
    await world.act(case_id, Kind.ARCHIVED)
    await world.say(case_id, Kind.ARCHIVED, window)
    await getattr(world, lane_first).lane.turn()
    await world.drain()
    for side in world.sides:
        assert (await side.case(case_id)).stage is Stage.ARCHIVED
    task = await world.jyg.tasks.task(actor(REGISTRAR), case_id)
    view = await world.jq.desk.case(actor(WINDOW), case_id)
    for shown in (task["archives"], view["archives"]):
        assert {a["said_by"] for a in shown} == {"620200", "620900"}  # type: ignore[attr-defined]
    await require_converged(world)


# --- reviews -------------------------------------------------------------------------------------


async def test_nothing_is_reviewed_before_it_is_delivered(world: World) -> None:
    case_id = await decided(world)
    with pytest.raises(Fault) as raised:
        await world.say(case_id, Kind.REVIEWED, GRADE)
    assert raised.value.code is FaultCode.CASE_STAGE


@pytest.mark.parametrize(
    "form", [{}, {"grade": "5"}, {"grade": "satisfied", "service": {}, "x": 1}]
)
async def test_a_review_outside_the_five_grades_is_refused(
    world: World, form: dict[str, object]
) -> None:
    case_id = await delivered(world)
    with pytest.raises(Fault) as raised:
        await world.say(case_id, Kind.REVIEWED, form)
    assert raised.value.code is FaultCode.SCHEMA_FORM_INVALID


async def test_a_deciding_office_does_not_review_itself(world: World) -> None:
    case_id = await delivered(world)
    service = {
        "taskCode": "1", "taskName": "示例", "projectNo": "", "proStatus": "delivered",
        "orgcode": "", "serviceName": "示例", "serviceNumber": 1, "areaCode": "620200",
    }  # fmt: skip
    with pytest.raises(Fault) as raised:
        await world.act(case_id, Kind.REVIEWED, form={**GRADE, "service": service})
    assert raised.value.code is FaultCode.CASE_ROLE


async def test_a_case_is_reviewed_once_for_each_service(world: World) -> None:
    case_id = await delivered(world)
    await world.say(case_id, Kind.REVIEWED, {**GRADE, "service_name": "窗口收件"})
    await world.say(case_id, Kind.REVIEWED, {"grade": "dissatisfied", "comment_zh": "示例"})
    await world.drain()
    await world.act(case_id, Kind.ARCHIVED)
    await world.drain()
    await world.say(case_id, Kind.REVIEWED, GRADE)
    await world.drain()
    task = await world.jyg.tasks.task(actor(REGISTRAR), case_id)
    reviews: list[dict[str, object]] = task["reviews"]  # type: ignore[assignment]
    assert [r["grade"] for r in reviews] == ["very_satisfied", "dissatisfied", "very_satisfied"]
    services: list[dict[str, object]] = [r["service"] for r in reviews]  # type: ignore[misc]
    assert reviews[1]["comment_zh"] == "示例"
    seen = await world.jq.desk.case(actor(WINDOW), case_id)
    assert seen["reviews"] == reviews, "the window reads what was said"
    told = str(await world.jq.journal.read(lambda s: explain(s, case_id, world.jq.id)))
    assert "serviceNumber" in told and "comment_zh" not in told, "operators see no free words"
    assert [s["serviceNumber"] for s in services] == [1, 2, 3]
    assert [s["serviceName"] for s in services] == ["窗口收件", "办结送达", "办结送达"]
    assert services[0]["areaCode"] == "620200"
    assert services[0]["projectNo"] == (await world.jyg.case(case_id)).handling_number
    assert services[0]["acceptDate"] == "2026-06-01"
    assert {"resultDate", "serviceTime", "taskCode", "taskName", "orgcode"} <= set(services[0])
    assert (await world.jq.case(case_id)).stage is Stage.ARCHIVED
    await require_converged(world)
