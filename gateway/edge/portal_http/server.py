"""Serving the application: a listening socket, and a stop that loses nothing."""

from __future__ import annotations

import asyncio
import ssl
from typing import Protocol

from aiohttp import web

from gateway.edge.portal_http.admission import Bounds, Connection, Door, Stopping
from gateway.edge.portal_http.context import PORTAL
from gateway.ports.telemetry import EventLog

_DRAIN_STEP_S = 0.01  # how often a draining server looks whether its requests are done
_CLOSE_S = 1.0  # for connections that are still there when everything is done


class House(Protocol):
    """What stands before the handlers of an application that is served."""

    @property
    def bounds(self) -> Bounds:
        """What a client may take."""
        ...

    @property
    def stopping(self) -> Stopping:
        """Whether the end has begun."""
        ...

    @property
    def log(self) -> EventLog:
        """Where it is told."""
        ...


class PortalServer:
    """One listening socket; `start` once, `stop` once. Without `tls` it speaks plain HTTP."""

    def __init__(
        self,
        app: web.Application,
        *,
        host: str,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        house: House | None = None,
    ) -> None:
        self._portal = house or app[PORTAL]
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSE_S)
        self._door = Door(self._portal.bounds)
        self._host = host
        self._port = port
        self._tls = tls
        self._listener: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port listened on; the one asked for before `start`."""
        if self._listener is not None and self._listener.sockets:
            self._port = int(self._listener.sockets[0].getsockname()[1])
        return self._port

    @property
    def connections(self) -> int:
        """How many connections there are."""
        return len(self._door.inside)

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the address cannot be had.
        """
        await self._runner.setup()
        timeout_s = self._portal.bounds.header_timeout_s if self._tls else None
        self._listener = await asyncio.get_running_loop().create_server(
            self._connection,
            self._host,
            self._port,
            ssl=self._tls,
            ssl_handshake_timeout=timeout_s,
            ssl_shutdown_timeout=timeout_s,
        )
        assert self.port

    def _connection(self) -> Connection:
        server = self._runner.server
        assert server is not None
        bounds = self._portal.bounds
        return Connection(
            server,
            self._door,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=bounds.keepalive_s,
            lingering_time=bounds.linger_s,
            access_log=None,
            auto_decompress=False,
        )

    async def stop(self) -> None:
        """Stop accepting, answer long polls at once, drain up to `drain_s_max`, then close."""
        if self._listener is not None:
            self._listener.close()
        await asyncio.sleep(0)  # what has arrived is given to its handler first
        self._portal.stopping.begin()
        await self._drain()
        await self._runner.cleanup()

    async def _drain(self) -> None:
        """Close idle connections; wait for the others, uploads under way included.

        aiohttp's own way drops the rest of a body that is still arriving.
        """
        try:
            async with asyncio.timeout(self._portal.bounds.drain_s_max):
                while self._door.inside:
                    for line in [line for line in self._door.inside if line.idle]:
                        line.force_close()
                    await asyncio.sleep(_DRAIN_STEP_S)
        except TimeoutError:
            self._portal.log.event("http_drain_ended", connections=len(self._door.inside))
