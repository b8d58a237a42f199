"""Too many and too large."""

from __future__ import annotations

import grpc
import pytest

from gateway.kernel.envelope import Kind, Outcome
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import Digest
from gateway.kernel.limits import (
    DELIVER_BYTES_MAX,
    ENVELOPE_BYTES_MAX,
    ENVELOPES_PER_CALL_MAX,
    GRPC_RECEIVE_BYTES_MAX,
    HEADER_BYTES_MAX,
)
from tests.support.peer import Refusal, attachment_of, body_of
from tests.support.protobuf import field

from .outcomes import (
    call_refused,
    is_not_taken_in,
    not_taken_in,
    still_serves,
)
from .worlds import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB = 1_048_576

CALLS = {
    "garbage": (b"\xff" * 64, F.WIRE_UNPARSEABLE),
    "unknown_field": (field(9, b"x"), F.WIRE_UNKNOWN_FIELD),
    "long_length": (field(1, b"x", length=3), F.WIRE_NOT_MINIMAL),
    "nothing": (b"", F.LIMIT_ENVELOPES_PER_CALL),
    "257_envelopes": (field(1, b"") * 257, F.LIMIT_ENVELOPES_PER_CALL),
    "a_million_envelopes": (field(1, b"") * 1_000_000, F.LIMIT_ENVELOPES_PER_CALL),
}


@pytest.mark.parametrize("case", CALLS)
async def test_a_call_that_is_no_delivery_fails_as_a_whole(world: World, case: str) -> None:
    raw, rule = CALLS[case]
    before = world.journal.everything()
    said = await call_refused(world.jiuquan, "Deliver", raw)
    assert said == Refusal(grpc.StatusCode.INVALID_ARGUMENT, rule)
    assert world.journal.everything() == before
    await still_serves(world)


async def test_257_good_envelopes_are_too_many_and_256_are_not(world: World) -> None:
    peer = world.jiuquan
    pings = peer.sign(*(peer.commit(peer.header(Kind.PING), body_of({})) for _ in range(257)))
    before = world.journal.everything()
    raw = b"".join(field(1, p.raw) for p in pings)
    said = await call_refused(peer, "Deliver", raw)
    assert said == Refusal(grpc.StatusCode.INVALID_ARGUMENT, F.LIMIT_ENVELOPES_PER_CALL)
    assert world.journal.everything() == before
    answers = await peer.deliver(*pings[:ENVELOPES_PER_CALL_MAX])
    for ping, answer in zip(pings, answers, strict=False):
        assert isinstance(answer, bytes)
        assert peer.checked(answer, ping).outcome is Outcome.TAKEN_IN


@pytest.mark.parametrize("size", [64 * MIB, DELIVER_BYTES_MAX])
@pytest.mark.parametrize("method", ["Deliver", "QueryReceipts"])
async def test_a_call_with_an_envelope_of_64_mib_is_refused_by_the_rule(
    world: World, method: str, size: int
) -> None:
    before = world.journal.everything()
    raw = field(1, field(3, b"\0" * size))
    said = await call_refused(world.jiuquan, method, raw)
    assert said == Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, F.LIMIT_CALL_BYTES)
    assert world.journal.everything() == before
    await still_serves(world)


async def test_what_grpc_itself_refuses_is_not_taken_in_either(world: World) -> None:
    """Above 65 MiB the transport ends the call before the gateway could name a rule."""
    before = world.journal.everything()
    said = await call_refused(world.jiuquan, "Deliver", field(1, b"\0" * GRPC_RECEIVE_BYTES_MAX))
    assert said == Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, None)
    assert world.journal.everything() == before
    await still_serves(world)


async def test_an_envelope_over_the_limit_does_not_fail_its_neighbours(world: World) -> None:
    peer = world.jiuquan
    large = peer.seal(peer.header(), body_of(b" " * ENVELOPE_BYTES_MAX))
    one, other = peer.submission(), peer.submission()
    answers = await peer.deliver(one, large, other)
    is_not_taken_in(answers[1], F.LIMIT_ENVELOPE_BYTES, retry=False)
    assert world.journal.holds(large.header) == {}
    for sealed, answer in ((one, answers[0]), (other, answers[2])):
        assert isinstance(answer, bytes)
        assert peer.checked(answer, sealed).outcome is Outcome.TAKEN_IN


async def test_a_header_over_the_limit_is_not_taken_in(world: World) -> None:
    sealed = world.jiuquan.submission(purpose="x" * HEADER_BYTES_MAX)
    await not_taken_in(world, sealed, F.LIMIT_ENVELOPE_BYTES)


async def test_10000_attachments_are_not_taken_in(world: World) -> None:
    peer = world.jiuquan
    header = peer.branch_header()
    named = attachment_of(peer.ref(header.case_id, b""), "01", name="")._replace(media_type="")
    many = [named._replace(commitment=Digest(i.to_bytes(32, "big"))) for i in range(10_000)]
    sealed = peer.seal(header, peer.submitted_body({}, many))
    assert len(sealed.raw) < ENVELOPE_BYTES_MAX
    await not_taken_in(world, sealed, F.LIMIT_ATTACHMENTS, retry=False)
