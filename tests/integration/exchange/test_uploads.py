"""Attachments on their way in: broken off, stalled, too large, into cases of others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import grpc
import pytest

from gateway.edge import partner_grpc
from gateway.flow import uploads
from gateway.kernel.envelope import AttachmentRef, AttachmentState
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import CaseId, CaseKey, Digest, GatewayId, uuid_text
from gateway.kernel.limits import (
    ATTACHMENT_BYTES_MAX,
    ATTACHMENT_CHUNK_BYTES_MAX,
    PARTNER_UPLOADS_MAX,
    RECEIVING_MAX,
)
from gateway.wire import calls
from tests.integration.portal.fakes import eventually
from tests.support.peer import CallRefused, Peer, Refusal
from tests.support.protobuf import field
from tests.support.world import PDF

from .outcomes import call_refused, still_serves, taken_in
from .worlds import DAY_MS, World, exchange_world

pytestmark = pytest.mark.asyncio(loop_scope="module")

Status = grpc.StatusCode
CONTENT = PDF + bytes(range(256)) * 16


async def upload_refused(peer: Peer, parts: Sequence[bytes]) -> Refusal:
    with pytest.raises(CallRefused) as said:
        await peer.line.upload_parts(parts)
    return said.value.refusal


def chunks(ref: AttachmentRef, content: bytes, offset: int = 0) -> list[bytes]:
    return [calls.encode_chunk(ref, offset), calls.encode_chunk(content, offset)]


def files_of(world: World, ref: AttachmentRef) -> list[str]:
    """Return the names that the vault holds for a case."""
    case = ref.case_key.case_id.hex()
    vault = world.node.config.vault.path
    found = [p for p in vault.glob("*/*/*") if p.parent.name.replace("-", "").endswith(case)]
    return sorted(p.name for p in found)


async def test_content_of_another_digest_is_thrown_away(world: World) -> None:
    peer = world.jiuquan
    ref = peer.ref(peer.new_id(), CONTENT)
    other = CONTENT[:-1] + b"\0"
    said = await upload_refused(peer, chunks(ref, other))
    assert said == Refusal(Status.INVALID_ARGUMENT, F.ATTACHMENT_DIGEST)
    assert await peer.line.status(ref) == AttachmentState(0, False)
    assert files_of(world, ref) == []
    assert (await peer.line.upload(ref, CONTENT)).complete
    await still_serves(world)


async def test_the_right_content_under_another_salt_is_thrown_away(world: World) -> None:
    peer = world.jiuquan
    ref = peer.ref(peer.new_id(), CONTENT)._replace(salt=b"\1" * 32)
    said = await upload_refused(peer, chunks(ref, CONTENT))
    assert said.rule is F.ATTACHMENT_DIGEST
    assert files_of(world, ref) == []


async def test_more_than_was_announced_is_refused(world: World) -> None:
    peer = world.jiuquan
    ref = peer.ref(peer.new_id(), CONTENT)
    said = await upload_refused(
        peer, [*chunks(ref, CONTENT), calls.encode_chunk(b"x", len(CONTENT))]
    )
    assert said == Refusal(Status.INVALID_ARGUMENT, F.ATTACHMENT_SIZE)
    assert not (await peer.line.status(ref)).complete
    await still_serves(world)


async def test_less_than_was_announced_is_kept_and_not_whole(world: World) -> None:
    peer = world.jiuquan
    ref = peer.ref(peer.new_id(), CONTENT)
    assert await peer.line.upload_parts(chunks(ref, CONTENT[:9])) == AttachmentState(9, False)
    assert await peer.line.status(ref) == AttachmentState(9, False)
    assert await peer.line.upload(ref, CONTENT, offset=9) == AttachmentState(len(CONTENT), True)


async def test_a_second_upload_of_a_whole_file_changes_nothing(world: World) -> None:
    peer = world.jiuquan
    ref = peer.ref(peer.new_id(), CONTENT)
    whole = await peer.line.upload(ref, CONTENT)
    assert whole == AttachmentState(len(CONTENT), True)
    before = files_of(world, ref)
    assert await peer.line.upload_parts(chunks(ref, b"other")) == whole
    assert files_of(world, ref) == before == [ref.commitment.hex()]


async def held(peer: Peer, ref: AttachmentRef, size: int) -> None:
    """Return when the gateway holds `size` bytes."""
    async with asyncio.timeout(10):
        state = await peer.line.status(ref)
        while state.held != size:
            state = await peer.line.status(ref)


async def test_a_broken_upload_goes_on_where_it_stopped(world: World) -> None:
    peer = world.jiuquan
    content = CONTENT * 200
    ref = peer.ref(peer.new_id(), content)
    broken = asyncio.Event()

    async def breaks_off() -> AsyncIterator[bytes]:
        for part in chunks(ref, content[:500_000]):
            yield part
        await broken.wait()

    call = peer.line.stream(breaks_off())
    await held(peer, ref, 500_000)
    call.cancel()
    broken.set()
    with pytest.raises(asyncio.CancelledError):
        await call
    for offset in (0, 1, 499_999, 500_001, len(content), 2**63):
        said = await upload_refused(peer, chunks(ref, content[offset : offset + 9], offset))
        assert said == Refusal(Status.OUT_OF_RANGE, F.ATTACHMENT_OFFSET)
    assert await peer.line.upload(ref, content, 500_000) == AttachmentState(len(content), True)
    await still_serves(world)


async def test_a_chunk_that_does_not_follow_is_refused(world: World) -> None:
    peer = world.jiuquan
    for at in (0, 4, 6, 2**64 - 1):
        ref = peer.ref(peer.new_id(), CONTENT)
        parts = [*chunks(ref, CONTENT[:5]), calls.encode_chunk(CONTENT[5:9], at)]
        assert await upload_refused(peer, parts) == Refusal(
            Status.OUT_OF_RANGE, F.ATTACHMENT_OFFSET
        )
        assert await peer.line.status(ref) == AttachmentState(5, False)


async def test_a_stalled_upload_frees_its_place_and_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partner_grpc, "HTTP_UPLOAD_IDLE_S", 1.0)
    peer = world.jiuquan
    refs = [peer.ref(peer.new_id(), CONTENT) for _ in range(PARTNER_UPLOADS_MAX)]
    never = asyncio.Event()

    async def stalls(ref: AttachmentRef) -> AsyncIterator[bytes]:
        for part in chunks(ref, CONTENT[:7]):
            yield part
        await never.wait()

    stalled = [peer.line.stream(stalls(ref)) for ref in refs]
    for ref in refs:
        await held(peer, ref, 7)
    more = peer.ref(peer.new_id(), CONTENT)
    said = await upload_refused(peer, chunks(more, CONTENT))
    assert said == Refusal(Status.RESOURCE_EXHAUSTED, F.LIMIT_RATE)
    other = world.zhangye.ref(more.case_key.case_id, CONTENT)
    assert (await world.zhangye.line.upload(other, CONTENT)).complete
    await taken_in(world, peer.submission())
    for call in stalled:
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await call
        refusal = CallRefused(told.value).refusal
        assert refusal == Refusal(Status.DEADLINE_EXCEEDED, F.PORTAL_TOO_SLOW)
    never.set()
    assert (await peer.line.upload(more, CONTENT)).complete
    assert (await peer.line.upload(refs[0], CONTENT, 7)).complete
    await still_serves(world)


@pytest.mark.parametrize("method", ["UploadAttachment", "Deliver", "QueryReceipts"])
async def test_a_call_that_says_nothing_is_ended(
    world: World, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(partner_grpc, "HTTP_UPLOAD_IDLE_S", 0.5)
    never = asyncio.Event()

    async def silent() -> AsyncIterator[bytes]:
        await never.wait()
        yield b""

    with pytest.raises(grpc.aio.AioRpcError) as told:
        await world.jiuquan.line.stream(silent(), method)
    never.set()
    assert CallRefused(told.value).refusal == Refusal(Status.DEADLINE_EXCEEDED, F.PORTAL_TOO_SLOW)
    await still_serves(world)


async def test_requests_that_never_come_hold_up_only_their_sender(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partner_grpc, "HTTP_UPLOAD_IDLE_S", 1.0)
    never = asyncio.Event()

    async def silent() -> AsyncIterator[bytes]:
        await never.wait()
        yield b""

    stalled = [world.jiuquan.line.stream(silent(), "Deliver") for _ in range(RECEIVING_MAX + 4)]
    for call in stalled:
        await call.wait_for_connection()
    ref = world.zhangye.ref(world.zhangye.new_id(), b"x")
    assert await world.zhangye.line.status(ref) == AttachmentState(0, False)
    assert not any(call.done() for call in stalled)
    for call in stalled:
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await call
        assert CallRefused(told.value).refusal.rule is F.PORTAL_TOO_SLOW
    never.set()
    await still_serves(world)


async def test_a_case_takes_no_more_bytes_than_its_quota(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "CASE_ATTACHMENT_BYTES_MAX", 2 * len(CONTENT))
    peer = world.jiuquan
    case_id = peer.new_id()
    for _ in range(2):
        await peer.attach(case_id, "01", CONTENT)
    ref = peer.ref(case_id, b"x")
    said = await upload_refused(peer, chunks(ref, b"x"))
    assert said == Refusal(Status.RESOURCE_EXHAUSTED, F.LIMIT_QUOTA)
    assert len(files_of(world, ref)) == 2
    await peer.attach(peer.new_id(), "01", CONTENT)
    await still_serves(world)


async def test_a_case_takes_no_more_files_than_its_quota(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "CASE_ATTACHMENTS_MAX", 2)
    peer = world.jiuquan
    case_id = peer.new_id()
    part = peer.ref(case_id, CONTENT)
    await peer.attach(case_id, "01", b"1")
    await peer.line.upload_parts(chunks(part, CONTENT[:5]))
    said = await upload_refused(peer, chunks(peer.ref(case_id, b"3"), b"3"))
    assert said == Refusal(Status.RESOURCE_EXHAUSTED, F.LIMIT_QUOTA)
    assert (await peer.line.upload(part, CONTENT, 5)).complete, "what has begun may go on"


async def test_uploads_at_the_same_time_share_one_quota(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "CASE_ATTACHMENT_BYTES_MAX", 2 * len(CONTENT))
    peer = world.jiuquan
    case_id = peer.new_id()
    go_on = asyncio.Event()
    ref = peer.ref(case_id, CONTENT)

    async def slow() -> AsyncIterator[bytes]:
        for part in chunks(ref, CONTENT[:5]):
            yield part
        await go_on.wait()
        yield calls.encode_chunk(CONTENT[5:], 5)

    first = peer.line.stream(slow())
    await held(peer, ref, 5)
    other = CONTENT + b"x"
    said = await upload_refused(peer, chunks(peer.ref(case_id, other), other))
    assert said == Refusal(Status.RESOURCE_EXHAUSTED, F.LIMIT_QUOTA)
    go_on.set()
    await first
    await peer.attach(case_id, "01", CONTENT)


async def test_files_are_held_for_so_many_unsubmitted_cases_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PARTNER_STAGED_CASES_MAX", 0)
    said = await upload_refused(
        world.zhangye, chunks(world.zhangye.ref(world.zhangye.new_id(), b"x"), b"x")
    )
    assert said == Refusal(Status.RESOURCE_EXHAUSTED, F.LIMIT_QUOTA)


async def test_a_file_over_the_limit_is_refused_before_its_first_byte(world: World) -> None:
    peer = world.jiuquan
    for size in (ATTACHMENT_BYTES_MAX + 1, 2**64 - 1):
        ref = peer.ref(peer.new_id(), b"")._replace(size=size)
        said = await upload_refused(peer, chunks(ref, b"x"))
        assert said == Refusal(Status.RESOURCE_EXHAUSTED, F.LIMIT_ATTACHMENT_BYTES)
        assert files_of(world, ref) == []


async def test_a_chunk_over_the_limit_is_refused(world: World) -> None:
    peer = world.jiuquan
    content = b"\0" * (ATTACHMENT_CHUNK_BYTES_MAX + 1)
    ref = peer.ref(peer.new_id(), content)
    said = await upload_refused(peer, chunks(ref, content))
    assert said == Refusal(Status.RESOURCE_EXHAUSTED, F.LIMIT_ATTACHMENT_BYTES)
    assert await peer.line.status(ref) == AttachmentState(0, False)


async def both_refused(peer: Peer, ref: AttachmentRef, status: Status, rule: F) -> None:
    """Neither looking nor uploading is allowed."""
    asked = await call_refused(peer, "AttachmentStatus", calls.encode_attachment_ref(ref))
    assert asked == Refusal(status, rule)
    assert await upload_refused(peer, chunks(ref, PDF)) == Refusal(status, rule)


async def test_an_upload_into_another_partners_case_is_refused(world: World) -> None:
    peer, spy = world.jiuquan, world.zhangye
    first = peer.submission()
    await taken_in(world, first)
    for case_key in (first.header.case_key, CaseKey(GatewayId("620900"), CaseId(peer.new_id()))):
        ref = spy.ref(spy.new_id(), PDF)._replace(case_key=case_key)
        await both_refused(spy, ref, Status.PERMISSION_DENIED, F.CASE_NOT_PARTY)
        other = ref._replace(agreement_digest=peer.agreement)
        await both_refused(spy, other, Status.PERMISSION_DENIED, F.AGREEMENT_NOT_PARTY)
        assert files_of(world, ref) == []
    await still_serves(world)


async def test_an_upload_under_another_agreement_than_the_case_froze_is_refused(
    world: World,
) -> None:
    peer = world.jiuquan
    ref = peer.ref(peer.new_id(), PDF)._replace(agreement_digest=b"\1" * 32)
    await both_refused(peer, ref, Status.FAILED_PRECONDITION, F.AGREEMENT_UNKNOWN)


async def test_an_upload_under_an_agreement_that_ended_is_for_open_cases_only(
    world: World,
) -> None:
    peer = world.jiuquan
    first = peer.submission()
    await taken_in(world, first)
    with world.later(20 * 366 * DAY_MS):
        new = peer.ref(peer.new_id(), PDF)
        await both_refused(peer, new, Status.PERMISSION_DENIED, F.AGREEMENT_ENDED)
        assert (await peer.line.upload(peer.ref(first.header.case_id, PDF), PDF)).complete


BAD_REFS = {
    "salt": {"salt": b"\1" * 31},
    "commitment": {"commitment": Digest(b"\1" * 33)},
    "origin": {"case_key": CaseKey(GatewayId("../..."), CaseId(b"\1" * 16))},
    "case_id": {"case_key": CaseKey(GatewayId("620900"), CaseId(b"../../../../../.."))},
    "no_uuid7": {"case_key": CaseKey(GatewayId("620900"), CaseId(b"\1" * 16))},
}


@pytest.mark.parametrize("name", BAD_REFS)
async def test_an_announcement_against_its_rules_is_refused(world: World, name: str) -> None:
    ref = world.jiuquan.ref(world.jiuquan.new_id(), PDF)._replace(**BAD_REFS[name])  # type: ignore[arg-type]
    await both_refused(world.jiuquan, ref, Status.INVALID_ARGUMENT, F.WIRE_FIELD_INVALID)
    await still_serves(world)


BAD_STREAMS: dict[str, tuple[Callable[[bytes, bytes], list[bytes]], F]] = {
    "nothing": (lambda _opening, _data: [], F.WIRE_FIELD_INVALID),
    "no_opening": (lambda _opening, data: [data], F.WIRE_FIELD_INVALID),
    "two_openings": (lambda opening, _data: [opening, opening], F.WIRE_FIELD_INVALID),
    "neither": (lambda opening, _data: [opening, b""], F.WIRE_FIELD_INVALID),
    "garbage": (lambda _opening, _data: [b"\xff" * 9], F.WIRE_UNPARSEABLE),
    "garbage_later": (lambda opening, _data: [opening, b"\xff" * 9], F.WIRE_UNPARSEABLE),
    "unknown_field": (lambda opening, _data: [opening + field(9, 1)], F.WIRE_UNKNOWN_FIELD),
    "out_of_order": (lambda opening, data: [opening, field(3, 0) + data], F.WIRE_NOT_MINIMAL),
}


@pytest.mark.parametrize("name", BAD_STREAMS)
async def test_a_stream_that_is_no_upload_is_refused(world: World, name: str) -> None:
    peer = world.jiuquan
    parts, rule = BAD_STREAMS[name]
    opening, data = chunks(peer.ref(peer.new_id(), PDF), PDF)
    assert await upload_refused(peer, parts(opening, data)) == Refusal(
        Status.INVALID_ARGUMENT, rule
    )
    await still_serves(world)


async def test_a_running_gateway_sweeps_what_was_never_submitted(tmp_path: Path) -> None:
    async with exchange_world(tmp_path) as world:
        peer = world.jiuquan
        ref = peer.ref(peer.new_id(), CONTENT)
        assert (await peer.line.upload(ref, CONTENT)).complete
        world.clock.advance(31 * DAY_MS)
        await eventually(lambda: not files_of(world, ref))
        assert await peer.line.status(ref) == AttachmentState(0, False)
        case = uuid_text(ref.case_key.case_id)
        assert not list(world.node.config.vault.path.glob(f"*/*{case}*"))
