"""Joint tasks (多地联办) as the deciding side's business system gives them and takes them back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple, cast

from gateway.flow.casefile import CaseWork, answer_given, own_message, request_digest
from gateway.flow.committer import Committer, Group
from gateway.flow.desk import Actor, JointAsk, View
from gateway.flow.effects import agreement_of
from gateway.flow.joint_views import joint_task_views
from gateway.flow.outbound import say
from gateway.flow.views import received_files
from gateway.kernel.case import CaseRecord, CaseRole, Stage
from gateway.kernel.envelope import Attachment, Body, Kind, Outcome
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseId, CaseKey, GatewayId, uuid7, uuid_text
from gateway.kernel.limits import JOINT_TASKS_MAX
from gateway.ports.calendar import CalendarSource
from gateway.ports.clock import Clock, Entropy
from gateway.ports.directory import Book, Directory
from gateway.ports.journal import Direction, Journal, Snapshot, StoredMessage
from gateway.ports.journal_joint import JointTask
from gateway.ports.vault import Vault, VaultScope
from gateway.rules.agreement import (
    Agreement,
    Exchange,
    JointWish,
    require_in_force,
    require_onward,
    require_open_case_goes_on,
    require_task_permitted,
)
from gateway.rules.arrivals import ATTESTED
from gateway.rules.catalogue import find_item
from gateway.rules.deadlines import CalendarMissing, china_day, days_between, due_day
from gateway.rules.joint import CALENDAR_MISSING, part_of, require_apart, require_askable
from gateway.wire.envelopes import decode_envelope
from gateway.wire.headers import decode_body

_DAYS_MAX = 366


class _Main(NamedTuple):
    """A main case with what may be passed on of it."""

    case: CaseRecord
    submission: bytes
    """Header digest of what the application came with."""
    form: object
    files: Sequence[Attachment]


class JointTasks:
    """Implements `flow.desk.JointDesk` on the journal."""

    def __init__(
        self,
        committer: Committer,
        journal: Journal,
        vault: Vault,
        directory: Directory,
        calendar: CalendarSource,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._committer = committer
        self._journal = journal
        self._vault = vault
        self._directory = directory
        self._calendar = calendar
        self._clock = clock
        self._entropy = entropy

    async def ask(
        self, actor: Actor, task_id: bytes, wish: JointAsk, idempotency: str | None
    ) -> View:
        """See `JointDesk`."""
        request = request_digest("joint_ask", task_id, wish)
        if idempotency is not None:
            unit, key = actor.unit, idempotency
            before = await self._journal.read(lambda s: s.remembered(unit, key))
            if (given := answer_given(before, request)) is not None:
                return given
        book, now_ms = self._directory.current(), self._clock.now_ms()
        main = await self._journal.read(lambda s: _main(_find(s, actor, task_id), s))
        require_askable(main.case.mode, main.case.stage)
        agreement = _task_agreement(book, main.case, wish.region, now_ms)
        _require_onward(book, main.case, wish)
        files = [a for a in main.files if a.material_code in wish.materials]
        _require_held(wish, files)
        document, due_on = self._document(book, main, wish, now_ms)
        task = _new_task(book, main.case, agreement, wish.region, document, now_ms, self._entropy)
        await self._pass_on(main.case, task, files)
        body = Body(task.form, tuple(files))

        def change(group: Group, case: CaseRecord | None) -> CaseRecord:
            assert case is not None
            require_askable(case.mode, case.stage)
            number = 1 + len(group.joint_tasks(case.key))
            if number > JOINT_TASKS_MAX:
                raise Fault(FaultCode.LIMIT_QUOTA, f"a case has {JOINT_TASKS_MAX} joint tasks")
            # Copying files takes a while: what was revoked meanwhile is not passed on.
            current = self._directory.current()
            _require_onward(current, case, wish)
            require_in_force(agreement_of(current, agreement.digest), group.now_ms)
            draft = own_message(current, actor, task, Kind.JOINT_TASK, body)
            group.joint.append(
                JointTask(case.key, task.key, number, task.counterpart, group.now_ms, due_on)
            )
            group.save(case)
            return say(group, task, draft)

        asked, role = main.case.key, CaseRole.DECIDING
        work = CaseWork(book, actor, asked, change, request, idempotency, role)
        await self._committer.submit(work)
        return work.view

    async def tasks(self, actor: Actor, task_id: bytes) -> Sequence[View]:
        """See `JointDesk`."""
        return await self._journal.read(
            lambda s: joint_task_views(s, _find(s, actor, task_id)),
        )

    async def withdraw(
        self, actor: Actor, task_id: bytes, joint_id: bytes, reason: str, idempotency: str | None
    ) -> View:
        """See `JointDesk`."""
        book = self._directory.current()

        def query(s: Snapshot) -> CaseKey:
            for task in s.joint_tasks(_find(s, actor, task_id).key):
                if task.key.case_id == joint_id:
                    return task.key
            raise Fault(FaultCode.PORTAL_NOT_FOUND)

        key = await self._journal.read(query)
        body = Body(_json({"reason_zh": reason}))

        def change(group: Group, task: CaseRecord | None) -> CaseRecord:
            assert task is not None
            return say(group, task, own_message(book, actor, task, Kind.WITHDRAWN, body))

        request = request_digest("joint_withdraw", task_id, joint_id, reason)
        work = CaseWork(book, actor, key, change, request, idempotency, CaseRole.ASKING)
        await self._committer.submit(work)
        return work.view

    def _document(self, book: Book, main: _Main, wish: JointAsk, now_ms: int) -> tuple[bytes, str]:
        """Return the body of the task, and its last day; empty if its year is not published."""
        due_on, days = self._due(book, main.case, wish, now_ms)
        case = main.case
        parent = {
            "origin": case.key.origin,
            "case_id": uuid_text(case.key.case_id),
            "submission": main.submission.hex(),
            "agreement": case.agreement_digest.hex(),
            "handling_number": case.handling_number,
        }
        asked = {"zh": wish.asked_zh, **({"en": wish.asked_en} if wish.asked_en else {})}
        document: dict[str, object] = {
            "parent": {name: value for name, value in parent.items() if value},
            "asked": asked,
            "due_on": due_on or CALENDAR_MISSING,
            "answer_days": days,
        }
        if wish.form_fields:
            require_apart(wish.form_fields)
            document["form_fields"] = list(wish.form_fields)
            document["form"] = part_of(main.form, wish.form_fields)
        return _json(document), due_on

    def _due(self, book: Book, case: CaseRecord, wish: JointAsk, now_ms: int) -> tuple[str, int]:
        """Return the last day for the answer and how many working days that leaves.

        A year that no one has published refuses nothing: the day is empty then.
        """
        item = find_item(book.catalogue, book.home.gateway_id, case.item_code)
        usual = item.statutory_days if item.joint is None else item.joint.answer_days
        calendar, today = self._calendar.current(), china_day(now_ms)
        if not wish.due_on:
            due = due_day(calendar, today, usual)
            return ("" if isinstance(due, CalendarMissing) else due.isoformat()), usual
        due = _day(wish.due_on)
        if due < today or (due - today).days > _DAYS_MAX:
            raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "due_on has passed or is too far away")
        left = days_between(calendar, today, due)
        return wish.due_on, usual if isinstance(left, CalendarMissing) else left

    async def _pass_on(
        self, main: CaseRecord, task: CaseRecord, files: Sequence[Attachment]
    ) -> None:
        """Copy files to where the task's are sent from.

        Under the salt that the applicant's side signed: whoever holds both messages sees that it
        is the same file.
        """
        there = VaultScope(task.counterpart, task.key)
        for a in files:
            chunks = self._vault.read(VaultScope(main.counterpart, main.key), a.commitment)
            await self._vault.append(there, a.salt, a.commitment, chunks, offset=0, size=a.size)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "due_on is no day") from None


def _find(s: Snapshot, actor: Actor, task_id: bytes) -> CaseRecord:
    """Return the unit's case that it decides.

    Raises:
        Fault: `portal.not_found`.
    """
    found = [
        case
        for case in s.cases_by_id(task_id)
        if case.unit == actor.unit and case.role is CaseRole.DECIDING
    ]
    if not found:
        raise Fault(FaultCode.PORTAL_NOT_FOUND)
    return min(found, key=lambda case: case.opened_at_ms)


def _main(case: CaseRecord, s: Snapshot) -> _Main:
    history = s.history(case.key)
    taken = [m for m in history if m.direction is Direction.IN and m.outcome is Outcome.TAKEN_IN]
    submission = next((m.header_digest for m in taken if m.kind is Kind.SUBMITTED), b"")
    form: object = None
    for message in taken:
        if message.kind in (Kind.SUBMITTED, Kind.MATERIALS_SUPPLIED):
            form = _said(message).get("form", form)
    return _Main(case, submission, form, _latest_files(history))


def _latest_files(history: Sequence[StoredMessage]) -> list[Attachment]:
    """Return the files of an application, of each material those that came last (补正)."""
    by_code: dict[str, tuple[bytes, list[Attachment]]] = {}
    for message, attachment in received_files(history):
        code, came = attachment.material_code, message.header_digest
        if by_code.get(code, (b"", []))[0] != came:
            by_code[code] = came, []
        by_code[code][1].append(attachment)
    return [a for _, files in by_code.values() for a in files]


def _said(message: StoredMessage) -> Mapping[str, object]:
    body = decode_body(decode_envelope(message.envelope).body_bytes)
    return cast("dict[str, object]", json.loads(body.form))


def _task_agreement(book: Book, case: CaseRecord, region: GatewayId, at_ms: int) -> Agreement:
    """Return an agreement in force under which the region may be asked.

    Raises:
        Fault: `agreement.unknown` if there is none; otherwise what the one that came nearest
            refuses. `case.kind_not_served`: a partner without a gateway answers no tasks.
    """
    partner = book.partners.get(region)
    if partner is not None and partner.outlet in ATTESTED:
        raise Fault(FaultCode.CASE_KIND_NOT_SERVED, f"{region} has no gateway")
    named = (case.item_code, case.item_version, case.mode, case.purpose)
    wish = JointWish(book.home.gateway_id, region, *named)
    refusal: Fault | None = None
    outdated: Fault | None = None
    for agreement in book.agreements_with(region):
        try:
            require_in_force(agreement, at_ms)
        except Fault as fault:
            outdated = outdated or fault
            continue
        try:
            require_task_permitted(agreement, wish)
        except Fault as fault:
            refusal = refusal or fault
            continue
        return agreement
    raise refusal or outdated or Fault(FaultCode.AGREEMENT_UNKNOWN, region)


def _require_onward(book: Book, case: CaseRecord, wish: JointAsk) -> None:
    agreement = agreement_of(book, case.agreement_digest)
    require_open_case_goes_on(agreement, Kind.JOINT_TASK)
    named = (case.item_code, case.item_version, case.mode, case.purpose)
    exchange = Exchange(case.counterpart, book.home.gateway_id, *named)
    require_onward(agreement, exchange, wish.region, wish.form_fields, wish.materials)


def _require_held(wish: JointAsk, files: Sequence[Attachment]) -> None:
    """Check that each material to be passed on came with the application as a file.

    Raises:
        Fault: `catalogue.material_missing`.
    """
    missing = set(wish.materials) - {a.material_code for a in files}
    if missing:
        raise Fault(FaultCode.CATALOGUE_MATERIAL_MISSING, ",".join(sorted(missing)))


def _new_task(
    book: Book,
    main: CaseRecord,
    agreement: Agreement,
    region: GatewayId,
    form: bytes,
    now_ms: int,
    entropy: Entropy,
) -> CaseRecord:
    return CaseRecord(
        key=CaseKey(book.home.gateway_id, CaseId(uuid7(now_ms, entropy.token(10)))),
        role=CaseRole.ASKING,
        counterpart=region,
        unit=main.unit,
        stage=Stage.RECEIVING,
        item_code=main.item_code,
        item_version=main.item_version,
        mode=main.mode,
        agreement_digest=agreement.digest,
        purpose=main.purpose,
        opened_at_ms=now_ms,
        changed_at_ms=now_ms,
        applicant_number=main.handling_number,
        form=form,
    )


def _json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
