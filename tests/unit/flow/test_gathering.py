"""Calls taken in together are each answered as if they had come alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import cast

import pytest

from gateway.flow.answering import Answer
from gateway.flow.gathering import Gathering
from gateway.flow.intake import Intake
from gateway.flow.tasks import TaskOwner
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import GROUP_MAX
from tests.fakes.telemetry import HeardEvents

ONE, OTHER = GatewayId("620900"), GatewayId("620700")
BROKEN = b"broken"


class Desk:
    """Answers each envelope with itself once `open` is set; breaks on `BROKEN`."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.calls: list[tuple[GatewayId, list[bytes]]] = []

    async def take_in(self, peer: GatewayId, raws: Sequence[bytes]) -> list[Answer]:
        self.calls.append((peer, list(raws)))
        await self.open.wait()
        if BROKEN in raws:
            raise RuntimeError("a bug")
        return [b"receipt of " + raw for raw in raws]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def gathering(desk: Desk) -> AsyncIterator[Gathering]:
    owner = TaskOwner(HeardEvents())
    yield Gathering(cast("Intake", desk), owner)
    await owner.close()


async def _ask(gathering: Gathering, *calls: list[bytes]) -> list[asyncio.Task[list[Answer]]]:
    """Start a call for each of `calls`, in order, and let each come as far as it can."""
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(gathering.take_in(ONE, raws)) for raws in calls]
    await asyncio.sleep(0)
    return tasks


async def test_a_call_that_breaks_fails_no_neighbour(desk: Desk, gathering: Gathering) -> None:
    tasks = await _ask(gathering, [b"first"], [b"a"], [BROKEN], [b"b", b"c"])
    desk.open.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert found[0] == [b"receipt of first"]
    assert found[1] == [b"receipt of a"]
    assert isinstance(found[2], RuntimeError)
    assert found[3] == [b"receipt of b", b"receipt of c"]


async def test_a_caller_that_goes_away_takes_no_other_call_with_it(
    desk: Desk, gathering: Gathering
) -> None:
    tasks = await _ask(gathering, [b"first"], [b"a"], [b"b"])
    tasks[0].cancel()
    tasks[1].cancel()
    desk.open.set()
    assert await tasks[2] == [b"receipt of b"]
    assert (ONE, [b"b"]) in desk.calls  # nobody waits for a: it takes no place


async def test_calls_that_wait_go_on_as_one_and_are_answered_in_order(
    desk: Desk, gathering: Gathering
) -> None:
    tasks = await _ask(gathering, [b"first"], [b"a"], [b"b", b"c"])
    assert desk.calls == [(ONE, [b"first"])]
    desk.open.set()
    assert [await t for t in tasks][1:] == [
        [b"receipt of a"],
        [b"receipt of b", b"receipt of c"],
    ]
    assert desk.calls[1:] == [(ONE, [b"a", b"b", b"c"])]


async def test_no_peer_waits_for_another(desk: Desk, gathering: Gathering) -> None:
    tasks = await _ask(gathering, [b"first"])
    theirs = asyncio.get_running_loop().create_task(gathering.take_in(OTHER, [b"theirs"]))
    await asyncio.sleep(0)
    assert desk.calls[-1] == (OTHER, [b"theirs"])
    desk.open.set()
    await asyncio.gather(*tasks, theirs)


async def test_no_more_than_a_commit_group_goes_on_at_once(
    desk: Desk, gathering: Gathering
) -> None:
    large = [b"x"] * (GROUP_MAX - 1)
    tasks = await _ask(gathering, [b"first"], large, [b"a", b"b"])
    desk.open.set()
    await asyncio.gather(*tasks)
    assert [len(raws) for _, raws in desk.calls] == [1, GROUP_MAX - 1, 2]


async def test_a_call_after_all_were_answered_goes_straight_through(
    desk: Desk, gathering: Gathering
) -> None:
    desk.open.set()
    await asyncio.gather(*await _ask(gathering, [b"first"], [b"a"]))
    assert await gathering.take_in(ONE, [b"later"]) == [b"receipt of later"]
    assert desk.calls[-1] == (ONE, [b"later"])
