"""The door for callbacks: what is no request in order is not even shown to a partner's handler."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from gateway.adapters.pki.suites import SuiteVerifier
from gateway.adapters.system.clock import SystemClock
from gateway.app.partners import load_book
from gateway.edge.admission import Rates
from gateway.edge.callbacks import Callbacks, make_callbacks
from gateway.kernel.identifiers import GatewayId
from tests.fakes.telemetry import HeardEvents
from tests.support.world import make_pair

from .test_callback_rate import Heard

HEAD = b"POST /callbacks/620900/status HTTP/1.1\r\nHost: us\r\nContent-Length: 2"


@pytest.mark.parametrize(
    ("head", "rule"),
    [
        (HEAD + b"\r\nX-Tif-Signature: \xff\xfe", b"portal.request_invalid"),
        (HEAD + b"\r\nX-Tif-Nonce: a\r\nx-tif-nonce: b", b"portal.request_invalid"),
        (HEAD.replace(b"status", b"st\xff"), b""),
        (HEAD + b"\r\nContent-Encoding: gzip", b"portal.media_type"),
        (HEAD.replace(b"620900", b"620901"), b"trust.peer_unknown"),
    ],
)
async def test_a_request_that_is_not_in_order_is_refused_and_not_judged(
    tmp_path: Path, head: bytes, rule: bytes
) -> None:
    _, jyg = make_pair(tmp_path)
    book = load_book(jyg.root / "partners", GatewayId("620200"), SuiteVerifier(), demo=True)
    handler, log = Heard(), HeardEvents()

    class Held:
        def current(self) -> object:
            return book

    house = Callbacks(lambda _: handler, Held(), lambda der: der, log, Rates(SystemClock()))  # type: ignore[arg-type]
    async with TestServer(make_callbacks(house)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head + b"\r\nConnection: close\r\n\r\n{}")
        answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.") and answer[9:10] == b"4", answer
    assert rule in answer
    assert handler.bodies == []
    assert not [name for name, told in log.events if "error" in told]
