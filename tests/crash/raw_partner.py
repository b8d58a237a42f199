"""A partner without a gateway: it holds the real keys, and remembers every receipt it is shown."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Final

from gateway.adapters.outlets.grpc import GrpcOutlet
from gateway.adapters.pki.key_files import load_signer
from gateway.adapters.system.clock import SystemClock, SystemEntropy
from gateway.app.provision import Site
from gateway.flow.sealing import Sealer
from gateway.kernel.digests import TYPE_HEADER, commitment, digest, pae
from gateway.kernel.envelope import Body, Header, Kind, ReceiptQuery, Strength
from gateway.kernel.identifiers import MessageId, uuid7
from gateway.ports.outlet import OutletDown
from gateway.wire.envelopes import decode_envelope, encode_envelope
from gateway.wire.headers import encode_body, encode_header

TIMEOUT_S: Final = 10.0
LIFE_MS: Final = 86_400_000


def dial(caller: Site, to: Site) -> GrpcOutlet:
    """Return the way to `to` with the transport key of `caller`."""
    keys = caller.root / "keys"
    return GrpcOutlet(
        to.exchange,
        key=(keys / "transport.key.pem").read_bytes(),
        certificate_chain=(keys / "transport.pem").read_bytes(),
        authorities=(to.root / "keys" / "authorities.pem").read_bytes(),
        server_name="localhost",
    )


class RawPartner:
    """Delivers pings to one gateway, old ones among them, until told to stop."""

    def __init__(self, site: Site, to: Site, rng: random.Random) -> None:
        self._site = site
        self._to = to
        self._rng = rng
        self._sealer = Sealer([load_signer(path) for path in site.signing_keys])
        self._outlet = dial(site, to)
        self.envelopes: dict[bytes, bytes] = {}
        """Message id -> envelope, of every ping that was sent."""
        self.receipts: dict[bytes, bytes] = {}
        """Message id -> the receipt first shown."""
        self.shown = 0
        """Receipts shown again, each the same bytes."""
        self.under_way = 0
        self.lost = 0
        """Calls whose answer was lost."""

    def _ping(self) -> bytes:
        now_ms = SystemClock().now_ms()
        entropy = SystemEntropy()
        salt, body = entropy.token(32), encode_body(Body(b"{}"))
        header = Header(
            MessageId(uuid7(now_ms, entropy.token(10))),
            self._site.identity.gateway_id,
            self._to.identity.gateway_id,
            now_ms,
            now_ms + LIFE_MS,
            Kind.PING,
            commitment(salt, body),
            strength=Strength.SIGNED,
        )
        raw = encode_header(header)
        signatures = self._sealer.sign([pae(TYPE_HEADER, raw)])[0]
        envelope = encode_envelope(raw, salt, body, signatures)
        self.envelopes[header.message_id] = envelope
        return envelope

    async def run(self, stop: asyncio.Event) -> None:
        """Send new and old pings until stopped; each new one until it has its receipt."""
        while not stop.is_set():
            batch = [self._ping() for _ in range(self._rng.randint(1, 3))]
            old = [e for i, e in self.envelopes.items() if i in self.receipts]
            batch += self._rng.sample(old, min(len(old), 2))
            await self.deliver(batch)

    async def deliver(self, envelopes: Sequence[bytes]) -> None:
        """Deliver the same bytes until each has a receipt, which must be the one shown before."""
        while True:
            self.under_way += 1
            try:
                answers = await self._outlet.deliver(envelopes, TIMEOUT_S)
            except OutletDown:
                self.lost += 1
                await asyncio.sleep(0.05)
                continue
            finally:
                self.under_way -= 1
            for envelope, answer in zip(envelopes, answers, strict=True):
                assert isinstance(answer, bytes), answer
                self._keep(decode_envelope(envelope).header.message_id, answer)
            return

    def _keep(self, message_id: bytes, receipt: bytes) -> None:
        before = self.receipts.setdefault(message_id, receipt)
        assert before == receipt, f"another receipt for {message_id.hex()}"
        self.shown += before is not receipt

    async def ask_for_all(self) -> None:
        """Query every receipt: the bytes must be those shown before."""
        names = list(self.receipts)
        for start in range(0, len(names), 100):
            part = names[start : start + 100]
            queries = [
                ReceiptQuery(MessageId(n), _digest(self.envelopes[n]), burn=False) for n in part
            ]
            answers = await self._outlet.query_receipts(queries, TIMEOUT_S)
            for name, answer in zip(part, answers, strict=True):
                assert isinstance(answer, bytes), answer
                self._keep(name, answer)

    async def close(self) -> None:
        """Let go of the connection."""
        await self._outlet.close()


def _digest(envelope: bytes) -> bytes:
    return digest(decode_envelope(envelope).header_bytes)


async def replay(caller: Site, to: Site, sent: Sequence[tuple[bytes, bytes]]) -> None:
    """Deliver messages (envelope, receipt) of `caller` once more: the same receipts must come."""
    outlet = dial(caller, to)
    try:
        for start in range(0, len(sent), 100):
            part = sent[start : start + 100]
            answers = await outlet.deliver([envelope for envelope, _ in part], TIMEOUT_S)
            for (_, receipt), answer in zip(part, answers, strict=True):
                assert answer == receipt, "a replay met another receipt"
    finally:
        await outlet.close()
