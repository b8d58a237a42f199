"""An event loop in which time passes only when nothing else can happen.

Timers, timeouts and the gateway's clock are one; a wait of half an hour costs a microsecond, two
runs of a test are the same run, and what waits for nothing is an error, not a test that hangs.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Callable
from typing import Any, TypeVar

from tests.fakes.clock import FixedClock

T = TypeVar("T")

NOW_MS = 1_780_279_200_000  # 2026-06-01T10:00+08:00: within the sample agreement, version 2 in use
GATHER_MS = 5  # longer than a commit group gathers


class NothingHappens(RuntimeError):
    """Every task waits for something that never comes."""


class _Stillness(selectors.DefaultSelector):
    """Moves the clock to the next timer instead of waiting for it."""

    loop: StillLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        wait_ms = None if timeout is None else math.ceil(timeout * 1000)
        if self.loop.watchers and (wait_ms is None or wait_ms > GATHER_MS):
            for watcher in self.loop.watchers:
                watcher.set_result(None)
            self.loop.watchers.clear()
        elif wait_ms is None:
            raise NothingHappens
        else:
            self.loop.clock.advance(wait_ms)
        return []


class StillLoop(asyncio.SelectorEventLoop):
    """See the module; `clock` is the time of everything that runs here."""

    def __init__(self) -> None:
        self.clock = FixedClock(NOW_MS)
        self.watchers: list[asyncio.Future[None]] = []
        selector = _Stillness()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.clock.monotonic_ms() / 1000

    def run_in_executor(  # type: ignore[override]
        self, _executor: object, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Run `func` here and now: threads would bring their own order of events."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done


def still_loop() -> StillLoop:
    """Return the running loop, which must be a `StillLoop`."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, StillLoop)
    return loop


async def rest() -> None:
    """Return once nothing more can happen unless time passes or the caller does something."""
    loop = still_loop()
    watcher: asyncio.Future[None] = loop.create_future()
    loop.watchers.append(watcher)
    await watcher
