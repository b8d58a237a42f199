"""`/healthz`: the process answers. `/readyz`: it may be given work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiohttp import web

from gateway.kernel.faults import FaultCode
from gateway.kernel.limits import READY_TIMEOUT_S
from gateway.ports.telemetry import EventLog

Ready = Callable[[], Awaitable[Sequence[str]]]
"""Returns what keeps the gateway from its work, as rule ids or short words; empty if nothing."""

_NO_STORE: Final = {"Cache-Control": "no-store"}


async def healthz(_request: web.Request) -> web.Response:
    """Say that the process is alive; nothing else is looked at."""
    return web.json_response({"status": "alive"}, headers=_NO_STORE)


def readyz(
    ready: Ready, stopping: Callable[[], bool], log: EventLog
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Make the handler of `/readyz`: 200, or 503 with what is wrong.

    A probe that fails or takes longer than `READY_TIMEOUT_S` is itself what is wrong.
    """

    async def probe() -> list[str]:
        if stopping():
            return [FaultCode.DELIVERY_STOPPING.value]
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                return list(await ready())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not ready
            log.event("ready_probe_failed", error=type(error).__name__)
            return [FaultCode.INTERNAL.value]

    async def handler(_request: web.Request) -> web.Response:
        wrong = await probe()
        if not wrong:
            return web.json_response({"status": "ready"}, headers=_NO_STORE)
        body = {"status": "not_ready", "problems": wrong}
        return web.json_response(body, status=503, headers=_NO_STORE)

    return handler
