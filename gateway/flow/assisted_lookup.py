"""What the assisted desk looks up for a unit, and how it judges an answer before it is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

from gateway.flow.answers import answer_header, complete, rehearsed
from gateway.flow.assisted_desk import TypedFile
from gateway.flow.assisted_views import (
    material_views,
    sheet_view,
    typed_content,
    typed_files,
    work_view,
)
from gateway.flow.committer import Group
from gateway.flow.desk import Actor, View
from gateway.flow.effects import rehearse
from gateway.kernel.assisted import OPEN, TypingStatus
from gateway.kernel.case import CaseRecord, CaseRole
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseKey, MessageRef
from gateway.ports.assisted import Typing, WorkItem
from gateway.ports.directory import Book
from gateway.ports.journal import Snapshot, StoredMessage
from gateway.rules.casework import require_role
from gateway.rules.schema import require_body


class Step:
    """A work of one case whose step is a function."""

    def __init__(self, key: CaseKey, step: Callable[[Group], None]) -> None:
        self._key = key
        self._step = step

    def refs(self) -> Iterable[MessageRef]:
        """See `Work`."""
        return ()

    def keys(self) -> Iterable[CaseKey]:
        """See `Work`."""
        return (self._key,)

    def step(self, group: Group) -> None:
        """See `Work`."""
        self._step(group)


def found(s: Snapshot, actor: Actor, work_id: bytes) -> tuple[WorkItem, CaseRecord]:
    """Return a unit's own item with its case.

    Raises:
        Fault: `portal.not_found`.
    """
    item = s.work_item(work_id)
    if item is None or item.unit != actor.unit:
        raise Fault(FaultCode.PORTAL_NOT_FOUND)
    return item, s.cases([item.case_key])[item.case_key]


def shown(s: Snapshot, actor: Actor, work_id: bytes) -> View:
    """Return a unit's own item as it is shown, with the files that go with it."""
    item, case = found(s, actor, work_id)
    view = work_view(item, case, s.typings_of_case(case.key))
    return {**view, "materials": material_views(_message(s, item))}


def file_of(
    s: Snapshot, actor: Actor, work_id: bytes, commitment: bytes
) -> tuple[WorkItem, TypedFile]:
    """Return a unit's own item with a scan that an answer typed for it names.

    Raises:
        Fault: `portal.not_found`.
    """
    item, case = found(s, actor, work_id)
    for typing in s.typings_of_case(case.key):
        for file in typed_files(typing) if typing.work_id == work_id else ():
            if file.commitment == commitment:
                return item, file
    raise Fault(FaultCode.PORTAL_NOT_FOUND)


def with_message(s: Snapshot, actor: Actor, work_id: bytes) -> tuple[WorkItem, StoredMessage]:
    """Return a unit's own item with the message that is carried."""
    item = found(s, actor, work_id)[0]
    return item, _message(s, item)


def _message(s: Snapshot, item: WorkItem) -> StoredMessage:
    return next(m for m in s.history(item.case_key) if m.header_digest == item.header_digest)


def sheet_of(s: Snapshot, book: Book, item: WorkItem) -> View:
    """Return what the printed sheet of an item holds."""
    case = s.cases([item.case_key])[item.case_key]
    return sheet_view(item, case, _message(s, item), book)


def to_confirm(s: Snapshot, actor: Actor, work_id: bytes) -> tuple[WorkItem, CaseRecord, Typing]:
    """Return what waits for a second person, or waits to be taken in, or was confirmed by it last.

    Raises:
        Fault: `portal.not_found`, `assisted.nothing_typed`.
    """
    item, case = found(s, actor, work_id)
    typings = [t for t in s.typings_of_case(case.key) if t.work_id == work_id]
    for typing in typings:
        if typing.status in OPEN:
            return item, case, typing
    last = max(typings, key=lambda t: t.settled_at_ms, default=None)
    taken_in = last is not None and last.status is TypingStatus.TAKEN_IN
    if last is not None and taken_in and last.confirmed_by == actor.subject:
        return item, case, last
    raise Fault(FaultCode.ASSISTED_NOTHING_TYPED)


def says_the_same(held: Typing, typed: Typing) -> bool:
    """Tell whether it was typed before, and not found wrong since."""
    alive = held.status in OPEN or held.status is TypingStatus.TAKEN_IN
    return alive and _said(held) == _said(typed)


def _said(typing: Typing) -> tuple[Mapping[str, object], set[TypedFile]]:
    return typed_content(typing), set(typed_files(typing))


def judge(group: Group, book: Book, case: CaseRecord, typing: Typing) -> None:
    """Judge a typed answer by the rules of the intake: role, body, agreement, stage.

    Raises:
        Fault: the first rule that it would break.
    """
    header = answer_header(book, case, typing)
    require_role(CaseRole.DECIDING, typing.kind, header.delegated_right)
    content = complete(typing.kind, typing.number, typed_content(typing))
    require_body(typing.kind, content, item_schema=None, schemas=book.forms)
    message = rehearsed(header, book.home.gateway_id, as_json(content), content)
    rehearse(group, book, message, case)


def as_json(content: object) -> bytes:
    """Write a body's form.

    Raises:
        Fault: `schema.json_encoding` (a lone surrogate).
    """
    try:
        return json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise Fault(FaultCode.SCHEMA_JSON_ENCODING, "lone surrogate") from error
