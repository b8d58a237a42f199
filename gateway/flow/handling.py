"""The deciding side: tasks for its business system (签收, 补正, 受理, 办结)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import cast

from gateway.flow.casefile import CaseWork, own_case, own_message, request_digest
from gateway.flow.committer import Committer, Group
from gateway.flow.decisions import require_decision_named
from gateway.flow.desk import Actor, Download, TaskAct, View
from gateway.flow.instant import verdict_view, why_left
from gateway.flow.joint_cases import follow_through, with_answers
from gateway.flow.joint_views import joint_part
from gateway.flow.outbound import say
from gateway.flow.reviews import reviews_said
from gateway.flow.views import received_files, task_view
from gateway.kernel.case import CaseRecord, CaseRole, Stage
from gateway.kernel.envelope import Body, Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseKey, GatewayId
from gateway.ports.directory import Directory
from gateway.ports.journal import Journal, Snapshot
from gateway.ports.vault import Vault, VaultScope
from gateway.rules.review import require_review
from gateway.rules.schema.strict_json import parse


class ChangeBell:
    """Wakes those who wait for a unit's cases to change."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self.closed = False

    def ring(self, _partners: set[GatewayId], units: set[str]) -> None:
        """Wake everyone who waits for one of `units`."""
        for unit in units:
            for event in self._waiting.get(unit, ()):
                event.set()

    def listen(self, unit: str) -> asyncio.Event:
        """Return an event that the next change of the unit's cases sets; hand it back."""
        event = asyncio.Event()
        if self.closed:
            event.set()
        self._waiting.setdefault(unit, set()).add(event)
        return event

    def leave(self, unit: str, event: asyncio.Event) -> None:
        """Hand an event back."""
        waiting = self._waiting.get(unit, set())
        waiting.discard(event)
        if not waiting:
            self._waiting.pop(unit, None)

    def close(self) -> None:
        """Wake everyone for good: the gateway is stopping."""
        self.closed = True
        for events in self._waiting.values():
            for event in events:
                event.set()


