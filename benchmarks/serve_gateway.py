"""A gateway as `kuayu serve` runs it, told by one JSON line when it serves.

Run as `python -m benchmarks.serve_gateway CONFIG`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
from pathlib import Path

import uvloop

from gateway.app.config import load_config
from gateway.app.wiring import run_gateway


class _Errors:
    """Tells of trouble on standard error: a benchmark of failing calls is none."""

    def event(self, name: str, /, **fields: str | int | float) -> None:
        print(name, fields, file=sys.stderr)


async def _serve(config: Path) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    async with run_gateway(load_config(config, {}), _Errors()) as running:
        ports = {"exchange_port": running.exchange_port, "portal_port": running.portal_port}
        print(json.dumps({**ports, "pid": os.getpid()}), flush=True)
        await stop.wait()


if __name__ == "__main__":
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    uvloop.run(_serve(Path(sys.argv[1])))
