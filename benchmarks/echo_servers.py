"""The reference: a bare `grpc.aio` echo over mutual TLS, and a bare aiohttp JSON echo.

Run as `python -m benchmarks.echo_servers KEYS_FOLDER`; prints its ports as one JSON line.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path

import grpc
import uvloop
from aiohttp import web

METHOD = "/kuayu.bench.Echo/Echo"


async def _echo(request: bytes, _context: object) -> bytes:
    return request


async def _http_echo(request: web.Request) -> web.Response:
    return web.json_response(await request.json(), status=201)


async def _serve(keys: Path) -> None:
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", 1 << 24),
            ("grpc.max_send_message_length", 1 << 24),
        ]
    )
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(_echo)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("kuayu.bench.Echo", {"Echo": handler}),)
    )
    pair = (
        (keys / "transport.key.pem").read_bytes(),
        (keys / "transport.pem").read_bytes(),
    )
    authorities = (keys / "peers.pem").read_bytes()
    credentials = grpc.ssl_server_credentials([pair], authorities, require_client_auth=True)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/echo", _http_echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    http_port = runner.addresses[0][1]
    print(json.dumps({"exchange_port": port, "portal_port": http_port}), flush=True)
    with contextlib.suppress(asyncio.CancelledError):
        await server.wait_for_termination()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_serve(Path(sys.argv[1])))