class Handling:
    """Implements `TaskDesk` on the journal."""

    def __init__(
        self,
        committer: Committer,
        journal: Journal,
        vault: Vault,
        directory: Directory,
        bell: ChangeBell,
    ) -> None:
        self._committer = committer
        self._journal = journal
        self._vault = vault
        self._directory = directory
        self._bell = bell

    async def tasks(
        self, actor: Actor, after: int, wait_s: float, limit: int
    ) -> tuple[Sequence[View], int]:
        """Return tasks changed after the cursor; wait up to `wait_s` if there are none."""
        event = self._bell.listen(actor.unit)
        try:
            found = await self._tasks(actor.unit, after, limit)
            if not found and wait_s > 0:
                try:
                    async with asyncio.timeout(wait_s):
                        while not found:
                            await event.wait()
                            event.clear()
                            found = await self._tasks(actor.unit, after, limit)
                            if self._bell.closed:
                                break
                except TimeoutError:
                    found = await self._tasks(actor.unit, after, limit)
        finally:
            self._bell.leave(actor.unit, event)
        home = self._directory.current().home.gateway_id
        views = [task_view(case, home, change) for change, case in found]
        return views, max((change for change, _ in found), default=after)

    async def _tasks(self, unit: str, after: int, limit: int) -> Sequence[tuple[int, CaseRecord]]:
        return await self._journal.read(lambda s: s.tasks_of(unit, after=after, limit=limit))

    async def task(self, actor: Actor, task_id: bytes) -> View:
        """Show a task with its form and files, and why no instant rule decided it."""
        book = self._directory.current()

        def query(s: Snapshot) -> dict[str, object]:
            case = self._find(s, actor, task_id)
            history = s.history(case.key)
            view = task_view(case, book.home.gateway_id, 0, history)
            if case.stage is Stage.SUBMITTED:
                files = [a for _, a in received_files(history)]
                view["instant_rules"] = verdict_view(why_left(book, case, view["form"], files))
            return {**view, **joint_part(s, case)}

        return await self._journal.read(query)

    def _find(self, s: Snapshot, actor: Actor, task_id: bytes) -> CaseRecord:
        found = [
            case for case in s.cases_by_id(task_id) if case.unit == actor.unit and case.role.orders
        ]
        if not found:
            raise Fault(FaultCode.PORTAL_NOT_FOUND)
        # Ids are unguessable; who copies one can only come later, and hides nothing but its own.
        return min(found, key=lambda case: case.opened_at_ms)

    async def act(
        self,
        actor: Actor,
        task_id: bytes,
        act: TaskAct,
        revision: int | None,
        idempotency: str | None,
    ) -> View:
        """Say the next message of the case to the applicant's side."""
        book = self._directory.current()
        found = await self._journal.read(lambda s: self._find(s, actor, task_id))
        document = parse(act.form)

        def change(group: Group, current: CaseRecord | None) -> CaseRecord:
            case = own_case(current, actor.unit, found.role)
            if revision is not None and revision != case.revision:
                raise Fault(FaultCode.PORTAL_STALE, f"revision is {case.revision}")
            require_decision_named(group, case, case.role, act.kind, document)
            form = _with_number(act.kind, document, case, act.form)
            if act.kind is Kind.DECIDED and case.role is CaseRole.DECIDING:
                form = _as_json(with_answers(group, case, document), form)
            body = Body(form)
            draft = own_message(book, actor, case, act.kind, body)
            if act.kind is Kind.REVIEWED:
                said = cast("dict[str, object]", document)
                require_review(case.role, said, reviews_said(group, case))
            after = say(group, _with_outcome(case, act.kind, document, body), draft)
            follow_through(group, book, case, after)
            return after

        request = request_digest("act", task_id, act, revision)
        work = CaseWork(book, actor, found.key, change, request, idempotency, found.role)
        await self._committer.submit(work)
        return work.view

    async def material(self, actor: Actor, task_id: bytes, commitment: bytes) -> Download:
        """Open a file that came with the case."""

        def query(s: Snapshot) -> tuple[GatewayId, CaseKey, str, str, int]:
            case = self._find(s, actor, task_id)
            for _, a in received_files(s.history(case.key)):
                if a.commitment == commitment:
                    return case.counterpart, case.key, a.media_type, a.name, a.size
            raise Fault(FaultCode.PORTAL_NOT_FOUND)

        partner, key, media_type, name, size = await self._journal.read(query)
        chunks = self._vault.read(VaultScope(partner, key), commitment)
        return Download(media_type, name, size, chunks)


def _with_number(kind: Kind, document: object, case: CaseRecord, form: bytes) -> bytes:
    """Add our number to the first word we say, unless the business system gave its own."""
    if kind not in (Kind.ACKNOWLEDGED, Kind.JOINT_ANSWER) or not isinstance(document, dict):
        return form
    return json.dumps(
        {"handling_number": case.handling_number, **document}, ensure_ascii=False
    ).encode()


def _with_outcome(case: CaseRecord, kind: Kind, document: object, body: Body) -> CaseRecord:
    if not isinstance(document, dict):
        return case
    number = document.get("handling_number")
    if isinstance(number, str) and number:
        case = case._replace(handling_number=number)
    if kind is Kind.DECIDED:
        return case._replace(result=str(document.get("result", "")), outcome=body.form)
    if kind is Kind.JOINT_ANSWER:
        return case._replace(result=str(document.get("verdict", "")), outcome=body.form)
    if kind is Kind.NOT_ACCEPTED:
        return case._replace(outcome=body.form)
    return case


def _as_json(document: dict[str, object], given: bytes) -> bytes:
    """Write a decision that the gateway added to; one that it did not stays verbatim."""
    if "joint" not in document:
        return given
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
