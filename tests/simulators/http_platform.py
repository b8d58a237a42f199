"""A platform's HTTP server (simulated 模拟) over TLS, that answers what a test tells it to."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class HttpPlatform:
    """What it was asked, and how it answers."""

    answer: Answer
    port: int = 0
    asked: list[tuple[web.Request, bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request, await request.read()))
        return await self.answer(request)


@asynccontextmanager
async def http_platform(answer: Answer, tls: ssl.SSLContext) -> AsyncIterator[HttpPlatform]:
    """Run a platform on a free port of loopback."""
    platform = HttpPlatform(answer)
    app = web.Application(client_max_size=64 * 1_048_576)
    app.router.add_route("*", "/{path:.*}", platform.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    assert runner.addresses
    platform.port = runner.addresses[0][1]
    try:
        yield platform
    finally:
        await runner.cleanup()
