"""What our own adapter vouches for when a partner does not sign (适配器证明), made and checked."""

from __future__ import annotations

import asyncio

from gateway.kernel.assisted import ADAPTER
from gateway.kernel.digests import TYPE_ATTESTATION, TYPE_RECEIPT, digest, pae
from gateway.kernel.envelope import Header, Outcome, Receipt, Signature, Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, MessageId
from gateway.ports.keyring import Signer, SignerDown
from gateway.rules.trust import Check, Partner, adapter_of, checks_for
from gateway.wire.envelopes import (
    Attestation,
    Envelope,
    decode_signed_attestation,
    encode_attestation,
    encode_signed_attestation,
)
from gateway.wire.fault_table import texts
from gateway.wire.receipts import encode_receipt, encode_signed_receipt

_HANDED_OVER_ZH = "由工作人员人工转交，无对方签名"
_HANDED_OVER_EN = "handed over by a person; the recipient signed nothing"


class Attester:
    """Signs with the adapter key, which signs nothing else."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    async def message(self, header: Header, header_bytes: bytes, raw: bytes, natural: str) -> bytes:
        """Return the encoded SignedAttestation of a message made from `raw`.

        Raises:
            Fault: `delivery.signer_down`.
        """
        vouched = Attestation(
            header.sender,
            ADAPTER,
            header.sent_at_ms,
            digest(raw),
            Strength.ASSISTED,
            natural,
            header.message_id,
            digest(header_bytes),
        )
        return await self._attest(vouched)

    async def receipt(
        self,
        home: GatewayId,
        partner: GatewayId,
        message_id: MessageId,
        header_digest: bytes,
        raw: bytes,
        at_ms: int,
        refused_by: FaultCode | None = None,
    ) -> tuple[Receipt, bytes]:
        """Return what stands for the partner's receipt, and its encoding with the attestation.

        `raw` says who handed the message over, when and how; `refused_by` is the rule by which the
        partner said no.

        Raises:
            Fault: `delivery.signer_down`.
        """
        outcome = Outcome.REFUSED if refused_by else Outcome.TAKEN_IN
        rule = refused_by.value if refused_by else ""
        said = texts(refused_by, "") if refused_by else (_HANDED_OVER_ZH, _HANDED_OVER_EN)
        receipt = Receipt(home, partner, message_id, header_digest, at_ms, outcome, rule, *said)
        encoded = encode_receipt(receipt)
        signature = await self._sign(pae(TYPE_RECEIPT, encoded))
        natural = f"handed-over/{message_id.hex()}"
        vouched = Attestation(
            partner,
            ADAPTER,
            at_ms,
            digest(raw),
            Strength.ASSISTED,
            natural,
            message_id,
            header_digest,
        )
        attestation = await self._attest(vouched)
        return receipt, encode_signed_receipt(encoded, (signature,), attestation)

    async def _attest(self, vouched: Attestation) -> bytes:
        encoded = encode_attestation(vouched)
        signature = await self._sign(pae(TYPE_ATTESTATION, encoded))
        return encode_signed_attestation(encoded, (signature,))

    async def _sign(self, message: bytes) -> Signature:
        """Sign beside the loop: a module may take its time."""
        try:
            signed = await asyncio.to_thread(self._signer.sign, message)
        except SignerDown as down:
            raise Fault(FaultCode.DELIVERY_SIGNER_DOWN, "adapter key") from down
        return Signature(self._signer.key_id, signed)


def attested_checks(
    home: Partner, sender: Partner, e: Envelope, at_ms: int
) -> tuple[tuple[Signature, ...], list[Check]]:
    """Return the signatures that speak for an attested message, and the checks that prove them.

    Raises:
        Fault: `trust.unsigned` without an attestation; `trust.attestation_invalid` if the sender
            signs for itself, or the attestation is not of this very message; those of
            `decode_signed_attestation` and `checks_for`.
    """
    if not e.attestation:
        raise Fault(FaultCode.TRUST_UNSIGNED)
    if sender.outlet != ADAPTER or sender.keys or e.signatures:
        raise Fault(FaultCode.TRUST_ATTESTATION_INVALID, "the sender has a system")
    signed = decode_signed_attestation(e.attestation)
    a, h = signed.attestation, e.header
    vouched = (a.partner, a.adapter, a.strength, a.message_id, a.header_digest)
    if vouched != (h.sender, ADAPTER, h.strength, h.message_id, digest(e.header_bytes)):
        raise Fault(FaultCode.TRUST_ATTESTATION_INVALID, "another message")
    message = pae(TYPE_ATTESTATION, signed.attestation_bytes)
    return signed.signatures, checks_for(adapter_of(home), signed.signatures, message, at_ms)
