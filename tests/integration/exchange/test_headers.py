"""Header fields against their rules."""

from __future__ import annotations

import pytest

from gateway.kernel.digests import commitment
from gateway.kernel.envelope import Body, Kind, NotTakenIn, Strength
from gateway.kernel.faults import FaultCode as F
from gateway.wire.envelopes import Attestation, encode_attestation, encode_signed_attestation
from gateway.wire.headers import encode_body, encode_header
from tests.support.peer import attachment_of, body_of
from tests.support.protobuf import field

from .outcomes import (
    not_taken_in,
    refused,
    taken_in,
)
from .worlds import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_attestation_is_never_accepted_from_a_peer(world: World) -> None:
    peer = world.jiuquan
    sealed = peer.submission()
    own = encode_attestation(
        Attestation(
            peer.site.identity.gateway_id,
            "示例 adapter",
            peer.clock.now_ms(),
            b"\1" * 32,
            Strength.AUTHENTICATED,
            "JQ-1",
            sealed.header.message_id,
            sealed.header_digest,
        )
    )
    for attestation in (encode_signed_attestation(own, sealed.signatures), b"\xff"):
        forged = sealed._replace(attestation=attestation)
        await not_taken_in(world, forged, F.WIRE_ATTESTATION_NOT_LOCAL, retry=False)
        unsigned = forged._replace(signatures=())
        await not_taken_in(world, unsigned, F.WIRE_ATTESTATION_NOT_LOCAL)
    await taken_in(world, sealed)


async def test_a_critical_extension_that_is_not_known_is_refused(world: World) -> None:
    sealed = world.jiuquan.submission(critical=("onward-sharing",))
    receipt = await refused(world, sealed, F.WIRE_CRITICAL_UNKNOWN)
    assert "onward-sharing" in receipt.text_en


async def test_a_version_that_is_not_spoken_here_is_refused(world: World) -> None:
    await refused(world, world.jiuquan.submission(version=2), F.WIRE_VERSION_UNSUPPORTED)


async def test_a_digest_that_is_not_known_here_is_not_taken_in(world: World) -> None:
    right = world.jiuquan.submission()
    sm3 = encode_header(right.header) + field(28, 1)
    forged = world.jiuquan.resign(right.header, sm3, right.body_bytes, right.salt)
    await not_taken_in(world, forged, F.WIRE_DIGEST_UNSUPPORTED)


@pytest.mark.parametrize(("number", "value"), [(13, 0), (13, 27), (17, 4), (18, 5), (23, 5)])
async def test_a_number_that_names_nothing_is_not_taken_in(
    world: World, number: int, value: int
) -> None:
    """Kind, mode, right or strength that v1 does not have."""
    right = world.jiuquan.submission()
    h, raw = right.header, right.header_bytes
    # The field's place is sought behind the one before it: random bytes may look like it.
    behind, known = {
        13: (h.case_id, field(13, 1)),
        17: (h.item_code.encode(), field(17, 1)),
        18: (h.item_code.encode(), field(17, 1)),
        23: (h.staff_capacity.encode(), field(23, 4)),
    }[number]
    at = raw.index(known, raw.index(behind) + len(behind))
    head, tail = raw[:at], raw[at + len(known) :]
    if number == 18:
        head += known
    changed = head + (field(number, value) if value else b"") + tail
    forged = world.jiuquan.resign(right.header, changed, right.body_bytes, right.salt)
    await not_taken_in(world, forged, F.WIRE_FIELD_INVALID)


FIELDS: dict[str, dict[str, object]] = {
    "message_id": {"message_id": b"\1" * 16},
    "case_id": {"case_id": b"\1" * 15},
    "case_origin": {"case_origin": "62"},
    "sequence": {"sequence": 0},
    "previous_digest": {"previous_digest": b"\1" * 32},
    "last_seen_digest": {"last_seen_digest": b"\1" * 31},
    "in_reply_to": {"in_reply_to": b"\1" * 16},
    "agreement": {"agreement_digest": b"\1" * 31},
    "no_agreement": {"agreement_digest": b""},
    "no_mode": {"mode": None},
    "no_strength": {"strength": None},
    "no_item": {"item_code": ""},
    "no_purpose": {"purpose": ""},
    "no_unit": {"acting_unit": ""},
    "long_text": {"trace_context": "0" * 129},
    "expires_before_sent": {"expires_at_ms": 1},
}


@pytest.mark.parametrize("name", FIELDS)
async def test_a_header_field_against_its_rule_is_refused(world: World, name: str) -> None:
    await refused(world, world.jiuquan.submission(**FIELDS[name]), F.WIRE_FIELD_INVALID)


async def test_a_short_commitment_binds_no_body(world: World) -> None:
    peer = world.jiuquan
    body, salt = peer.submission().body_bytes, b"\7" * 32
    header = peer.header(body_commitment=commitment(salt, body)[:31])
    await not_taken_in(world, peer.seal(header, body, salt), F.TRUST_BODY_MISMATCH)


async def test_a_ping_with_the_fields_of_a_case_is_refused(world: World) -> None:
    peer = world.jiuquan
    header = peer.header(Kind.PING)._replace(sequence=1)
    await refused(world, peer.seal(header, body_of({})), F.WIRE_FIELD_INVALID)


async def test_a_ping_with_attachments_is_refused(world: World) -> None:
    peer = world.jiuquan
    attachment = attachment_of(peer.ref(peer.new_id(), b"x"), "01")
    body = encode_body(Body(b"{}", (attachment,)))
    await refused(world, peer.seal(peer.header(Kind.PING), body), F.WIRE_FIELD_INVALID)


async def test_every_envelope_of_a_call_is_answered_in_its_place(world: World) -> None:
    peer = world.jiuquan
    good = [peer.ping() for _ in range(4)]
    raws = [good[0].raw, b"\xff", good[1].raw, b"", good[2].raw, good[3].raw[:-1]]
    answers = await peer.line.deliver(raws)
    assert [isinstance(a, NotTakenIn) for a in answers] == [False, True, False, True, False, True]
    for sealed, answer in zip(good[:3], answers[::2], strict=True):
        assert isinstance(answer, bytes)
        peer.checked(answer, sealed)
