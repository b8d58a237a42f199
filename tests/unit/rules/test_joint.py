"""The barrier of a joint case, and what of an application a task may carry."""

from __future__ import annotations

from itertools import product

import pytest

from gateway.kernel.case import CaseRole, Stage
from gateway.kernel.envelope import Kind, Mode
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.rules.casework import can_step, right_needed
from gateway.rules.joint import (
    Standing,
    TaskState,
    answers_named,
    part_of,
    require_answers_named,
    require_askable,
    require_decidable,
    require_only,
)

BAOSHAN, WUXI = GatewayId("310113"), GatewayId("320200")
DUE, IN_TIME, LATE = "2026-06-08", "2026-06-08", "2026-06-09"
FORM = {"mover": {"name": "示例", "phone": "0937-0000000"}, "from_region": "310113", "n": [1]}


def task(state: TaskState, due_on: str = DUE, region: GatewayId = BAOSHAN) -> Standing:
    return Standing(region, state, due_on, "ab" * 32)


def code_of(result: str, tasks: list[Standing], today: str = IN_TIME) -> FaultCode | None:
    try:
        require_decidable(result, tasks, today)
    except Fault as fault:
        return fault.code
    return None


@pytest.mark.parametrize("states", list(product(TaskState, repeat=2)))
def test_nothing_is_approved_unless_all_that_stands_agrees_and_something_does(
    states: tuple[TaskState, TaskState],
) -> None:
    tasks = [task(state) for state in states]
    standing = [s for s in states if s not in (TaskState.WITHDRAWN, TaskState.NOT_TAKEN)]
    agreed = bool(standing) and set(standing) == {TaskState.AGREED}
    assert (code_of("approved", tasks) is None) is agreed
    assert (code_of("approved", tasks, LATE) is None) is agreed  # silence is never consent


@pytest.mark.parametrize(
    ("states", "today", "code"),
    [
        ([], IN_TIME, None),
        ([TaskState.AGREED], IN_TIME, None),
        ([TaskState.OPEN], IN_TIME, FaultCode.CASE_JOINT_OPEN),
        ([TaskState.OPEN], LATE, None),
        ([TaskState.OPEN, TaskState.DISAGREED], IN_TIME, None),
        ([TaskState.OPEN, TaskState.AGREED], IN_TIME, FaultCode.CASE_JOINT_OPEN),
        ([TaskState.WITHDRAWN, TaskState.NOT_TAKEN], IN_TIME, None),
    ],
)
def test_a_refusal_waits_for_answers_that_may_come_in_time(
    states: list[TaskState], today: str, code: FaultCode | None
) -> None:
    assert code_of("refused", [task(s) for s in states], today) is code


def test_a_due_day_of_no_known_year_never_comes() -> None:
    tasks = [task(TaskState.OPEN, "")]
    assert code_of("refused", tasks, "9999-12-31") is FaultCode.CASE_JOINT_OPEN
    assert answers_named(tasks, "9999-12-31") == []


def test_a_decision_names_answers_and_silences_and_nothing_that_was_withdrawn() -> None:
    tasks = [
        task(TaskState.AGREED),
        task(TaskState.WITHDRAWN),
        task(TaskState.OPEN, region=WUXI),
        task(TaskState.DISAGREED, region=WUXI),
    ]
    assert answers_named(tasks, LATE) == [
        {"region": "310113", "verdict": "agree", "answer": "ab" * 32},
        {"region": "320200", "verdict": "disagree", "answer": "ab" * 32},
        {"region": "320200", "verdict": "silent", "due_on": DUE},
    ]
    assert [a["verdict"] for a in answers_named(tasks, IN_TIME)] == ["agree", "disagree"]


