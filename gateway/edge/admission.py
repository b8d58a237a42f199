"""Places for each partner: what one has under way here never takes another's."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import PARTNER_RECEIVING_MAX, RECEIVING_MAX
from gateway.rules.trust import Partner

T = TypeVar("T")


class Places:
    """Counts what each partner has under way."""

    def __init__(self) -> None:
        self._taken: dict[tuple[GatewayId, str], int] = {}

    @contextmanager
    def taken(self, partner: Partner, kind: str) -> Iterator[None]:
        """Hold a place of `kind` (`calls` or `uploads`) while the block runs.

        Raises:
            Fault: `limit.rate`; the partner has as many under way as its entry allows.
        """
        most = partner.uploads_max if kind == "uploads" else partner.calls_max
        key = (partner.gateway_id, kind)
        held = self._taken.get(key, 0)
        if held >= most:
            raise Fault(FaultCode.LIMIT_RATE, f"{kind}_max is {most}")
        self._taken[key] = held + 1
        try:
            yield
        finally:
            self._taken[key] -= 1


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
