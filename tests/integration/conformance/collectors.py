"""A partner that only calls out: it fetches from the kit's door and lets a real gateway answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from gateway.adapters.pki.key_files import load_signer
from gateway.adapters.system.clock import SystemClock
from gateway.app.conformance import line_to
from gateway.app.judged_collectors import CollectorLine
from gateway.conformance.bench import Bench, CallFailed
from gateway.conformance.line_grpc import GrpcLine
from gateway.kernel.digests import digest
from gateway.kernel.envelope import Outcome, Receipt
from gateway.kernel.faults import Fault
from gateway.kernel.identifiers import GatewayId, MessageId
from gateway.kernel.limits import ATTACHMENT_CHUNK_BYTES
from gateway.wire.envelopes import decode_envelope, header_bytes_of
from gateway.wire.receipts import decode_signed_receipt
from tests.integration.conformance.benches import CALL_S, Judged
from tests.integration.conformance.faulty import Answer, Liar, envelope_of
from tests.integration.exchange.collectors import files_of
from tests.integration.exchange.worlds import own_channel
from tests.support.peer import CallRefused, Line


class Gullible(Liar):
    """Signs for whatever it is handed, readable or not."""

    def answer(self, raw: bytes, answer: Answer) -> Answer:
        bound, at_ms = digest(header_bytes_of(raw)), SystemClock().now_ms()
        if isinstance(answer, bytes):
            said = decode_signed_receipt(answer).receipt
            if said.outcome is Outcome.TAKEN_IN:
                return answer
        found = envelope_of(raw)
        message_id = MessageId(bytes(16)) if found is None else found.header.message_id
        receipt = Receipt(
            GatewayId("620900"), self.recipient, message_id, bound, at_ms, Outcome.TAKEN_IN
        )
        return self.signed(receipt)


class Client:
    """Fetches, asks the gateway behind it, and hands in what that says, or what a liar makes of it.

    It keeps nothing: the gateway behind it knows what it has seen.
    """

    def __init__(self, door: Line, behind: GrpcLine, liar: Liar) -> None:
        self.door = door
        self.behind = behind
        self.liar = liar

    async def run(self) -> None:
        """Call until the door is closed."""
        receipts: list[bytes] = []
        with suppress(CallRefused):
            while True:
                collected = await self.door.collect(receipts, wait_ms=5_000)
                receipts = [r for raw in collected.envelopes if (r := await self._answer(raw))]

    async def _answer(self, raw: bytes) -> bytes | None:
        await self._pass_files_on(raw)
        try:
            (answer,) = await self.behind.deliver([raw])
        except CallFailed:
            return None
        said = self.liar.answer(raw, answer)  # type: ignore[arg-type]  # it is a gateway
        return said if isinstance(said, bytes) else None

    async def _pass_files_on(self, raw: bytes) -> None:
        try:
            decode_envelope(raw)
            _, files = files_of(raw)
        except (Fault, AssertionError):
            return  # unreadable, or no application: it names no files
        for _, ref in files.values():
            with suppress(CallRefused, CallFailed):
                content = await self.door.fetch(ref)
                starts = range(0, len(content), ATTACHMENT_CHUNK_BYTES)
                parts = [(at, content[at : at + ATTACHMENT_CHUNK_BYTES]) for at in starts]
                await self.behind.upload(ref, 0, parts)


@asynccontextmanager
async def collector(
    world: Judged, liar: Liar | None = None, call_s: float = CALL_S, *, calls: bool = True
) -> AsyncIterator[Bench]:
    """Judge Jiayuguan as if it could only call out; yield the bench once it has called."""
    liar = liar or Liar()
    liar.signer = load_signer(world.jiayuguan.signing_keys[0])
    liar.recipient = world.jiayuguan.identity.gateway_id
    target = world.target()
    target = replace(target, partner=replace(target.partner, collects=True))
    line = CollectorLine(target.partner, call_s)
    keys = world.jiuquan.root / "keys"
    await line.start(
        "127.0.0.1:0",
        key=(keys / "transport.key.pem").read_bytes(),
        certificate_chain=(keys / "transport.pem").read_bytes(),
    )
    behind = line_to(world.config, world.target(), CALL_S)
    door = own_channel(world.jiayuguan, world.jiuquan, line.port)
    client = asyncio.create_task(Client(door, behind, liar).run()) if calls else None
    try:
        if client is not None:
            await line.first_call()
        yield replace(world.bench(line), target=target)
    finally:
        await line.close()
        if client is not None:
            await asyncio.wait_for(client, CALL_S)
        await door.channel.close()
        await behind.close()
