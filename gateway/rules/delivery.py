"""Rules of carriage: addresses, times, chains, retries."""

from __future__ import annotations

from gateway.kernel.case import Chain
from gateway.kernel.envelope import CASELESS, Header
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, is_gateway_id, is_uuid7, uuid7_unix_ms
from gateway.kernel.limits import (
    CRITICAL_MAX,
    HEADER_TEXT_CHARS_MAX,
    ID_TIME_MS_MAX,
    MESSAGE_LIFE_MS_MAX,
    REQUIRED_SUITES_MAX,
    RETRY_FIRST_MS,
    RETRY_JITTER,
    RETRY_MS_MAX,
    SKEW_MS_MAX,
)


def require_well_formed(header: Header) -> None:
    """Check the header's fields by themselves.

    Raises:
        Fault: `wire.version_unsupported`, `wire.field_invalid` naming the field,
            `wire.critical_unknown`.
    """
    h = header
    if h.version != 1:
        raise Fault(FaultCode.WIRE_VERSION_UNSUPPORTED, str(h.version))
    if not is_uuid7(h.message_id):
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "message_id")
    for name, value in (("sender", h.sender), ("recipient", h.recipient)):
        if not is_gateway_id(value):
            raise Fault(FaultCode.WIRE_FIELD_INVALID, name)
    if len(h.body_commitment) != 32:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "body_commitment")
    if h.sent_at_ms <= 0 or h.expires_at_ms <= h.sent_at_ms:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "expires_at_ms")
    _require_case_fields(h)
    _require_bounds(h)
    if h.critical:
        raise Fault(FaultCode.WIRE_CRITICAL_UNKNOWN, h.critical[0])


def _require_case_fields(h: Header) -> None:
    if h.kind in CASELESS:
        if h.case_origin or h.case_id or h.sequence or h.previous_digest or h.last_seen_digest:
            raise Fault(FaultCode.WIRE_FIELD_INVALID, "case fields on a caseless kind")
        return
    if not is_gateway_id(h.case_origin):
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "case_origin")
    if not is_uuid7(h.case_id):
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "case_id")
    if h.sequence < 1:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "sequence")
    if len(h.previous_digest) != (0 if h.sequence == 1 else 32):
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "previous_digest")
    if h.mode is None:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "mode")
    if h.strength is None:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "strength")
    for name in ("item_code", "item_version", "purpose", "acting_unit"):
        if not getattr(h, name):
            raise Fault(FaultCode.WIRE_FIELD_INVALID, name)
    if len(h.agreement_digest) != 32:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "agreement_digest")


def _require_bounds(h: Header) -> None:
    for name in ("last_seen_digest", "previous_digest"):
        if len(getattr(h, name)) not in (0, 32):
            raise Fault(FaultCode.WIRE_FIELD_INVALID, name)
    if h.in_reply_to and not is_uuid7(h.in_reply_to):
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "in_reply_to")
    if len(h.required_suites) > REQUIRED_SUITES_MAX or len(h.critical) > CRITICAL_MAX:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "required_suites or critical")
    texts = (
        h.item_code,
        h.item_version,
        h.purpose,
        h.acting_unit,
        h.staff_pseudonym,
        h.staff_capacity,
        h.trace_context,
        *h.required_suites,
        *h.critical,
    )
    if max(map(len, texts)) > HEADER_TEXT_CHARS_MAX:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "a text is too long")


def require_addressed(header: Header, home: GatewayId) -> None:
    """Check that the message is for this gateway.

    Raises:
        Fault: `delivery.wrong_recipient`.
    """
    if header.recipient != home:
        raise Fault(FaultCode.DELIVERY_WRONG_RECIPIENT, header.recipient[:16])


def require_timely(header: Header, received_at_ms: int) -> None:
    """Check age, skew, life, and that the id's time is the time of sending.

    Raises:
        Fault: `delivery.expired`, `delivery.in_future`, `delivery.life_too_long`,
            `delivery.id_time`.
    """
    if received_at_ms > header.expires_at_ms + SKEW_MS_MAX:
        raise Fault(FaultCode.DELIVERY_EXPIRED)
    if header.sent_at_ms > received_at_ms + SKEW_MS_MAX:
        raise Fault(FaultCode.DELIVERY_IN_FUTURE)
    if header.expires_at_ms - header.sent_at_ms > MESSAGE_LIFE_MS_MAX:
        raise Fault(FaultCode.DELIVERY_LIFE_TOO_LONG)
    if abs(uuid7_unix_ms(header.message_id) - header.sent_at_ms) > ID_TIME_MS_MAX:
        raise Fault(FaultCode.DELIVERY_ID_TIME)


def require_burnable(message_id: bytes, now_ms: int) -> None:
    """Check that an id may be burnt: a UUIDv7 of a time at which a message could still live.

    Raises:
        Fault: `wire.field_invalid`.
    """
    apart_ms = MESSAGE_LIFE_MS_MAX + SKEW_MS_MAX
    if not is_uuid7(message_id) or abs(uuid7_unix_ms(message_id) - now_ms) > apart_ms:
        raise Fault(FaultCode.WIRE_FIELD_INVALID, "message_id")


def require_next(header: Header, chain: Chain) -> None:
    """Check that the message is the next one of its case in this direction.

    Raises:
        Fault: `delivery.chain_gap` (with `expected_sequence`; the same bytes may come again),
            `delivery.sequence_used`, `delivery.previous_mismatch`.
    """
    expected = chain.sequence + 1
    if header.sequence > expected:
        raise Fault(FaultCode.DELIVERY_CHAIN_GAP, expected_sequence=expected)
    if header.sequence < expected:
        raise Fault(FaultCode.DELIVERY_SEQUENCE_USED, str(header.sequence))
    if header.previous_digest != chain.digest:
        raise Fault(FaultCode.DELIVERY_PREVIOUS_MISMATCH)


def retry_delay_ms(attempts: int, draw: int) -> int:
    """Return how long to wait after `attempts` failures: doubling, bounded, with jitter.

    `draw` is a random byte, 0 to 255.
    """
    base = min(RETRY_FIRST_MS * 2 ** min(max(attempts - 1, 0), 20), RETRY_MS_MAX)
    return int(base * (1 + RETRY_JITTER * (draw - 127.5) / 127.5))
