"""A joint case (多地联办): asked, answered, decided; and everything that may go another way."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from gateway.flow.desk import JointAsk, TaskAct
from gateway.flow.inquiry import explain
from gateway.flow.permissions import permissions
from gateway.kernel.case import CaseRecord, CaseRole, Stage
from gateway.kernel.envelope import Attachment, Kind, Outcome
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import MESSAGE_LIFE_MS_MAX, SKEW_MS_MAX
from gateway.ports.journal import Snapshot, StoredMessage
from gateway.rules.agreement import Act, OpenCases, Verdict
from tests.flow.link import Trouble
from tests.flow.sites import Setup
from tests.flow.trio import ASK, BARE, POLICE, VERIFIERS, Trio, TrioSide, provision, trio_of
from tests.flow.world import FORMS, WINDOW, actor, as_json, chunks, declared
from tests.support.joint import AGREE, APPLIED, APPROVED, DISAGREE, REFUSED, TASKED, move_form
from tests.support.world import sample_files

DAY_MS = 86_400_000


@pytest.fixture(scope="session")
def trio_setups(tmp_path_factory: pytest.TempPathFactory) -> tuple[Setup, Setup, Setup]:
    return provision(tmp_path_factory.mktemp("trio"))


@pytest.fixture
async def trio(trio_setups: tuple[Setup, Setup, Setup]) -> AsyncIterator[Trio]:
    async with trio_of(trio_setups) as running:
        yield running


def one_of(views: object) -> dict[str, Any]:
    assert isinstance(views, list)
    (only,) = views
    assert isinstance(only, dict)
    return only


async def code_of(made: Awaitable[object]) -> FaultCode | None:
    try:
        await made
    except Fault as fault:
        return fault.code
    return None


async def test_a_household_moves_once_the_place_it_leaves_agrees(trio: Trio) -> None:
    case_id, task_id = await trio.asked()
    (task,), _ = await trio.bs.tasks.tasks(actor(VERIFIERS), 0, 0, 10)
    assert (task["role"], task["stage"], task["acts"]) == (
        "participating",
        "asked",
        ["joint_answer"],
    )
    assert task["due_on"] == "2026-06-08"  # five working days from Monday 2026-06-01
    await trio.answer(task_id)
    await trio.drain()
    (seen,) = await trio.joint(case_id)
    assert (seen["region"], seen["state"], seen["verdict"]) == ("310113", "agreed", "agree")
    assert seen["certificate"] == AGREE["certificate"]
    await trio.decide(case_id)
    await trio.drain()
    origin = await trio.jq.desk.case(actor(WINDOW), case_id)
    assert (origin["stage"], origin["result"]) == ("decided", "approved")
    assert origin["joint"] == [{"region": "310113", "verdict": "agree", "answer": seen["answer"]}]
    answer = (await trio.bs.case(task_id)).sent.digest.hex()
    assert answer == seen["answer"], "the decision names the very header that was signed"


# --- the barrier -------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [APPROVED, REFUSED])
async def test_nothing_is_decided_while_an_answer_may_still_come_in_time(
    trio: Trio, form: dict[str, object]
) -> None:
    case_id, _ = await trio.asked()
    assert await code_of(trio.decide(case_id, form)) is FaultCode.CASE_JOINT_OPEN
    assert (await trio.zjg.case(case_id)).stage is Stage.ACCEPTED


async def test_nothing_is_approved_that_no_one_was_asked_about(trio: Trio) -> None:
    case_id = await trio.accepted()
    assert await code_of(trio.decide(case_id)) is FaultCode.CASE_JOINT_UNASKED
    await trio.decide(case_id, REFUSED)
    await trio.drain()
    assert (await trio.jq.case(case_id)).result == "refused"


async def test_nothing_is_approved_against_a_disagreement_and_the_refusal_names_it(
    trio: Trio,
) -> None:
    case_id, task_id = await trio.asked()
    await trio.answer(task_id, DISAGREE)
    await trio.drain()
    assert await code_of(trio.decide(case_id)) is FaultCode.CASE_JOINT_DISAGREED
    await trio.decide(case_id, REFUSED)
    await trio.drain()
    origin = await trio.jq.desk.case(actor(WINDOW), case_id)
    named = one_of(origin["joint"])
    assert (named["verdict"], origin["result"]) == ("disagree", "refused")


async def test_silence_is_never_consent_and_a_refusal_may_name_it(trio: Trio) -> None:
    case_id, task_id = await trio.asked()
    trio.clock.advance(8 * DAY_MS)  # the day after the last one
    assert await code_of(trio.decide(case_id)) is FaultCode.CASE_JOINT_OPEN
    await trio.decide(case_id, REFUSED)
    await trio.drain()
    origin = await trio.jq.desk.case(actor(WINDOW), case_id)
    silent = {"region": "310113", "verdict": "silent", "due_on": "2026-06-08"}
    assert origin["joint"] == [silent]
    assert (await trio.bs.case(task_id)).stage is Stage.WITHDRAWN
    assert await code_of(trio.answer(task_id)) is FaultCode.CASE_CLOSED


async def test_the_business_system_cannot_name_answers_itself(trio: Trio) -> None:
    case_id, _ = await trio.asked()
    forged = [{"region": "310113", "verdict": "agree", "answer": "ab" * 32}]
    made = trio.decide(case_id, {**APPROVED, "joint": forged})
    assert await code_of(made) is FaultCode.SCHEMA_FORM_INVALID


async def test_a_correction_meets_the_same_barrier(trio: Trio) -> None:
    case_id = await trio.accepted()
    await trio.decide(case_id, REFUSED)
    await trio.drain()
    named = (await trio.zjg.tasks.task(actor(POLICE), case_id))["decision"]
    corrected = {**APPROVED, "corrects": named, "correction_reason_zh": "示例"}
    assert await code_of(trio.decide(case_id, corrected)) is FaultCode.CASE_JOINT_UNASKED


# --- taking back -------------------------------------------------------------------------------


async def test_a_task_taken_back_does_not_stand_and_another_may_be_asked(trio: Trio) -> None:
    case_id, task_id = await trio.asked()
    await trio.take_back(case_id, task_id)
    assert (await trio.joint(case_id))[0]["withdrawing"]
    assert await code_of(trio.decide(case_id, REFUSED)) is FaultCode.CASE_JOINT_OPEN
    await trio.drain()
    assert await code_of(trio.decide(case_id)) is FaultCode.CASE_JOINT_UNASKED
    again = await trio.ask(case_id)
    await trio.drain()
    await trio.answer(again)
    await trio.drain()
    assert [t["state"] for t in await trio.joint(case_id)] == ["withdrawn", "agreed"]
    await trio.decide(case_id)


async def test_a_withdrawal_that_crosses_the_answer_is_refused_and_the_answer_stands(
    trio: Trio,
) -> None:
    case_id, task_id = await trio.asked()
    await trio.answer(task_id, DISAGREE)
    await trio.take_back(case_id, task_id)
    await trio.drain()
    (seen,) = await trio.joint(case_id)
    assert (seen["state"], seen["attention"]) == ("disagreed", "case.already_answered")
    assert await code_of(trio.decide(case_id)) is FaultCode.CASE_JOINT_DISAGREED
    both = [(await side.case(task_id)).stage for side in (trio.zjg, trio.bs)]
    assert both == [Stage.ANSWERED, Stage.ANSWERED]


async def test_an_answered_task_cannot_be_taken_back(trio: Trio) -> None:
    case_id, task_id = await trio.asked()
    await trio.answer(task_id)
    await trio.drain()
    code = await code_of(trio.take_back(case_id, task_id))
    assert code is FaultCode.CASE_ALREADY_ANSWERED


async def test_the_applicants_withdrawal_takes_the_open_tasks_back_with_it(trio: Trio) -> None:
    case_id, task_id = await trio.asked()
    await trio.withdraw(case_id)
    await trio.drain()
    assert (await trio.zjg.case(case_id)).stage is Stage.WITHDRAWN
    for side in (trio.zjg, trio.bs):
        assert (await side.case(task_id)).stage is Stage.WITHDRAWN
    (said,) = [m for m in await _history(trio.bs, task_id) if m.kind is Kind.WITHDRAWN]
    assert said.outcome is Outcome.TAKEN_IN


async def test_a_task_that_waits_to_be_sent_is_still_taken_back_in_order(trio: Trio) -> None:
    case_id = await trio.accepted()
    trio.zjg.links[trio.bs.id].always = Trouble.DOWN
    task_id = await trio.ask(case_id)
    await trio.withdraw(case_id)
    for _ in range(3):
        await trio.jq.lanes[trio.zjg.id].turn()
    assert (await trio.zjg.case(case_id)).stage is Stage.WITHDRAWN
    assert (await trio.zjg.case(task_id)).waiting == (Kind.WITHDRAWN,)
    trio.zjg.links[trio.bs.id].always = Trouble.NONE
    await trio.drain()
    assert (await trio.bs.case(task_id)).stage is Stage.WITHDRAWN


async def test_a_refusal_after_one_disagreement_takes_the_other_tasks_back(trio: Trio) -> None:
    case_id, first = await trio.asked()
    second = await trio.ask(case_id, BARE)
    await trio.drain()
    await trio.answer(first, DISAGREE)
    await trio.drain()
    await trio.decide(case_id, REFUSED)
    await trio.drain()
    assert (await trio.bs.case(second)).stage is Stage.WITHDRAWN
    assert (await trio.bs.case(first)).stage is Stage.ANSWERED


# --- what may be passed on ---------------------------------------------------------------------


async def test_the_third_region_gets_what_was_named_and_nothing_else(trio: Trio) -> None:
    _, task_id = await trio.asked()
    task = await trio.bs.tasks.task(actor(VERIFIERS), task_id)
    form = task["form"]
    assert isinstance(form, dict)
    assert sorted(form) == ["from_address", "mover"]
    assert sorted(form["mover"]) == ["citizen_id", "name"]
    material = one_of(task["materials"])
    assert material["material_code"] == "01"
    commitment = bytes.fromhex(material["commitment"])
    download = await trio.bs.tasks.material(actor(VERIFIERS), task_id, commitment)
    content = b"".join([chunk async for chunk in download.chunks])
    assert content == sample_files(("01",))["01"]


async def test_what_was_passed_on_is_the_very_file_that_the_applicants_side_signed(
    trio: Trio,
) -> None:
    case_id, task_id = await trio.asked()
    ours = (await trio.zjg.tasks.task(actor(POLICE), case_id))["materials"]
    theirs = (await trio.bs.tasks.task(actor(VERIFIERS), task_id))["materials"]
    assert one_of(ours)["commitment"] == one_of(theirs)["commitment"]


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (replace(ASK, form_fields=("/spouse/name",)), FaultCode.AGREEMENT_ONWARD_UNLISTED),
        (replace(ASK, form_fields=("/mover",)), FaultCode.AGREEMENT_ONWARD_UNLISTED),
        (replace(ASK, form_fields=("/mover/phone",)), FaultCode.AGREEMENT_ONWARD_UNLISTED),
        (replace(ASK, materials=("02",)), FaultCode.AGREEMENT_ONWARD_UNLISTED),
        (replace(ASK, form_fields=("/accompanying/0",)), FaultCode.SCHEMA_FORM_INVALID),
        (replace(ASK, form_fields=("/accompanying", "/accompanying")), "twice"),
        (replace(ASK, region=GatewayId("620900")), FaultCode.AGREEMENT_DIRECTION),
        (replace(ASK, region=GatewayId("620200")), FaultCode.AGREEMENT_UNKNOWN),
        (replace(ASK, region=GatewayId("320582")), FaultCode.AGREEMENT_UNKNOWN),
        (replace(ASK, due_on="2026-05-31"), FaultCode.PORTAL_REQUEST_INVALID),
        (replace(ASK, asked_zh=""), FaultCode.SCHEMA_FORM_INVALID),
    ],
)
async def test_what_the_agreements_do_not_allow_is_never_asked(
    trio: Trio, wish: JointAsk, code: FaultCode | str
) -> None:
    case_id = await trio.accepted()
    wanted = FaultCode.SCHEMA_FORM_INVALID if code == "twice" else code
    assert await code_of(trio.ask(case_id, wish)) is wanted
    assert await trio.joint(case_id) == []
    assert await trio.zjg.outbox() == []


async def test_of_a_supplemented_application_the_latest_form_and_file_go_on(trio: Trio) -> None:
    case_id = await trio.open_move()
    await trio.drain()
    await trio.act(case_id, Kind.ACKNOWLEDGED, {})
    wanted = {"notice": {"zh": "请补正（示例）"}, "materials": [{"code": "01", "reason": "缺签名"}]}
    await trio.act(case_id, Kind.MATERIALS_REQUESTED, wanted)
    await trio.drain()
    content, form = sample_files(("02",))["02"] + b"%signed", move_form()
    form["from_address"] = "上海市宝山区示例路 9 号（示例）"
    window, desk = actor(WINDOW), trio.jq.desk
    files = (declared("01", content),)
    await desk.supplement(window, case_id, as_json(form), files, None)
    typed = "application/pdf"
    await desk.add_material(window, case_id, "01", typed, len(content), chunks(content))
    await trio.drain()
    await trio.act(case_id, Kind.ACCEPTED, {"accepted_on": "2026-06-01"})
    task_id = await trio.ask(case_id)
    await trio.drain()
    task = await trio.bs.tasks.task(actor(VERIFIERS), task_id)
    assert isinstance(task["form"], dict)
    assert task["form"]["from_address"] == form["from_address"]
    commitment = bytes.fromhex(one_of(task["materials"])["commitment"])
    download = await trio.bs.tasks.material(actor(VERIFIERS), task_id, commitment)
    assert b"".join([chunk async for chunk in download.chunks]) == content


async def test_an_agreement_revoked_for_open_cases_too_lets_nothing_more_be_asked(
    trio: Trio,
) -> None:
    case_id = await trio.accepted()
    book, jiuquan = trio.zjg.directory.current(), trio.jq.id
    act = Act(jiuquan, Verdict.REVOKE, trio.clock.now_ms(), open_cases=OpenCases.STOP)
    revoked = {
        address: replace(a, acts=(*a.acts, act)) if jiuquan in a.parties else a
        for address, a in book.agreements.items()
    }
    trio.zjg.directory.replace(replace(book, agreements=revoked))
    for wish in (ASK, BARE):
        assert await code_of(trio.ask(case_id, wish)) is FaultCode.AGREEMENT_REVOKED


async def test_without_a_word_of_the_agreement_nothing_of_the_application_goes_on(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    applied = b"\n".join(
        line.replace(b"onward_sharing = true", b"onward_sharing = false")
        for line in APPLIED.split(b"\n")
        if not line.startswith(b"onward = ")
    )
    async with trio_of(provision(tmp_path_factory.mktemp("mute"), applied)) as trio:
        case_id = await trio.accepted()
        for wish in (ASK, replace(BARE, materials=("01",)), replace(BARE, form_fields=("/mover",))):
            code = await code_of(trio.ask(case_id, wish))
            assert code is FaultCode.AGREEMENT_ONWARD_REFUSED
        await trio.ask(case_id, BARE)  # a question that tells nothing needs no permission
        await trio.drain()


async def test_a_region_that_no_grant_names_is_not_asked(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    tasked = TASKED.replace(b'participating = ["310113"]\n', b"")
    async with trio_of(provision(tmp_path_factory.mktemp("unnamed"), tasked=tasked)) as trio:
        case_id = await trio.accepted()
        assert await code_of(trio.ask(case_id, BARE)) is FaultCode.AGREEMENT_DIRECTION


async def test_a_task_that_the_other_gateway_refuses_does_not_stand(trio: Trio) -> None:
    case_id = await trio.accepted()
    book = trio.bs.directory.current()
    revoked = {
        address: replace(a, acts=(*a.acts, Act(trio.bs.id, Verdict.REVOKE, trio.clock.now_ms())))
        for address, a in book.agreements.items()
    }
    trio.bs.directory.replace(replace(book, agreements=revoked))
    await trio.ask(case_id, BARE)
    await trio.drain()
    (seen,) = await trio.joint(case_id)
    assert (seen["state"], seen["attention"]) == ("not_taken", "agreement.revoked")
    assert await code_of(trio.decide(case_id)) is FaultCode.CASE_JOINT_UNASKED
    await trio.decide(case_id, REFUSED)


# --- who may ---------------------------------------------------------------------------------


async def test_other_units_neither_see_nor_touch_a_joint_task(trio: Trio) -> None:
    case_id, task_id = await trio.asked()
    stranger = actor("11620900MB0000000X")
    joint, tasks = trio.zjg.joint, trio.bs.tasks
    for made in (
        joint.tasks(stranger, case_id),
        joint.ask(stranger, case_id, BARE, None),
        joint.withdraw(stranger, case_id, task_id, "x", None),
        joint.withdraw(actor(POLICE), case_id, case_id, "x", None),
        joint.tasks(actor(POLICE), task_id),
        tasks.task(stranger, task_id),
        trio.zjg.desk.withdraw(actor(POLICE), task_id, "x", None),
    ):
        assert await code_of(made) is FaultCode.PORTAL_NOT_FOUND


@pytest.mark.parametrize("kind", [Kind.DECIDED, Kind.ACCEPTED, Kind.ACKNOWLEDGED, Kind.ARCHIVED])
async def test_a_participating_place_neither_decides_nor_accepts(trio: Trio, kind: Kind) -> None:
    _, task_id = await trio.asked()
    act = TaskAct(kind, as_json(FORMS[kind]))
    made = trio.bs.tasks.act(actor(VERIFIERS), task_id, act, None, None)
    assert await code_of(made) in (FaultCode.CASE_STAGE, FaultCode.CASE_ROLE)


async def test_a_case_that_is_not_accepted_or_is_over_is_not_asked_about(trio: Trio) -> None:
    case_id = await trio.open_move()
    await trio.drain()
    assert await code_of(trio.ask(case_id)) is FaultCode.CASE_STAGE
    await trio.withdraw(case_id)
    await trio.drain()
    assert await code_of(trio.ask(case_id)) is FaultCode.CASE_STAGE


async def test_asking_twice_under_one_key_asks_once(trio: Trio) -> None:
    case_id = await trio.accepted()
    first = await trio.ask(case_id, ASK, "key")
    assert await trio.ask(case_id, ASK, "key") == first
    assert len(await trio.joint(case_id)) == 1
    code = await code_of(trio.ask(case_id, BARE, "key"))
    assert code is FaultCode.PORTAL_IDEMPOTENCY_REUSED


# --- what each side sees -----------------------------------------------------------------------


async def test_the_deciding_office_sees_its_case_change_when_an_answer_comes(trio: Trio) -> None:
    case_id, task_id = await trio.asked()
    _, cursor = await trio.zjg.tasks.tasks(actor(POLICE), 0, 0, 10)
    await trio.answer(task_id)
    await trio.drain()
    changed, _ = await trio.zjg.tasks.tasks(actor(POLICE), cursor, 0, 10)
    assert [t["case_id"] for t in changed] == [
        (await trio.zjg.tasks.task(actor(POLICE), case_id))["case_id"]
    ]
    task = await trio.zjg.tasks.task(actor(POLICE), case_id)
    assert [t["state"] for t in task["joint_tasks"]] == ["agreed"]  # type: ignore[attr-defined]


async def test_the_task_names_its_case_by_what_the_applicants_side_signed(trio: Trio) -> None:
    case_id, task_id = await trio.asked()
    parent = (await trio.bs.tasks.task(actor(VERIFIERS), task_id))["parent"]
    assert isinstance(parent, dict)
    origin = await trio.jq.case(case_id)
    assert parent["submission"] == origin.sent.digest.hex()
    assert parent["agreement"] == origin.agreement_digest.hex()
    assert (await trio.zjg.case(task_id)).role is CaseRole.ASKING


async def test_the_due_day_of_an_unpublished_year_is_calendar_missing_and_refuses_nothing(
    trio: Trio,
) -> None:
    case_id = await trio.accepted()
    trio.zjg.calendar.hold(())
    task_id = await trio.ask(case_id)
    await trio.drain()
    for view in await trio.joint(case_id):
        assert view["due_on"] == "calendar_missing"
    assert (await trio.bs.tasks.task(actor(VERIFIERS), task_id))["due_on"] == "calendar_missing"
    trio.clock.advance(300 * DAY_MS)
    assert await code_of(trio.decide(case_id, REFUSED)) is FaultCode.CASE_JOINT_OPEN


async def _history(side: TrioSide, case_id: bytes) -> Sequence[StoredMessage]:
    case = await side.case(case_id)
    return await side.journal.read(lambda s: s.history(case.key))


async def test_operators_see_how_a_case_stands_and_not_what_people_wrote(trio: Trio) -> None:
    case_id, task_id = await trio.asked()
    await trio.answer(task_id, DISAGREE)
    await trio.drain()
    for side, wanted in ((trio.zjg, case_id), (trio.zjg, task_id), (trio.bs, task_id)):
        told = await side.journal.read(partial(_explained, wanted, side.id))
        raw = json.dumps(told, ensure_ascii=False)
        assert "disagree" in raw
        for written in (str(DISAGREE["grounds_zh"]), ASK.asked_zh, "示例路"):
            assert written not in raw


def _explained(raw_id: bytes, home: GatewayId, s: Snapshot) -> object:
    return explain(s, raw_id, home)


async def test_the_matrix_shows_whom_one_may_ask_and_for_whom_one_takes_part(trio: Trio) -> None:
    now_ms = trio.clock.now_ms()
    for side, partner, way in (
        (trio.zjg, trio.bs.id, "请对方协办 →"),
        (trio.bs, trio.zjg.id, "← 本地协办"),
    ):
        book = side.directory.current()
        (task,) = [p for p in permissions(book, now_ms) if p.task]
        assert (task.partner, task.way(side.id)) == (partner, way)
        assert (task.deciding, task.participating) == (trio.zjg.id, trio.bs.id)
    assert not [p for p in permissions(trio.jq.directory.current(), now_ms) if p.task]


async def test_what_was_copied_for_a_task_that_was_not_given_is_swept(
    trio: Trio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.flow.joint.JOINT_TASKS_MAX", 1)
    case_id, task_id = await trio.asked()
    assert await code_of(trio.ask(case_id)) is FaultCode.LIMIT_QUOTA
    vault, given = trio.zjg.vault, (await trio.zjg.case(task_id)).key
    assert len(await vault.cases_of(GatewayId("310113"))) == 2
    trio.clock.advance(MESSAGE_LIFE_MS_MAX + SKEW_MS_MAX + 1)
    await trio.zjg.housekeeping.turn()
    assert list(await vault.cases_of(GatewayId("310113"))) == [given]


async def test_what_is_revoked_while_files_are_copied_is_not_passed_on(
    trio: Trio, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id, side = await trio.accepted(), trio.zjg
    copy = side.joint._pass_on

    async def copy_slowly(main: CaseRecord, task: CaseRecord, files: Sequence[Attachment]) -> None:
        await copy(main, task, files)
        book, now_ms = side.directory.current(), side.clock.now_ms()
        stop = Act(trio.jq.id, Verdict.REVOKE, now_ms, open_cases=OpenCases.STOP)
        agreement = book.agreements[main.agreement_digest]
        revoked = replace(agreement, acts=(*agreement.acts, stop))
        side.directory.replace(
            replace(book, agreements={**book.agreements, agreement.digest: revoked})
        )

    monkeypatch.setattr(side.joint, "_pass_on", copy_slowly)
    assert await code_of(trio.ask(case_id)) is FaultCode.AGREEMENT_REVOKED
    await trio.drain()
    assert await trio.joint(case_id) == []
