from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from gateway.edge.portal_http.server import PortalServer

from .conftest import BOUNDS, World
from .fakes import EC_KEY, bearer


def _contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(EC_KEY.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2021, 5, 27, tzinfo=UTC))
        .not_valid_after(datetime(2036, 5, 26, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(EC_KEY, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    key = EC_KEY.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "both.pem").write_bytes(key + pem)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(folder / "both.pem")
    return server, ssl.create_default_context(cadata=pem.decode())


@pytest.fixture
async def tls(world: World, tmp_path: Path) -> AsyncIterator[tuple[PortalServer, ClientSession]]:
    server_side, client_side = _contexts(tmp_path)
    server = PortalServer(world.make_app(), host="127.0.0.1", tls=server_side)
    await server.start()
    client = ClientSession(
        f"https://localhost:{server.port}", connector=TCPConnector(ssl=client_side)
    )
    try:
        yield server, client
    finally:
        await client.close()
        await server.stop()


async def test_a_client_that_never_finishes_its_handshake_is_cut_while_others_are_served(
    tls: tuple[PortalServer, ClientSession],
) -> None:
    server, client = tls
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"\x16\x03\x01")
    async with client.get("/v1/items", headers=bearer()) as answer:
        assert answer.status == 200
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(), 10 * BOUNDS.header_timeout_s) == b""
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def test_plain_http_on_the_tls_port_is_not_answered(
    tls: tuple[PortalServer, ClientSession],
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", tls[0].port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        assert b"alive" not in await asyncio.wait_for(reader.read(), 5)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
