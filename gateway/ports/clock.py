"""Time and randomness, so that a seed can replay a whole federation."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """The time of day and the passing of time.

    `now_ms` MAY step backwards (NTP); `monotonic_ms` MUST NOT.
    """

    def now_ms(self) -> int:
        """Return Unix time in ms."""
        ...

    def monotonic_ms(self) -> int:
        """Return ms since some fixed moment of this process."""
        ...

    async def sleep_ms(self, ms: int) -> None:
        """Return after at least `ms`."""
        ...


class Entropy(Protocol):
    """Unpredictable bytes. In production they MUST come from the operating system's generator."""

    def token(self, size: int) -> bytes:
        """Return `size` random bytes."""
        ...
