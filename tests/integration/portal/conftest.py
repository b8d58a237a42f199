from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import pytest
import uvloop
from aiohttp import ClientSession, TCPConnector, web

from gateway.adapters.memory.journal import MemoryJournal
from gateway.edge.portal_http.admission import Bounds
from gateway.edge.portal_http.app import make_portal
from gateway.edge.portal_http.keys import FixedKeys
from gateway.edge.portal_http.server import PortalServer
from gateway.edge.portal_http.tokens import TokenChecker
from gateway.flow.item_list import ItemLists
from gateway.kernel.identifiers import GatewayId

from .fakes import (
    AUDIENCE,
    ISSUER,
    JWKS,
    FakeClock,
    FakeClockDesk,
    FakeDesk,
    FakeLog,
    FakeTaskDesk,
)

HOME = GatewayId("620900")
ALGORITHMS = frozenset({"ES256", "RS256"})
BOUNDS = Bounds(
    header_timeout_s=0.3,
    body_timeout_s=0.3,
    upload_idle_s=0.3,
    upload_timeout_s=1.0,
    answer_timeout_s=1.0,
    keepalive_s=5.0,
    linger_s=0.2,
    long_poll_s_max=20.0,
    drain_s_max=1.0,
    connections_max=8,
)
"""Those of production in small, so that a test of a time-out takes tenths of a second."""


ON_BOTH_LOOPS = ("test_admission", "test_tls")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run what depends on transports on uvloop too: its transports are others."""
    if item.path.stem in ON_BOTH_LOOPS:
        return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


@dataclass
class World:
    """A portal that listens, and everything behind it."""

    desk: FakeDesk = field(default_factory=FakeDesk)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    task_desk: FakeTaskDesk = field(default_factory=FakeTaskDesk)
    clock_desk: FakeClockDesk = field(default_factory=FakeClockDesk)
    clock: FakeClock = field(default_factory=FakeClock)
    log: FakeLog = field(default_factory=FakeLog)
    wrong: list[str] = field(default_factory=list)
    probe_raises: Exception | None = None
    server: PortalServer = field(init=False)
    client: ClientSession = field(init=False)

    async def ready(self) -> Sequence[str]:
        if self.probe_raises is not None:
            raise self.probe_raises
        return self.wrong

    def make_app(self) -> web.Application:
        tokens = TokenChecker(
            FixedKeys(JWKS, ALGORITHMS),
            issuer=ISSUER,
            audience=AUDIENCE,
            algorithms=ALGORITHMS,
            clock=self.clock,
        )
        return make_portal(
            desk=self.desk,
            task_desk=self.task_desk,
            item_lists=ItemLists(self.journal, HOME),
            clock_desk=self.clock_desk,
            tokens=tokens,
            ready=self.ready,
            log=self.log,
            bounds=BOUNDS,
        )

    async def start(self) -> None:
        self.server = PortalServer(self.make_app(), host="127.0.0.1")
        await self.server.start()
        self.client = ClientSession(
            f"http://127.0.0.1:{self.server.port}", connector=TCPConnector(limit=0)
        )


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    await made.start()
    try:
        yield made
    finally:
        await made.client.close()
        await made.server.stop()
