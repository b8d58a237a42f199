"""A receipt that brings an attestation is our own adapter's; a partner's never is."""

from __future__ import annotations

from gateway.kernel.digests import digest
from gateway.kernel.envelope import NotTakenIn, Strength
from gateway.kernel.faults import FaultCode
from gateway.kernel.identifiers import MessageId
from gateway.wire.envelopes import Attestation, encode_attestation, encode_signed_attestation
from gateway.wire.receipts import decode_signed_receipt, encode_signed_receipt
from tests.flow.link import Answer
from tests.flow.world import World


async def test_an_attestation_on_a_partners_receipt_is_not_believed(world: World) -> None:
    """Even on a receipt that is right: the partner's own signature would still hold."""

    def attested(answers: list[Answer]) -> list[Answer]:
        return [a if isinstance(a, NotTakenIn) else _with_attestation(a) for a in answers]

    case_id = await world.open_query()
    world.jq.link.tamper = attested
    await world.jq.lane.turn()
    (waiting,) = await world.jq.outbox()
    assert waiting.last_fault == FaultCode.RECEIPT_INVALID
    assert [m.outcome for m in await world.jq.said(case_id)] == [None]
    told = [fields["rule"] for name, fields in world.jq.log.events if name == "receipt_refused"]
    assert told == [FaultCode.WIRE_ATTESTATION_NOT_LOCAL]
    world.jq.link.tamper = None
    await world.drain()
    assert [m.outcome is not None for m in await world.jq.said(case_id)] == [True]


def _with_attestation(raw: bytes) -> bytes:
    signed = decode_signed_receipt(raw)
    r = signed.receipt
    vouched = encode_attestation(
        Attestation(
            r.recipient,
            "assisted",
            r.received_at_ms,
            digest(b""),
            Strength.ASSISTED,
            "示例",
            MessageId(r.message_id),
            r.header_digest,
        )
    )
    attestation = encode_signed_attestation(vouched, signed.signatures)
    return encode_signed_receipt(signed.receipt_bytes, signed.signatures, attestation)
