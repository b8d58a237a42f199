"""The joint tasks of a main case as its business system sees them: JSON-ready."""

from __future__ import annotations

import json

from gateway.flow.outbound import expected_stage
from gateway.flow.views import STAGE_ZH
from gateway.kernel.case import CaseRecord, CaseRole, Stage
from gateway.kernel.envelope import Mode
from gateway.kernel.identifiers import uuid_text
from gateway.kernel.instants import to_iso
from gateway.ports.journal import Snapshot
from gateway.ports.journal_joint import JointTask
from gateway.rules.joint import CALENDAR_MISSING, state_of

STATE_ZH = {
    "open": "待答复",
    "agreed": "同意",
    "disagreed": "不同意",
    "withdrawn": "已撤回",
    "not_taken": "对方未收",
}


_WRITTEN = ("asked", "grounds", "findings", "certificate")
"""What people wrote: operators do not see it."""


def joint_part(s: Snapshot, case: CaseRecord, *, operator: bool = False) -> dict[str, object]:
    """Return the joint tasks of a case that may have some, for its view; else nothing."""
    if case.role is not CaseRole.DECIDING or case.mode is not Mode.JOINT:
        return {}
    views = joint_task_views(s, case)
    for view in views if operator else ():
        for name in _WRITTEN:
            view.pop(name)
    return {"joint_tasks": views}


def joint_task_views(s: Snapshot, case: CaseRecord) -> list[dict[str, object]]:
    """Show every joint task of a main case, in order of asking."""
    tasks = s.joint_tasks(case.key)
    records = s.cases([task.key for task in tasks])
    return [joint_task_view(task, records[task.key]) for task in tasks]


def joint_task_view(task: JointTask, record: CaseRecord) -> dict[str, object]:
    """Show one: which region, how it stands, by when, its verdict and where the answer is."""
    state = state_of(record)
    answer = json.loads(record.outcome) if record.outcome else {}
    withdrawing = record.stage is Stage.ASKED and expected_stage(record) is Stage.WITHDRAWN
    return {
        "joint_task_id": uuid_text(task.key.case_id),
        "region": task.participant,
        "state": state.value,
        "state_zh": STATE_ZH[state.value],
        "stage": record.stage.value,
        "stage_zh": STAGE_ZH[record.stage],
        "withdrawing": withdrawing,
        "asked_at": to_iso(task.asked_at_ms),
        "due_on": task.due_on or CALENDAR_MISSING,
        "asked": json.loads(record.form)["asked"],
        "passed_on": json.loads(record.form).get("form_fields", []),
        "verdict": record.result or None,
        "answer": record.received.digest.hex() if record.stage is Stage.ANSWERED else None,
        "grounds": answer.get("grounds_zh"),
        "findings": answer.get("findings_zh"),
        "certificate": answer.get("certificate"),
        "handling_number": record.handling_number or None,
        "attention": record.attention or None,
    }
