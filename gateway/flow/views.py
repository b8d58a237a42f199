"""A case as portals, business systems and operators see it: JSON-ready, nothing secret."""

from __future__ import annotations

import json
from collections.abc import Sequence

from gateway.flow.decisions import standing_decision
from gateway.flow.desk import View
from gateway.flow.outbound import expected_stage
from gateway.kernel.case import CLOSED, CaseRecord, CaseRole, Stage
from gateway.kernel.envelope import Attachment, Kind, Outcome, SignedReceipt, Strength
from gateway.kernel.identifiers import uuid_text
from gateway.kernel.instants import to_iso
from gateway.ports.journal import (
    Direction,
    Material,
    OutboxEntry,
    OutboxStatus,
    StoredMessage,
)
from gateway.rules.casework import may_say, right_needed
from gateway.wire.envelopes import decode_envelope, decode_signed_attestation
from gateway.wire.headers import decode_body
from gateway.wire.receipts import decode_signed_receipt

STAGE_ZH = {
    Stage.RECEIVING: "收件",
    Stage.SUBMITTED: "已提交",
    Stage.ACKNOWLEDGED: "已签收",
    Stage.MATERIALS_REQUESTED: "补正",
    Stage.MATERIALS_SUPPLIED: "已补交",
    Stage.ACCEPTED: "已受理",
    Stage.SUSPENDED: "特别程序中",
    Stage.DECIDED: "已办结",
    Stage.DELIVERED: "已送达",
    Stage.ARCHIVED: "已归档",
    Stage.REFUSED_AT_INTAKE: "退件",
    Stage.NOT_ACCEPTED: "不予受理",
    Stage.WITHDRAWN: "已撤回",
    Stage.ASKED: "请协办",
    Stage.ANSWERED: "协办已答复",
}

_FREE_WORDS = frozenset({"comment_zh", "measures_zh", "measures_en"})
"""Members of a review or its answer in which people may have written anything."""
_ORIGIN_HOLDS = frozenset({Stage.RECEIVING, Stage.MATERIALS_REQUESTED, Stage.DECIDED})


def holder(case: CaseRecord) -> str:
    """Return which gateway's side the case lies with now; empty once it is closed."""
    if case.stage in CLOSED:
        return ""
    theirs = case.counterpart
    origin = case.key.origin
    if case.stage in _ORIGIN_HOLDS:
        return origin
    return "self" if case.role.orders else theirs


def case_view(case: CaseRecord, home: str) -> dict[str, object]:
    """Show a case without its history."""
    decides_there = case.role in (CaseRole.ORIGIN, CaseRole.PARTICIPATING)
    deciding = case.counterpart if decides_there else home
    held_by = holder(case)
    outcome = json.loads(case.outcome) if case.outcome else {}
    waiting = ([case.outstanding.kind] if case.outstanding else []) + list(case.waiting)
    return {
        **_joint_part(case, home),
        "case_id": uuid_text(case.key.case_id),
        "origin": case.key.origin,
        "deciding": deciding,
        "role": case.role.value,
        "unit": case.unit,
        "stage": case.stage.value,
        "stage_zh": STAGE_ZH[case.stage],
        "expected_stage": expected_stage(case).value,
        "held_by": home if held_by == "self" else held_by,
        "item_code": case.item_code,
        "item_version": case.item_version,
        "mode": case.mode.name.lower(),
        "purpose": case.purpose,
        "agreement": case.agreement_digest.hex(),
        "case_numbers": {"applicant": case.applicant_number, "handling": case.handling_number},
        "result": case.result or None,
        "licence": outcome.get("licence"),
        "answer": outcome.get("answer_zh"),
        "reason": outcome.get("reason_zh"),
        "instant": outcome.get("instant"),
        **({"joint": outcome["joint"]} if "joint" in outcome else {}),
        "unconfirmed": [kind.name.lower() for kind in waiting],
        "attention": case.attention or None,
        "opened_at": to_iso(case.opened_at_ms),
        "changed_at": to_iso(case.changed_at_ms),
        "revision": case.revision,
    }


