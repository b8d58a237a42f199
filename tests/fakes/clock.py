"""Time that passes when a test says so, and randomness that repeats."""

from __future__ import annotations

import asyncio
import heapq
from hashlib import sha256
from itertools import count

START_MS = 1_622_100_000_000  # 2021-05-27 in China, the first day of the sample agreements


class FixedClock:
    """Keeps `ports.clock.Clock`; stands still until `advance` or `step`."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self._now_ms = now_ms
        self._monotonic_ms = 0
        self._order = count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_ms(self) -> int:
        return self._monotonic_ms

    async def sleep_ms(self, ms: int) -> None:
        if ms <= 0:
            await asyncio.sleep(0)
            return
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._monotonic_ms + ms, next(self._order), wake))
        await wake

    def advance(self, ms: int) -> None:
        """Let `ms` pass on both clocks and wake who has slept long enough, earliest first."""
        assert ms >= 0, "time that passes does not run backwards; use step"
        self._now_ms += ms
        self._monotonic_ms += ms
        while self._sleepers and self._sleepers[0][0] <= self._monotonic_ms:
            wake = heapq.heappop(self._sleepers)[2]
            if not wake.done():
                wake.set_result(None)

    def step(self, ms: int) -> None:
        """Move the time of day only, forwards or backwards, as NTP does. Wakes no one."""
        self._now_ms += ms

    def sleeping(self) -> int:
        """Return how many are asleep."""
        return sum(not wake.done() for _, _, wake in self._sleepers)


class SeededEntropy:
    """Keeps the form of `ports.clock.Entropy`, not its promise: the same seed, the same bytes."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._drawn = count()

    def token(self, size: int) -> bytes:
        out = b""
        while len(out) < size:
            out += sha256(b"%d/%d" % (self._seed, next(self._drawn))).digest()
        return out[:size]
