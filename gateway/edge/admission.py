"""Places and rates for each partner: what one does here never takes from another."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import (
    COLLECTS_PER_PARTNER_MAX,
    GRPC_STREAMS_MAX,
    PARTNER_RECEIVING_MAX,
    RATE_HOLD_APART_MS,
    RATE_HOLD_MS,
    RECEIVING_MAX,
)
from gateway.ports.clock import Clock
from gateway.rules.containment import Bucket, empty_ms, refilled, spent
from gateway.rules.trust import Partner

T = TypeVar("T")


class Places:
    """Counts what each partner has under way."""

    def __init__(self) -> None:
        self._taken: dict[tuple[GatewayId, str], int] = {}

    @contextmanager
    def taken(self, partner: Partner, kind: str) -> Iterator[None]:
        """Hold a place of `kind` (`calls`, `uploads`, `collects`) while the block runs.

        Downloads count as uploads: what is bounded is files under way.

        Raises:
            Fault: `limit.rate`; the partner has as many under way as its entry allows.
        """
        most = {
            "calls": partner.calls_max,
            "uploads": partner.uploads_max,
            "collects": COLLECTS_PER_PARTNER_MAX,
        }[kind]
        key = (partner.gateway_id, kind)
        held = self._taken.get(key, 0)
        if held >= most:
            raise Fault(FaultCode.LIMIT_RATE, f"{kind}_max is {most}")
        self._taken[key] = held + 1
        try:
            yield
        finally:
            self._taken[key] -= 1


class Rates:
    """Bounds what each partner says in a second, before anything of it is read.

    A call is let in whole while anything is left; what it carried is counted afterwards, and may
    take more than was left: then the next waits. Who is over its rate is not told so at once: a
    partner that asks again in a loop would take more of our time with that than with messages.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[GatewayId, Bucket] = {}
        self._held: dict[GatewayId, int] = {}
        self._let_go_ms: dict[GatewayId, int] = {}
        """When the last call that is held up is answered."""

    async def admit(self, partner: Partner) -> None:
        """Count one message, or hold the partner up.

        Raises:
            Fault: `limit.partner_rate`, with how long nothing is heard.
        """
        bucket = self._bucket(partner)
        wait_ms = empty_ms(bucket, partner.messages_per_s)
        if not wait_ms:
            self._buckets[partner.gateway_id] = spent(bucket, 1)
            return
        await self._hold(partner.gateway_id)
        wait_ms = max(1, empty_ms(self._bucket(partner), partner.messages_per_s))
        told = f"messages_per_s is {partner.messages_per_s}"
        raise Fault(FaultCode.LIMIT_PARTNER_RATE, told, retry_after_ms=wait_ms)

    def spend(self, partner: GatewayId, messages: int) -> None:
        """Count what a call of a partner carried, beyond the one it was let in with."""
        bucket = self._buckets.get(partner)
        if bucket is not None and messages > 1:
            self._buckets[partner] = spent(bucket, messages - 1)

    def _bucket(self, partner: Partner) -> Bucket:
        now_ms, most = self._clock.monotonic_ms(), partner.messages_burst
        held = self._buckets.get(partner.gateway_id, Bucket(most * 1000, now_ms))
        return refilled(held, partner.messages_per_s, most, now_ms)

    async def _hold(self, partner: GatewayId) -> None:
        """Wait, unless a whole connection of the partner waits already: places are for all.

        They are let go one by one: many at once would stop everybody for as long as they take.
        """
        held, now_ms = self._held.get(partner, 0), self._clock.monotonic_ms()
        if held >= GRPC_STREAMS_MAX:
            return
        last_ms = self._let_go_ms.get(partner, 0)
        until_ms = max(now_ms + RATE_HOLD_MS, last_ms + RATE_HOLD_APART_MS)
        self._held[partner], self._let_go_ms[partner] = held + 1, until_ms
        try:
            await self._clock.sleep_ms(until_ms - now_ms)
        finally:
            self._held[partner] -= 1


class Reading:
    """Bounds the requests that are being read at a time, and so the memory they take.

    A request comes over the line only as far as it is read: one that waits here holds no more
    than a flow-control window.
    """

    def __init__(self) -> None:
        self._all = asyncio.Semaphore(RECEIVING_MAX)
        self._own: defaultdict[GatewayId, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(PARTNER_RECEIVING_MAX)
        )

    async def turn(self, peer: GatewayId, read: Callable[[], Awaitable[T]]) -> T:
        """Wait until the peer, and the gateway as a whole, may read one more request; read it."""
        async with self._own[peer], self._all:
            return await read()
