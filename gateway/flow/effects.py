"""What a conformant message does to a case, if it may. Runs inside the commit group."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Final, cast

from gateway.flow.accords import Notice, record
from gateway.flow.announced import keep as keep_announced
from gateway.flow.committer import Group
from gateway.flow.decisions import require_decision_named
from gateway.flow.joint_cases import (
    follow_through,
    opened_task,
    require_new_task_allowed,
    require_task,
    task_code,
)
from gateway.flow.list_hearing import Heard, keep_part
from gateway.flow.outbound import advance, counted
from gateway.flow.reviews import reviews_said
from gateway.kernel.announced import AnnouncedKey
from gateway.kernel.case import OPENING, CaseRecord, CaseRole, Chain, Stage
from gateway.kernel.envelope import CASELESS, Body, Header, Kind, Right
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.instants import china_date, china_day
from gateway.kernel.stages import Authorised, Conformant
from gateway.ports.directory import Book
from gateway.ports.journal import Direction
from gateway.rules import agreement as agreements
from gateway.rules import catalogue
from gateway.rules.agreement import Agreement, Exchange
from gateway.rules.applicant import require_identified
from gateway.rules.casework import require_role, step
from gateway.rules.delivery import require_next
from gateway.rules.instant import require_inputs
from gateway.rules.joint import require_answers_named
from gateway.rules.review import require_review
from gateway.rules.schema import require_holders, require_licence

_HOUR_MS: Final = 3_600_000


def agreement_of(book: Book, header_digest: bytes) -> Agreement:
    """Return the agreement a header names.

    Raises:
        Fault: `agreement.unknown`, which may pass once both sides hold the same files.
    """
    found = book.agreements.get(header_digest)
    if found is None:
        raise Fault(FaultCode.AGREEMENT_UNKNOWN, header_digest.hex()[:16])
    return found


def require_new_case_allowed(book: Book, header: Header, at_ms: int) -> catalogue.ItemVersion:
    """Check a submission, or a joint task, against agreement and catalogue as of `at_ms`.

    No case is looked up.

    Raises:
        Fault: the first rule of `agreement.*`, `catalogue.*` or `case.not_party` that is broken.
    """
    if header.case_origin != header.sender:
        raise Fault(FaultCode.CASE_NOT_PARTY)
    if header.kind is Kind.JOINT_TASK:
        agreement = agreement_of(book, header.agreement_digest)
        return require_new_task_allowed(agreement, book, header, at_ms)
    require_role(CaseRole.ORIGIN, header.kind, header.delegated_right)
    agreement = agreement_of(book, header.agreement_digest)
    agreements.require_party(agreement, header.sender, header.recipient)
    agreements.require_in_force(agreement, at_ms)
    agreements.require_permitted(agreement, _wish(header, header.sender, header.recipient))
    agreements.require_proof(agreement, header.strength, header.required_suites)
    item = catalogue.find_item(book.catalogue, header.recipient, header.item_code)
    catalogue.require_in_scope(item, header.sender)
    assert header.mode is not None
    catalogue.require_mode(item, header.mode)
    version = catalogue.version_of(item, header.item_version)
    catalogue.require_current(version, at_ms)
    return version


def _wish(
    header: Header, origin: GatewayId, deciding: GatewayId, licence_type: str = ""
) -> Exchange:
    assert header.mode is not None
    return Exchange(
        origin,
        deciding,
        header.item_code,
        header.item_version,
        header.mode,
        header.purpose,
        header.delegated_right,
        licence_type,
    )


def authorise(
    group: Group,
    book: Book,
    message: Conformant,
    notice: Notice | Heard | AnnouncedKey | None = None,
) -> Authorised:
    """Judge a message against its case, or a notice against its agreement or list.

    Returns the case after it.

    Raises:
        Fault: the rule that is broken; `delivery.chain_gap` may pass.
    """
    received = message.authenticated.received
    header = received.header
    if header.kind in CASELESS:
        if isinstance(notice, Heard):
            keep_part(group, notice, header.message_id)
        elif isinstance(notice, AnnouncedKey):
            keep_announced(group, notice)
        elif notice is not None:
            record(group, notice, header.sender, header.sender)
        elif header.kind is not Kind.PING:
            raise Fault(FaultCode.CASE_KIND_NOT_SERVED, header.kind.name.lower())
        return Authorised(message, None)
    case = group.case(header.case_key)
    if case is None:
        if header.kind not in OPENING:
            if header.sequence > 1:
                raise Fault(FaultCode.DELIVERY_CHAIN_GAP, expected_sequence=1)
            raise Fault(FaultCode.CASE_UNKNOWN)
        if header.sequence != 1:
            raise Fault(FaultCode.DELIVERY_CHAIN_GAP, expected_sequence=1)
        # The first of its case: nothing of ours waits yet.
        if header.kind is Kind.JOINT_TASK:
            require_task(book, message)
            number = case_number(group, task_code(book, header), received.received_at_ms)
            return Authorised(message, opened_task(book, message, number))
        return Authorised(message, _open(group, book, message))
    before, case = case, _follow(group, book, message, case)
    # Nothing below raises: from here on the group holds writes of this message.
    case = case._replace(received=Chain(header.sequence, received.header_digest))
    if header.kind is Kind.DECIDED:
        group.decisions[case.key] = received.header_digest
    case = advance(group, case)
    follow_through(group, book, before, case)
    return Authorised(message, case)


def _open(group: Group, book: Book, message: Conformant) -> CaseRecord:
    """Open the deciding side's record of a new case, frozen under agreement and version.

    `require_new_case_allowed` was asked with the same book and instant on the way in.
    """
    received = message.authenticated.received
    header, at_ms = received.header, received.received_at_ms
    item = catalogue.find_item(book.catalogue, header.recipient, header.item_code)
    version = catalogue.version_of(item, header.item_version)
    assert header.mode is not None
    document = cast("dict[str, object]", message.document)
    form = document["form"]
    catalogue.require_materials(version, message.body.attachments, form)
    _require_reliance(book, header, version, form)
    codes = {a.material_code for a in message.body.attachments}
    require_identified(header.mode, document, codes, china_day(at_ms))
    return CaseRecord(
        key=header.case_key,
        role=CaseRole.DECIDING,
        counterpart=header.sender,
        unit=item.unit,
        stage=step(Stage.RECEIVING, header.kind),
        item_code=header.item_code,
        item_version=header.item_version,
        mode=header.mode,
        agreement_digest=header.agreement_digest,
        purpose=header.purpose,
        opened_at_ms=at_ms,
        changed_at_ms=at_ms,
        received=Chain(header.sequence, received.header_digest),
        applicant_number=str(document.get("applicant_number", "")),
        handling_number=case_number(group, item.implementation_code, at_ms),
        form=message.body.form,
    )


def _require_reliance(
    book: Book, header: Header, version: catalogue.ItemVersion, form: object
) -> None:
    """Check that the agreement lets each e-licence that stands for a material be relied on.

    Only the origin sends forms, so the sender is where the application was taken.
    """
    for licence_type in catalogue.licences_named(version, form).values():
        agreement = agreement_of(book, header.agreement_digest)
        wish = _wish(header, header.sender, header.recipient, licence_type)
        agreements.require_permitted(agreement, wish)


def rehearse(group: Group, book: Book, message: Conformant, case: CaseRecord) -> None:
    """Judge a later message of a case as `authorise` would, and change nothing.

    Raises:
        Fault: the rule that it would break.
    """
    _follow(group, book, message, case)


@lru_cache(maxsize=32)
def _date_of_hour(hour: int) -> str:
    """Write the date of an hour since 1970: China's offset is whole hours, so days are too."""
    return china_date(hour * _HOUR_MS)


