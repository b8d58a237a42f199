"""What the simulated platforms that speak HTTP have in common: a door, and calling back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import web

from gateway.app.demo.platforms.office import POLL_S, PlatformStory
from gateway.app.demo.state import config_of
from gateway.app.provision import Site

_BYTES_MAX: Final = 64 * 1_048_576


@asynccontextmanager
async def served(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncIterator[str]:
    """Answer every POST on a loopback port; yield the base URL."""
    app = web.Application(client_max_size=_BYTES_MAX)
    app.router.add_post("/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Have work done meanwhile."""
    works = asyncio.get_running_loop().create_task(work)
    try:
        yield
    finally:
        works.cancel()
        await asyncio.gather(works, return_exceptions=True)


def called_back_at(site: Site, story: PlatformStory) -> str:
    """Return the URL below which the gateway of `site` hears the platform."""
    return f"http://{config_of(site).callbacks.listen}/callbacks/{story.region}/"


async def insist(said: Callable[[], Awaitable[bool]], wanted: Callable[[], bool]) -> None:
    """Say something again until it is taken over, as real services do, while it is wanted."""
    while not await said():
        if not wanted():
            return
        await asyncio.sleep(POLL_S)
