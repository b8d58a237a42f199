"""SIGKILL at any instant, again and again, with work in flight over both gateways.

`CRASH_KILLS` (25) and `CRASH_SEED` (drawn) come from the environment; `make crash-long` kills 300
times. A seed fixes who is killed and what is asked for, not the instants of the system's scheduler.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tests.crash.checker import VOID, waiting
from tests.crash.driver import PLANS, Course
from tests.crash.process import Child
from tests.crash.world import World, world_at

WORKERS: Final = 6
pytestmark = pytest.mark.slow


@dataclass
class Tally:
    """What the kills met."""

    kills: int = 0
    """Of serving gateways with at least one changing request sent and unanswered."""
    requests: int = 0
    """Such requests, over all kills."""
    messages: int = 0
    """Messages of cases without a receipt, over all kills, just before."""
    at_start: int = 0
    """Kills of a gateway that was still starting; not among `kills`."""
    by_victim: dict[str, int] = field(default_factory=dict)


async def _work(
    world: World, rng: random.Random, courses: list[Course], stop: asyncio.Event
) -> None:
    """Open case after case, each brought to its end."""
    while not stop.is_set():
        course = world.course(rng.choice(list(PLANS)), rng, rng.randrange(2))
        courses.append(course)
        await course.run()


async def _rise(child: Child, rng: random.Random, tally: Tally) -> None:
    """Start a gateway again; now and then it dies while it starts."""
    while rng.random() < 0.1:
        await child.spawn()
        await asyncio.sleep(rng.uniform(0.2, 1.2))
        child.kill()
        await child.dead()
        tally.at_start += 1
    await child.start()


async def _kill(world: World, rng: random.Random, wanted: int, tally: Tally) -> None:
    """Kill one gateway or both while requests to each victim are unanswered."""
    while tally.kills < wanted:
        await asyncio.sleep(rng.uniform(0.0, 0.5))  # the instant itself is what varies
        chosen = [0, 1] if rng.random() < 0.15 else [rng.randrange(2)]
        messages = sum(waiting(child.site.root) for child in world.children)
        while not all(world.offices[i].under_way for i in chosen):
            for i in chosen:
                await world.offices[i].busy.wait()
        for i in chosen:  # nothing is awaited between this look and the kill
            tally.requests += world.offices[i].under_way
            name = world.children[i].name
            tally.by_victim[name] = tally.by_victim.get(name, 0) + 1
            tally.kills += 1
            world.children[i].kill()
        tally.messages += messages
        victims = [world.children[i] for i in chosen]
        await asyncio.gather(*(victim.dead() for victim in victims))
        await asyncio.gather(*(_rise(victim, rng, tally) for victim in victims))


async def test_kills_at_random_lose_nothing_and_do_nothing_twice(tmp_path: Path) -> None:
    wanted = int(os.environ.get("CRASH_KILLS", "25"))
    seed = int(os.environ.get("CRASH_SEED", str(secrets.randbits(32))))
    print(f"\nCRASH_SEED={seed} CRASH_KILLS={wanted}")
    rng, tally, courses = random.Random(seed), Tally(), list[Course]()
    began = time.monotonic()
    async with world_at(tmp_path, rng) as world:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for number in range(WORKERS):
                own = random.Random(f"{seed} {number}")
                group.create_task(_work(world, own, courses, stop))
            for raw in world.raws:
                group.create_task(raw.run(stop))
            await _kill(world, rng, wanted, tally)
            stop.set()
        killed_s = time.monotonic() - began
        await world.drained()
        lost = sum(office.broken for office in world.offices)
        burnt = sum(m["outcome"] == VOID for m in world.read()[0].messages)
        print(
            f"{tally}; {len(courses)} cases; {lost} answers lost to offices; {burnt} ids burnt; "
            f"{killed_s:.0f} s"
        )
        assert world.wrongs(courses) == []
        before = [len(side.messages) for side in world.read()]
        await world.say_it_all_again(courses)
        await world.drained()
        for child in world.children:
            await child.stop()
        assert world.wrongs(courses) == []
        assert [len(side.messages) for side in world.read()] == before
    assert tally.kills >= wanted and tally.requests >= tally.kills
    assert set(tally.by_victim) == {child.name for child in world.children}
    assert tally.messages > 0 and lost >= tally.kills // 2
    assert all(raw.shown for raw in world.raws)
    assert sum(child.deaths for child in world.children) == tally.kills + tally.at_start
