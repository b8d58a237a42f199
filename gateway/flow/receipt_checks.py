"""Whether a receipt is the partner's word about this very message of ours."""

from __future__ import annotations

from typing import NamedTuple

from gateway.flow.authenticity import Authenticity
from gateway.kernel.digests import TYPE_RECEIPT, pae
from gateway.kernel.envelope import Receipt, SignedReceipt
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import SKEW_MS_MAX
from gateway.ports.journal import OutboxEntry
from gateway.rules.trust import Check, Partner, checks_for
from gateway.wire.receipts import decode_signed_receipt


class Sent(NamedTuple):
    """A message of ours, as far as its receipt has to name it."""

    partner: GatewayId
    message_id: bytes
    header_digest: bytes
    made_at_ms: int
    """No receipt of it is older, but for the clocks' tolerance."""


def sent(entry: OutboxEntry) -> Sent:
    """Return what a receipt of a message that waits has to name."""
    return Sent(entry.partner, entry.message_id, entry.header_digest, entry.created_at_ms)


async def checked_receipt(
    raw: bytes,
    message: Sent,
    home: GatewayId,
    partner: Partner | None,
    now_ms: int,
    authenticity: Authenticity,
) -> Receipt:
    """Return what a receipt says once it is proven; `partner` is the one the message is for.

    Raises:
        Fault: those of `receipt_proof`, `trust.signature_invalid`.
    """
    receipt, checks = receipt_proof(raw, message, home, partner, now_ms)
    if await authenticity.failed(checks):
        raise Fault(FaultCode.TRUST_SIGNATURE_INVALID, "receipt")
    return receipt


def receipt_proof(
    raw: bytes, message: Sent, home: GatewayId, partner: Partner | None, now_ms: int
) -> tuple[Receipt, list[Check]]:
    """Return what a receipt says and the verifications that would prove it.

    Keys are judged as of the receipt's own time, since the same bytes come again long after;
    that time must lie between our sending and now.

    Raises:
        Fault: `wire.*` for its bytes, `receipt.invalid` for another message or time, or the rule
            of trust that is broken.
    """
    signed = read_receipt(raw)
    r = signed.receipt
    bound = (r.sender, r.message_id, r.header_digest)
    if (*bound, r.recipient) != (home, message.message_id, message.header_digest, message.partner):
        raise Fault(FaultCode.RECEIPT_INVALID, "another message")
    if not message.made_at_ms - SKEW_MS_MAX <= r.received_at_ms <= now_ms + SKEW_MS_MAX:
        raise Fault(FaultCode.RECEIPT_INVALID, "received_at")
    if partner is None:
        raise Fault(FaultCode.TRUST_PEER_UNKNOWN)
    signed_input = pae(TYPE_RECEIPT, signed.receipt_bytes)
    return r, checks_for(partner, signed.signatures, signed_input, r.received_at_ms)


def read_receipt(raw: bytes) -> SignedReceipt:
    """Read a receipt that came from outside. Nothing is verified.

    Raises:
        Fault: those of `decode_signed_receipt`, `wire.attestation_not_local`.
    """
    signed = decode_signed_receipt(raw)
    if signed.attestation:
        raise Fault(FaultCode.WIRE_ATTESTATION_NOT_LOCAL, "receipt")
    return signed
