"""The way to a partner, in memory, with every trouble a network or a partner can make."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING

from gateway.kernel.envelope import AttachmentRef, AttachmentState, NotTakenIn, ReceiptQuery
from gateway.kernel.faults import Fault
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import LANE_BATCH_MAX
from gateway.ports.outlet import OutletDown
from gateway.wire import calls

if TYPE_CHECKING:
    from tests.flow.world import Side

Answer = bytes | NotTakenIn
Tamper = Callable[[list[Answer]], list[Answer]]


class Trouble(Enum):
    """What happens to one call."""

    NONE = "none"
    DOWN = "down"  # refused at once
    LOSE_REQUEST = "lose request"  # nothing arrives, no answer comes
    LOSE_ANSWER = "lose answer"  # it arrives and is answered; the answer is lost
    HANG = "hang"  # no answer until the timeout; nothing arrived
    TWICE = "twice"  # arrives twice, the second answer is the one that comes back
    HOLD_REQUEST = "hold request"  # on its way until `release`
    HOLD_ANSWER = "hold answer"  # taken in, the answer is on its way until `release`


class Link:
    """Implements `ports.outlet.Outlet` towards `there`, as the peer `sender`."""

    batch_max = LANE_BATCH_MAX

    def __init__(self, sender: GatewayId, there: Side) -> None:
        self._sender = sender
        self.there = there
        self.always = Trouble.NONE
        self.next: deque[Trouble] = deque()
        """Troubles of the next deliveries and queries, one a call; after them `always`."""
        self.tamper: Tamper | None = None
        self.refuses_uploads: Fault | None = None
        self.chunk_takes_s = 0.0
        """How long each part of a file is on its way."""
        self.calls: list[tuple[str, int]] = []
        self.late: list[Sequence[bytes]] = []
        """Deliveries lost on their way: the network may still bring them, much later."""
        self._held: deque[asyncio.Event] = deque()

    @property
    def held(self) -> int:
        """How many calls are on their way."""
        return len(self._held)

    def release(self, which: int = 0) -> None:
        """Let a held call go on, the oldest by default."""
        gate = self._held[which]
        self._held.remove(gate)
        gate.set()

    async def deliver(self, envelopes: Sequence[bytes], timeout_s: float) -> list[Answer]:
        raw = calls.encode_deliver(envelopes)
        self.calls.append(("deliver", len(envelopes)))

        async def arrive() -> list[Answer]:
            return await self.there.intake.take_in(self._sender, calls.decode_deliver(raw))

        return await self._carry(arrive, timeout_s, envelopes)

    async def query_receipts(
        self, queries: Sequence[ReceiptQuery], timeout_s: float
    ) -> list[Answer]:
        raw = calls.encode_queries(queries)
        self.calls.append(("query", len(queries)))

        async def arrive() -> list[Answer]:
            return await self.there.intake.query_receipts(self._sender, calls.decode_queries(raw))

        return await self._carry(arrive, timeout_s, ())

    async def _carry(
        self,
        arrive: Callable[[], Awaitable[list[Answer]]],
        timeout_s: float,
        envelopes: Sequence[bytes],
    ) -> list[Answer]:
        trouble = self.next.popleft() if self.next else self.always
        try:
            async with asyncio.timeout(timeout_s):
                await self._on_the_way(trouble, Trouble.HOLD_REQUEST)
                if trouble in (Trouble.DOWN, Trouble.LOSE_REQUEST, Trouble.HANG):
                    await self._nothing_arrives(trouble, timeout_s, envelopes)
                if trouble is Trouble.TWICE:
                    await arrive()
                answers = await arrive()
                await self._on_the_way(trouble, Trouble.HOLD_ANSWER)
        except TimeoutError as late:
            raise OutletDown("deadline_exceeded") from late
        if trouble is Trouble.LOSE_ANSWER:
            raise OutletDown("unavailable")
        answers = calls.decode_deliver_answer(calls.encode_deliver_answer(answers))
        return self.tamper(answers) if self.tamper is not None else answers

    async def _nothing_arrives(
        self, trouble: Trouble, timeout_s: float, envelopes: Sequence[bytes]
    ) -> None:
        if trouble is Trouble.HANG:
            await asyncio.sleep(timeout_s)
        if trouble is Trouble.LOSE_REQUEST and envelopes:
            self.late.append(envelopes)
        raise OutletDown("unavailable")

    async def _on_the_way(self, trouble: Trouble, place: Trouble) -> None:
        if trouble is place:
            gate = asyncio.Event()
            self._held.append(gate)
            try:
                await gate.wait()
            finally:
                if gate in self._held:
                    self._held.remove(gate)

    async def bring_late(self) -> list[Answer]:
        """Bring the oldest delivery that was lost; its answers reach no one but the test."""
        return await self.there.intake.take_in(self._sender, list(self.late.pop(0)))

    async def attachment_status(self, ref: AttachmentRef, timeout_s: float) -> AttachmentState:
        if self.always is Trouble.DOWN:
            raise OutletDown("unavailable")
        self.calls.append(("status", 1))
        return await self.there.uploads.status(self._sender, ref)

    async def upload(
        self, ref: AttachmentRef, offset: int, chunks: AsyncIterator[bytes], timeout_s: float
    ) -> AttachmentState:
        self.calls.append(("upload", 1))
        if self.refuses_uploads is not None:
            raise self.refuses_uploads
        return await self.there.uploads.receive(self._sender, ref, offset, self._slow(chunks))

    async def _slow(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            await asyncio.sleep(self.chunk_takes_s)
            yield chunk

    async def close(self) -> None:
        """Hold nothing."""
