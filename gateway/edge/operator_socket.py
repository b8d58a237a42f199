"""The door for operators on this machine: a Unix socket in the state folder, for its owner only.

Requests are `POST /v1/<command>` with a JSON object, or `POST /v1/streams/<command>` with many,
each after its length in four bytes; answers are JSON, faults are problems as on every HTTP door.
What is large comes as a stream: its connection is its life. Nobody but the gateway's own user and
root can open the socket, and the peer's user id is asked of the kernel besides.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from aiohttp import web

from gateway.edge.portal_http.problems import problems
from gateway.flow.desk import View
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import DRAIN_S_MAX, OPERATOR_BYTES_MAX
from gateway.ports.telemetry import EventLog
from gateway.rules.schema.strict_json import parse

Perform = Callable[[str, str, Mapping[str, object]], Awaitable[View]]
"""Does a command: (operator, command, arguments). Raises Fault."""

Objects = AsyncIterator[Mapping[str, object]]
Consume = Callable[[str, str, Objects], Awaitable[View]]
"""Does a command whose arguments come one after another. Raises Fault."""

_PATH_BYTES_MAX: Final = 107  # sun_path of Linux
_LENGTH_BYTES: Final = 4
_CREDENTIALS: Final = struct.Struct("3i")


class OperatorSocket:
    """Serves commands to operators' command lines on this machine."""

    def __init__(self, path: Path, perform: Perform, consume: Consume, log: EventLog) -> None:
        self._path = path
        self._perform = perform
        self._consume = consume
        self._log = log
        app = web.Application(
            middlewares=[problems(log, lambda: False)], client_max_size=OPERATOR_BYTES_MAX
        )
        app.router.add_post("/v1/{command}", self._answer)
        app.router.add_post("/v1/streams/{command}", self._answer_stream)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=DRAIN_S_MAX)

    async def start(self) -> None:
        """Listen. A socket that a killed process left is replaced: the journal's lock is ours.

        Raises:
            OSError: the address cannot be had.
        """
        if len(os.fsencode(self._path)) > _PATH_BYTES_MAX:
            told = f"is longer than {_PATH_BYTES_MAX} bytes; set operator.socket to a shorter path"
            raise OSError(36, told, str(self._path))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            listener.bind(os.fspath(self._path))
        except OSError:
            listener.close()
            raise
        finally:
            os.umask(before)
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    async def stop(self) -> None:
        """Answer what is under way, then take the socket away."""
        await self._runner.cleanup()
        self._path.unlink(missing_ok=True)

    async def _answer(self, request: web.Request) -> web.Response:
        operator = _operator_of(request)
        command = request.match_info["command"]
        document = parse(await request.read())
        if not isinstance(document, dict):
            raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "not an object")
        self._log.event("operator_acts", operator=operator, command=command)
        return _said(await self._perform(operator, command, document))

    async def _answer_stream(self, request: web.Request) -> web.Response:
        operator = _operator_of(request)
        command = request.match_info["command"]
        self._log.event("operator_acts", operator=operator, command=command)
        return _said(await self._consume(operator, command, _objects(request)))


def _said(view: View) -> web.Response:
    body = json.dumps(view, ensure_ascii=False).encode()
    return web.Response(body=body, content_type="application/json")


async def _objects(request: web.Request) -> Objects:
    """Yield a stream's objects as they come, one in memory at a time.

    Raises:
        Fault: `portal.request_invalid` if it is cut off or one is over the limit; those of `parse`.
    """
    try:
        while not request.content.at_eof():
            size = int.from_bytes(await request.content.readexactly(_LENGTH_BYTES), "big")
            if size > OPERATOR_BYTES_MAX:
                raise Fault(FaultCode.PORTAL_REQUEST_INVALID, f"over {OPERATOR_BYTES_MAX} bytes")
            raw = await request.content.readexactly(size)
            document = parse(raw, bytes_max=OPERATOR_BYTES_MAX)
            if not isinstance(document, dict):
                raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "not an object")
            yield document
    except (asyncio.IncompleteReadError, OSError, web.RequestPayloadError) as broken:
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "the stream was cut off") from broken


def _operator_of(request: web.Request) -> str:
    """Return who asks, by the user id the kernel gives.

    Raises:
        Fault: `portal.token_invalid`; another user's process.
    """
    assert request.transport is not None
    line: socket.socket = request.transport.get_extra_info("socket")
    raw = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(raw)
    if uid not in (0, os.geteuid()):
        raise Fault(FaultCode.PORTAL_TOKEN_INVALID, "another user")
    return f"uid-{uid}"
