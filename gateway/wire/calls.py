"""Requests and answers of the Exchange service, bytes to values and back."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import DecodeError

from gateway.kernel.envelope import AttachmentRef, AttachmentState, NotTakenIn, ReceiptQuery
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseId, CaseKey, GatewayId, MessageId
from gateway.kernel.limits import (
    ATTACHMENT_CHUNK_BYTES_MAX,
    DELIVER_BYTES_MAX,
    ENVELOPES_PER_CALL_MAX,
    QUERIES_BYTES_MAX,
    QUERIES_PER_CALL_MAX,
)
from gateway.wire.generated import exchange_pb2 as pb
from gateway.wire.receipts import from_delivery, to_delivery
from gateway.wire.strict import read

SERVICE = "kuayu.v1.Exchange"

Answer = bytes | NotTakenIn
_ENVELOPE_TAG = 0x0A  # field 1, length-delimited


def encode_deliver(envelopes: Sequence[bytes]) -> bytes:
    """Write a DeliverRequest."""
    return pb.DeliverRequest(envelopes=envelopes).SerializeToString()


def decode_deliver(raw: bytes) -> list[bytes]:
    """Read a DeliverRequest; the envelopes stay bytes.

    Raises:
        Fault: `limit.call_bytes`, `limit.envelopes_per_call`, those of `strict.read`.
    """
    if len(raw) > DELIVER_BYTES_MAX:
        raise Fault(FaultCode.LIMIT_CALL_BYTES, str(len(raw)))
    if _begins_with_more_than(raw, ENVELOPES_PER_CALL_MAX):
        raise Fault(FaultCode.LIMIT_ENVELOPES_PER_CALL, f"more than {ENVELOPES_PER_CALL_MAX}")
    envelopes = list(read(pb.DeliverRequest, raw, "DeliverRequest").envelopes)
    if not 1 <= len(envelopes) <= ENVELOPES_PER_CALL_MAX:
        raise Fault(FaultCode.LIMIT_ENVELOPES_PER_CALL, str(len(envelopes)))
    return envelopes


def _begins_with_more_than(raw: bytes, most: int) -> bool:
    """Tell whether more than `most` envelopes stand at the beginning of a DeliverRequest.

    Sixteen MiB can hold millions of empty ones: they are counted, and no further than needed,
    before a parser makes an object of each.
    """
    at = count = 0
    end = len(raw)
    while at < end and raw[at] == _ENVELOPE_TAG and count <= most:
        at += 1
        size = shift = 0
        while at < end and shift < 35:
            byte = raw[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        at += size
        count += 1
    return count > most


def encode_deliver_answer(answers: Sequence[Answer]) -> bytes:
    """Write a DeliverResponse."""
    return pb.DeliverResponse(deliveries=map(to_delivery, answers)).SerializeToString()


def decode_deliver_answer(raw: bytes) -> list[Answer]:
    """Read a DeliverResponse; the receipts stay unchecked bytes.

    Raises:
        Fault: `wire.unparseable`, `wire.field_invalid`.
    """
    try:
        return [from_delivery(d) for d in pb.DeliverResponse.FromString(raw).deliveries]
    except DecodeError as broken:
        raise Fault(FaultCode.WIRE_UNPARSEABLE, "DeliverResponse") from broken


def encode_queries(queries: Sequence[ReceiptQuery]) -> bytes:
    """Write a QueryReceiptsRequest."""
    return pb.QueryReceiptsRequest(
        queries=[
            pb.ReceiptQuery(message_id=q.message_id, header_digest=q.header_digest, burn=q.burn)
            for q in queries
        ]
    ).SerializeToString()


def decode_queries(raw: bytes) -> list[ReceiptQuery]:
    """Read a QueryReceiptsRequest.

    Raises:
        Fault: `limit.call_bytes`, `limit.envelopes_per_call`, `wire.field_invalid`, those of
            `strict.read`.
    """
    if len(raw) > QUERIES_BYTES_MAX:
        raise Fault(FaultCode.LIMIT_CALL_BYTES, str(len(raw)))
    queries = read(pb.QueryReceiptsRequest, raw, "QueryReceiptsRequest").queries
    if not 1 <= len(queries) <= QUERIES_PER_CALL_MAX:
        raise Fault(FaultCode.LIMIT_ENVELOPES_PER_CALL, str(len(queries)))
    if any(len(q.message_id) != 16 or len(q.header_digest) != 32 for q in queries):
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "message_id or header_digest")
    return [ReceiptQuery(MessageId(q.message_id), q.header_digest, q.burn) for q in queries]


def encode_queries_answer(answers: Sequence[Answer]) -> bytes:
    """Write a QueryReceiptsResponse."""
    return pb.QueryReceiptsResponse(deliveries=map(to_delivery, answers)).SerializeToString()


def decode_queries_answer(raw: bytes) -> list[Answer]:
    """Read a QueryReceiptsResponse; the receipts stay unchecked bytes.

    Raises:
        Fault: `wire.unparseable`, `wire.field_invalid`.
    """
    try:
        return [from_delivery(d) for d in pb.QueryReceiptsResponse.FromString(raw).deliveries]
    except DecodeError as broken:
        raise Fault(FaultCode.WIRE_UNPARSEABLE, "QueryReceiptsResponse") from broken


def _ref_to_wire(ref: AttachmentRef) -> pb.AttachmentRef:
    return pb.AttachmentRef(
        case_origin=ref.case_key.origin,
        case_id=ref.case_key.case_id,
        agreement_digest=ref.agreement_digest,
        salt=ref.salt,
        commitment=ref.commitment,
        size=ref.size,
        media_type=ref.media_type,
    )


def _ref_from_wire(m: pb.AttachmentRef) -> AttachmentRef:
    key = CaseKey(GatewayId(m.case_origin), CaseId(m.case_id))
    return AttachmentRef(key, m.agreement_digest, m.salt, m.commitment, m.size, m.media_type)


def encode_attachment_ref(ref: AttachmentRef) -> bytes:
    """Write an AttachmentRef."""
    return _ref_to_wire(ref).SerializeToString()


def decode_attachment_ref(raw: bytes) -> AttachmentRef:
    """Read an AttachmentRef; its fields are *not* checked.

    Raises:
        Fault: those of `strict.read`.
    """
    return _ref_from_wire(read(pb.AttachmentRef, raw, "AttachmentRef"))


def encode_attachment_state(state: AttachmentState) -> bytes:
    """Write an AttachmentState."""
    return pb.AttachmentState(held=state.held, complete=state.complete).SerializeToString()


def decode_attachment_state(raw: bytes) -> AttachmentState:
    """Read an AttachmentState.

    Raises:
        Fault: `wire.unparseable`.
    """
    try:
        m = pb.AttachmentState.FromString(raw)
    except DecodeError as broken:
        raise Fault(FaultCode.WIRE_UNPARSEABLE, "AttachmentState") from broken
    return AttachmentState(m.held, m.complete)


def encode_chunk(part: AttachmentRef | bytes, offset: int = 0) -> bytes:
    """Write an AttachmentChunk: the opening one, or data."""
    if isinstance(part, bytes):
        return pb.AttachmentChunk(data=part, offset=offset).SerializeToString()
    return pb.AttachmentChunk(open=_ref_to_wire(part), offset=offset).SerializeToString()


def decode_chunk(raw: bytes) -> tuple[AttachmentRef | bytes, int]:
    """Read an AttachmentChunk and its offset.

    Raises:
        Fault: those of `strict.read`, `wire.field_invalid`, `limit.attachment_bytes` for a chunk
            that is too large.
    """
    m = read(pb.AttachmentChunk, raw, "AttachmentChunk")
    which = m.WhichOneof("part")
    if which == "open":
        return _ref_from_wire(m.open), m.offset
    if which != "data":
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "chunk")
    if len(m.data) > ATTACHMENT_CHUNK_BYTES_MAX:
        raise Fault(FaultCode.LIMIT_ATTACHMENT_BYTES, "chunk")
    return m.data, m.offset
