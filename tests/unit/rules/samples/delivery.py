from collections.abc import Callable
from functools import partial

from gateway.kernel.case import Chain
from gateway.kernel.envelope import Header, Kind, Mode, Strength
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import GatewayId, MessageId, uuid7
from gateway.kernel.limits import ID_TIME_MS_MAX, MESSAGE_LIFE_MS_MAX, SKEW_MS_MAX
from gateway.rules.delivery import (
    require_addressed,
    require_next,
    require_timely,
    require_well_formed,
)
from tests.unit.rules.samples.sample import Sample

SENT_MS = 1_780_000_000_000
LIFE_MS = 3_600_000
BEFORE = b"\x01" * 32


def header(**changes: object) -> Header:
    """Return a well-formed second message of a case, changed as told."""
    return Header(
        message_id=MessageId(uuid7(SENT_MS, bytes(10))),
        sender=GatewayId("620900"),
        recipient=GatewayId("620200"),
        sent_at_ms=SENT_MS,
        expires_at_ms=SENT_MS + LIFE_MS,
        kind=Kind.MATERIALS_SUPPLIED,
        body_commitment=bytes(32),
        case_origin=GatewayId("620900"),
        case_id=uuid7(SENT_MS, bytes(10)),
        sequence=2,
        previous_digest=BEFORE,
        agreement_digest=bytes(32),
        item_code="00013112700402",
        item_version="2",
        mode=Mode.COLLECT_ON_BEHALF,
        purpose="branch-registration",
        acting_unit="11620900MB00000000",
        strength=Strength.SIGNED,
    )._replace(**changes)  # type: ignore[arg-type]


def formed(**changes: object) -> Callable[[], object]:
    return partial(require_well_formed, header(**changes))


def timely(received_at_ms: int = SENT_MS, **changes: object) -> Callable[[], object]:
    return partial(require_timely, header(**changes), received_at_ms)


def follows(sequence: int, digest: bytes = BEFORE) -> Callable[[], object]:
    return partial(require_next, header(), Chain(sequence, digest))


def drawn(ms_before_sending: int) -> MessageId:
    return MessageId(uuid7(SENT_MS - ms_before_sending, bytes(10)))


SAMPLES = {
    F.WIRE_VERSION_UNSUPPORTED: Sample(formed(), formed(version=2)),
    F.WIRE_FIELD_INVALID: Sample(formed(), formed(sender="6209")),
    F.WIRE_CRITICAL_UNKNOWN: Sample(formed(), formed(critical=("escrow",))),
    F.DELIVERY_WRONG_RECIPIENT: Sample(
        partial(require_addressed, header(), GatewayId("620200")),
        partial(require_addressed, header(), GatewayId("620600")),
    ),
    F.DELIVERY_ID_TIME: Sample(
        timely(message_id=drawn(ID_TIME_MS_MAX)), timely(message_id=drawn(ID_TIME_MS_MAX + 1))
    ),
    F.DELIVERY_EXPIRED: Sample(
        timely(SENT_MS + LIFE_MS + SKEW_MS_MAX), timely(SENT_MS + LIFE_MS + SKEW_MS_MAX + 1)
    ),
    F.DELIVERY_IN_FUTURE: Sample(timely(SENT_MS - SKEW_MS_MAX), timely(SENT_MS - SKEW_MS_MAX - 1)),
    F.DELIVERY_LIFE_TOO_LONG: Sample(
        timely(expires_at_ms=SENT_MS + MESSAGE_LIFE_MS_MAX),
        timely(expires_at_ms=SENT_MS + MESSAGE_LIFE_MS_MAX + 1),
    ),
    F.DELIVERY_CHAIN_GAP: Sample(follows(1), follows(0, b"")),
    F.DELIVERY_SEQUENCE_USED: Sample(follows(1), follows(2)),
    F.DELIVERY_PREVIOUS_MISMATCH: Sample(follows(1), follows(1, b"\x02" * 32)),
}
