"""Everything known of a case or a message, for whoever has to explain it."""

from __future__ import annotations

import json

from gateway.flow.joint_views import joint_part
from gateway.flow.views import full_view, message_view, outbox_view
from gateway.kernel.envelope import Header
from gateway.kernel.identifiers import CaseId, CaseKey, GatewayId
from gateway.kernel.instants import to_iso
from gateway.ports.journal import Snapshot, StoredMessage
from gateway.wire.envelopes import decode_envelope, decode_signed_attestation
from gateway.wire.receipts import decode_signed_receipt


def explain(snapshot: Snapshot, raw_id: bytes, home: GatewayId) -> dict[str, object] | None:
    """Return what is known of a case id or message id; None if nothing is.

    Forms and files are left out: they may hold personal data, and an explanation needs none.
    """
    cases = [_case(snapshot, case.key, home) for case in snapshot.cases_by_id(CaseId(raw_id))]
    messages = [_message(snapshot, m, home) for m in snapshot.messages_by_id(raw_id)]
    if not cases and not messages:
        return None
    return {"gateway": home, "cases": cases, "messages": messages}


def _case(snapshot: Snapshot, key: CaseKey, home: GatewayId) -> dict[str, object]:
    case = snapshot.cases([key])[key]
    view = full_view(
        case, home, snapshot.history(key), snapshot.outbox(key), snapshot.materials(key)
    )
    view |= joint_part(snapshot, case, operator=True)
    for private in ("licence", "reason", "request"):
        view.pop(private, None)
    view["materials"] = [
        {"material_code": m.material_code, "uploaded": bool(m.commitment)}
        for m in snapshot.materials(key)
    ]
    return view


def _message(snapshot: Snapshot, stored: StoredMessage, home: GatewayId) -> dict[str, object]:
    view = message_view(stored, home)
    if stored.envelope:
        envelope = decode_envelope(stored.envelope)
        view["header"] = _header(envelope.header)
        view["signatures"] = [
            {
                "key_id": s.key_id.hex(),
                "batch_size": s.batch.head.size if s.batch else 1,
            }
            for s in envelope.signatures
        ]
        view["attestation"] = _attestation(envelope.attestation)
    if stored.receipt:
        signed = decode_signed_receipt(stored.receipt)
        view["receipt_signed_by"] = [s.key_id.hex() for s in signed.signatures]
        view["receipt_attestation"] = _attestation(signed.attestation)
    waiting = snapshot.outbox_of([stored.ref]).get(stored.ref)
    view["waits"] = None if waiting is None else outbox_view(waiting)
    view["evidence"] = _evidence(snapshot, stored.standing)
    return view


def _attestation(raw: bytes) -> dict[str, object] | None:
    """Show what our own adapter vouched for, where nobody signed."""
    if not raw:
        return None
    signed = decode_signed_attestation(raw)
    a = signed.attestation
    return {
        "adapter": a.adapter,
        "strength": a.strength.name.lower(),
        "natural_key": a.natural_key,
        "received_at": to_iso(a.received_at_ms),
        "record": a.raw_digest.hex(),
        "signed_by": [s.key_id.hex() for s in signed.signatures],
    }


def _header(header: Header) -> dict[str, object]:
    return {
        "sent_at": to_iso(header.sent_at_ms),
        "expires_at": to_iso(header.expires_at_ms),
        "case_origin": header.case_origin or None,
        "case_id": header.case_id.hex() or None,
        "item_code": header.item_code or None,
        "item_version": header.item_version or None,
        "mode": header.mode.name.lower() if header.mode else None,
        "delegated_right": header.delegated_right.name.lower(),
        "purpose": header.purpose or None,
        "acting_unit": header.acting_unit or None,
        "staff_pseudonym": header.staff_pseudonym or None,
        "staff_capacity": header.staff_capacity or None,
        "strength": header.strength.name.lower() if header.strength else None,
        "agreement": header.agreement_digest.hex() or None,
        "previous": header.previous_digest.hex() or None,
        "last_seen": header.last_seen_digest.hex() or None,
    }


def _evidence(snapshot: Snapshot, standing: bytes) -> object:
    if not standing:
        return None
    document = snapshot.evidence(standing)
    return json.loads(document.content) if document is not None else None
