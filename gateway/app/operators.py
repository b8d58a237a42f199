"""Operators and their acts as the journal has them, and whether each is proven."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gateway.adapters.pki.suites import SuiteVerifier
from gateway.kernel.digests import TYPE_OPERATOR_ACT, pae
from gateway.kernel.faults import Fault
from gateway.kernel.identifiers import GatewayId, uuid_text
from gateway.kernel.instants import to_iso
from gateway.kernel.limits import OPERATOR_ACT_WAITS_MS_MAX, PAGE_MAX
from gateway.kernel.operators import ADD, ActStatus, Operator
from gateway.ports.journal import Snapshot
from gateway.ports.journal_operators import StoredOperatorAct
from gateway.rules.operators import added_by, could_act, operators_of
from gateway.wire.operator_acts import decode_operator_act


def everyone(snapshot: Snapshot) -> list[Operator]:
    """Return everybody who may act, or once could."""
    changes = snapshot.operator_changes()
    return operators_of((decode_operator_act(c.raw), c.settled_at_ms) for c in changes)


def operator_view(o: Operator) -> dict[str, Any]:
    """Show an operator. JSON-ready."""
    return {
        "name": o.name,
        "key": o.key_id.hex(),
        "suite": o.suite,
        "since": to_iso(o.since_ms),
        "until": to_iso(o.until_ms) if o.until_ms else None,
    }


def whole_view(act: StoredOperatorAct, at_ms: int) -> dict[str, Any]:
    """Show an act with what it asks for. JSON-ready."""
    decoded = decode_operator_act(act.raw)
    late = at_ms - act.acted_at_ms > OPERATOR_ACT_WAITS_MS_MAX
    status = ActStatus.EXPIRED if late and act.status is ActStatus.WAITING else act.status
    return {
        "act": uuid_text(act.act_id),
        "status": status.value,
        "command": act.command,
        "subject": act.subject,
        "operator": act.operator,
        "acted_at": to_iso(act.acted_at_ms),
        "second": uuid_text(act.second) if act.second else None,
        "rule": act.rule or None,
        "settled_at": to_iso(act.settled_at_ms) if act.settled_at_ms else None,
        "arguments": dict(decoded.arguments),
    }


class Proof(NamedTuple):
    """How many kept acts were looked at, and what is wrong with those that are not proven."""

    acts: int
    problems: Sequence[str]


def prove(snapshot: Snapshot, home: GatewayId, told: Callable[[int], None]) -> Proof:
    """Verify every kept act by the key of an operator who could act then.

    The first operator added itself: compare its key with what that person says. `told` is called
    with how many were verified, now and then.
    """
    people, verify = everyone(snapshot), SuiteVerifier().verify
    problems: list[str] = []
    count, before = 0, b""
    while page := snapshot.operator_acts(limit=PAGE_MAX, before=before):
        for act in page:
            wrong = _problem(act, people, home, verify)
            if wrong:
                problems.append(f"{uuid_text(act.act_id)} {act.command}: {wrong}")
        count, before = count + len(page), page[-1].act_id
        told(count)
    return Proof(count, problems)


def _problem(
    act: StoredOperatorAct,
    people: Sequence[Operator],
    home: GatewayId,
    verify: Callable[[str, bytes, bytes, bytes], bool],
) -> str:
    """Return what is wrong with a kept act; empty if nothing is."""
    try:
        decoded = decode_operator_act(act.raw)
        signer = next((o for o in people if o.key_id == act.key_id), None)
        if signer is None and decoded.command == ADD:
            signer = added_by(decoded)
    except Fault as fault:
        return str(fault)
    if signer is None or signer.key_id != act.key_id:
        return "signed by nobody who was ever added"
    if not verify(signer.suite, signer.public_key, act.signature, pae(TYPE_OPERATOR_ACT, act.raw)):
        return "its signature does not verify"
    if (decoded.act_id, decoded.command, decoded.gateway_id) != (act.act_id, act.command, home):
        return "the record names another act than was signed"
    if not could_act(signer, decoded.acted_at_ms):
        return f"{signer.name} could not act at that time"
    return ""