def _joint_part(case: CaseRecord, home: str) -> dict[str, object]:
    """Show what only the case of a joint task (协办任务) has, without what people wrote in it."""
    if case.role not in (CaseRole.ASKING, CaseRole.PARTICIPATING):
        return {}
    task = json.loads(case.form)
    return {
        "participating": case.counterpart if case.role is CaseRole.ASKING else home,
        "parent": task["parent"],
        "due_on": task["due_on"],
        "verdict": case.result or None,
    }


def material_view(material: Material) -> View:
    """Show a declared file."""
    return {
        "material_code": material.material_code,
        "name": material.name,
        "media_type": material.media_type,
        "size": material.size,
        "sha256": material.sha256.hex(),
        "batch": material.batch,
        "uploaded": bool(material.commitment),
    }


def message_view(message: StoredMessage, home: str) -> dict[str, object]:
    """Show a message of a case and the receipt it met."""
    outgoing = message.direction is Direction.OUT
    sender = home if outgoing else message.counterpart
    signed = decode_signed_receipt(message.receipt) if message.receipt else None
    receipt = signed.receipt if signed else None
    return {
        "message_id": uuid_text(message.ref.message_id),
        "kind": message.kind.name.lower() if message.kind else None,
        "direction": message.direction.value,
        "sender": message.ref.sender if not outgoing else sender,
        "recipient": message.counterpart if outgoing else home,
        "sequence": message.sequence,
        "header_digest": message.header_digest.hex(),
        "recorded_at": to_iso(message.recorded_at_ms),
        "strength": strength_of(message),
        "receipt": None
        if receipt is None or signed is None
        else {
            "strength": _receipt_strength(signed),
            "outcome": receipt.outcome.name.lower(),
            "received_at": to_iso(receipt.received_at_ms),
            "rule": receipt.rule or None,
            "text_zh": receipt.text_zh or None,
            "text_en": receipt.text_en or None,
        },
        "waited_ms": None
        if receipt is None or not outgoing
        else max(0, message.receipted_at_ms - message.recorded_at_ms),
    }


def _receipt_strength(signed: SignedReceipt) -> str:
    """Return how strongly a receipt is proven to be its giver's; our own are signed."""
    if not signed.attestation:
        return Strength.SIGNED.name.lower()
    return decode_signed_attestation(signed.attestation).attestation.strength.name.lower()


def strength_of(message: StoredMessage) -> str | None:
    """Return how strongly a message's sender is proven; None for a void."""
    if not message.envelope:
        return None
    strength = decode_envelope(message.envelope).header.strength
    return strength.name.lower() if strength else None


def outbox_view(entry: OutboxEntry) -> View:
    """Show where an own message waits."""
    return {
        "message_id": uuid_text(entry.message_id) if entry.message_id else None,
        "kind": entry.kind.name.lower(),
        "partner": entry.partner,
        "status": entry.status.value,
        "attempts": entry.attempts,
        "next_attempt_at": to_iso(entry.due_ms) if entry.due_ms else None,
        "last_fault": entry.last_fault or None,
    }


def full_view(
    case: CaseRecord,
    home: str,
    history: Sequence[StoredMessage],
    outbox: Sequence[OutboxEntry],
    materials: Sequence[Material],
) -> dict[str, object]:
    """Show a case with its history, what waits, its files and what is asked of the applicant."""
    view = case_view(case, home)
    view["history"] = [message_view(m, home) for m in history]
    view["outbox"] = [outbox_view(e) for e in outbox]
    view["materials"] = [material_view(m) for m in materials]
    preparing = any(e.status is OutboxStatus.PREPARING for e in outbox)
    view["missing_uploads"] = [m.material_code for m in materials if preparing and not m.commitment]
    view["request"] = _last_request(case, history)
    view["identity"] = _submitted(case).get("identity")
    return {**view, **_afterwards(case, history)}


