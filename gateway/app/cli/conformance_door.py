"""The door that a partner which only calls out calls while it is judged."""

from __future__ import annotations

import asyncio
import sys

from gateway.app.cli.exits import ExitCode, Stop
from gateway.app.config import Config
from gateway.app.judged_collectors import CollectorLine
from gateway.app.own_keys import read_transport
from gateway.kernel.limits import CONFORMANCE_FIRST_CALL_S


async def await_call(config: Config, line: CollectorLine, target: str, listen: str) -> None:
    """Open the door that a partner's client calls for this run, and wait until it does.

    Raises:
        Stop: no address was given, it is taken, or nobody called.
    """
    if not listen:
        told = f"{target} only calls out: say with --listen HOST:PORT where this run listens"
        raise Stop(ExitCode.USAGE, told, "and have its client call there instead of the gateway")
    tls = read_transport(config)
    try:
        await line.start(listen, key=tls.key, certificate_chain=tls.certificate)
    except OSError as taken:
        raise Stop(ExitCode.USAGE, f"--listen {listen}: {taken.strerror}") from None
    where = f"{listen.rpartition(':')[0]}:{line.port}"
    told = f"等待对方来取 waiting for the client of {target} to call {where}; Ctrl-C ends this"
    print(told, file=sys.stderr, flush=True)
    try:
        async with asyncio.timeout(CONFORMANCE_FIRST_CALL_S):
            await line.first_call()
    except TimeoutError:
        minutes = CONFORMANCE_FIRST_CALL_S // 60
        raise Stop(ExitCode.NO, f"{target} did not call {where} in {minutes} min") from None
