"""Who may stay on the line: connections counted, heads whole in time, answers read in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from aiohttp import web

from gateway.edge.portal_http.problems import problem
from gateway.kernel import limits
from gateway.kernel.faults import Fault, FaultCode

if TYPE_CHECKING:
    from aiohttp.web_protocol import RequestHandler
else:
    RequestHandler = web.RequestHandler

_FULL_BODY: Final = b'{"type":"urn:kuayu:rule:limit.overloaded","rule":"limit.overloaded"}\n'
_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
    b"Retry-After: 5\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(_FULL_BODY)
) + _FULL_BODY


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a client may take of time and space; the defaults are those of `kernel.limits`."""

    header_timeout_s: float = limits.HTTP_HEADER_TIMEOUT_S
    body_timeout_s: float = limits.HTTP_BODY_TIMEOUT_S
    upload_idle_s: float = limits.HTTP_UPLOAD_IDLE_S
    upload_timeout_s: float = limits.UPLOAD_TIMEOUT_S
    answer_timeout_s: float = limits.HTTP_ANSWER_S
    keepalive_s: float = limits.HTTP_KEEPALIVE_S
    linger_s: float = limits.HTTP_LINGER_S
    long_poll_s_max: float = limits.LONG_POLL_S_MAX
    drain_s_max: float = limits.DRAIN_S_MAX
    connections_max: int = limits.HTTP_CONNECTIONS_MAX
    json_bytes_max: int = limits.HTTP_JSON_BYTES_MAX


class Stopping:
    """Says once that the server stops, and ends waits for it."""

    def __init__(self) -> None:
        self.begun = False
        self._enders: set[Callable[[], None]] = set()

    def begin(self) -> None:
        """End every wait now, and every later one at once."""
        self.begun = True
        for end in list(self._enders):
            end()

    @asynccontextmanager
    async def ends(self, line: Connection) -> AsyncIterator[None]:
        """Run the block until the server stops or `line` is lost; then raise `TimeoutError`."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(0 if self.begun or line.lost else None) as scope:

            def end() -> None:
                if not scope.expired():
                    scope.reschedule(loop.time())

            self._enders.add(end)
            line.on_lost.add(end)
            try:
                yield
            finally:
                self._enders.discard(end)
                line.on_lost.discard(end)


class Door:
    """Counts connections. TLS handshakes under way are *not* counted: their time is bounded."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.inside: set[Connection] = set()

    def enter(self, line: Connection) -> bool:
        """Let `line` in unless the house is full."""
        if len(self.inside) >= self.bounds.connections_max:
            return False
        self.inside.add(line)
        return True


class Connection(RequestHandler):
    """One connection. aiohttp has no timeout for a request's head, nor for reading an answer.

    The head must be whole `header_timeout_s` after the connection is made, and after the first
    byte of each later head. What was already pipelined behind a request is bounded by
    `keepalive_s` instead.
    """

    def __init__(self, manager: web.Server, door: Door, **settings: Any) -> None:
        super().__init__(manager, **settings)
        self._door = door
        self._head_due: asyncio.TimerHandle | None = None
        self.lost = False
        self.on_lost: set[Callable[[], None]] = set()

    @property
    def idle(self) -> bool:
        """Tell whether nothing is being answered, and aiohttp waits for the next head."""
        return self._waiter is not None and not self._waiter.done()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the connection in and give it time for its first head, or send it away."""
        if not self._door.enter(self):
            line = cast(asyncio.Transport, transport)  # not a subclass under uvloop
            line.write(_FULL)
            line.close()
            self._force_close = True
            return
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; keep time while a head is incomplete."""
        if self.transport is None:
            return
        heads = self._request_count
        super().data_received(data)
        if self._request_count > heads:
            self._head_came()
        elif data and self.idle and self._head_due is None:
            self._expect_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Free the place and end waits on its behalf."""
        self._head_came()
        self._door.inside.discard(self)
        self.lost = True
        super().connection_lost(exc)
        for end in list(self.on_lost):
            end()

    def _expect_head(self) -> None:
        timeout_s = self._door.bounds.header_timeout_s
        self._head_due = self._loop.call_later(timeout_s, self.cut)

    def _head_came(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def cut(self) -> None:
        """Close without a word; what is under way sees a lost connection."""
        transport = self.transport
        self.force_close()
        if transport is not None:
            transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is not HTTP; nothing of what was sent is repeated or logged."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was begun already")
        code = FaultCode.INTERNAL if status >= 500 else FaultCode.PORTAL_REQUEST_INVALID
        answer = problem(Fault(code, "not a sound HTTP request" if status < 500 else ""), "")
        answer.force_close()
        return answer

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer; a client that does not read it in time is cut."""
        try:
            async with asyncio.timeout(self._door.bounds.answer_timeout_s):
                return await super().finish_response(request, resp, start_time)
        except TimeoutError:
            self.cut()
            return resp, True
