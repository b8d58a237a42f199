"""The door for callbacks: what is no request in order is not even shown to a partner's handler."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from gateway.adapters.pki.suites import SuiteVerifier
from gateway.adapters.system.clock import SystemClock
from gateway.app.partners import load_book
from gateway.edge.admission import Rates, Reading
from gateway.edge.callbacks import Callbacks, make_callbacks
from gateway.kernel.identifiers import GatewayId
from tests.fakes.telemetry import HeardEvents
from tests.support.world import make_pair

from .test_callback_rate import Heard

HEAD = b"POST /callbacks/620900/status HTTP/1.1\r\nHost: us\r\nContent-Length: 2"


async def test_who_calls_from_elsewhere_uses_up_nothing_of_the_partners_rate(
    tmp_path: Path,
) -> None:
    _, jyg = make_pair(tmp_path)
    entry = jyg.root / "partners" / "jiuquan" / "partner.toml"
    plain = entry.read_text("utf-8")
    handler, rates = Heard(), Rates(SystemClock())

    async def called(callers: str) -> int:
        limits = f"\n[limits]\nmessages_per_s = 1\nmessages_burst = 1\ncallers = {callers}\n"
        entry.write_text(plain + limits, "utf-8")
        book = load_book(jyg.root / "partners", GatewayId("620200"), SuiteVerifier(), demo=True)
        assert not book.broken
        held = SimpleNamespace(current=lambda: book)
        house = Callbacks(lambda _: handler, held, lambda der: der, HeardEvents(), rates)
        async with (
            TestClient(TestServer(make_callbacks(house))) as client,
            client.post("/callbacks/620900/status", data=b"{}") as answer,
        ):
            if answer.status == 401:
                assert (await answer.json())["rule"] == "trust.peer_unknown"
            return answer.status

    assert [await called('["192.0.2.0/24", "2001:db8::/32"]') for _ in range(3)] == [401] * 3
    assert handler.bodies == []
    assert await called('["192.0.2.0/24", "127.0.0.0/8"]') == 200
    entry.write_text(plain + '\n[limits]\ncallers = ["192.0.2.1/24"]\n', "utf-8")
    book = load_book(jyg.root / "partners", GatewayId("620200"), SuiteVerifier(), demo=True)
    ((broken,),) = [b.problems for b in book.broken]
    assert "192.0.2.1/24" in broken and "limits.callers" in broken


@pytest.mark.parametrize(
    ("head", "rule"),
    [
        (HEAD + b"\r\nX-Tif-Signature: \xff\xfe", b"portal.request_invalid"),
        (HEAD + b"\r\nX-Tif-Nonce: a\r\nx-tif-nonce: b", b"portal.request_invalid"),
        (HEAD.replace(b"status", b"st\xff"), b""),
        (HEAD + b"\r\nContent-Encoding: gzip", b"portal.media_type"),
        (HEAD.replace(b"620900", b"620901"), b"trust.peer_unknown"),
        (HEAD.replace(b"us", b"us/callbacks/620900/result#"), b"portal.request_invalid"),
        (HEAD.replace(b"us", b"us?x="), b"portal.request_invalid"),
        (HEAD.replace(b"us", b"a@us"), b"portal.request_invalid"),
        (HEAD.replace(b"/status", b"/status#x"), b"portal.request_invalid"),
        (HEAD.replace(b" /callbacks", b" http://us/callbacks"), b"portal.request_invalid"),
    ],
)
async def test_a_request_that_is_not_in_order_is_refused_and_not_judged(
    tmp_path: Path, head: bytes, rule: bytes
) -> None:
    _, jyg = make_pair(tmp_path)
    book = load_book(jyg.root / "partners", GatewayId("620200"), SuiteVerifier(), demo=True)
    handler, log = Heard(), HeardEvents()
    held = SimpleNamespace(current=lambda: book)
    house = Callbacks(lambda _: handler, held, lambda der: der, log, Rates(SystemClock()))
    async with TestServer(make_callbacks(house)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head + b"\r\nConnection: close\r\n\r\n{}")
        answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.") and answer[9:10] == b"4", answer
    assert rule in answer
    assert handler.bodies == []
    assert not [name for name, told in log.events if "error" in told]


class Told(Reading):
    """Tells when a fifth one asks for a place."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.five = asyncio.Event()

    async def turn(self, peer: GatewayId, read: Callable[[], Awaitable[Any]]) -> Any:
        self.asked += 1
        if self.asked == 5:
            self.five.set()
        return await super().turn(peer, read)


async def test_large_bodies_wait_for_a_place_and_small_ones_do_not(tmp_path: Path) -> None:
    _, jyg = make_pair(tmp_path)
    book = load_book(jyg.root / "partners", GatewayId("620200"), SuiteVerifier(), demo=True)
    handler, reading = Heard(), Told()
    held = SimpleNamespace(current=lambda: book)
    house = Callbacks(
        lambda _: handler, held, lambda der: der, HeardEvents(), Rates(SystemClock()),
        reading=reading,
    )  # fmt: skip
    large = HEAD.removesuffix(b"2") + b"100000\r\nConnection: close\r\n\r\n"
    async with TestServer(make_callbacks(house)) as server:
        lines = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(6)]
        for _, writer in lines[:5]:
            writer.write(large + b"1" * 50_000)
        await reading.five.wait()
        lines[5][1].write(HEAD + b"\r\nConnection: close\r\n\r\n{}")
        assert b" 200 " in (await lines[5][0].read()).splitlines()[0]
        assert handler.bodies == [b"{}"], "the fifth large one waits, and nobody with it"
        for _, writer in lines[:5]:
            writer.write(b"1" * 50_000)
        for reader, _ in lines[:5]:
            assert b" 200 " in (await reader.read()).splitlines()[0]
        for _, writer in lines:
            writer.close()
            await writer.wait_closed()
    assert [len(body) for body in handler.bodies] == [2, *[100_000] * 5]
