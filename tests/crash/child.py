"""A gateway in a process of its own that can be told to die.

`python -m tests.crash.child CONFIG [--kill-at POINT] [--kill-after N]`

Tells on standard output, one JSON object a line: when it serves, when it is armed, where it dies.
Takes `POINT N` lines on standard input to arm a point later. Ends in good order on SIGTERM, and
when its parent is gone.

Only two bounds differ from a gateway in service: retries come sooner and are given up sooner. So
a message that met several deaths in a row does not wait minutes for the next try, and losing count
of what the partner has (`unknown`, and burning the id) happens in a short run too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from gateway.app.config import load_config
from gateway.app.wiring import run_gateway
from gateway.flow import settling
from gateway.ports.journal import Journal
from gateway.rules import delivery
from tests.crash.points import POINTS, Trigger, durability, seams, tell

SOONER: Final = ((delivery, "RETRY_MS_MAX", 2_000), (settling, "ATTEMPTS_MAX", 3))


class StderrLog:
    """Writes events as JSON lines, for whoever looks into a failed run."""

    def event(self, name: str, /, **fields: str | int | float) -> None:
        if fields.get("rule") == "portal.not_found":
            return  # an office that looks for a case before it has arrived
        print(json.dumps({"event": name, **fields}), file=sys.stderr, flush=True)


async def _obey(trigger: Trigger, stop: asyncio.Event) -> None:
    """Arm what standard input says; its end is the parent's."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        point, after = line.decode().split()
        trigger.arm(point, int(after))
        tell(armed=point)
    stop.set()


async def serve(config: Path, trigger: Trigger) -> None:
    """Serve until told to stop."""
    for module, name, value in SOONER:
        assert value < getattr(module, name)
        setattr(module, name, value)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    journals: list[Journal] = []
    watched = seams(trigger)

    def keep(inner: Journal) -> Journal:
        journals.append(watched.journal(inner))
        return journals[0]

    wired = replace(watched, journal=keep)
    async with (
        asyncio.TaskGroup() as group,
        run_gateway(load_config(config, {}), StderrLog(), wired) as at,
    ):
        mode, synchronous = await journals[0].write(durability)
        tell(
            pid=os.getpid(),
            exchange=at.exchange_port,
            portal=at.portal_port,
            journal_mode=mode,
            synchronous=synchronous,
        )
        obeying = group.create_task(_obey(trigger, stop))
        await stop.wait()
        obeying.cancel()


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="tests.crash.child")
    parser.add_argument("config", type=Path)
    parser.add_argument("--kill-at", choices=POINTS)
    parser.add_argument("--kill-after", type=int, default=1)
    given = parser.parse_args()
    trigger = Trigger()
    if given.kill_at is not None:
        trigger.arm(given.kill_at, given.kill_after)
    asyncio.run(serve(given.config, trigger))


if __name__ == "__main__":
    main()
