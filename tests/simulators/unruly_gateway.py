"""A partner's gateway (simulated 模拟) that answers as told: rightly, slowly, never, or garbage."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any

import grpc

from gateway.adapters.pki.key_files import load_signer
from gateway.app.provision import Site
from gateway.flow.sealing import Sealer
from gateway.kernel.digests import TYPE_RECEIPT, digest, pae
from gateway.kernel.envelope import Outcome, Receipt
from gateway.kernel.identifiers import GatewayId, MessageId, uuid_text
from gateway.wire import calls
from gateway.wire.envelopes import decode_envelope, peek_header_bytes
from gateway.wire.receipts import encode_receipt, encode_signed_receipt

SLOW_S = 3.0


class Manner(Enum):
    """How a partner answers."""

    RIGHT = "right"
    HANG = "hang"  # takes the call and never answers
    SLOW = "slow"  # answers rightly, after `SLOW_S`
    GARBAGE = "garbage"  # answers at once, with bytes that mean nothing
    FORGED = "forged"  # answers at once, with receipts that nobody signed


class UnrulyGateway:
    """The Exchange service of a site, without a gateway behind it."""

    def __init__(self, site: Site) -> None:
        self.manner = Manner.RIGHT
        self.calls: Counter[Manner] = Counter()
        self.arrived: dict[str, float] = {}
        """When the messages of a case came, by the case's id; seconds of `time.perf_counter`."""
        self._site = site
        self._sealer = Sealer([load_signer(path) for path in site.signing_keys])
        self.port = 0

    @asynccontextmanager
    async def listening(self, authorities: bytes) -> AsyncIterator[UnrulyGateway]:
        """Listen on the site's own address, until the block is left."""
        keys = self._site.root / "keys"
        server = grpc.aio.server(options=[("grpc.max_receive_message_length", 1 << 26)])
        handlers: dict[str, Any] = {
            "Deliver": grpc.unary_unary_rpc_method_handler(self._deliver),
            "QueryReceipts": grpc.unary_unary_rpc_method_handler(self._query),
        }
        server.add_registered_method_handlers(calls.SERVICE, handlers)
        pair = (keys / "transport.key.pem").read_bytes(), (keys / "transport.pem").read_bytes()
        credentials = grpc.ssl_server_credentials([pair], authorities, require_client_auth=True)
        self.port = server.add_secure_port(self._site.exchange, credentials)
        await server.start()
        try:
            yield self
        finally:
            await server.stop(0)

    async def _deliver(self, raw: bytes, context: object) -> bytes:
        now_s, manner = time.perf_counter(), self.manner
        self.calls[manner] += 1
        envelopes = calls.decode_deliver(raw)
        match manner:
            case Manner.HANG:
                await asyncio.Event().wait()
            case Manner.GARBAGE:
                return os.urandom(4_096)
            case Manner.SLOW:
                await asyncio.sleep(SLOW_S)
            case Manner.RIGHT | Manner.FORGED:
                pass
        for envelope in envelopes:
            case = uuid_text(decode_envelope(envelope).header.case_id)
            self.arrived.setdefault(case, now_s)
        receipts = self._receipts(envelopes, forged=manner is Manner.FORGED)
        return calls.encode_deliver_answer(receipts)

    async def _query(self, raw: bytes, context: object) -> bytes:
        self.calls[self.manner] += 1
        if self.manner is not Manner.RIGHT:
            await asyncio.Event().wait()
        return os.urandom(64)

    def _receipts(self, envelopes: list[bytes], *, forged: bool) -> list[bytes]:
        encoded = [self._receipt(envelope) for envelope in envelopes]
        inputs = [pae(TYPE_RECEIPT, b"forged" if forged else one) for one in encoded]
        signed = self._sealer.sign(inputs)
        return [
            encode_signed_receipt(one, signatures)
            for one, signatures in zip(encoded, signed, strict=True)
        ]

    def _receipt(self, raw: bytes) -> bytes:
        header = decode_envelope(raw).header
        return encode_receipt(
            Receipt(
                header.sender,
                GatewayId(self._site.identity.gateway_id),
                MessageId(header.message_id),
                digest(peek_header_bytes(raw)),
                time.time_ns() // 1_000_000,
                Outcome.TAKEN_IN,
            )
        )
