"""Envelopes and attestations, bytes to values and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from google.protobuf.message import DecodeError

from gateway.kernel.envelope import Header, Signature, Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, MessageId
from gateway.kernel.limits import ENVELOPE_BYTES_MAX, SALT_BYTES
from gateway.wire.generated import message_pb2 as pb
from gateway.wire.headers import decode_header, encode_header
from gateway.wire.signatures import decode_signatures, to_wire
from gateway.wire.strict import read


class Envelope(NamedTuple):
    """An envelope's parts, as they came."""

    header_bytes: bytes
    header: Header
    salt: bytes
    body_bytes: bytes
    signatures: tuple[Signature, ...]
    attestation: bytes = b""


def decode_envelope(raw: bytes) -> Envelope:
    """Read an envelope and its header; the body stays bytes. Nothing is verified.

    Raises:
        Fault: `limit.envelope_bytes`, those of `strict.read`, `decode_header` and
            `decode_signatures`, `wire.field_invalid`.
    """
    if len(raw) > ENVELOPE_BYTES_MAX:
        raise Fault(FaultCode.LIMIT_ENVELOPE_BYTES, str(len(raw)))
    m = read(pb.Envelope, raw, "envelope")
    salt = m.salt
    if len(salt) != SALT_BYTES:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "salt")
    header_bytes = m.header
    signatures = decode_signatures(m.signatures, len(m.signatures))
    return Envelope(
        header_bytes, decode_header(header_bytes), salt, m.body, signatures, m.attestation
    )


def encode_envelope(
    header_bytes: bytes,
    salt: bytes,
    body_bytes: bytes,
    signatures: Sequence[Signature] = (),
    attestation: bytes = b"",
) -> bytes:
    """Write an envelope in its one encoding."""
    return pb.Envelope(
        header=header_bytes,
        salt=salt,
        body=body_bytes,
        signatures=to_wire(signatures),
        attestation=attestation,
    ).SerializeToString(deterministic=True)


def peek_header_bytes(raw: bytes) -> bytes:
    """Return the header bytes of an envelope that was read strictly before."""
    return pb.Envelope.FromString(raw).header


class Draft(NamedTuple):
    """A message not yet sealed: header without id, times, sequence and digests; and its body."""

    header: Header
    body_bytes: bytes


def encode_draft(draft: Draft) -> bytes:
    """Write a draft for our own outbox. Never leaves the gateway."""
    return pb.Envelope(header=encode_header(draft.header), body=draft.body_bytes).SerializeToString(
        deterministic=True
    )


def decode_draft(raw: bytes) -> Draft:
    """Read a draft from our own outbox."""
    m = pb.Envelope.FromString(raw)
    return Draft(decode_header(m.header), m.body)


class Attestation(NamedTuple):
    """What an adapter vouches for when a partner does not sign (适配器证明)."""

    partner: GatewayId
    adapter: str
    received_at_ms: int
    raw_digest: bytes
    strength: Strength
    natural_key: str
    message_id: MessageId
    header_digest: bytes


class SignedAttestation(NamedTuple):
    """An attestation with its bytes and signatures, before they are checked."""

    attestation_bytes: bytes
    attestation: Attestation
    signatures: tuple[Signature, ...]


def encode_attestation(a: Attestation) -> bytes:
    """Write an attestation in its one encoding."""
    return pb.Attestation(
        version=1,
        partner=a.partner,
        adapter=a.adapter,
        received_at_ms=a.received_at_ms,
        raw_digest=a.raw_digest,
        strength=cast("pb.Strength", int(a.strength)),
        natural_key=a.natural_key,
        message_id=a.message_id,
        header_digest=a.header_digest,
    ).SerializeToString(deterministic=True)


def encode_signed_attestation(attestation: bytes, signatures: Sequence[Signature]) -> bytes:
    """Write a signed attestation in its one encoding."""
    return pb.SignedAttestation(
        attestation=attestation, signatures=to_wire(signatures)
    ).SerializeToString(deterministic=True)


def decode_signed_attestation(raw: bytes) -> SignedAttestation:
    """Read a signed attestation. Nothing is verified.

    Raises:
        Fault: those of `strict.read` and `decode_signatures`, `wire.version_unsupported`,
            `wire.field_invalid` for a strength that is none.
    """
    m = read(pb.SignedAttestation, raw, "signed attestation")
    a = read(pb.Attestation, m.attestation, "attestation")
    if a.version != 1:
        raise Fault(FaultCode.WIRE_VERSION_UNSUPPORTED, "attestation")
    if not Strength.ASSISTED <= int(a.strength) <= Strength.SIGNED:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "attestation.strength")
    if len(a.raw_digest) != 32 or len(a.header_digest) != 32 or len(a.message_id) != 16:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "attestation")
    value = Attestation(
        GatewayId(a.partner),
        a.adapter,
        a.received_at_ms,
        a.raw_digest,
        Strength(a.strength),
        a.natural_key,
        MessageId(a.message_id),
        a.header_digest,
    )
    return SignedAttestation(
        m.attestation, value, decode_signatures(m.signatures, len(m.signatures))
    )


def header_bytes_of(raw: bytes) -> bytes:
    """Return the header of an envelope as any reader of protobuf finds it: nothing is checked.

    Raises:
        Fault: `wire.unparseable`.
    """
    try:
        return pb.Envelope.FromString(raw).header
    except DecodeError as broken:
        raise Fault(FaultCode.WIRE_UNPARSEABLE, "Envelope") from broken
