"""Instant approval (秒批): a new case that a rule covers is decided in the group that takes it in.

Taking in, acknowledging, accepting and deciding are one transaction: there is no moment at which a
crash could leave a case taken in and forgotten, and none at which it could be decided twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from gateway.flow.casefile import own_message
from gateway.flow.committer import Group
from gateway.flow.desk import Actor, View
from gateway.flow.outbound import say
from gateway.kernel.case import CaseRecord, CaseRole, Stage
from gateway.kernel.envelope import Attachment, Body, Kind
from gateway.kernel.faults import Fault
from gateway.kernel.instants import china_date
from gateway.ports.directory import Book
from gateway.ports.journal import Evidence
from gateway.rules.casework import step
from gateway.rules.catalogue import find_item, missing_codes, version_of
from gateway.rules.instant import (
    CAPACITY,
    Application,
    Instant,
    Issue,
    OutcomeImpossible,
    Reason,
    ToPerson,
    decision_document,
    judge,
)
from gateway.wire.envelopes import Draft


def decide_at_once(
    group: Group, book: Book, case: CaseRecord, document: object, attachments: Iterable[Attachment]
) -> CaseRecord:
    """Return a case that was just opened as a rule decides it, or as it is: for a person.

    `document` is the parsed body of its submission. Nothing is raised, and nothing is staged but
    serials unless everything that is to be said holds by the rules our counterpart will apply.
    """
    if not book.instant or case.role is not CaseRole.DECIDING or case.stage is not Stage.SUBMITTED:
        return case
    form = document.get("form") if isinstance(document, dict) else None
    verdict = judge_case(book, case, form, attachments)
    if isinstance(verdict, ToPerson):
        return case
    try:
        decision = decision_document(verdict, _issue(group, case, verdict), form)
        drafts = _drafts(book, case, verdict, decision)
    except (Fault, OutcomeImpossible):
        return case  # a licence that cannot be made as the rule says is a person's to make
    raw = book.documents[verdict.rules.document][1]
    group.keep_evidence([Evidence(verdict.rules.document, "instant_rule", raw)])
    for draft in drafts:
        case = say(group, case, draft)
    return case._replace(result="approved", outcome=_json(decision))


def judge_case(
    book: Book, case: CaseRecord, form: object, attachments: Iterable[Attachment]
) -> Instant | ToPerson:
    """Judge a case of ours as it was submitted, by the rules of the moment it was taken in."""
    given = frozenset(a.material_code for a in attachments)
    try:
        item = find_item(book.catalogue, book.home.gateway_id, case.item_code)
        complete = not missing_codes(version_of(item, case.item_version), given)
    except Fault:
        return ToPerson(Reason.NO_RULE)  # the item left the list since
    return judge(
        book.instant,
        Application(case.item_code, case.item_version, form, given, complete, case.opened_at_ms),
    )


def why_left(
    book: Book, case: CaseRecord, form: object, attachments: Iterable[Attachment]
) -> ToPerson:
    """Return why a case that no rule decided falls to a person, as the rules are now."""
    verdict = judge_case(book, case, form, attachments)
    if isinstance(verdict, ToPerson):
        return verdict
    return ToPerson(Reason.NOT_APPLIED, f"{verdict.rules.id}@{verdict.rules.version}")


def verdict_view(verdict: Instant | ToPerson) -> View:
    """Show what the rules say; names fields, never their values."""
    if isinstance(verdict, ToPerson):
        return {"decides": False, "reason": verdict.reason.value, "where": verdict.where or None}
    return {
        "decides": True,
        "rule": verdict.rules.id,
        "version": verdict.rules.version,
        "document": verdict.rules.document.hex(),
        "inputs": list(verdict.inputs),
        "inputs_digest": verdict.inputs_digest.hex(),
    }


def _issue(group: Group, case: CaseRecord, verdict: Instant) -> Issue:
    result, today = verdict.rules.result, china_date(group.now_ms)
    return Issue(
        case.unit,
        f"{today[:4]}-{today[4:6]}-{today[6:]}",
        group.next_serial(f"licence:{result.licence_type}:{result.serial_series}{today}"),
        group.next_serial(f"uniscid:{result.codes.prefix}:{result.codes.first}"),
    )


def _drafts(
    book: Book, case: CaseRecord, verdict: Instant, decision: dict[str, object]
) -> list[Draft]:
    """Return what is to be said, judged by our own rules first.

    Raises:
        Fault: the first rule that one of the messages would break.
    """
    rules, licence = verdict.rules, decision["licence"]
    assert isinstance(licence, dict)
    actor = Actor(case.unit, f"{CAPACITY}:{rules.id}@{rules.version}", CAPACITY, frozenset())
    accepted = {"accepted_on": licence["apprdate"], "promised_days": 0}
    bodies = {
        Kind.ACKNOWLEDGED: {"handling_number": case.handling_number},
        Kind.ACCEPTED: accepted,
        Kind.DECIDED: decision,
    }
    drafts = []
    for kind, body in bodies.items():
        drafts.append(own_message(book, actor, case, kind, Body(_json(body))))
        case = case._replace(stage=step(case.stage, kind))
    return drafts


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