def case_number(group: Group, implementation_code: str, at_ms: int) -> str:
    """Return the next case number (办件编号): 31-character code, date, four-digit serial."""
    date = _date_of_hour(at_ms // _HOUR_MS)
    serial = group.next_serial(f"{implementation_code}{date}")
    return f"{implementation_code}{date}{serial:04d}"


def _follow(group: Group, book: Book, message: Conformant, case: CaseRecord) -> CaseRecord:
    """Judge a later message of a known case under what the case froze."""
    header = message.authenticated.received.header
    if header.sender != case.counterpart:
        raise Fault(FaultCode.CASE_NOT_PARTY)
    sender = case.role.counterpart
    require_role(sender, header.kind, header.delegated_right)
    _require_frozen(header, case)
    _require_delegated(book, message, case)
    require_next(header, case.received)
    told = case.outstanding
    if told is not None and header.last_seen_digest == told.header_digest:
        # The sender has seen what we said: it counts, whether or not the receipt is here yet.
        case = counted(case)
    elif header.last_seen_digest not in (case.sent.digest, b"") and not group.tx.knows_header(
        case.key, Direction.OUT, header.last_seen_digest
    ):
        raise Fault(FaultCode.DELIVERY_LAST_SEEN_UNKNOWN)
    stage = step(case.stage, header.kind)
    require_decision_named(group, case, sender, header.kind, message.document)
    if header.kind is Kind.DECIDED:
        require_answers_named(case.mode, message.document)
        require_instant(case, header.staff_capacity, message.document)
    elif header.kind is Kind.ARCHIVED:
        require_archive(book, case, message.document)
    elif header.kind is Kind.REVIEWED:
        said = cast("dict[str, object]", message.document)
        require_review(sender, said, reviews_said(group, case))
    return _with_content(message, case._replace(stage=stage))


def _require_frozen(header: Header, case: CaseRecord) -> None:
    frozen = (case.agreement_digest, case.item_code, case.item_version, case.mode, case.purpose)
    named = (
        header.agreement_digest,
        header.item_code,
        header.item_version,
        header.mode,
        header.purpose,
    )
    if named != frozen:
        raise Fault(FaultCode.CASE_FROZEN_DIFFERS)


def _require_delegated(book: Book, message: Conformant, case: CaseRecord) -> None:
    """Check proof, right and licence type under the frozen agreement; its end does not matter."""
    header = message.authenticated.received.header
    agreement = agreement_of(book, case.agreement_digest)
    agreements.require_open_case_goes_on(agreement, header.kind)
    agreements.require_proof(agreement, header.strength, header.required_suites)
    licence_type = _licence_type(header, message.document)
    if header.delegated_right is not Right.NONE or licence_type:
        ours = header.recipient
        origin, deciding = (
            (header.sender, ours) if case.role is CaseRole.DECIDING else (ours, header.sender)
        )
        agreements.require_permitted(agreement, _wish(header, origin, deciding, licence_type))
    if header.kind in (Kind.DECIDED, Kind.MATERIALS_SUPPLIED):
        region = header.recipient if case.role is CaseRole.DECIDING else header.sender
        item = catalogue.find_item(book.catalogue, region, case.item_code)
        version = catalogue.version_of(item, case.item_version)
        catalogue.require_listed(version, message.body.attachments)
        if header.kind is Kind.DECIDED:
            require_licence(
                message.document, item.licence_type, version.licence_face_schema, book.forms
            )
        elif isinstance(message.document, dict) and "form" in message.document:
            form = message.document["form"]
            book.forms.require(version.form_schema, form, under="/form")
            _require_reliance(book, header, version, form)
    elif message.body.attachments:
        raise Fault(FaultCode.CATALOGUE_MATERIAL_UNKNOWN, header.kind.name.lower())


def require_instant(case: CaseRecord, capacity: str, document: object) -> None:
    """Check that a decision by rule (秒批) names what the case was submitted with.

    Raises:
        Fault: `case.instant_differs`.
    """
    if not isinstance(document, dict) or "instant" not in document:
        return  # a person's: the form is not parsed for it
    submitted = json.loads(case.form) if case.form else {}
    require_inputs(document, capacity, submitted.get("form"))


def require_archive(book: Book, case: CaseRecord, document: object) -> None:
    """Check that an archive's list (归档) names listed material and parties of the case only.

    Raises:
        Fault: `catalogue.material_unknown`, `schema.form_invalid`.
    """
    home = book.home.gateway_id
    region = home if case.role is CaseRole.DECIDING else case.counterpart
    item = catalogue.find_item(book.catalogue, region, case.item_code)
    kept = cast("dict[str, list[dict[str, str]]]", document)["materials"]
    catalogue.require_codes(catalogue.version_of(item, case.item_version), kept)
    require_holders(document, frozenset({home, case.counterpart}))


def _licence_type(header: Header, document: object) -> str:
    if header.kind is not Kind.DECIDED or not isinstance(document, dict):
        return ""
    licence = document.get("licence")
    return str(licence.get("licence_type", "")) if isinstance(licence, dict) else ""


def _with_content(message: Conformant, case: CaseRecord) -> CaseRecord:
    """Keep what later steps and people look for: numbers, result, the closing words."""
    kind = message.authenticated.received.header.kind
    document = message.document if isinstance(message.document, dict) else {}
    body: Body = message.body
    number = document.get("handling_number")
    if not case.role.orders and isinstance(number, str) and number:
        case = case._replace(handling_number=number)
    if kind is Kind.DECIDED:
        case = case._replace(result=str(document["result"]), outcome=body.form)
    elif kind is Kind.JOINT_ANSWER:
        case = case._replace(result=str(document["verdict"]), outcome=body.form)
    elif kind is Kind.NOT_ACCEPTED:
        case = case._replace(outcome=body.form)
    return case
