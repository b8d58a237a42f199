"""What every vault keeps. Hostile cases first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.adapters.files.vault import FileVault
from gateway.adapters.memory.vault import MemoryVault
from gateway.kernel.digests import commitment as commitment_of
from gateway.kernel.envelope import AttachmentState
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseId, CaseKey, GatewayId, uuid7
from gateway.kernel.limits import ATTACHMENT_CHUNK_BYTES, ATTACHMENT_CHUNK_BYTES_MAX
from gateway.ports.vault import Held, Usage, Vault, VaultScope
from tests.fakes.clock import FixedClock

NOW_MS = 2_000_000_000_000  # ahead of every machine's clock: times are the clock's, not the disk's
JIUQUAN, JIAYUGUAN, WUWEI = GatewayId("620900"), GatewayId("620200"), GatewayId("620600")
CASE = CaseKey(JIUQUAN, CaseId(uuid7(1_622_100_000_000, bytes(range(10)))))
OTHER_CASE = CaseKey(JIUQUAN, CaseId(uuid7(1_622_100_000_001, bytes(range(10)))))
SCOPE = VaultScope(JIAYUGUAN, CASE)
SALT = bytes(range(32))
CONTENT = "营业场所使用证明(示例)".encode() * 100
COMMITMENT = commitment_of(SALT, CONTENT)
NOTHING = AttachmentState(0, False)
WHOLE = AttachmentState(len(CONTENT), True)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW_MS)


@pytest.fixture(params=["memory", "files"])
async def vault(
    request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock
) -> AsyncIterator[Vault]:
    if request.param == "memory":
        yield MemoryVault(clock)
        return
    files = await FileVault.open(tmp_path / "vault", clock=clock)
    yield files
    await files.close()


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def broken(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    raise ConnectionResetError


async def content_of(vault: Vault, commitment: bytes = COMMITMENT, offset: int = 0) -> bytes:
    return b"".join([chunk async for chunk in vault.read(SCOPE, commitment, offset=offset)])


async def put(vault: Vault, content: bytes = CONTENT, scope: VaultScope = SCOPE) -> bytes:
    stored = await vault.put(
        scope, SALT, stream(content), size=len(content), sha256=sha256(content).digest()
    )
    return stored.commitment


async def append(
    vault: Vault, *chunks: bytes, offset: int = 0, size: int = len(CONTENT)
) -> AttachmentState:
    return await vault.append(SCOPE, SALT, COMMITMENT, stream(*chunks), offset=offset, size=size)


async def refused_put(vault: Vault, chunks: Iterable[bytes], size: int, digest: bytes) -> FaultCode:
    with pytest.raises(Fault) as fault:
        await vault.put(SCOPE, SALT, stream(*chunks), size=size, sha256=digest)
    assert await vault.usage(SCOPE) == Usage(0, 0)
    assert await vault.cases_of(JIAYUGUAN) == set()
    return fault.value.code


# --- local uploads: hostile ----------------------------------------------------------------------
async def test_a_put_with_another_digest_is_refused_and_leaves_nothing(vault: Vault) -> None:
    digest = sha256(b"another file").digest()
    code = await refused_put(vault, [CONTENT], len(CONTENT), digest)
    assert code == FaultCode.ATTACHMENT_DIGEST
    assert await vault.state(SCOPE, COMMITMENT) == NOTHING


@pytest.mark.parametrize("declared", [len(CONTENT) - 1, len(CONTENT) + 1, 0])
async def test_a_put_of_another_size_is_refused_and_leaves_nothing(
    vault: Vault, declared: int
) -> None:
    code = await refused_put(vault, [CONTENT], declared, sha256(CONTENT).digest())
    assert code == FaultCode.ATTACHMENT_SIZE


async def test_a_put_chunk_over_the_bound_is_refused_and_leaves_nothing(vault: Vault) -> None:
    huge = bytes(ATTACHMENT_CHUNK_BYTES_MAX + 1)
    code = await refused_put(vault, [huge], len(huge), sha256(huge).digest())
    assert code == FaultCode.LIMIT_ATTACHMENT_BYTES


async def test_a_put_whose_source_breaks_leaves_nothing(vault: Vault) -> None:
    with pytest.raises(ConnectionResetError):
        await vault.put(
            SCOPE, SALT, broken(CONTENT), size=len(CONTENT), sha256=sha256(CONTENT).digest()
        )
    assert await vault.usage(SCOPE) == Usage(0, 0)
    assert await vault.state(SCOPE, COMMITMENT) == NOTHING


# --- partners' uploads: hostile ------------------------------------------------------------------
async def test_an_upload_with_another_digest_is_refused_and_thrown_away(vault: Vault) -> None:
    with pytest.raises(Fault) as fault:
        await append(vault, bytes(len(CONTENT)))
    assert fault.value.code == FaultCode.ATTACHMENT_DIGEST
    assert await vault.state(SCOPE, COMMITMENT) == NOTHING
    assert await vault.usage(SCOPE) == Usage(0, 0)
    assert await append(vault, CONTENT) == WHOLE


async def test_an_upload_under_another_salt_is_refused(vault: Vault) -> None:
    with pytest.raises(Fault) as fault:
        await vault.append(
            SCOPE, bytes(32), COMMITMENT, stream(CONTENT), offset=0, size=len(CONTENT)
        )
    assert fault.value.code == FaultCode.ATTACHMENT_DIGEST


async def test_an_upload_longer_than_announced_is_refused(vault: Vault) -> None:
    with pytest.raises(Fault) as fault:
        await append(vault, CONTENT, b"more")
    assert fault.value.code == FaultCode.ATTACHMENT_SIZE
    assert not (await vault.state(SCOPE, COMMITMENT)).complete


async def test_an_upload_shorter_than_announced_stays_a_part(vault: Vault) -> None:
    assert await append(vault, CONTENT[:-1]) == AttachmentState(len(CONTENT) - 1, False)
    assert await vault.held(SCOPE, [COMMITMENT]) == {}


@pytest.mark.parametrize("offset", [1, 9, 11, len(CONTENT)])
async def test_an_upload_from_another_offset_is_refused_and_the_part_kept(
    vault: Vault, offset: int
) -> None:
    await append(vault, CONTENT[:10])
    with pytest.raises(Fault) as fault:
        await append(vault, CONTENT[offset:], offset=offset)
    assert fault.value.code == FaultCode.ATTACHMENT_OFFSET
    assert await vault.state(SCOPE, COMMITMENT) == AttachmentState(10, False)


async def test_an_offset_into_nothing_is_refused_and_leaves_nothing(vault: Vault) -> None:
    with pytest.raises(Fault) as fault:
        await append(vault, CONTENT[5:], offset=5)
    assert fault.value.code == FaultCode.ATTACHMENT_OFFSET
    assert await vault.usage(SCOPE) == Usage(0, 0)


async def test_a_part_longer_than_a_later_announcement_is_thrown_away(vault: Vault) -> None:
    await append(vault, bytes(20), size=1_000)
    with pytest.raises(Fault) as fault:
        await append(vault, offset=20, size=10)
    assert fault.value.code == FaultCode.ATTACHMENT_SIZE
    assert await vault.state(SCOPE, COMMITMENT) == NOTHING


@pytest.mark.parametrize("salt", [b"", bytes(31), bytes(33)])
async def test_a_salt_of_another_length_is_refused(vault: Vault, salt: bytes) -> None:
    commitment = commitment_of(salt, CONTENT)
    size, plain = len(CONTENT), sha256(CONTENT).digest()
    for attempt in (
        lambda: vault.append(SCOPE, salt, commitment, stream(CONTENT), offset=0, size=size),
        lambda: vault.put(SCOPE, salt, stream(CONTENT), size=size, sha256=plain),
    ):
        with pytest.raises(Fault) as fault:
            await attempt()
        assert fault.value.code == FaultCode.WIRE_FIELD_INVALID
    assert await vault.usage(SCOPE) == Usage(0, 0)


async def test_a_part_that_goes_on_with_another_salt_is_thrown_away(vault: Vault) -> None:
    await append(vault, CONTENT[:10])
    with pytest.raises(Fault) as fault:
        await vault.append(
            SCOPE, bytes(32), COMMITMENT, stream(CONTENT[10:]), offset=10, size=len(CONTENT)
        )
    assert fault.value.code == FaultCode.ATTACHMENT_DIGEST
    assert await vault.state(SCOPE, COMMITMENT) == NOTHING
    assert await append(vault, CONTENT) == WHOLE


async def test_an_upload_chunk_over_the_bound_is_refused(vault: Vault) -> None:
    with pytest.raises(Fault) as fault:
        await append(vault, bytes(ATTACHMENT_CHUNK_BYTES_MAX + 1), size=10 * 1_048_576)
    assert fault.value.code == FaultCode.LIMIT_ATTACHMENT_BYTES
    assert (await vault.state(SCOPE, COMMITMENT)).held == 0


@pytest.mark.parametrize("commitment", [b"", b"../../etc/passwd", bytes(31), bytes(33)])
async def test_a_commitment_of_another_length_is_refused(vault: Vault, commitment: bytes) -> None:
    async def read() -> None:
        async for _ in vault.read(SCOPE, commitment):
            pass

    for call in (
        lambda: vault.state(SCOPE, commitment),
        lambda: vault.held(SCOPE, [commitment]),
        lambda: vault.append(SCOPE, SALT, commitment, stream(b""), offset=0, size=0),
        read,
    ):
        with pytest.raises(Fault) as fault:
            await call()
        assert fault.value.code == FaultCode.WIRE_FIELD_INVALID


@pytest.mark.parametrize(
    "other", [VaultScope(WUWEI, CASE), VaultScope(JIAYUGUAN, OTHER_CASE)], ids=["partner", "case"]
)
async def test_another_scope_sees_and_counts_nothing(vault: Vault, other: VaultScope) -> None:
    await put(vault)
    await vault.append(SCOPE, SALT, bytes(32), stream(b"part"), offset=0, size=10)
    assert await vault.state(other, COMMITMENT) == NOTHING
    assert await vault.state(other, bytes(32)) == NOTHING
    assert await vault.held(other, [COMMITMENT]) == {}
    assert await vault.usage(other) == Usage(0, 0)
    assert await vault.cases_of(WUWEI) == set()
    with pytest.raises(Fault) as fault:
        async for _ in vault.read(other, COMMITMENT):
            pass
    assert fault.value.code == FaultCode.ATTACHMENT_ABSENT


@pytest.mark.parametrize("part", [b"", CONTENT[:10]], ids=["absent", "part"])
async def test_what_is_not_whole_cannot_be_read(vault: Vault, part: bytes) -> None:
    if part:
        await append(vault, part)
    with pytest.raises(Fault) as fault:
        await content_of(vault)
    assert fault.value.code == FaultCode.ATTACHMENT_ABSENT


# --- concurrency and breaks ----------------------------------------------------------------------
async def test_an_upload_goes_on_after_a_break(vault: Vault) -> None:
    with pytest.raises(ConnectionResetError):
        await vault.append(
            SCOPE, SALT, COMMITMENT, broken(CONTENT[:700]), offset=0, size=len(CONTENT)
        )
    assert await vault.state(SCOPE, COMMITMENT) == AttachmentState(700, False)
    assert await append(vault, CONTENT[700:], offset=700) == WHOLE
    assert await content_of(vault) == CONTENT


async def test_an_upload_goes_on_after_a_cancelled_one(vault: Vault) -> None:
    reached = asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield CONTENT[:500]
        reached.set()
        await asyncio.Event().wait()

    upload = asyncio.ensure_future(
        vault.append(SCOPE, SALT, COMMITMENT, stalled(), offset=0, size=len(CONTENT))
    )
    await reached.wait()
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert await append(vault, CONTENT[500:], offset=500) == WHOLE
    assert await content_of(vault) == CONTENT


async def test_a_whole_part_becomes_whole_with_no_further_byte(vault: Vault) -> None:
    with pytest.raises(ConnectionResetError):
        await vault.append(SCOPE, SALT, COMMITMENT, broken(CONTENT), offset=0, size=len(CONTENT))
    assert await vault.state(SCOPE, COMMITMENT) == AttachmentState(len(CONTENT), False)
    assert await append(vault, offset=len(CONTENT)) == WHOLE


async def test_two_uploads_at_once_do_not_spoil_each_other(vault: Vault) -> None:
    first_is_in, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield CONTENT[:100]
        first_is_in.set()
        await go_on.wait()
        yield CONTENT[100:]

    first = asyncio.ensure_future(
        vault.append(SCOPE, SALT, COMMITMENT, slow(), offset=0, size=len(CONTENT))
    )
    await first_is_in.wait()
    second = asyncio.ensure_future(append(vault, b"X" * len(CONTENT)))
    third = asyncio.ensure_future(append(vault, CONTENT[100:], offset=100))
    await asyncio.sleep(0)
    go_on.set()
    assert list(await asyncio.gather(first, second, third)) == [WHOLE, WHOLE, WHOLE]
    assert await content_of(vault) == CONTENT


async def test_a_put_does_not_pull_the_part_from_under_an_upload(vault: Vault) -> None:
    first_is_in, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield CONTENT[:100]
        first_is_in.set()
        await go_on.wait()
        yield CONTENT[100:]

    async def local() -> AsyncIterator[bytes]:
        yield CONTENT
        asyncio.get_running_loop().call_later(0.05, go_on.set)

    upload = asyncio.ensure_future(
        vault.append(SCOPE, SALT, COMMITMENT, slow(), offset=0, size=len(CONTENT))
    )
    await first_is_in.wait()
    stored = await vault.put(
        SCOPE, SALT, local(), size=len(CONTENT), sha256=sha256(CONTENT).digest()
    )
    assert stored.commitment == COMMITMENT
    assert await upload == WHOLE
    assert await vault.usage(SCOPE) == Usage(1, len(CONTENT))
    assert await content_of(vault) == CONTENT


async def test_the_second_upload_goes_by_what_a_broken_first_left(vault: Vault) -> None:
    first_is_in, fail = asyncio.Event(), asyncio.Event()

    async def breaking() -> AsyncIterator[bytes]:
        yield CONTENT[:100]
        first_is_in.set()
        await fail.wait()
        raise ConnectionResetError

    first = asyncio.ensure_future(
        vault.append(SCOPE, SALT, COMMITMENT, breaking(), offset=0, size=len(CONTENT))
    )
    await first_is_in.wait()
    second = asyncio.ensure_future(append(vault, CONTENT))
    await asyncio.sleep(0)
    fail.set()
    with pytest.raises(ConnectionResetError):
        await first
    with pytest.raises(Fault) as fault:
        await second
    assert fault.value.code == FaultCode.ATTACHMENT_OFFSET
    assert await append(vault, CONTENT[100:], offset=100) == WHOLE


async def test_many_uploads_of_the_same_and_of_others_all_arrive(vault: Vault) -> None:
    contents = [bytes([n]) * 3_000 for n in range(8)] * 3
    commitments = await asyncio.gather(*(put(vault, content) for content in contents))
    assert await vault.usage(SCOPE) == Usage(8, 8 * 3_000)
    for content, commitment in zip(contents, commitments, strict=True):
        assert await content_of(vault, commitment) == content


# --- the ordinary way ----------------------------------------------------------------------------
async def test_a_put_returns_commitment_digest_and_size(vault: Vault) -> None:
    stored = await vault.put(
        SCOPE,
        SALT,
        stream(CONTENT[:7], b"", CONTENT[7:]),
        size=len(CONTENT),
        sha256=sha256(CONTENT).digest(),
    )
    assert stored == (COMMITMENT, sha256(CONTENT).digest(), len(CONTENT))
    assert await vault.state(SCOPE, COMMITMENT) == WHOLE
    assert await content_of(vault) == CONTENT


async def test_the_same_content_again_is_no_error(vault: Vault) -> None:
    assert await put(vault) == await put(vault)
    assert await append(vault, b"not even read") == WHOLE
    assert await vault.usage(SCOPE) == Usage(1, len(CONTENT))
    assert await content_of(vault) == CONTENT


async def test_a_put_takes_the_place_of_a_part(vault: Vault) -> None:
    await append(vault, CONTENT[:10])
    await put(vault)
    assert await vault.usage(SCOPE) == Usage(1, len(CONTENT))


async def test_an_empty_file_is_a_file(vault: Vault) -> None:
    empty = commitment_of(SALT, b"")
    assert await vault.held(SCOPE, [empty]) == {}
    state = await vault.append(SCOPE, SALT, empty, stream(), offset=0, size=0)
    assert state == AttachmentState(0, True)
    assert await vault.held(SCOPE, [empty]) == {empty: Held(SALT, 0)}
    assert await content_of(vault, empty) == b""
    assert await put(vault, b"") == empty
    assert await vault.usage(SCOPE) == Usage(1, 0)


async def test_held_names_what_is_held_whole_with_its_salt_and_size(vault: Vault) -> None:
    await put(vault)
    part = commitment_of(SALT, b"part of it")
    await vault.append(SCOPE, SALT, part, stream(b"part"), offset=0, size=10)
    assert await vault.held(SCOPE, [COMMITMENT, part, bytes(32)]) == {
        COMMITMENT: Held(SALT, len(CONTENT))
    }
    assert await vault.held(SCOPE, []) == {}


async def test_usage_counts_whole_files_and_parts(vault: Vault) -> None:
    await put(vault)
    await vault.append(SCOPE, SALT, bytes(32), stream(b"part"), offset=0, size=10)
    assert await vault.usage(SCOPE) == Usage(2, len(CONTENT) + 4)


async def test_cases_with_files_are_listed_per_partner(vault: Vault) -> None:
    for scope in (SCOPE, VaultScope(JIAYUGUAN, OTHER_CASE), VaultScope(WUWEI, CASE)):
        await put(vault, scope=scope)
    await put(vault, b"a second file of the case")
    assert await vault.cases_of(JIAYUGUAN) == {CASE, OTHER_CASE}
    assert await vault.cases_of(WUWEI) == {CASE}
    assert await vault.cases_of(JIUQUAN) == set()


@pytest.mark.parametrize("offset", [0, 1, ATTACHMENT_CHUNK_BYTES, 700_000, 800_000])
async def test_reading_begins_anywhere_and_keeps_to_the_chunk_size(
    vault: Vault, offset: int
) -> None:
    content = bytes(range(250)) * 2_800
    commitment = await put(vault, content)
    async with aclosing(vault.read(SCOPE, commitment, offset=offset)) as source:  # type: ignore[type-var]
        chunks = [chunk async for chunk in source]
    assert b"".join(chunks) == content[offset:]
    assert all(0 < len(chunk) <= ATTACHMENT_CHUNK_BYTES for chunk in chunks)


# --- sweeping ------------------------------------------------------------------------------------
async def test_what_was_just_used_is_not_swept(vault: Vault, clock: FixedClock) -> None:
    await put(vault)
    clock.advance(1_000)
    assert await vault.idle(JIAYUGUAN, NOW_MS) == {}
    assert await vault.sweep(SCOPE, NOW_MS) == Usage(0, 0)
    assert await content_of(vault) == CONTENT


async def test_what_lay_idle_is_swept_whole_and_its_neighbours_stay(
    vault: Vault, clock: FixedClock
) -> None:
    other = VaultScope(JIAYUGUAN, OTHER_CASE)
    await put(vault)
    await vault.append(SCOPE, SALT, bytes(32), stream(b"part"), offset=0, size=10)
    clock.advance(1_000)
    await put(vault, scope=other)
    assert await vault.partners() == {JIAYUGUAN}
    assert await vault.idle(JIAYUGUAN, clock.now_ms()) == {CASE: True}
    assert await vault.sweep(SCOPE, clock.now_ms()) == Usage(2, len(CONTENT) + 4)
    assert await vault.state(SCOPE, COMMITMENT) == NOTHING
    assert await vault.cases_of(JIAYUGUAN) == {OTHER_CASE}
    assert await vault.sweep(SCOPE, clock.now_ms()) == Usage(0, 0)
    assert (await vault.state(other, COMMITMENT)).complete
    assert await append(vault, CONTENT) == WHOLE, "it may come again"


async def test_what_a_message_asked_for_is_not_swept_under_it(
    vault: Vault, clock: FixedClock
) -> None:
    await put(vault)
    clock.advance(1_000)
    asked_ms = clock.now_ms()
    assert COMMITMENT in await vault.held(SCOPE, [COMMITMENT])
    clock.advance(1)
    assert await vault.sweep(SCOPE, asked_ms) == Usage(0, 0)
    assert await vault.sweep(SCOPE, clock.now_ms()) == Usage(1, len(CONTENT))


async def test_an_upload_that_goes_on_is_not_swept_under_it(
    vault: Vault, clock: FixedClock
) -> None:
    await append(vault, CONTENT[:10])
    clock.advance(1_000)
    begun_ms = clock.now_ms()
    swept: list[Usage] = []

    async def slowly() -> AsyncIterator[bytes]:
        yield CONTENT[10:20]
        swept.append(await vault.sweep(SCOPE, begun_ms))
        yield CONTENT[20:]

    size = len(CONTENT)
    assert await vault.append(SCOPE, SALT, COMMITMENT, slowly(), offset=10, size=size) == WHOLE
    assert swept == [Usage(0, 0)]
    assert await content_of(vault) == CONTENT


async def test_only_parts_that_lay_idle_are_swept_from_a_case_that_stays(
    vault: Vault, clock: FixedClock
) -> None:
    await put(vault)
    await vault.append(SCOPE, SALT, bytes(32), stream(b"part"), offset=0, size=10)
    clock.advance(1_000)
    fresh = bytes([1]) * 32
    await vault.append(SCOPE, SALT, fresh, stream(b"fresh"), offset=0, size=10)
    assert await vault.sweep_parts(SCOPE, clock.now_ms()) == Usage(1, 4)
    assert await vault.state(SCOPE, fresh) == AttachmentState(5, False)
    assert await vault.usage(SCOPE) == Usage(2, len(CONTENT) + 5)
    assert await content_of(vault) == CONTENT
