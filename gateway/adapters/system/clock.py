"""The one place where the machine's clock and randomness are asked."""

from __future__ import annotations

import asyncio
import os
import time

_NS_PER_MS = 1_000_000


class SystemClock:
    """Implements `ports.clock.Clock` on the clocks of the operating system."""

    def now_ms(self) -> int:
        """Return Unix time in ms."""
        return time.time_ns() // _NS_PER_MS

    def monotonic_ms(self) -> int:
        """Return ms since some fixed moment of this process."""
        return time.monotonic_ns() // _NS_PER_MS

    async def sleep_ms(self, ms: int) -> None:
        """Return after at least `ms`; event loops may wake a timer early, so it is asked again."""
        until_ns = time.monotonic_ns() + ms * _NS_PER_MS
        await asyncio.sleep(0)
        while (left_ns := until_ns - time.monotonic_ns()) > 0:  # noqa: ASYNC110 - time is the event
            await asyncio.sleep(left_ns / 1e9)


class SystemEntropy:
    """Implements `ports.clock.Entropy` on the operating system's generator."""

    def token(self, size: int) -> bytes:
        """Return `size` random bytes."""
        return os.urandom(size)
