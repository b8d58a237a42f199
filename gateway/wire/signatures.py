"""Signatures and batch heads, bytes to values and back."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from gateway.kernel.envelope import BatchHead, BatchProof, Signature
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import KeyId
from gateway.kernel.limits import (
    BATCH_HEAD_BYTES_MAX,
    BATCH_PATH_MAX,
    SIGNATURES_PER_ENVELOPE_MAX,
)
from gateway.wire.generated import message_pb2 as pb
from gateway.wire.strict import read


@lru_cache(maxsize=1024)
def decode_batch_head(raw: bytes) -> BatchHead:
    """Read a batch head; kept, since up to 256 envelopes carry the same one.

    Raises:
        Fault: those of `strict.read`, `wire.version_unsupported`, `wire.field_invalid`.
    """
    m = read(pb.BatchHead, raw, "batch head")
    if m.version != 1:
        raise Fault(FaultCode.WIRE_VERSION_UNSUPPORTED, "batch head")
    if len(m.root) != 32 or len(m.key_id) != 32:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "batch head")
    return BatchHead(m.root, m.size, m.suite, KeyId(m.key_id))


def encode_batch_head(head: BatchHead) -> bytes:
    """Write a batch head in its one encoding."""
    return pb.BatchHead(
        version=1, root=head.root, size=head.size, suite=head.suite, key_id=head.key_id
    ).SerializeToString(deterministic=True)


def decode_signatures(given: Iterable[pb.Signature], count: int) -> tuple[Signature, ...]:
    """Read signatures from an already strictly read message.

    Raises:
        Fault: `trust.signature_invalid` if there are too many, `wire.field_invalid`, those of
            `decode_batch_head`.
    """
    if count > SIGNATURES_PER_ENVELOPE_MAX:
        raise Fault(FaultCode.TRUST_SIGNATURE_INVALID, "too many signatures")
    found = []
    for s in given:
        key_id = s.key_id
        if len(key_id) != 32:
            raise Fault(FaultCode.WIRE_FIELD_INVALID, "key_id")
        proof = None
        if s.HasField("batch"):
            batch = s.batch
            path = tuple(batch.path)
            if len(path) > BATCH_PATH_MAX or any(len(step) != 32 for step in path):
                raise Fault(FaultCode.TRUST_BATCH_INVALID, "path")
            head_bytes = batch.head
            if len(head_bytes) > BATCH_HEAD_BYTES_MAX:
                raise Fault(FaultCode.TRUST_BATCH_INVALID, "head")
            proof = BatchProof(head_bytes, decode_batch_head(head_bytes), batch.leaf_index, path)
        found.append(Signature(KeyId(key_id), s.signature, proof))
    return tuple(found)


def to_wire(signatures: Iterable[Signature]) -> list[pb.Signature]:
    """Write signatures as messages, to stand in another message."""
    return [
        pb.Signature(
            key_id=s.key_id,
            signature=s.signature,
            batch=None
            if s.batch is None
            else pb.BatchProof(
                head=s.batch.head_bytes, leaf_index=s.batch.leaf_index, path=s.batch.path
            ),
        )
        for s in signatures
    ]
