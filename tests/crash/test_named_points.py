"""A gateway dies between two steps whose order matters, and nothing is lost or done twice.

Both gateways run in processes of their own and live through all tests of this module, dying and
rising on the way; the later tests so start from journals that were recovered many times.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from gateway.kernel.limits import LEASE_MS
from tests.crash.checker import VOID, waiting
from tests.crash.driver import Course
from tests.crash.points import POINTS
from tests.crash.world import World, world_at

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

AS_ORIGIN: Final = {
    "material.before_commit",
    "material.after_commit",
    "portal_upload.middle",
    "partner_upload.sending",
}
BURNING: Final = ("burn.before_commit", "burn.after_commit")
AS_DECIDING: Final = {"partner_upload.receiving", "partner_upload.after_rename"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def history() -> list[Course]:
    """Every case of this module; each test judges all of them."""
    return []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world_at(tmp_path_factory.mktemp("named"), random.Random(1)) as world:
        yield world


def _course(world: World, victim: int, point: str) -> Course:
    """Return a case in which the victim passes the point; in either role where both can."""
    origin = victim if victim == 0 else 1 - victim
    if point in AS_ORIGIN:
        origin = victim
    elif point in AS_DECIDING:
        origin = 1 - victim
    plan = ("corrected", "plain")[victim]
    return world.course(plan, random.Random(f"{point} {victim}"), origin)


async def _both_up(world: World) -> None:
    for child in world.children:
        if not child.running:  # the test before this one failed half-way
            await child.start()


@pytest.mark.parametrize("victim", [0, 1], ids=["jiuquan", "jiayuguan"])
@pytest.mark.parametrize("point", [point for point in POINTS if point not in BURNING])
async def test_a_gateway_that_dies_here_loses_nothing_and_does_nothing_twice(
    world: World, history: list[Course], point: str, victim: int
) -> None:
    await _both_up(world)
    course = _course(world, victim, point)
    history.append(course)
    child = world.children[victim]
    await child.arm(point)
    case = asyncio.ensure_future(course.run())
    try:
        assert await child.died_at() == point
        assert not case.done(), "it died when all was over"
        began = time.monotonic()
        await child.start()
        await case
    finally:
        case.cancel()
    await world.drained()
    # A lease of the dead process that no one released would still hold its message back.
    assert time.monotonic() - began < LEASE_MS / 1000 - 5
    assert world.wrongs(history) == []


@pytest.mark.parametrize(("point", "victim"), [(BURNING[0], 0), (BURNING[1], 1)])
async def test_an_id_that_is_burnt_while_its_recipient_dies_is_burnt_once(
    world: World, history: list[Course], point: str, victim: int
) -> None:
    """The sender loses count, asks, and sends the same word anew under another id."""
    await _both_up(world)
    child, sender = world.children[victim], world.children[1 - victim]
    voids = _voids(world)
    await child.stop()
    course = world.course("asked", random.Random(f"{point} {victim}"), 1 - victim)
    history.append(course)
    case = asyncio.ensure_future(course.run())
    try:
        async with asyncio.timeout(60):
            while not waiting(sender.site.root, "unknown"):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        await child.start("--kill-at", point)
        assert await child.died_at() == point
        await child.start()
        await case
    finally:
        case.cancel()
    await world.drained()
    assert world.wrongs(history) == []
    assert _voids(world) == voids + 2, "one id, known to be burnt at both sides"


def _voids(world: World) -> int:
    return sum(m["outcome"] == VOID for side in world.read() for m in side.messages)


async def test_repeating_it_all_changes_nothing(world: World, history: list[Course]) -> None:
    before = [len(side.messages) for side in world.read()]
    await world.say_it_all_again(history)
    await world.drained()
    assert [len(side.messages) for side in world.read()] == before
    for child in world.children:
        await child.stop()
    assert world.wrongs(history) == []
