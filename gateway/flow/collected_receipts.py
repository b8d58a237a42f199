"""Receipts that a partner hands in by itself: of which message each is, and is it proven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from gateway.flow.authenticity import Authenticity
from gateway.flow.receipt_checks import Sent, read_receipt, receipt_proof, sent
from gateway.kernel.envelope import Outcome, Receipt
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, MessageRef
from gateway.ports.journal import Direction, Journal, OutboxEntry, Snapshot, StoredMessage
from gateway.rules.trust import Check, Partner


class HandedIn(NamedTuple):
    """A proven receipt, and the message that waits for it; None: it was settled before."""

    raw: bytes
    receipt: Receipt
    entry: OutboxEntry | None


class _Known(NamedTuple):
    stored: Mapping[MessageRef, StoredMessage]
    waiting: Mapping[MessageRef, OutboxEntry]


async def judge_all(
    raws: Sequence[bytes],
    home: GatewayId,
    partner: Partner,
    now_ms: int,
    journal: Journal,
    authenticity: Authenticity,
) -> list[HandedIn | Fault]:
    """Return each receipt once it is proven, or the rule that it breaks, in order.

    Verified are those of messages that this gateway sent to this very partner, by the partner's
    keys. The first receipt of a message stands; the same outcome again is settled, another is not.
    """
    named = [_named(raw, home, partner.gateway_id) for raw in raws]
    refs = {MessageRef(home, r.message_id) for r in named if isinstance(r, Receipt)}
    known = await journal.read(partial(_look_up, refs)) if refs else _Known({}, {})
    judged: list[tuple[HandedIn, list[Check]] | Fault] = []
    first: dict[MessageRef, Outcome] = {}
    for raw, found in zip(raws, named, strict=True):
        if isinstance(found, Fault):
            judged.append(found)
            continue
        try:
            judged.append(_proof(raw, MessageRef(home, found.message_id), known, partner, now_ms))
        except Fault as fault:
            judged.append(fault)
    failed = await authenticity.failed(c for j in judged if not isinstance(j, Fault) for c in j[1])
    return [_last(one, failed, first) for one in judged]


def _named(raw: bytes, home: GatewayId, peer: GatewayId) -> Receipt | Fault:
    """Return what a receipt says if it is of a message of ours to this partner. Not proven."""
    try:
        receipt = read_receipt(raw).receipt
        if (receipt.sender, receipt.recipient) != (home, peer):
            raise Fault(FaultCode.RECEIPT_INVALID, "between others")
    except Fault as fault:
        return fault
    return receipt


def _look_up(refs: set[MessageRef], snapshot: Snapshot) -> _Known:
    return _Known(snapshot.messages(refs), snapshot.outbox_of(refs))


def _proof(
    raw: bytes, ref: MessageRef, known: _Known, partner: Partner, now_ms: int
) -> tuple[HandedIn, list[Check]]:
    """Bind a receipt to its message.

    Raises:
        Fault: `receipt.invalid`, those of `receipt_proof`.
    """
    entry, stored = known.waiting.get(ref), known.stored.get(ref)
    if stored is None or stored.direction is not Direction.OUT:
        raise Fault(FaultCode.RECEIPT_INVALID, "of no message of ours")
    if entry is None:
        made = Sent(stored.counterpart, ref.message_id, stored.header_digest, stored.recorded_at_ms)
    else:
        made = sent(entry)
    receipt, checks = receipt_proof(raw, made, ref.sender, partner, now_ms)
    if entry is None and receipt.outcome is not stored.outcome:
        raise Fault(FaultCode.RECEIPT_INVALID, "another outcome stands")
    return HandedIn(raw, receipt, entry), checks


def _last(
    judged: tuple[HandedIn, list[Check]] | Fault,
    failed: set[Check],
    first: dict[MessageRef, Outcome],
) -> HandedIn | Fault:
    """Drop what is not proven, and what contradicts another proven one of the same call."""
    if isinstance(judged, Fault):
        return judged
    handed, checks = judged
    if not failed.isdisjoint(checks):
        return Fault(FaultCode.TRUST_SIGNATURE_INVALID, "receipt")
    ref = MessageRef(handed.receipt.sender, handed.receipt.message_id)
    if first.setdefault(ref, handed.receipt.outcome) is not handed.receipt.outcome:
        return Fault(FaultCode.RECEIPT_INVALID, "another outcome stands")
    return handed
