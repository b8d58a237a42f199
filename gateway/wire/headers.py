"""Header and body, bytes to values and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from gateway.kernel.envelope import (
    Attachment,
    Body,
    DigestAlgorithm,
    Header,
    Kind,
    Mode,
    Right,
    Strength,
)
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import Digest, GatewayId, MessageId
from gateway.kernel.limits import (
    ATTACHMENTS_PER_MESSAGE_MAX,
    BODY_BYTES_MAX,
    HEADER_BYTES_MAX,
)
from gateway.wire.generated import message_pb2 as pb
from gateway.wire.strict import read

# Plain dictionaries: a look-up costs a fifth of the enumeration's own.
_KINDS: Final[Mapping[int, Kind]] = {int(k): k for k in Kind}
_MODES: Final[Mapping[int, Mode | None]] = {0: None, **{int(m): m for m in Mode}}
_RIGHTS: Final[Mapping[int, Right]] = {int(r): r for r in Right}
_STRENGTHS: Final[Mapping[int, Strength | None]] = {0: None, **{int(s): s for s in Strength}}


def decode_header(raw: bytes) -> Header:
    """Read a header. Its rules (`rules.delivery`) are *not* checked.

    Raises:
        Fault: `limit.envelope_bytes`, those of `strict.read`, `wire.field_invalid` for a number
            that names no kind, mode, right or strength, `wire.digest_unsupported`.
    """
    if len(raw) > HEADER_BYTES_MAX:
        raise Fault(FaultCode.LIMIT_ENVELOPE_BYTES, "header")
    m = read(pb.Header, raw, "header")
    if int(m.digest_algorithm) != DigestAlgorithm.SHA256:
        raise Fault(FaultCode.WIRE_DIGEST_UNSUPPORTED, str(int(m.digest_algorithm)))
    try:
        kind = _KINDS[m.kind]
        mode = _MODES[m.mode]
        right = _RIGHTS[m.delegated_right]
        strength = _STRENGTHS[m.strength]
    except KeyError as unknown:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "kind, mode, right or strength") from unknown
    return Header(
        MessageId(m.message_id),
        GatewayId(m.sender),
        GatewayId(m.recipient),
        m.sent_at_ms,
        m.expires_at_ms,
        kind,
        m.body_commitment,
        GatewayId(m.case_origin),
        m.case_id,
        m.sequence,
        m.previous_digest,
        m.last_seen_digest,
        m.in_reply_to,
        m.agreement_digest,
        m.item_code,
        m.item_version,
        mode,
        right,
        m.purpose,
        m.acting_unit,
        m.staff_pseudonym,
        m.staff_capacity,
        strength,
        m.trace_context,
        tuple(m.required_suites),
        tuple(m.critical),
        DigestAlgorithm.SHA256,
        m.version,
    )


def encode_header(h: Header) -> bytes:
    """Write a header in its one encoding."""
    return pb.Header(
        version=h.version,
        message_id=h.message_id,
        sender=h.sender,
        recipient=h.recipient,
        sent_at_ms=h.sent_at_ms,
        expires_at_ms=h.expires_at_ms,
        case_origin=h.case_origin,
        case_id=h.case_id,
        sequence=h.sequence,
        previous_digest=h.previous_digest,
        last_seen_digest=h.last_seen_digest,
        in_reply_to=h.in_reply_to,
        kind=cast("pb.Kind", int(h.kind)),
        agreement_digest=h.agreement_digest,
        item_code=h.item_code,
        item_version=h.item_version,
        mode=cast("pb.Mode", int(h.mode or 0)),
        delegated_right=cast("pb.Right", int(h.delegated_right)),
        purpose=h.purpose,
        acting_unit=h.acting_unit,
        staff_pseudonym=h.staff_pseudonym,
        staff_capacity=h.staff_capacity,
        strength=cast("pb.Strength", int(h.strength or 0)),
        trace_context=h.trace_context,
        required_suites=h.required_suites,
        critical=h.critical,
        body_commitment=h.body_commitment,
        digest_algorithm=cast("pb.DigestAlgorithm", int(h.digest_algorithm)),
    ).SerializeToString(deterministic=True)


def decode_body(raw: bytes) -> Body:
    """Read a body. The form's JSON and the attachments' presence are *not* checked.

    Raises:
        Fault: `limit.envelope_bytes`, `limit.attachments`, those of `strict.read`,
            `wire.field_invalid`.
    """
    if len(raw) > BODY_BYTES_MAX:
        raise Fault(FaultCode.LIMIT_ENVELOPE_BYTES, "body")
    m = read(pb.Body, raw, "body")
    if len(m.attachments) > ATTACHMENTS_PER_MESSAGE_MAX:
        raise Fault(FaultCode.LIMIT_ATTACHMENTS, str(len(m.attachments)))
    attachments = []
    for a in m.attachments:
        if len(a.salt) != 32 or len(a.commitment) != 32 or not a.material_code:
            raise Fault(FaultCode.WIRE_FIELD_INVALID, "attachment")
        attachments.append(
            Attachment(a.material_code, a.name, a.media_type, a.size, a.salt, Digest(a.commitment))
        )
    return Body(m.form, tuple(attachments))


def encode_body(body: Body) -> bytes:
    """Write a body in its one encoding."""
    return pb.Body(
        form=body.form,
        attachments=[
            pb.Attachment(
                material_code=a.material_code,
                name=a.name,
                media_type=a.media_type,
                size=a.size,
                salt=a.salt,
                commitment=a.commitment,
            )
            for a in body.attachments
        ],
    ).SerializeToString(deterministic=True)
