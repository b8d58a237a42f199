"""The gRPC outlet over a real connection: an error of our own is not the partner's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from gateway.adapters.outlets.grpc import GrpcOutlet
from gateway.adapters.system.clock import SystemClock
from gateway.app.provision import Site, make_site
from gateway.kernel.envelope import AttachmentRef, AttachmentState
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseId, CaseKey
from gateway.wire import calls
from tests.support.world import JIAYUGUAN, JIUQUAN

REF = AttachmentRef(
    CaseKey(JIUQUAN.gateway_id, CaseId(bytes(16))), bytes(32), bytes(32), bytes(32), 2, "x/y"
)


async def _take_all(parts: AsyncIterator[bytes], _context: object) -> bytes:
    held = 0
    async for part in parts:
        data, _ = calls.decode_chunk(part)
        held += len(data) if isinstance(data, bytes) else 0
    return calls.encode_attachment_state(AttachmentState(held, True))


@pytest.fixture
async def outlet(tmp_path: Path) -> AsyncIterator[GrpcOutlet]:
    """An outlet to a server that takes every upload."""
    site = Site(tmp_path, JIAYUGUAN, "127.0.0.1:1", "127.0.0.1:2")
    make_site(site, SystemClock().now_ms(), demo=True)
    keys = site.root / "keys"
    key, chain, authorities = (
        (keys / name).read_bytes()
        for name in ("transport.key.pem", "transport.pem", "authorities.pem")
    )
    server = grpc.aio.server()
    take: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_unary_rpc_method_handler(_take_all)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(calls.SERVICE, {"UploadAttachment": take}),)
    )
    credentials = grpc.ssl_server_credentials([(key, chain)], authorities, True)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    made = GrpcOutlet(
        f"127.0.0.1:{port}",
        key=key,
        certificate_chain=chain,
        authorities=authorities,
        server_name="localhost",
    )
    yield made
    await made.close()
    await server.stop(None)


async def _content(error: Exception | None) -> AsyncIterator[bytes]:
    yield b"ab"
    if error is not None:
        raise error


@pytest.mark.parametrize("error", [OSError(5, "示例"), Fault(FaultCode.ATTACHMENT_ABSENT)])
async def test_an_error_of_our_own_file_reaches_the_caller_as_itself(
    outlet: GrpcOutlet, error: Exception
) -> None:
    with pytest.raises(type(error)) as raised:
        await outlet.upload(REF, 0, _content(error), 10)
    assert raised.value is error


async def test_a_cancelled_upload_stays_cancelled(outlet: GrpcOutlet) -> None:
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"ab"
        begun.set()
        await asyncio.Event().wait()

    upload = asyncio.ensure_future(outlet.upload(REF, 0, endless(), 10))
    await begun.wait()
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload


async def test_a_whole_file_is_taken(outlet: GrpcOutlet) -> None:
    assert await outlet.upload(REF, 0, _content(None), 10) == AttachmentState(2, True)
