"""A gateway as a process: logs, the event loop, signals, and a stop that loses nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import AsyncExitStack

import gateway
from gateway.adapters.observability import logs
from gateway.app.collector import settle_collector
from gateway.app.config import Config
from gateway.app.own_keys import authority_key_here
from gateway.app.wiring import Running, Seams, run_gateway
from gateway.ports.telemetry import EventLog

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class AddressDown(Exception):
    """An address that cannot be listened on; the text says which and what to do."""


def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way. Blocks.

    SIGHUP has the partners' files read again, as `kuayu partner reload` does.

    Once it serves, one JSON line on standard output says on which ports. Logs go to standard
    error. To be called once per process, in its main thread: signals and hooks are taken over.

    Raises:
        ConfigProblem: directory, keys or certificates cannot be used.
        JournalDown: the journal is another process's, or of other tables, or cannot be had.
        AddressDown: an address cannot be had.
        OSError: the vault or another file cannot be had.
    """
    logs.configure(config.log.level, config.log.format)
    logs.install_hooks()
    with asyncio.Runner(loop_factory=_loop_factory(config)) as runner:
        runner.run(_serve(config, logs.get_logger("serve")))


def _loop_factory(config: Config) -> Callable[[], asyncio.AbstractEventLoop]:
    if not config.uvloop:
        return asyncio.new_event_loop
    import uvloop

    return uvloop.new_event_loop


async def _serve(config: Config, log: EventLog) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def asked(by: signal.Signals) -> None:
        log.event("stopping", signal=by.name)
        stop.set()

    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, asked, number)
    loop.add_signal_handler(signal.SIGHUP, lambda: None)  # what is being read need not be re-read
    begun_ns = time.monotonic_ns()
    log.event("starting", gateway=config.gateway_id, version=gateway.__version__, pid=os.getpid())
    async with AsyncExitStack() as stack:
        running = await _open(stack, config, log)
        log.event("serving", gateway=config.gateway_id, demo=config.demo, ms=_since(begun_ns))
        if authority_key_here(config) and not config.demo:
            log.event("authority_key_here", error="AuthorityKeyHere")
        settle_collector()
        loop.add_signal_handler(signal.SIGHUP, running.reload)
        _announce(running)
        await stop.wait()
        begun_ns = time.monotonic_ns()
    log.event("stopped", gateway=config.gateway_id, ms=_since(begun_ns))


async def _open(stack: AsyncExitStack, config: Config, log: EventLog) -> Running:
    try:
        return await stack.enter_async_context(run_gateway(config, log, seams_of(config)))
    except OSError as error:
        if error.filename is not None:
            raise  # a file, not an address
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        called = config.callbacks.listen
        if called is not None and called in str(error):
            raise _down("callbacks.listen", called, reason) from error
        if config.exchange.listen in str(error):
            raise _down("exchange.listen", config.exchange.listen, reason) from error
        raise _down("portal.listen", config.portal.listen, reason) from error


def seams_of(config: Config) -> Seams:
    """Return the real things; in demo mode a clock that a file in the state folder moves."""
    from gateway.app.demo.moved_clock import FILE, MovedClock

    file = config.state_dir / FILE
    return Seams(clock=MovedClock(file)) if config.demo and file.exists() else Seams()


def _down(key: str, listen: str, reason: str) -> AddressDown:
    return AddressDown(
        f"{key} {listen} cannot be listened on ({reason}); "
        "stop what has it, or set another address in the configuration"
    )


def _announce(running: Running) -> None:
    """Tell whoever started the process that it serves, and where."""
    told = {
        "event": "serving",
        "exchange_port": running.exchange_port,
        "portal_port": running.portal_port,
        **({"callbacks_port": running.callbacks_port} if running.callbacks_port else {}),
        "pid": os.getpid(),
    }
    print(json.dumps(told), flush=True)


def _since(begun_ns: int) -> int:
    return (time.monotonic_ns() - begun_ns) // 1_000_000
