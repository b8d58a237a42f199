"""What the origin says without files: under delegated rights, and after the result (归档, 评价)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from gateway.flow.committer import Group
from gateway.flow.decisions import require_decision_named, standing_decision, with_decision
from gateway.flow.desk import Actor
from gateway.flow.outbound import expected_stage
from gateway.flow.reviews import reviews_said
from gateway.kernel.case import CaseRecord, CaseRole
from gateway.kernel.envelope import Body, Kind, Outcome
from gateway.kernel.instants import china_day, to_iso
from gateway.ports.directory import Book
from gateway.ports.journal import Direction, StoredMessage
from gateway.rules.catalogue import find_item
from gateway.rules.review import require_review
from gateway.rules.schema.strict_json import parse
from gateway.wire.envelopes import decode_envelope
from gateway.wire.headers import decode_body


def applicant_stated(actor: Actor, stated: bytes, now_ms: int) -> dict[str, object]:
    """Return what a submission says of its applicant, completed by who says it and when.

    How the identity was verified is never filled in: that nobody said.

    Raises:
        Fault: those of `strict_json.parse`.
    """
    said = parse(stated)
    document: dict[str, object] = dict(said) if isinstance(said, dict) else {}
    identity = document.get("identity")
    if isinstance(identity, dict):
        here = {"verified_by": actor.unit, "staff": actor.subject, "verified_at": to_iso(now_ms)}
        document["identity"] = {**here, **identity}
    return document


def origin_body(
    group: Group, book: Book, case: CaseRecord, kind: Kind, given: dict[str, object]
) -> Body:
    """Return the body of a message of the origin's own: what was given, and what the case knows.

    Raises:
        Fault: `case.decision_differs`, `catalogue.item_unknown`.
    """
    document = dict(given)
    if kind is Kind.REVIEWED:
        require_review(CaseRole.ORIGIN, document, reviews_said(group, case))
        document["service"] = _service(group, book, case, str(document.pop("service_name", "")))
    if kind in (Kind.DELIVERED, Kind.ARCHIVED, Kind.REVIEWED):
        document = with_decision(group, case, document)
    require_decision_named(group, case, CaseRole.ORIGIN, kind, document)
    return Body(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


def _service(group: Group, book: Book, case: CaseRecord, name: str) -> dict[str, object]:
    """Say which service is reviewed, in the review platform's field names.

    Codes of `proStatus` differ between platforms: ours is the name of the stage.
    """
    history = group.tx.history(case.key)
    item = find_item(book.catalogue, case.counterpart, case.item_code)
    waiting = (*((case.outstanding.kind,) if case.outstanding else ()), *case.waiting)
    sealed = sum(
        m.kind is Kind.REVIEWED and m.direction is Direction.OUT and m.outcome is Outcome.TAKEN_IN
        for m in history
    )
    service: dict[str, object] = {
        "taskCode": item.implementation_code,
        "taskName": item.name_zh,
        "projectNo": case.handling_number or case.applicant_number,
        "proStatus": expected_stage(case).value,
        "orgcode": item.unit,
        "serviceName": name or "办结送达",
        "serviceNumber": 1 + sealed + sum(kind is Kind.REVIEWED for kind in waiting),
        "areaCode": case.counterpart,
    }
    if (accepted := _latest(history, Kind.ACCEPTED)) is not None:
        body = json.loads(decode_body(decode_envelope(accepted.envelope).body_bytes).form)
        service["acceptDate"] = body["accepted_on"]
    if (decided := standing_decision(case, history)) is not None:
        service["resultDate"] = china_day(decided.recorded_at_ms)
    if (delivered := _latest(history, Kind.DELIVERED)) is not None:
        service["serviceTime"] = to_iso(delivered.recorded_at_ms)
    return service


def _latest(history: Sequence[StoredMessage], kind: Kind) -> StoredMessage | None:
    found = [
        m for m in history if m.kind is kind and m.outcome not in (Outcome.REFUSED, Outcome.VOID)
    ]
    return found[-1] if found else None