def _submitted(case: CaseRecord) -> dict[str, object]:
    """Return the body of the submission; all but `identity` may hold personal data."""
    submitted: dict[str, object] = json.loads(case.form) if case.form else {}
    return submitted


def _last_request(case: CaseRecord, history: Sequence[StoredMessage]) -> object:
    if case.stage is not Stage.MATERIALS_REQUESTED:
        return None
    for message in reversed(history):
        if message.kind is Kind.MATERIALS_REQUESTED and message.outcome is not Outcome.REFUSED:
            return json.loads(decode_body(decode_envelope(message.envelope).body_bytes).form)
    return None


def _afterwards(case: CaseRecord, history: Sequence[StoredMessage]) -> dict[str, object]:
    """Show which decision stands, what became of the papers, and what people said of the service.

    `decision` is what a correction names; None while none is settled between both sides. What
    people wrote is left out: operators see this too.
    """
    standing = standing_decision(case, history)
    return {
        "decision": standing.header_digest.hex() if standing else None,
        "archives": _bodies(history, Kind.ARCHIVED),
        "reviews": _bodies(history, Kind.REVIEWED, without=_FREE_WORDS),
    }


def reviews_view(history: Sequence[StoredMessage]) -> list[dict[str, object]]:
    """Show reviews and what answered them, with what people wrote: for the case's own units."""
    return _bodies(history, Kind.REVIEWED)


def _bodies(
    history: Sequence[StoredMessage], kind: Kind, without: frozenset[str] = frozenset()
) -> list[dict[str, object]]:
    found = []
    for message in history:
        if message.kind is not kind or message.outcome in (Outcome.REFUSED, Outcome.VOID):
            continue
        body = json.loads(decode_body(decode_envelope(message.envelope).body_bytes).form)
        shown = {name: value for name, value in body.items() if name not in without}
        at, digest = to_iso(message.recorded_at_ms), message.header_digest.hex()
        said = {"said_by": message.ref.sender, "recorded_at": at, "digest": digest}
        found.append({**said, **shown})
    return found


def received_files(history: Sequence[StoredMessage]) -> list[tuple[StoredMessage, Attachment]]:
    """Return the attachments that came with the messages taken in, oldest first."""
    return [
        (message, attachment)
        for message in history
        if message.direction is Direction.IN
        and message.outcome is Outcome.TAKEN_IN
        and message.kind in (Kind.SUBMITTED, Kind.MATERIALS_SUPPLIED, Kind.JOINT_TASK)
        for attachment in decode_body(decode_envelope(message.envelope).body_bytes).attachments
    ]


def possible_acts(case: CaseRecord) -> list[str]:
    """Return the kinds this side may send next on its own authority."""
    stage = expected_stage(case)
    return [
        kind.name.lower()
        for kind in Kind
        if may_say(stage, kind) and right_needed(case.role, kind) is not None
    ]


def task_view(
    case: CaseRecord, home: str, change: int, history: Sequence[StoredMessage] = ()
) -> dict[str, object]:
    """Show a case as a task of the deciding side's business system."""
    view = case_view(case, home)
    view["task_id"] = view["case_id"]
    view["change"] = change
    view["acts"] = possible_acts(case)
    submitted = _submitted(case)
    for name in ("form", "identity", "authorisation"):
        view[name] = submitted.get(name)
    if case.role is CaseRole.PARTICIPATING:
        view["asked"] = submitted["asked"]
        view["answered"] = json.loads(case.outcome) if case.outcome else None
    view["materials"] = [
        {
            "material_code": a.material_code,
            "name": a.name,
            "media_type": a.media_type,
            "size": a.size,
            "salt": a.salt.hex(),
            "commitment": a.commitment.hex(),
            "sent_with": m.kind.name.lower() if m.kind else None,
            "received_at": to_iso(m.recorded_at_ms),
        }
        for m, a in received_files(history)
    ]
    if not history:
        return view
    afterwards = _afterwards(case, history)
    afterwards["reviews"] = reviews_view(history)
    return {**view, **afterwards}
