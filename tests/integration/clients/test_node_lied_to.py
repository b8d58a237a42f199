"""Between the example client and its gateway stands somebody who changes receipts on their way."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from gateway.wire import calls
from gateway.wire.receipts import decode_signed_receipt, encode_receipt, encode_signed_receipt
from tests.integration.exchange.worlds import World, exchange_world

from .test_node import PING, flip_last, node, say_refused

Change = Callable[[bytes], bytes]


def of_another(raw: bytes) -> bytes:
    signed = decode_signed_receipt(raw)
    other = signed.receipt._replace(message_id=signed.receipt.message_id[::-1])  # type: ignore[arg-type]
    return encode_signed_receipt(encode_receipt(other), signed.signatures)


def unsigned(raw: bytes) -> bytes:
    return encode_signed_receipt(decode_signed_receipt(raw).receipt_bytes, [])


@asynccontextmanager
async def liar(world: World, change: Change) -> AsyncIterator[int]:
    """Stand in for the gateway, with its TLS key: pass all on, and change the receipts."""
    line = world.jiuquan.line

    async def deliver(raw: bytes, _context: object) -> bytes:
        answers = calls.decode_deliver_answer(await line.call("Deliver", raw))
        spoilt = [change(one) if isinstance(one, bytes) else one for one in answers]
        return calls.encode_deliver_answer(spoilt)

    async def check(_raw: bytes, _context: object) -> bytes:
        return b"\x08\x01"

    served = grpc.unary_unary_rpc_method_handler
    server = grpc.aio.server()
    for service, name, answer in (
        (calls.SERVICE, "Deliver", deliver),
        ("grpc.health.v1.Health", "Check", check),
    ):
        server.add_registered_method_handlers(service, {name: served(answer)})
    keys = world.node.site.root / "keys"
    pair = (keys / "transport.key.pem").read_bytes(), (keys / "transport.pem").read_bytes()
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


def deliver(world: World, port: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """Deliver a ping as Jiuquan and keep what proves it."""
    ours, theirs = world.jiuquan.site.root / "keys", world.node.site.root / "keys"
    gateway = {
        "address": f"127.0.0.1:{port}",
        "server_name": "localhost",
        "authorities": str(theirs / "authorities.pem"),
        "id": "620200",
        "signing_certificates": [str(theirs / "signing_es256.pem")],
    }
    own = {
        "id": "620900",
        "transport_certificate": str(ours / "transport.pem"),
        "transport_key": str(ours / "transport.key.pem"),
        "signing_key": str(ours / "signing_es256.key.pem"),
    }
    config, ping = folder / "client.json", folder / "ping.json"
    config.write_text(json.dumps({"gateway": gateway, "own": own}), encoding="utf-8")
    ping.write_text(json.dumps(PING), encoding="utf-8")
    return node("deliver.mjs", config, ping, "--out", folder / "kept", "--attempts", "2")


LIES: dict[str, tuple[Change, str]] = {
    "one_bit_of_the_signature": (flip_last, "trust.signature_invalid"),
    "a_refusal_made_of_a_taking_in": (say_refused, "trust.signature_invalid"),
    "the_receipt_of_another_message": (of_another, "receipt.invalid"),
    "no_signature": (unsigned, "trust.unsigned"),
    "nothing_of_it": (lambda _: b"", "wire.version_unsupported"),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_receipt_that_was_changed_on_its_way_is_no_answer(tmp_path: Path, lie: str) -> None:
    change, rule = LIES[lie]
    async with exchange_world(tmp_path / "world") as world:
        async with liar(world, change) as port:
            done = await asyncio.to_thread(deliver, world, port, tmp_path)
        assert done.returncode == 1, done.stderr
        assert json.loads(done.stdout)["rule"] == rule
        assert not (tmp_path / "kept" / "0.receipt.bin").exists()
        stored = world.journal.rows("SELECT count(*) FROM messages WHERE sender = '620900'")
        assert stored == [(1,)], "it was taken in once, and sent again as the same bytes"


async def test_what_an_honest_bystander_passes_on_is_believed(tmp_path: Path) -> None:
    async with exchange_world(tmp_path / "world") as world:
        async with liar(world, lambda raw: raw) as port:
            done = await asyncio.to_thread(deliver, world, port, tmp_path)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["outcome"] == "taken_in"
