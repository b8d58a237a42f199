"""One round of a workload: calls from this process, CPU of the server process."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Round:
    """What one round showed. `cpu_us` is server CPU per exchange, latencies are per call."""

    exchanges_per_s: float
    cpu_us: float
    p50_ms: float
    p99_ms: float


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process, all threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


async def run_round(
    pid: int,
    calls: Sequence[Callable[[], Awaitable[int]]],
    *,
    at_once: int,
    settle: Callable[[], Awaitable[None]] | None = None,
) -> Round:
    """Make `calls`, `at_once` at a time; each returns how many exchanges it made.

    `settle` waits until work that the calls started has ended, so that it counts too.
    """
    waiting = iter(calls)
    latencies: list[float] = []
    exchanges = 0

    async def worker() -> None:
        nonlocal exchanges
        for call in waiting:
            begun = time.perf_counter()
            made = await call()
            exchanges += made
            latencies.append(time.perf_counter() - begun)

    cpu_before, begun = cpu_s(pid), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(at_once):
            group.create_task(worker(), name=f"load-{number}")
    elapsed = time.perf_counter() - begun
    if settle is not None:
        await settle()
    used = cpu_s(pid) - cpu_before
    latencies.sort()
    return Round(
        exchanges / elapsed,
        used / exchanges * 1e6,
        latencies[len(latencies) // 2] * 1e3,
        latencies[min(len(latencies) - 1, int(len(latencies) * 0.99))] * 1e3,
    )


def middle(rounds: Sequence[Round]) -> Round:
    """Return the median of each figure over rounds."""
    return Round(*(median(getattr(r, name) for r in rounds) for name in Round.__dataclass_fields__))
