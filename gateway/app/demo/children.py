"""The two gateways as processes of their own: started, watched, and always stopped."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import gateway
from gateway.app.config import ENV_PREFIX
from gateway.app.demo.story import DemoFailed
from gateway.app.provision import Identity, Site
from gateway.kernel.limits import DRAIN_S_MAX

_START_S: Final = 30.0
_STOP_S: Final = DRAIN_S_MAX + 10.0
_TAIL_BYTES: Final = 4_096


class Child:
    """A gateway that serves in a process of its own."""

    def __init__(self, identity: Identity, process: asyncio.subprocess.Process, log: Path) -> None:
        self.identity = identity
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def serving(self) -> None:
        """Wait until it serves.

        Raises:
            DemoFailed: it ended, said something else or took too long.
        """
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(_START_S):
                line = await self._process.stdout.readline()
        except TimeoutError as late:
            raise DemoFailed(self._told(f"did not start within {_START_S:g} s")) from late
        if not line:
            status = await self._process.wait()
            raise DemoFailed(self._told(f"未能启动 did not start (exit {status})"))
        try:
            event = json.loads(line).get("event")
        except (ValueError, AttributeError) as problem:
            raise DemoFailed(self._told("said something else than JSON")) from problem
        if event != "serving":
            raise DemoFailed(self._told("did not say that it serves"))

    async def watch(self) -> None:
        """Wait for the process; that it ends is what went wrong.

        Raises:
            DemoFailed: always, once it has ended.
        """
        raise DemoFailed(self._ended(await self._process.wait()))

    async def ended_within(self, seconds: float) -> str:
        """Return what to tell if the process ends within `seconds`, else nothing."""
        try:
            async with asyncio.timeout(seconds):
                status = await self._process.wait()
        except TimeoutError:
            return ""
        return self._ended(status)

    def _ended(self, status: int) -> str:
        return self._told(f"意外退出 ended by itself (exit {status})")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have it stand still: what it has to say waits, and what comes for it too."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            if self._process.returncode is None:
                self._process.send_signal(signal.SIGCONT)

    def ask_to_stop(self) -> None:
        """Send SIGTERM if it still runs."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)

    async def stopped(self) -> str:
        """Wait until it has stopped; kill it if it does not. Return what was wrong, or nothing."""
        try:
            async with asyncio.timeout(_STOP_S):
                status = await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            return self._told(f"did not stop within {_STOP_S:g} s and was killed")
        return self._told(f"did not stop cleanly (exit {status})") if status else ""

    def _told(self, what: str) -> str:
        last = _last_line(self.log)
        return (
            f"{self.identity.name_zh} {self.identity.gateway_id}: the gateway {what}"
            f"{': ' + last if last else ''}; 日志 log: {self.log}"
        )


def _last_line(log: Path) -> str:
    """Return the last line of a log; logs hold no personal data."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip() if lines else ""


async def _start(site: Site) -> Child:
    log = site.root / "gateway.log"
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    written = os.open(log, flags, 0o600)
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gateway.app.cli.main",
            "serve",
            "--config",
            str(site.config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=written,
            env=_environment(),
            cwd=site.root,
            start_new_session=True,  # Ctrl-C is ours; the children are asked to stop, once
        )
    finally:
        os.close(written)
    return Child(site.identity, process, log)


def _environment() -> dict[str, str]:
    """Return ours without settings of another gateway, and with this very package first."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(ENV_PREFIX)}
    paths = [str(Path(gateway.__file__).parent.parent), own.get("PYTHONPATH", "")]
    return {**own, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


@asynccontextmanager
async def running(sites: Sequence[Site]) -> AsyncIterator[list[Child]]:
    """Run a gateway for each site; on leaving, stop them all and wait.

    Raises:
        DemoFailed: one did not start; or, if all else went well, one did not stop cleanly.
    """
    children: list[Child] = []
    try:
        for site in sites:
            children.append(await _start(site))  # noqa: PERF401 - each is to be stopped if the next fails
        await asyncio.gather(*(child.serving() for child in children))
        yield children
    except BaseException:
        await _stop(children)
        raise
    wrong = await _stop(children)
    if wrong:
        raise DemoFailed("; ".join(wrong))


async def _stop(children: Sequence[Child]) -> list[str]:
    for child in children:
        child.ask_to_stop()
    told = await asyncio.gather(*(child.stopped() for child in children))
    return [text for text in told if text]
