"""What our own adapters vouch for when a partner does not sign (适配器证明), made and checked."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from gateway.kernel.assisted import ADAPTER
from gateway.kernel.digests import TYPE_ATTESTATION, TYPE_RECEIPT, digest, pae
from gateway.kernel.envelope import Header, Outcome, Receipt, Signature, Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, MessageId
from gateway.ports.keyring import Signer, SignerDown
from gateway.rules.arrivals import ATTESTED, require_provable
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

_HANDED_OVER = (
    "由工作人员人工转交，无对方签名",
    "handed over by a person; the recipient signed nothing",
)
_ANSWERED = (
    "对方平台已应答接收，无网关签名，由本方适配器证明",
    "the recipient's platform answered; no gateway signed it, our adapter attests it",
)


class Proof(NamedTuple):
    """What an attestation stands on."""

    adapter: str
    """Outlet kind of the partner."""
    strength: Strength
    raw: bytes
    """Verbatim what was received, or the record of who handed it over."""
    natural_key: str


class Attester:
    """Signs with the adapter key, which signs nothing else."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    async def message(self, header: Header, header_bytes: bytes, proof: Proof) -> bytes:
        """Return the encoded SignedAttestation of a message made from what `proof` holds.

        Raises:
            Fault: `delivery.signer_down`.
        """
        vouched = _vouched(
            header.sender, proof, header.sent_at_ms, header.message_id, digest(header_bytes)
        )
        return await self._attest(vouched)

    async def receipt(
        self,
        home: GatewayId,
        partner: GatewayId,
        message_id: MessageId,
        header_digest: bytes,
        proof: Proof,
        at_ms: int,
        refused_by: FaultCode | None = None,
        detail: str = "",
    ) -> tuple[Receipt, bytes]:
        """Return what stands for the partner's receipt, and its encoding with the attestation.

        `refused_by` is the rule by which the partner said no, `detail` what it said.

        Raises:
            Fault: `delivery.signer_down`.
        """
        outcome = Outcome.REFUSED if refused_by else Outcome.TAKEN_IN
        rule = refused_by.value if refused_by else ""
        taken = _HANDED_OVER if proof.adapter == ADAPTER else _ANSWERED
        said = texts(refused_by, detail) if refused_by else taken
        receipt = Receipt(home, partner, message_id, header_digest, at_ms, outcome, rule, *said)
        encoded = encode_receipt(receipt)
        signature = await self._sign(pae(TYPE_RECEIPT, encoded))
        vouched = _vouched(partner, proof, at_ms, message_id, header_digest)
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


def _vouched(
    partner: GatewayId, proof: Proof, at_ms: int, message_id: MessageId, header_digest: bytes
) -> Attestation:
    return Attestation(
        partner,
        proof.adapter,
        at_ms,
        digest(proof.raw),
        proof.strength,
        proof.natural_key,
        message_id,
        header_digest,
    )


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
    if sender.outlet not in ATTESTED or sender.keys or e.signatures:
        raise Fault(FaultCode.TRUST_ATTESTATION_INVALID, "the sender signs for itself")
    signed = decode_signed_attestation(e.attestation)
    a, h = signed.attestation, e.header
    vouched = (a.partner, a.adapter, a.strength, a.message_id, a.header_digest)
    if vouched != (h.sender, sender.outlet, h.strength, h.message_id, digest(e.header_bytes)):
        raise Fault(FaultCode.TRUST_ATTESTATION_INVALID, "another message")
    require_provable(a.adapter, a.strength)
    message = pae(TYPE_ATTESTATION, signed.attestation_bytes)
    return signed.signatures, checks_for(adapter_of(home), signed.signatures, message, at_ms)