@pytest.mark.parametrize(
    ("mode", "document", "wrong"),
    [
        (Mode.JOINT, {"result": "approved"}, True),
        (Mode.JOINT, {"result": "approved", "joint": []}, True),
        (
            Mode.JOINT,
            {"result": "approved", "joint": [{"region": "310113", "verdict": "disagree"}]},
            True,
        ),
        (
            Mode.JOINT,
            {"result": "approved", "joint": [{"region": "310113", "verdict": "silent"}]},
            True,
        ),
        (
            Mode.JOINT,
            {"result": "approved", "joint": [{"region": "310113", "verdict": "agree"}]},
            False,
        ),
        (Mode.JOINT, {"result": "refused"}, False),
        (Mode.ONLINE, {"result": "approved", "joint": []}, True),
        (Mode.ONLINE, {"result": "approved"}, False),
    ],
)
def test_the_place_of_application_holds_a_decision_to_the_answers_it_names(
    mode: Mode, document: object, wrong: bool
) -> None:
    if wrong:
        with pytest.raises(Fault) as raised:
            require_answers_named(mode, document)
        assert raised.value.code is FaultCode.CASE_JOINT_UNNAMED
    else:
        require_answers_named(mode, document)


def test_only_the_part_that_is_named_is_passed_on() -> None:
    assert part_of(FORM, ["/mover/name", "/from_region"]) == {
        "mover": {"name": "示例"},
        "from_region": "310113",
    }
    assert part_of(FORM, []) == {}


@pytest.mark.parametrize("pointer", ["/absent", "/mover/absent", "/from_region/x", "/n/0"])
def test_a_pointer_that_leads_nowhere_is_named(pointer: str) -> None:
    with pytest.raises(Fault) as raised:
        part_of(FORM, [pointer])
    assert raised.value.errors == ((pointer, "is not in the form"),)


@pytest.mark.parametrize(
    ("form", "pointers"),
    [
        ({"mover": {"name": "示例", "phone": "1"}}, ["/mover/name"]),
        ({"mover": {"name": "示例"}, "extra": 1}, ["/mover/name"]),
        ({"mover": {"name": "示例"}}, ["/mover", "/mover/name"]),
        ({}, ["/mover/name"]),
    ],
)
def test_a_task_that_carries_more_or_less_than_it_names_is_refused(
    form: object, pointers: list[str]
) -> None:
    with pytest.raises(Fault) as raised:
        require_only(form, pointers)
    assert raised.value.code is FaultCode.SCHEMA_FORM_INVALID


def test_a_task_that_carries_what_it_names_is_fine() -> None:
    require_only({"mover": {"name": "示例"}}, ["/mover/name"])


@pytest.mark.parametrize("stage", Stage)
def test_only_an_accepted_joint_case_is_asked_about(stage: Stage) -> None:
    fine = stage in (Stage.ACCEPTED, Stage.SUSPENDED)
    if fine:
        require_askable(Mode.JOINT, stage)
    else:
        with pytest.raises(Fault) as raised:
            require_askable(Mode.JOINT, stage)
        assert raised.value.code is FaultCode.CASE_STAGE
    with pytest.raises(Fault) as raised:
        require_askable(Mode.ONLINE, stage)
    assert raised.value.code is FaultCode.AGREEMENT_MODE_UNLISTED


def test_only_the_asking_side_asks_and_only_the_participating_side_answers() -> None:
    asks = [r for r in CaseRole if right_needed(r, Kind.JOINT_TASK) is not None]
    answers = [r for r in CaseRole if right_needed(r, Kind.JOINT_ANSWER) is not None]
    assert (asks, answers) == ([CaseRole.ASKING], [CaseRole.PARTICIPATING])
    said = {k for k in Kind if right_needed(CaseRole.PARTICIPATING, k) is not None}
    assert said == {Kind.JOINT_ANSWER}


def test_a_task_has_no_stage_of_an_application() -> None:
    assert {k for k in Kind if can_step(Stage.ASKED, k)} == {Kind.JOINT_ANSWER, Kind.WITHDRAWN}
    assert not any(can_step(Stage.ANSWERED, k) for k in Kind)


@pytest.mark.parametrize("role", CaseRole)
def test_the_two_sides_of_a_case_are_each_others_counterpart_and_one_orders(
    role: CaseRole,
) -> None:
    assert role.counterpart.counterpart is role
    assert role.orders is not role.counterpart.orders
