"""Requests and answers of partners that collect, bytes to values and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from google.protobuf.message import DecodeError

from gateway.kernel.envelope import AttachmentRef
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import (
    COLLECT_BYTES_MAX,
    COLLECT_WAIT_MS_MAX,
    ENVELOPES_PER_CALL_MAX,
)
from gateway.wire.calls import decode_attachment_ref, encode_attachment_ref
from gateway.wire.fault_table import entry, texts
from gateway.wire.generated import exchange_pb2 as pb
from gateway.wire.strict import read


class CollectAsk(NamedTuple):
    """What a partner hands in and asks for; bounded."""

    signed_receipts: tuple[bytes, ...]
    envelopes_max: int
    wait_ms: int


class ReceiptAnswer(NamedTuple):
    """What became of one receipt; without a rule it is settled."""

    rule: str = ""
    text_zh: str = ""
    text_en: str = ""
    retry: bool = False


class Collected(NamedTuple):
    """What a partner is handed, and for how long it is its own."""

    envelopes: tuple[bytes, ...]
    receipts: tuple[ReceiptAnswer, ...]
    lease_ms: int


def decode_collect(raw: bytes) -> CollectAsk:
    """Read a CollectRequest; its receipts stay bytes, its numbers are cut to their bounds.

    Raises:
        Fault: `limit.call_bytes`, `limit.envelopes_per_call`, those of `strict.read`.
    """
    if len(raw) > COLLECT_BYTES_MAX:
        raise Fault(FaultCode.LIMIT_CALL_BYTES, str(len(raw)))
    m = read(pb.CollectRequest, raw, "CollectRequest")
    if len(m.signed_receipts) > ENVELOPES_PER_CALL_MAX:
        raise Fault(FaultCode.LIMIT_ENVELOPES_PER_CALL, str(len(m.signed_receipts)))
    return CollectAsk(
        tuple(m.signed_receipts),
        min(m.envelopes_max, ENVELOPES_PER_CALL_MAX),
        min(m.wait_ms_max, COLLECT_WAIT_MS_MAX),
    )


def encode_collect(signed_receipts: Sequence[bytes], envelopes_max: int, wait_ms: int) -> bytes:
    """Write a CollectRequest."""
    return pb.CollectRequest(
        signed_receipts=signed_receipts, envelopes_max=envelopes_max, wait_ms_max=wait_ms
    ).SerializeToString()


def encode_collected(collected: Collected) -> bytes:
    """Write a CollectResponse."""
    return pb.CollectResponse(
        envelopes=collected.envelopes,
        receipts=[pb.ReceiptAnswer(**answer._asdict()) for answer in collected.receipts],
        lease_ms=collected.lease_ms,
    ).SerializeToString()


def decode_collected(raw: bytes) -> Collected:
    """Read a CollectResponse; the envelopes stay unchecked bytes.

    Raises:
        Fault: `wire.unparseable`.
    """
    try:
        m = pb.CollectResponse.FromString(raw)
    except DecodeError as broken:
        raise Fault(FaultCode.WIRE_UNPARSEABLE, "CollectResponse") from broken
    answers = (ReceiptAnswer(r.rule, r.text_zh, r.text_en, r.retry) for r in m.receipts)
    return Collected(tuple(m.envelopes), tuple(answers), m.lease_ms)


def receipt_refused(fault: Fault) -> ReceiptAnswer:
    """Write why a receipt that was handed in settles nothing.

    `receipt.invalid` is a reason to ask a partner again, but the same bytes stay invalid.
    """
    zh, en = texts(fault.code, fault.detail)
    retry = entry(fault.code).retry and fault.code is not FaultCode.RECEIPT_INVALID
    return ReceiptAnswer(fault.code.value, zh, en, retry)


def decode_fetch(raw: bytes) -> tuple[AttachmentRef, int]:
    """Read a FetchAttachmentRequest; the fields of the reference are *not* checked.

    Raises:
        Fault: those of `strict.read`, `wire.field_invalid` if it names no attachment.
    """
    m = read(pb.FetchAttachmentRequest, raw, "FetchAttachmentRequest")
    if not m.HasField("attachment"):
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "attachment")
    return decode_attachment_ref(m.attachment.SerializeToString(deterministic=True)), m.offset


def encode_fetch(ref: AttachmentRef, offset: int) -> bytes:
    """Write a FetchAttachmentRequest."""
    m = pb.FetchAttachmentRequest(offset=offset)
    m.attachment.MergeFromString(encode_attachment_ref(ref))
    return m.SerializeToString()
