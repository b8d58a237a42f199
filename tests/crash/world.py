"""Both gateways, both offices, and what is asked of all of them at the end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from gateway.app.provision import Site
from tests.crash.checker import VOID, Side, complaints, read_side, waiting
from tests.crash.driver import Course, Office
from tests.crash.process import Child, make_sites
from tests.crash.promises import broken_promises, repeat
from tests.crash.raw_partner import RawPartner, replay

DRAIN_S: Final = 120.0


@dataclass
class World:
    """Jiuquan and Jiayuguan as processes, Zhangye as bare keys."""

    children: tuple[Child, Child]
    offices: tuple[Office, Office]
    raws: tuple[RawPartner, RawPartner]
    third: Site

    def course(self, plan: str, rng: random.Random, origin: int) -> Course:
        """Return a case whose origin is the gateway of that number."""
        return Course(plan, self.offices[origin], self.offices[1 - origin], rng)

    async def drained(self) -> None:
        """Wait until nothing waits for a receipt on either side."""
        async with asyncio.timeout(DRAIN_S):
            while any(waiting(c.site.root) for c in self.children):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)

    def read(self) -> tuple[Side, Side]:
        """Read both journals."""
        one, other = (
            read_side(c.name, c.site.identity.gateway_id, c.site.root) for c in self.children
        )
        return one, other

    def wrongs(self, courses: Sequence[Course]) -> list[str]:
        """Return everything that is wrong on disk, and every promise that was broken."""
        sides = self.read()
        found = complaints(*sides)
        by_id = {side.gateway_id: side for side in sides}
        for course in courses:
            found += broken_promises(course, by_id[course.origin.id], by_id[course.deciding.id])
        opened = {course.case_id for course in courses}
        for side in sides:
            if len(side.tables["cases"]) != len(opened):
                found.append(
                    f"{side.name}: {len(side.tables['cases'])} cases, {len(opened)} opened"
                )
        for raw, side in zip(self.raws, sides, strict=True):
            kept = side.way("in", self.third.identity.gateway_id)
            shown = {name: m["receipt"] for name, m in kept.items()}
            if shown != raw.receipts:
                found.append(f"{side.name}: other receipts than the third partner was shown")
        return found

    async def say_it_all_again(self, courses: Sequence[Course]) -> None:
        """Repeat every request and every message: nothing may change, not even a byte."""
        await asyncio.gather(*(repeat(course) for course in courses))
        sides = self.read()
        for here, there in ((0, 1), (1, 0)):
            sent = sides[here].way("out", sides[there].gateway_id).values()
            pairs = [(m["envelope"], m["receipt"]) for m in sent if m["outcome"] != VOID]
            await replay(self.children[here].site, self.children[there].site, pairs)
        for raw in self.raws:
            await raw.ask_for_all()


@asynccontextmanager
async def world_at(root: Path, rng: random.Random) -> AsyncIterator[World]:
    """Provision the gateways and start both."""
    jiuquan, jiayuguan, zhangye = make_sites(root)
    children = Child(jiuquan), Child(jiayuguan)
    raws = RawPartner(zhangye, jiuquan, rng), RawPartner(zhangye, jiayuguan, rng)
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        offices = Office(jiuquan, http), Office(jiayuguan, http)
        try:
            await asyncio.gather(*(child.start() for child in children))
            yield World(children, offices, raws, zhangye)
        finally:
            for child in children:
                await child.close()
            for raw in raws:
                await raw.close()
