"""Receipts, deliveries and agreement acts, bytes to values and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from gateway.kernel.envelope import NotTakenIn, Outcome, Receipt, Signature, SignedReceipt
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, MessageId
from gateway.kernel.limits import (
    ANSWER_TEXT_CHARS_MAX,
    HEADER_TEXT_CHARS_MAX,
    REASON_CHARS_MAX,
    RETRY_AFTER_MS_MAX,
)
from gateway.rules.agreement import Act, OpenCases, Verdict
from gateway.wire.generated import agreement_pb2 as agreement
from gateway.wire.generated import exchange_pb2 as exchange
from gateway.wire.generated import receipt_pb2 as pb
from gateway.wire.signatures import decode_signatures, to_wire
from gateway.wire.strict import read


def encode_receipt(r: Receipt) -> bytes:
    """Write a receipt in its one encoding."""
    return pb.Receipt(
        version=r.version,
        sender=r.sender,
        recipient=r.recipient,
        message_id=r.message_id,
        header_digest=r.header_digest,
        received_at_ms=r.received_at_ms,
        outcome=cast("pb.Outcome", int(r.outcome)),
        rule=r.rule,
        text_zh=r.text_zh,
        text_en=r.text_en,
    ).SerializeToString(deterministic=True)


def decode_receipt(raw: bytes) -> Receipt:
    """Read a receipt.

    Raises:
        Fault: those of `strict.read`, `wire.version_unsupported`, `wire.field_invalid`.
    """
    m = read(pb.Receipt, raw, "receipt")
    if m.version != 1:
        raise Fault(FaultCode.WIRE_VERSION_UNSUPPORTED, "receipt")
    long = len(m.rule) > HEADER_TEXT_CHARS_MAX or (
        max(len(m.text_zh), len(m.text_en)) > ANSWER_TEXT_CHARS_MAX
    )
    if m.outcome not in (1, 2, 3) or len(m.header_digest) != 32 or long:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "receipt")
    return Receipt(
        GatewayId(m.sender),
        GatewayId(m.recipient),
        MessageId(m.message_id),
        m.header_digest,
        m.received_at_ms,
        Outcome(m.outcome),
        m.rule,
        m.text_zh,
        m.text_en,
        m.version,
    )


def encode_signed_receipt(
    receipt: bytes, signatures: Sequence[Signature], attestation: bytes = b""
) -> bytes:
    """Write a signed receipt in its one encoding."""
    return pb.SignedReceipt(
        receipt=receipt, signatures=to_wire(signatures), attestation=attestation
    ).SerializeToString(deterministic=True)


def decode_signed_receipt(raw: bytes) -> SignedReceipt:
    """Read a signed receipt. Nothing is verified.

    Raises:
        Fault: those of `decode_receipt` and `decode_signatures`.
    """
    m = read(pb.SignedReceipt, raw, "signed receipt")
    signatures = decode_signatures(m.signatures, len(m.signatures))
    return SignedReceipt(m.receipt, decode_receipt(m.receipt), signatures, m.attestation)


def to_delivery(answer: bytes | NotTakenIn) -> exchange.Delivery:
    """Write one outcome of a delivery."""
    if isinstance(answer, bytes):
        return exchange.Delivery(signed_receipt=answer)
    return exchange.Delivery(
        not_taken_in=pb.NotTakenIn(
            rule=answer.rule,
            text_zh=answer.text_zh,
            text_en=answer.text_en,
            retry=answer.retry,
            retry_after_ms=answer.retry_after_ms,
            expected_sequence=answer.expected_sequence,
        )
    )


def from_delivery(m: exchange.Delivery) -> bytes | NotTakenIn:
    """Read one outcome of a delivery; the receipt stays unchecked bytes.

    Raises:
        Fault: `wire.field_invalid` if it is neither.
    """
    which = m.WhichOneof("answer")
    if which == "signed_receipt":
        return m.signed_receipt
    if which == "not_taken_in":
        n = m.not_taken_in
        return NotTakenIn(
            n.rule[:HEADER_TEXT_CHARS_MAX],
            n.text_zh[:ANSWER_TEXT_CHARS_MAX],
            n.text_en[:ANSWER_TEXT_CHARS_MAX],
            n.retry,
            min(n.retry_after_ms, RETRY_AFTER_MS_MAX),
            n.expected_sequence,
        )
    raise Fault(FaultCode.WIRE_FIELD_INVALID, "delivery")


class SignedAct(NamedTuple):
    """A verdict on an agreement with its bytes and signatures, before they are checked."""

    act_bytes: bytes
    agreement_digest: bytes
    act: Act
    reason: str
    signatures: tuple[Signature, ...]


def encode_agreement_act(digest: bytes, act: Act, reason: str = "") -> bytes:
    """Write a verdict on an agreement in its one encoding."""
    return agreement.AgreementAct(
        version=1,
        agreement_digest=digest,
        party=act.party,
        verdict=cast("agreement.AgreementVerdict", int(act.verdict)),
        acted_at_ms=act.acted_at_ms,
        reason=reason,
        open_cases=cast("agreement.OpenCases", int(act.open_cases)),
    ).SerializeToString(deterministic=True)


def encode_signed_agreement_act(act: bytes, signatures: Sequence[Signature]) -> bytes:
    """Write a signed verdict in its one encoding."""
    return agreement.SignedAgreementAct(act=act, signatures=to_wire(signatures)).SerializeToString(
        deterministic=True
    )


def decode_signed_agreement_act(raw: bytes) -> SignedAct:
    """Read a signed verdict. Nothing is verified.

    Raises:
        Fault: those of `strict.read` and `decode_signatures`, `wire.version_unsupported`,
            `wire.field_invalid`.
    """
    m = read(agreement.SignedAgreementAct, raw, "signed agreement act")
    a = read(agreement.AgreementAct, m.act, "agreement act")
    if a.version != 1:
        raise Fault(FaultCode.WIRE_VERSION_UNSUPPORTED, "agreement act")
    if a.verdict not in (1, 2, 3) or len(a.agreement_digest) != 32:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "agreement act")
    if a.open_cases not in ((1, 2) if Verdict(a.verdict) is Verdict.REVOKE else (0,)):
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "agreement act: open_cases")
    if len(a.reason) > REASON_CHARS_MAX:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "agreement act: reason")
    verdict, open_cases = Verdict(a.verdict), OpenCases(a.open_cases)
    act = Act(GatewayId(a.party), verdict, a.acted_at_ms, raw, open_cases)
    signatures = decode_signatures(m.signatures, len(m.signatures))
    return SignedAct(m.act, a.agreement_digest, act, a.reason, signatures)
