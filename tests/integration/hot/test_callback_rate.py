"""How much a partner's platform may call back in a second, over HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from gateway.adapters.pki.suites import SuiteVerifier
from gateway.adapters.system.clock import SystemClock
from gateway.app.partners import load_book
from gateway.edge.admission import Rates
from gateway.edge.callbacks import Callbacks, make_callbacks
from gateway.kernel.identifiers import GatewayId
from gateway.ports.callbacks import CallbackAnswer, CallbackRequest
from tests.fakes.telemetry import HeardEvents
from tests.support.world import make_pair

from .test_rates import LIMITS


class Heard:
    """A handler that keeps what it was given."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def handle(self, request: CallbackRequest) -> CallbackAnswer:
        self.bodies.append(request.body)
        return CallbackAnswer(200, b"ok", "text/plain")


@pytest.fixture
def directory(tmp_path: Path) -> Any:
    jq, jyg = make_pair(tmp_path)
    path = jyg.root / "partners" / "jiuquan" / "partner.toml"
    path.write_text(path.read_text() + LIMITS.format(1, 2))
    home = GatewayId("620200")
    book = load_book(jyg.root / "partners", home, SuiteVerifier(), demo=True)
    assert jq.identity.gateway_id in book.partners
    return SimpleNamespace(current=lambda: book)


async def test_a_platform_over_its_rate_is_told_when_to_come_again_and_is_not_read(
    directory: Any,
) -> None:
    handler = Heard()
    house = Callbacks(
        lambda _: handler, directory, lambda der: der, HeardEvents(), Rates(SystemClock())
    )
    async with TestClient(TestServer(make_callbacks(house))) as client:
        for number in range(2):
            async with client.post("/callbacks/620900/x", data=b"%d" % number) as answer:
                assert answer.status == 200
        sent = [client.post("/callbacks/620900/x", data=b"never read") for _ in range(3)]
        answers = await asyncio.gather(*sent)
        for answer in answers:
            problem = await answer.json()
            assert (answer.status, problem["rule"]) == (429, "limit.partner_rate")
            assert int(answer.headers["Retry-After"]) >= 1
            assert problem["detail"] == "messages_per_s is 1"
    assert handler.bodies == [b"0", b"1"]
