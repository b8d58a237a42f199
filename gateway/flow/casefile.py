"""What both desks do with a case: find it for a unit, change it in a commit group, once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import assert_never, cast

from gateway.flow.committer import Group
from gateway.flow.desk import Actor, View
from gateway.flow.effects import agreement_of, require_archive, require_instant
from gateway.flow.outbound import draft_of, expected_stage
from gateway.flow.views import case_view
from gateway.kernel.case import CaseRecord, CaseRole, Stage
from gateway.kernel.envelope import Body, Kind, Right
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseKey, GatewayId, MessageRef
from gateway.ports.directory import Book
from gateway.ports.journal import Remembered
from gateway.rules.agreement import (
    Agreement,
    Exchange,
    JointWish,
    require_open_case_goes_on,
    require_permitted,
    require_task_permitted,
)
from gateway.rules.casework import require_role, step
from gateway.rules.catalogue import find_item, version_of
from gateway.rules.joint import require_answers_named
from gateway.rules.schema import require_body, require_licence
from gateway.rules.schema.strict_json import parse
from gateway.wire.envelopes import Draft
from gateway.wire.headers import encode_body


def request_digest(*parts: object) -> bytes:
    """Return a digest that is equal for equal requests."""
    return hashlib.sha256(repr(parts).encode()).digest()


class CaseWork:
    """A change of a case by its own unit; under an idempotency key it happens once."""

    def __init__(
        self,
        book: Book,
        actor: Actor,
        key: CaseKey | None,
        change: Callable[[Group, CaseRecord | None], CaseRecord],
        request: bytes,
        idempotency: str | None,
        role: CaseRole | None = None,
    ) -> None:
        self._book = book
        self._actor = actor
        self._key = key
        self._change = change
        self._request = request
        self._idempotency = idempotency
        self._role = role
        self.view: View = {}

    def refs(self) -> Iterable[MessageRef]:
        """See `Work`."""
        return ()

    def keys(self) -> Iterable[CaseKey]:
        """See `Work`."""
        return () if self._key is None else (self._key,)

    def step(self, group: Group) -> None:
        """See `Work`.

        Raises:
            Fault: `portal.not_found`, `portal.idempotency_reused`, what the change raises.
        """
        if self._repeated(group):
            return
        case = None
        if self._key is not None:
            case = own_case(group.case(self._key), self._actor.unit, self._role)
        changed = self._change(group, case)
        group.save(changed)
        self.view = case_view(group.cases[changed.key], self._book.home.gateway_id)
        if self._idempotency is not None:
            group.answers.append(
                Remembered(
                    self._actor.unit,
                    self._idempotency,
                    self._request,
                    json.dumps(self.view, ensure_ascii=False).encode(),
                    group.now_ms,
                )
            )

    def _repeated(self, group: Group) -> bool:
        if self._idempotency is None:
            return False
        unit, key = self._actor.unit, self._idempotency
        before = group.tx.remembered(unit, key) or next(
            (a for a in group.answers if (a.unit, a.key) == (unit, key)), None
        )
        given = answer_given(before, self._request)
        if given is None:
            return False
        self.view = given
        return True


def answer_given(before: Remembered | None, request: bytes) -> View | None:
    """Return the answer given to this very request; None if there was none.

    Raises:
        Fault: `portal.idempotency_reused`; the key was used for another request.
    """
    if before is None:
        return None
    if before.request_digest != request:
        raise Fault(FaultCode.PORTAL_IDEMPOTENCY_REUSED)
    view: View = json.loads(before.answer)
    return view


def own_case(case: CaseRecord | None, unit: str, role: CaseRole | None) -> CaseRecord:
    """Return the case if it is this unit's; another's is as if it were not there.

    Raises:
        Fault: `portal.not_found`.
    """
    if case is None or case.unit != unit or (role is not None and case.role is not role):
        raise Fault(FaultCode.PORTAL_NOT_FOUND)
    return case


def own_message(
    book: Book, actor: Actor, case: CaseRecord, kind: Kind, body: Body, right: Right = Right.NONE
) -> Draft:
    """Return a message of ours after judging it by the rules our counterpart will apply.

    Raises:
        Fault: the first rule that it would break.
    """
    stage = expected_stage(case)
    if stage is Stage.WITHDRAWN and kind is not Kind.WITHDRAWN:
        raise Fault(FaultCode.CASE_CLOSED, stage.value)
    step(stage, kind)
    require_role(case.role, kind, right)
    document = parse(body.form)
    item_schema = None
    if kind in (Kind.SUBMITTED, Kind.MATERIALS_SUPPLIED):
        item = find_item(book.catalogue, case.counterpart, case.item_code)
        item_schema = version_of(item, case.item_version).form_schema
    require_body(kind, document, item_schema=item_schema, schemas=book.forms)
    if kind is Kind.DECIDED:
        item = find_item(book.catalogue, book.home.gateway_id, case.item_code)
        face = version_of(item, case.item_version).licence_face_schema
        require_licence(document, item.licence_type, face, book.forms)
        require_answers_named(case.mode, document)
        require_instant(case, actor.capacity, document)
    elif kind is Kind.ARCHIVED:
        require_archive(book, case, document)
    agreement = agreement_of(book, case.agreement_digest)
    require_open_case_goes_on(agreement, kind)
    ours_suites = {key.suite for key in book.home.keys.values()}
    if not ours_suites.issuperset(agreement.required_suites):
        raise Fault(FaultCode.TRUST_SUITE_MISSING, ",".join(agreement.required_suites))
    home = book.home.gateway_id
    licence = cast("dict[str, dict[str, object]]", document).get("licence") or {}
    _require_permitted(agreement, home, case, right, str(licence.get("licence_type", "")))
    return draft_of(
        case,
        home,
        kind,
        encode_body(body),
        unit=actor.unit,
        subject=actor.subject,
        capacity=actor.capacity,
        suites=agreement.required_suites,
        right=right,
    )


def _require_permitted(
    agreement: Agreement, home: GatewayId, case: CaseRecord, right: Right, licence_type: str
) -> None:
    named = (case.item_code, case.item_version, case.mode, case.purpose)
    there = case.counterpart
    match case.role:
        case CaseRole.ORIGIN:
            require_permitted(agreement, Exchange(home, there, *named, right, licence_type))
        case CaseRole.DECIDING:
            require_permitted(agreement, Exchange(there, home, *named, right, licence_type))
        case CaseRole.ASKING:
            require_task_permitted(agreement, JointWish(home, there, *named))
        case CaseRole.PARTICIPATING:
            require_task_permitted(agreement, JointWish(there, home, *named))
        case _ as never:
            assert_never(never)
