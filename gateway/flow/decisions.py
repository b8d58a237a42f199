"""Which decision of a case stands, and whether a message speaks of that one (办结, 更正)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from gateway.flow.committer import Group
from gateway.kernel.case import CaseRecord, CaseRole
from gateway.kernel.envelope import Kind, Outcome
from gateway.ports.journal import Direction, StoredMessage
from gateway.rules.casework import ABOUT_THE_RESULT, require_correction, require_same_decision
from gateway.wire.envelopes import decode_envelope
from gateway.wire.headers import decode_body


def standing_decision(case: CaseRecord, history: Sequence[StoredMessage]) -> StoredMessage | None:
    """Return the latest decision that both sides hold; None if there is none.

    While one of ours is on its way there is none: what it will be named by is not settled.
    """
    told = (case.outstanding.kind,) if case.outstanding else ()
    if Kind.DECIDED in (*told, *case.waiting):
        return None
    for message in reversed(history):
        if message.kind is not Kind.DECIDED:
            continue
        ours = message.direction is Direction.OUT and message.sequence <= case.sent.sequence
        if message.outcome is Outcome.TAKEN_IN or (ours and message.outcome is None):
            return message
    return None


def name_of_decision(group: Group, case: CaseRecord) -> str:
    """Return the header digest, in hex, of the decision that stands; empty if there is none."""
    if (just_taken := group.decisions.get(case.key)) is not None:
        return just_taken.hex()
    found = standing_decision(case, group.tx.history(case.key))
    return found.header_digest.hex() if found is not None else ""


def is_corrected(case: CaseRecord) -> bool:
    """Tell whether the result that the case shows replaces an earlier one."""
    return b'"corrects"' in case.outcome and "corrects" in json.loads(case.outcome)


def require_decision_named(
    group: Group, case: CaseRecord, sender: CaseRole, kind: Kind, document: object
) -> None:
    """Check that a message speaks of the decision that stands, where it must or does name one.

    `case` is as the message meets it: before the message counts.

    Raises:
        Fault: `case.correction_unnamed`, `case.decision_differs`.
    """
    said: Mapping[str, object] = document if isinstance(document, dict) else {}
    if kind is Kind.DECIDED:
        corrects = str(said.get("corrects", ""))
        standing = name_of_decision(group, case) if corrects else ""
        require_correction(case.stage, corrects, standing)
    elif kind in ABOUT_THE_RESULT:
        named = str(said.get("decision", ""))
        # The deciding side knows its own order; what the origin says may have been overtaken.
        must = sender is CaseRole.ORIGIN and is_corrected(case)
        if named or must:
            require_same_decision(named, name_of_decision(group, case))


def with_decision(group: Group, case: CaseRecord, document: dict[str, object]) -> dict[str, object]:
    """Name the decision that the origin's words are about, once one has been corrected."""
    if not is_corrected(case) or "decision" in document:
        return document
    return {**document, "decision": name_of_decision(group, case)}


def back_to_standing(group: Group, case: CaseRecord) -> CaseRecord:
    """Show the result that both sides hold, after a decision of ours was refused."""
    found = standing_decision(
        case._replace(outstanding=None, waiting=()), settled_history(group, case)
    )
    if found is None:
        return case._replace(result="", outcome=b"")
    form = decode_body(decode_envelope(found.envelope).body_bytes).form
    return case._replace(result=str(json.loads(form)["result"]), outcome=form)


def settled_history(group: Group, case: CaseRecord) -> list[StoredMessage]:
    """Return a case's history with the receipts that this very group has settled."""
    outcomes = {receipt.ref: receipt.outcome for receipt in group.receipts}
    return [m._replace(outcome=outcomes.get(m.ref, m.outcome)) for m in group.tx.history(case.key)]
