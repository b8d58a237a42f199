"""Two gateways in processes of their own, killed and started again over the same files."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from gateway.adapters.system.clock import SystemClock
from gateway.app.provision import Identity, Site, add_items, agree, introduce, make_site
from tests.support.world import (
    BRANCH,
    JIAYUGUAN,
    JIUQUAN,
    PARTNERS,
    ROOT,
    ZHANGYE,
    agreement_bytes,
    free_port,
)

START_S: Final = 60.0  # a start is under two seconds; under strace, on a busy machine, many
STOP_S: Final = 40.0


def stable_port() -> int:
    """Return a free loopback port below those the system hands to outgoing connections.

    A gateway that is down for a second must find its port free again: one of the range for
    outgoing connections could be taken meanwhile, even by a connection to itself.
    """
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        lowest = int(file.read().split()[0])
    if lowest < 10_000:
        return free_port()  # there is next to no room below
    while True:
        port = random.randrange(max(lowest - 12_000, 5_000), lowest)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _site(root: Path, identity: Identity) -> Site:
    exchange, portal = f"127.0.0.1:{stable_port()}", f"127.0.0.1:{stable_port()}"
    return Site(root / identity.folder, identity, exchange, portal)


def both_ways() -> bytes:
    """Return the sample agreement, with branch registration open in both directions."""
    branch = f'[[grants]]\nitems = [{{ code = "{BRANCH}", versions = ["1", "2"] }}]\n'.encode()
    one_way = branch + b'origins = ["620900"]\ndeciding = ["620200"]'
    content = agreement_bytes()
    assert content.count(one_way) == 1
    both = branch + b'origins = ["620900", "620200"]\ndeciding = ["620900", "620200"]'
    return content.replace(one_way, both)


def _own_branch_item(root: Path, site: Site) -> None:
    """Let Jiuquan decide branch registrations too, so that each gateway has either role."""
    source = PARTNERS / "jiayuguan" / "items" / BRANCH
    target = root / "items" / BRANCH
    target.mkdir(parents=True)
    for file in source.iterdir():
        content = file.read_text(encoding="utf-8")
        content = content.replace(JIAYUGUAN.unit, JIUQUAN.unit)
        (target / file.name).write_text(content, encoding="utf-8")
    add_items(site, root / "items")


def make_sites(root: Path) -> tuple[Site, Site, Site]:
    """Provision Jiuquan and Jiayuguan, agreed, and Zhangye, which only they know."""
    now_ms = SystemClock().now_ms()
    jiuquan, jiayuguan, zhangye = sites = (
        _site(root, JIUQUAN),
        _site(root, JIAYUGUAN),
        _site(root, ZHANGYE),
    )
    for site in sites:
        make_site(site, now_ms, demo=True)
    for site in (jiuquan, jiayuguan):
        add_items(site, PARTNERS / site.identity.folder / "items")
    _own_branch_item(root, jiuquan)
    introduce(jiuquan, jiayuguan)
    introduce(jiayuguan, jiuquan)
    for site in (jiuquan, jiayuguan):
        introduce(zhangye, site)
    agree(jiuquan, jiayuguan, both_ways(), now_ms)
    return sites


class Child:
    """One gateway's process, over and over."""

    def __init__(self, site: Site, under: Sequence[str] = ()) -> None:
        self.site = site
        self.name = site.identity.folder
        self.ready: dict[str, Any] = {}
        self.deaths = 0
        self._under = tuple(under)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def errors(self) -> Path:
        """What the processes wrote to standard error."""
        return self.site.root / "stderr.txt"

    @property
    def running(self) -> bool:
        """Whether there is a process that was not seen to end."""
        return self._process is not None and self._process.returncode is None

    async def spawn(self, *arguments: str) -> None:
        """Start a process without waiting for it to serve."""
        assert not self.running
        with self.errors.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *self._under,
                sys.executable,
                "-m",
                "tests.crash.child",
                str(self.site.config),
                *arguments,
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )

    async def start(self, *arguments: str) -> None:
        """Start a process and return when it serves."""
        await self.spawn(*arguments)
        self.ready = await self._told("pid")

    async def arm(self, point: str, after: int = 1) -> None:
        """Have the running process die at the `after`-th passing of `point`."""
        process = self._alive()
        assert process.stdin is not None
        process.stdin.write(f"{point} {after}\n".encode())
        assert (await self._told("armed"))["armed"] == point

    async def died_at(self) -> str:
        """Wait until the armed process has killed itself; return the point it named."""
        told = await self._told("killed_at")
        await self._ended(-signal.SIGKILL)
        return str(told["killed_at"])

    def kill(self) -> None:
        """SIGKILL, at once."""
        os.kill(self._alive().pid, signal.SIGKILL)

    async def dead(self) -> None:
        """Wait for the end of a process that was killed."""
        await self._ended(-signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM; the process must end in good order."""
        os.kill(self.ready["pid"], signal.SIGTERM)
        await self._ended(0)

    def _alive(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        assert self._process.returncode is None, self._complaint()
        return self._process

    async def _told(self, key: str) -> dict[str, Any]:
        """Return the next line of the process, which must hold `key`."""
        assert self._process is not None and self._process.stdout is not None
        async with asyncio.timeout(START_S):
            line = await self._process.stdout.readline()
        assert line, f"{self.name} ended without telling {key!r}: {self._complaint()}"
        told: dict[str, Any] = json.loads(line)
        assert key in told, (key, told)
        return told

    async def _ended(self, status: int) -> None:
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        async with asyncio.timeout(STOP_S):
            left, found = await asyncio.gather(process.stdout.read(), process.wait())
        process.stdin.close()
        assert found == status, f"{self.name} ended with {found}: {left!r} {self._complaint()}"
        self.deaths += found != 0

    def _complaint(self) -> str:
        return self.errors.read_text(encoding="utf-8")[-3_000:]

    async def close(self) -> None:
        """End whatever still runs; for the end of a test that failed."""
        if self.running:
            self.kill()
            await self._alive().wait()
