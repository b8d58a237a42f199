"""Joint cases (多地联办): tasks to participating places, the barrier, what is passed on. Pure.

A joint task is a case of its own between the deciding gateway and a participating one. These rules
say what the main case may do while its tasks stand as they do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from gateway.kernel.case import CaseRecord, CaseRole, Stage
from gateway.kernel.envelope import Mode
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId

AGREE: Final = "agree"
DISAGREE: Final = "disagree"
SILENT: Final = "silent"
"""No verdict: what a decision says of a task that was not answered by its due day."""
CALENDAR_MISSING: Final = "calendar_missing"
"""What a due day reads that needs a year no one has published yet."""


class TaskState(StrEnum):
    """How a joint task stands, as the deciding side knows it."""

    OPEN = "open"  # asked; a withdrawal that the other side has not confirmed changes nothing
    AGREED = "agreed"  # 同意
    DISAGREED = "disagreed"  # 不同意
    WITHDRAWN = "withdrawn"  # 撤回: it does not stand
    NOT_TAKEN = "not_taken"  # 退件: the participating gateway refused it; it does not stand


class Standing(NamedTuple):
    """A joint task in the eyes of its main case."""

    region: GatewayId
    state: TaskState
    due_on: str
    """The last day for the answer, as `2021-05-27`; empty if its year is not published."""
    answer: str = ""
    """Header digest of the answer, in hex."""


def state_of(task: CaseRecord) -> TaskState:
    """Return how a joint task stands from the record of its case.

    Raises:
        Fault: `gateway.internal`; the record is of another kind of case.
    """
    if task.role is CaseRole.ASKING or task.role is CaseRole.PARTICIPATING:
        if task.stage is Stage.ASKED:
            return TaskState.OPEN
        if task.stage is Stage.ANSWERED:
            return TaskState.AGREED if task.result == AGREE else TaskState.DISAGREED
        if task.stage is Stage.WITHDRAWN:
            return TaskState.WITHDRAWN
        if task.stage is Stage.REFUSED_AT_INTAKE:
            return TaskState.NOT_TAKEN
    raise Fault(FaultCode.INTERNAL, f"no joint task: {task.role.value} {task.stage.value}")


def require_askable(mode: Mode, stage: Stage) -> None:
    """Check that a case may be asked about in other regions: a joint one, accepted, undecided.

    Raises:
        Fault: `agreement.mode_unlisted`, `case.stage`.
    """
    if mode is not Mode.JOINT:
        raise Fault(FaultCode.AGREEMENT_MODE_UNLISTED, f"the case is {mode.name.lower()}")
    if stage not in (Stage.ACCEPTED, Stage.SUSPENDED):
        raise Fault(FaultCode.CASE_STAGE, f"joint_task in {stage.value}")


def require_decidable(result: str, tasks: Sequence[Standing], today: str) -> None:
    """Check the barrier: what may be decided while the tasks of a joint case stand as they do.

    `result` is `approved` or `refused`, `today` the civil date. Approval needs every task that
    stands to be agreed to, and one at least. Refusal must wait for answers that may still come in
    time, unless one place disagrees or is late already. Silence never counts as consent.

    Raises:
        Fault: `case.joint_unasked`, `case.joint_open`, `case.joint_disagreed`.
    """
    open_ = [t for t in tasks if t.state is TaskState.OPEN]
    against = [t for t in tasks if t.state is TaskState.DISAGREED]
    if result == "approved":
        if against:
            raise Fault(FaultCode.CASE_JOINT_DISAGREED, _regions(against))
        if open_:
            raise Fault(FaultCode.CASE_JOINT_OPEN, _regions(open_))
        if not any(t.state is TaskState.AGREED for t in tasks):
            raise Fault(FaultCode.CASE_JOINT_UNASKED)
    elif open_ and not against and not any(is_late(t, today) for t in open_):
        raise Fault(FaultCode.CASE_JOINT_OPEN, _regions(open_))


def is_late(task: Standing, today: str) -> bool:
    """Tell whether a task is open past its due day. A day of no known year never comes."""
    return task.state is TaskState.OPEN and bool(task.due_on) and today > task.due_on


def answers_named(tasks: Sequence[Standing], today: str) -> list[dict[str, str]]:
    """Return what a decision says of the answers it rests on, and of those that never came."""
    verdicts = {TaskState.AGREED: AGREE, TaskState.DISAGREED: DISAGREE}
    said = [
        {"region": str(t.region), "verdict": verdicts[t.state], "answer": t.answer}
        for t in tasks
        if t.state in verdicts
    ]
    silent = [
        {"region": str(t.region), "verdict": SILENT, "due_on": t.due_on}
        for t in tasks
        if is_late(t, today)
    ]
    return said + silent


def require_answers_named(mode: Mode, document: object) -> None:
    """Check that a decision names the answers it rests on, in a joint case and nowhere else.

    `document` is a valid body of a decision. That the answers are what it says is *not* checked:
    they were signed to the deciding side.

    Raises:
        Fault: `case.joint_unnamed`.
    """
    said: Mapping[str, Any] = document if isinstance(document, dict) else {}
    named = said.get("joint")
    if mode is not Mode.JOINT:
        if named is not None:
            raise Fault(FaultCode.CASE_JOINT_UNNAMED, "the case is not joint")
        return
    if said.get("result") != "approved":
        return
    if not named:
        raise Fault(FaultCode.CASE_JOINT_UNNAMED, "/joint")
    against = [a["region"] for a in named if a["verdict"] != AGREE]
    if against:
        raise Fault(FaultCode.CASE_JOINT_UNNAMED, "approved, though " + ",".join(against))


def part_of(form: object, pointers: Iterable[str]) -> dict[str, object]:
    """Return the part of a form that `pointers` (RFC 6901, object members only) lead to.

    Raises:
        Fault: `schema.form_invalid` naming a pointer that leads nowhere.
    """
    part: dict[str, object] = {}
    for pointer in pointers:
        names = pointer.split("/")[1:]
        found = form
        for name in names:
            if not isinstance(found, dict) or name not in found:
                wrong = (pointer, "is not in the form")
                raise Fault(FaultCode.SCHEMA_FORM_INVALID, " ".join(wrong), errors=(wrong,))
            found = found[name]
        place = part
        for name in names[:-1]:
            inner = place.setdefault(name, {})
            assert isinstance(inner, dict)
            place = inner
        place[names[-1]] = found
    return part


def require_apart(pointers: Sequence[str]) -> None:
    """Check that no pointer stands twice or lies within another.

    Raises:
        Fault: `schema.form_invalid`.
    """
    for at, one in enumerate(sorted(pointers)[1:]):
        before = sorted(pointers)[at]
        if one == before or any(one.startswith(p + "/") for p in pointers):
            wrong = ("/form_fields", f"{one} stands twice or lies within another")
            raise Fault(FaultCode.SCHEMA_FORM_INVALID, " ".join(wrong), errors=(wrong,))


def require_only(form: object, pointers: Sequence[str]) -> None:
    """Check that the form in a joint task holds exactly what its `form_fields` name.

    Raises:
        Fault: `schema.form_invalid`.
    """
    require_apart(pointers)
    if part_of(form, pointers) != form:
        wrong = ("/form", "holds more than form_fields name")
        raise Fault(FaultCode.SCHEMA_FORM_INVALID, " ".join(wrong), errors=(wrong,))


def _regions(tasks: Iterable[Standing]) -> str:
    return ",".join(sorted({str(t.region) for t in tasks}))
