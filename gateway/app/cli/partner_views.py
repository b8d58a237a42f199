"""A directory entry as operators see it: keys that run out, agreements and why one is not in force.

JSON-ready; what is secret is not in the directory at all.
"""

from __future__ import annotations

from typing import Any

from gateway.kernel.faults import Fault
from gateway.kernel.instants import to_iso
from gateway.ports.directory import Book
from gateway.rules.agreement import Agreement, Onward, require_in_force
from gateway.rules.expiry import days_left, warning
from gateway.rules.trust import Partner, RegisteredKey
from gateway.wire.fault_table import texts
from gateway.wire.receipts import decode_signed_agreement_act

DAY_MS = 86_400_000


def key_view(key: RegisteredKey, at_ms: int) -> dict[str, Any]:
    """Show a registered key and how many whole days it has left; below 0 it has expired."""
    state = "valid"
    if at_ms < key.not_before_ms:
        state = "not_yet"
    elif at_ms > key.not_after_ms:
        state = "expired"
    return {
        "key_id": key.key_id.hex(),
        "suite": key.suite,
        "state": state,
        "not_before": to_iso(key.not_before_ms),
        "not_after": to_iso(key.not_after_ms),
        "days_left": days_left(key.not_after_ms, at_ms),
        "warned": warning(key.not_after_ms, at_ms) >= 0,
    }


def agreement_view(agreement: Agreement, at_ms: int) -> dict[str, Any]:
    """Show an agreement, and the rule that keeps it from being in force, if any."""
    because: dict[str, str] | None = None
    try:
        require_in_force(agreement, at_ms)
    except Fault as fault:
        zh, en = texts(fault.code, fault.detail)
        because = {"rule": fault.code.value, "text_zh": zh, "text_en": en}
    return {
        "digest": agreement.digest.hex(),
        "name": agreement.name,
        "in_force": because is None,
        "because": because,
        "not_before": to_iso(agreement.not_before_ms),
        "not_after": to_iso(agreement.not_after_ms),
        "acts": [
            {
                "party": a.party,
                "verdict": a.verdict.name.lower(),
                "at": to_iso(a.acted_at_ms),
                "counts_from": to_iso(a.counts_from_ms),
                "reason": decode_signed_agreement_act(a.signed).reason if a.signed else "",
            }
            for a in sorted(agreement.acts, key=lambda a: a.acted_at_ms)
        ],
        "required_suites": agreement.required_suites,
        "grants": [
            {
                "items": {code: sorted(versions) for code, versions in grant.items.items()},
                "origins": sorted(grant.origins),
                "deciding": sorted(grant.deciding),
                "modes": sorted(mode.name.lower() for mode in grant.modes),
                "rights": sorted(right.name.lower() for right in grant.rights),
                "purposes": sorted(grant.purposes),
                "licence_types": sorted(grant.licence_types),
                "participating": sorted(grant.participating),
                "onward": _onward(grant.onward),
            }
            for grant in agreement.grants
        ],
    }


def _onward(onward: Onward | None) -> dict[str, list[str]] | None:
    """Show what may be passed on in joint cases; None: nothing."""
    if onward is None:
        return None
    fields, materials = sorted(onward.form_fields), sorted(onward.materials)
    return {"to": sorted(onward.to), "form_fields": fields, "materials": materials}


def partner_view(partner: Partner, book: Book, at_ms: int) -> dict[str, Any]:
    """Show a partner, or this gateway itself as partners see it."""
    own = partner.gateway_id == book.home.gateway_id
    agreements = [] if own else book.agreements_with(partner.gateway_id)
    return {
        "gateway_id": partner.gateway_id,
        "own": own,
        "name_zh": partner.name_zh,
        "name_en": partner.name_en,
        "unit": partner.unit,
        "state": partner.state.value,
        "simulated": partner.simulated,
        "outlet": partner.outlet,
        "collects": partner.collects,
        "address": partner.address,
        "server_name": partner.server_name,
        "entry_digest": partner.digest.hex(),
        "transport_pins": sorted(pin.hex() for pin in partner.transport_pins),
        "keys": [key_view(key, at_ms) for key in partner.keys.values()],
        "adapter_keys": [key_view(key, at_ms) for key in partner.adapter_keys.values()],
        "relays": sorted(partner.relays),
        "limits": {"calls_max": partner.calls_max, "uploads_max": partner.uploads_max},
        "items": sorted(code for region, code in book.catalogue if region == partner.gateway_id),
        "agreements": [agreement_view(a, at_ms) for a in agreements],
    }
