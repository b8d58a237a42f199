from __future__ import annotations

import asyncio
import contextlib
import time

import pytest
from aiohttp import ClientConnectionError

from gateway.kernel.limits import ATTACHMENT_BYTES_MAX

from .conftest import BOUNDS, World
from .fakes import FILE, bearer, eventually
from .test_cases import PDF, _open
from .test_tasks import FILE_PATH

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _line(world: World) -> Line:
    return await asyncio.open_connection("127.0.0.1", world.server.port)


async def _leave(line: Line) -> None:
    line[1].close()
    with contextlib.suppress(ConnectionError):
        await line[1].wait_closed()


async def _drip(line: Line, raw: bytes, every_s: float) -> float:
    """Send a byte at a time until the other side ends the line; return how long it lasted."""
    reader, writer = line
    begun = time.monotonic()

    async def send() -> None:
        for byte in raw:
            writer.write(bytes([byte]))
            await asyncio.sleep(every_s)

    async with asyncio.TaskGroup() as group:
        sending = group.create_task(send())
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), 10)
        sending.cancel()
    return time.monotonic() - begun


async def test_a_client_that_sends_its_head_byte_by_byte_is_cut_while_others_are_served(
    world: World,
) -> None:
    line = await _line(world)
    served = 0

    async def others() -> None:
        nonlocal served
        while True:
            async with world.client.get("/v1/items", headers=bearer()) as answer:
                assert answer.status == 200
            served += 1

    async with asyncio.TaskGroup() as group:
        working = group.create_task(others())
        lasted_s = await _drip(line, b"GET /v1/items HTTP/1.1\r\nX: " + b"a" * 5_000, 0.02)
        working.cancel()
    await _leave(line)
    assert 0.9 * BOUNDS.header_timeout_s <= lasted_s < 5 * BOUNDS.header_timeout_s
    assert served > 3


async def test_a_client_that_sends_nothing_is_cut(world: World) -> None:
    line = await _line(world)
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(line[0].read(), 5) == b""
    await _leave(line)


async def test_a_later_head_is_timed_too_but_silence_between_requests_is_not(world: World) -> None:
    reader, writer = line = await _line(world)
    for pause_s in (0.0, 2 * BOUNDS.header_timeout_s):
        await asyncio.sleep(pause_s)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b'"alive"}'), 5)
    lasted_s = await _drip(line, b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 5_000, 0.02)
    assert lasted_s < BOUNDS.keepalive_s / 2
    await _leave(line)


def _head(path: str, length: int | None, media_type: str = "application/json") -> bytes:
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer()['Authorization']}\r\n"
        f"Content-Type: {media_type}\r\n{framing}\r\n\r\n"
    ).encode()


async def test_a_slow_json_body_is_refused(world: World) -> None:
    line = await _line(world)
    line[1].write(_head("/v1/cases", 1_000) + b"{")
    answer = await asyncio.wait_for(line[0].read(), 5)
    assert b"portal.too_slow" in answer and answer.startswith(b"HTTP/1.1 408")
    await _leave(line)


async def test_a_dripping_json_body_is_refused(world: World) -> None:
    line = await _line(world)
    line[1].write(_head("/v1/cases", 1_000))
    assert await _drip(line, b"{" * 900, 0.02) < 2.0
    assert [f["rule"] for _, f in world.log.events] == ["portal.too_slow"]
    await _leave(line)


async def test_a_stalled_upload_is_refused_and_not_kept(world: World) -> None:
    case_id = await _open(world)
    line = await _line(world)
    path = f"/v1/cases/{case_id}/materials?material=charter"
    line[1].write(_head(path, len(PDF), "application/pdf") + PDF[:1_000])
    answer = await asyncio.wait_for(line[0].read(), 5)
    assert b"portal.too_slow" in answer
    assert world.desk.broken_uploads == 1
    await _leave(line)


async def test_an_upload_that_only_drips_is_refused_and_not_kept(world: World) -> None:
    case_id = await _open(world)
    line = await _line(world)
    path = f"/v1/cases/{case_id}/materials?material=charter"
    line[1].write(_head(path, len(PDF), "application/pdf") + PDF[:1_000])
    assert await _drip(line, PDF[1_000:1_100], 0.1) < 5 * BOUNDS.upload_timeout_s
    assert [f["rule"] for _, f in world.log.events] == ["portal.too_slow"]
    assert world.desk.broken_uploads == 1
    await _leave(line)


async def test_an_upload_declared_too_large_is_refused_before_it_is_read(world: World) -> None:
    case_id = await _open(world)
    line = await _line(world)
    path = f"/v1/cases/{case_id}/materials?material=charter"
    line[1].write(_head(path, ATTACHMENT_BYTES_MAX + 1, "application/pdf"))
    answer = await asyncio.wait_for(line[0].readuntil(b"}"), 5)
    assert answer.startswith(b"HTTP/1.1 413") and b"limit.attachment_bytes" in answer
    await _leave(line)


async def test_a_body_declared_too_large_is_refused_before_it_is_read(world: World) -> None:
    line = await _line(world)
    line[1].write(_head("/v1/cases", BOUNDS.json_bytes_max + 1))
    answer = await asyncio.wait_for(line[0].readuntil(b"}"), 5)
    assert answer.startswith(b"HTTP/1.1 413") and b"portal.too_large" in answer
    await _leave(line)


