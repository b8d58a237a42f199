"""Joint tasks (多地联办) inside a commit group: opened, followed, taken back with their case."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from gateway.flow.committer import Group
from gateway.flow.outbound import draft_of, expected_stage, say
from gateway.kernel.case import CaseRecord, CaseRole, Chain, Stage
from gateway.kernel.envelope import Body, Header, Kind, Mode
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.instants import china_day
from gateway.kernel.stages import Conformant
from gateway.ports.directory import Book
from gateway.ports.journal_joint import JointTask
from gateway.rules import agreement as agreements
from gateway.rules import catalogue
from gateway.rules.agreement import Agreement, JointWish
from gateway.rules.casework import require_role, step
from gateway.rules.joint import (
    Standing,
    answers_named,
    require_decidable,
    require_only,
    state_of,
)
from gateway.wire.headers import encode_body

STAFF = "gateway"
"""Who withdraws the tasks of a case that has ended, in the header of each message: nobody did."""
_ENDED = (Stage.WITHDRAWN, Stage.NOT_ACCEPTED, Stage.DECIDED)


def require_new_task_allowed(
    agreement: Agreement, book: Book, header: Header, at_ms: int
) -> catalogue.ItemVersion:
    """Check a joint task at the participating side against agreement and catalogue as of `at_ms`.

    The main case froze its version, so one that is superseded since is fine.

    Raises:
        Fault: the first rule of `agreement.*`, `catalogue.*` or `case.role` that is broken.
    """
    require_role(CaseRole.ASKING, header.kind, header.delegated_right)
    agreements.require_party(agreement, header.sender, header.recipient)
    agreements.require_in_force(agreement, at_ms)
    assert header.mode is not None
    wish = JointWish(
        header.sender,
        header.recipient,
        header.item_code,
        header.item_version,
        header.mode,
        header.purpose,
    )
    agreements.require_task_permitted(agreement, wish)
    agreements.require_proof(agreement, header.strength, header.required_suites)
    item = catalogue.find_item(book.catalogue, header.sender, header.item_code)
    return catalogue.version_of(item, header.item_version)


def task_code(book: Book, header: Header) -> str:
    """Return what the numbers of our joint tasks begin with: our office, the item's level and code.

    Raises:
        Fault: `catalogue.item_unknown`.
    """
    item = catalogue.find_item(book.catalogue, header.sender, header.item_code)
    return book.home.unit + item.implementation_code[18:]


def require_task(book: Book, message: Conformant) -> None:
    """Check what a joint task carries: listed material, and no more of the form than it names.

    That its main case exists, and that the agreement behind it allows passing this on, is the
    asking side's word and is *not* checked.

    Raises:
        Fault: `catalogue.material_unknown` and its like, `schema.form_invalid`,
            `case.not_party` if it names a case of our own asking.
    """
    header = message.authenticated.received.header
    item = catalogue.find_item(book.catalogue, header.sender, header.item_code)
    version = catalogue.version_of(item, header.item_version)
    catalogue.require_listed(version, message.body.attachments)
    document = cast("dict[str, object]", message.document)
    if "form" in document:
        require_only(document["form"], cast("list[str]", document["form_fields"]))
    parent = cast("dict[str, str]", document["parent"])
    if parent["origin"] == header.sender:
        raise Fault(FaultCode.CASE_NOT_PARTY, "/parent/origin")


def opened_task(book: Book, message: Conformant, number: str) -> CaseRecord:
    """Return the participating side's record of a joint task.

    `require_new_task_allowed` and `require_task` were asked with the same book on the way in.
    """
    received = message.authenticated.received
    header, at_ms = received.header, received.received_at_ms
    document = cast("dict[str, dict[str, str]]", message.document)
    ours = book.catalogue.get((book.home.gateway_id, header.item_code))
    assert header.mode is not None
    return CaseRecord(
        key=header.case_key,
        role=CaseRole.PARTICIPATING,
        counterpart=header.sender,
        unit=book.home.unit if ours is None else ours.unit,
        stage=step(Stage.RECEIVING, header.kind),
        item_code=header.item_code,
        item_version=header.item_version,
        mode=header.mode,
        agreement_digest=header.agreement_digest,
        purpose=header.purpose,
        opened_at_ms=at_ms,
        changed_at_ms=at_ms,
        received=Chain(header.sequence, received.header_digest),
        applicant_number=document["parent"].get("handling_number", ""),
        handling_number=number,
        form=message.body.form,
    )


def tasks_of(group: Group, case: CaseRecord) -> list[tuple[JointTask, CaseRecord]]:
    """Return the joint tasks of a main case as this group has left them, in order of asking."""
    found = []
    for task in group.joint_tasks(case.key):
        record = group.case(task.key)
        assert record is not None, "task and case are written in one transaction"
        found.append((task, record))
    return found


def standings(tasks: Sequence[tuple[JointTask, CaseRecord]]) -> list[Standing]:
    """Return how joint tasks stand, in order of asking."""
    return [
        Standing(task.participant, state_of(record), task.due_on, _answer(record))
        for task, record in tasks
    ]


def _answer(record: CaseRecord) -> str:
    return record.received.digest.hex() if record.stage is Stage.ANSWERED else ""


def with_answers(group: Group, case: CaseRecord, given: object) -> dict[str, object]:
    """Hold a decision to the barrier of its joint case, and name the answers it rests on.

    A decision of any other case is returned as it is.

    Raises:
        Fault: those of `casework.step`, `case.joint_*`; `schema.form_invalid` if the caller names
            answers itself.
    """
    document: dict[str, object] = given if isinstance(given, dict) else {}
    if case.mode is not Mode.JOINT:
        return document
    step(case.stage, Kind.DECIDED)
    if "joint" in document:
        wrong = ("/joint", "is filled in by the gateway")
        raise Fault(FaultCode.SCHEMA_FORM_INVALID, " ".join(wrong), errors=(wrong,))
    today = china_day(group.now_ms)
    stand = standings(tasks_of(group, case))
    require_decidable(str(document.get("result", "")), stand, today)
    named = answers_named(stand, today)
    return {**document, "joint": named} if named else document


def follow_through(group: Group, book: Book, before: CaseRecord, after: CaseRecord) -> None:
    """Stage what a change of one case means for others. Never raises.

    A main case changes with its tasks; one that has ended takes its open tasks back.
    """
    if after.role is CaseRole.ASKING:
        touch_parent(group, before, after)
    elif after.role is CaseRole.DECIDING and after.mode is Mode.JOINT and after.stage in _ENDED:
        for _, task in tasks_of(group, after):
            if expected_stage(task) is Stage.ASKED:
                group.save(_taken_back(group, book, task))


def touch_parent(group: Group, before: CaseRecord, after: CaseRecord) -> None:
    """Let the main case change with its task, so that its business system looks again."""
    if after.role is not CaseRole.ASKING:
        return
    if (before.stage, before.attention) == (after.stage, after.attention):
        return
    parent = group.joint_parent(after.key)
    case = None if parent is None else group.case(parent)
    if case is not None:
        group.save(case)


def _taken_back(group: Group, book: Book, task: CaseRecord) -> CaseRecord:
    agreement = book.agreements.get(task.agreement_digest)
    words = {"reason_zh": "主办件已结束，协办任务随之撤回"}
    draft = draft_of(
        task,
        book.home.gateway_id,
        Kind.WITHDRAWN,
        encode_body(Body(json.dumps(words, ensure_ascii=False).encode())),
        unit=task.unit,
        subject=STAFF,
        capacity="rule",
        suites=agreement.required_suites if agreement is not None else (),
    )
    return say(group, task, draft)