async def test_a_body_that_grows_too_large_is_refused_while_it_is_read(world: World) -> None:
    line = await _line(world)
    chunk = b"10000\r\n" + b"[" * 65_536 + b"\r\n"
    line[1].write(_head("/v1/cases", None) + chunk * (BOUNDS.json_bytes_max // 65_536 + 2))
    answer = await asyncio.wait_for(line[0].readuntil(b"}"), 5)
    assert answer.startswith(b"HTTP/1.1 413") and b"portal.too_large" in answer
    await _leave(line)


async def test_nothing_of_a_body_is_read_without_a_token(world: World) -> None:
    line = await _line(world)
    line[1].write(b"POST /v1/cases HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
    answer = await asyncio.wait_for(line[0].readuntil(b"}"), 5)
    assert answer.startswith(b"HTTP/1.1 401")
    await _leave(line)


async def test_a_full_house_sends_the_next_away_and_has_room_again_later(world: World) -> None:
    lines = []
    for _ in range(BOUNDS.connections_max):
        reader, writer = line = await _line(world)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b'"alive"}')
        lines.append(line)
    assert world.server.connections == BOUNDS.connections_max
    one_more = await _line(world)
    answer = await asyncio.wait_for(one_more[0].read(), 5)
    assert answer.startswith(b"HTTP/1.1 503") and b"limit.overloaded" in answer
    await _leave(one_more)
    for line in lines:
        await _leave(line)
    await eventually(lambda: world.server.connections == 0)
    async with world.client.get("/healthz") as answer_again:
        assert answer_again.status == 200


async def test_a_client_that_does_not_read_its_file_is_cut(world: World) -> None:
    line = await _line(world)
    head = f"GET {FILE_PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer()['Authorization']}"
    for _ in range(12):
        line[1].write(f"{head}\r\n\r\n".encode())
    await eventually(lambda: "http_download_broken" in world.log.names())
    await eventually(lambda: world.server.connections == 0)
    await _leave(line)


# --- stopping -----------------------------------------------------------------------------------


async def test_a_stop_answers_long_polls_at_once(world: World) -> None:
    async def poll() -> object:
        async with world.client.get("/v1/tasks?wait_s=20&after=4", headers=bearer()) as answer:
            assert answer.headers["Connection"] == "close"
            return await answer.json()

    async with asyncio.TaskGroup() as group:
        polling = group.create_task(poll())
        await world.task_desk.waiting.wait()
        begun = time.monotonic()
        await world.server.stop()
    assert polling.result() == {"tasks": [], "cursor": 4}
    assert time.monotonic() - begun < 2.0


async def test_a_stop_lets_an_upload_under_way_finish(world: World) -> None:
    case_id = await _open(world)
    line = await _line(world)
    path = f"/v1/cases/{case_id}/materials?material=charter"
    line[1].write(_head(path, len(PDF), "application/pdf") + PDF[:400_000])
    await asyncio.wait_for(world.desk.uploading.wait(), 5)
    async with asyncio.TaskGroup() as group:
        stopping = group.create_task(world.server.stop())
        await asyncio.sleep(0.1)
        assert not stopping.done()
        with pytest.raises(OSError):
            await _line(world)
        line[1].write(PDF[400_000:])
        answer = await asyncio.wait_for(line[0].read(), 5)
    assert answer.startswith(b"HTTP/1.1 200") and b'"held": ["charter"]' in answer
    assert next(iter(world.desk.store.values())).files["charter"] == PDF
    await _leave(line)


async def test_a_stop_does_not_wait_for_idle_lines(world: World) -> None:
    line = await _line(world)
    line[1].write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    await line[0].readuntil(b'"alive"}')
    begun = time.monotonic()
    await world.server.stop()
    assert time.monotonic() - begun < BOUNDS.drain_s_max / 2
    assert await asyncio.wait_for(line[0].read(), 5) == b""
    await _leave(line)
    with pytest.raises(ClientConnectionError):
        await world.client.get("/healthz")


async def test_a_stop_does_not_wait_for_ever(world: World) -> None:
    world.desk.gate = asyncio.Event()
    line = await _line(world)
    line[1].write(
        f"GET /v1/items HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer()['Authorization']}"
        "\r\n\r\n".encode()
    )
    await asyncio.wait_for(world.desk.entered.wait(), 5)
    begun = time.monotonic()
    await world.server.stop()
    assert BOUNDS.drain_s_max <= time.monotonic() - begun < BOUNDS.drain_s_max + 3
    assert world.log.names() == ["http_drain_ended"]
    await _leave(line)


async def test_a_request_behind_the_last_answer_of_a_stopping_server_is_not_begun(
    world: World,
) -> None:
    world.desk.gate = asyncio.Event()
    head = f"GET /v1/items HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer()['Authorization']}"
    reader, writer = line = await _line(world)
    writer.write(f"{head}\r\n\r\n{head}\r\n\r\n".encode())
    await asyncio.wait_for(world.desk.entered.wait(), 5)
    async with asyncio.TaskGroup() as group:
        group.create_task(world.server.stop())
        await asyncio.sleep(0)
        world.desk.gate.set()
        answers = await asyncio.wait_for(reader.read(), 5)
    assert answers.startswith(b"HTTP/1.1 200") and answers.count(b"Connection: close") == 1
    assert answers.count(b"HTTP/1.1") == 1
    await _leave(line)


async def test_a_download_under_way_is_finished_by_a_stop(world: World) -> None:
    answer = await world.client.get(FILE_PATH, headers=bearer())
    async with answer, asyncio.TaskGroup() as group:
        group.create_task(world.server.stop())
        content = await answer.read()
    assert content == FILE
