"""The same from a platform again: at the wrong moment, after a crash, and what it is told then."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

import pytest

from gateway.flow.quarantine import QuarantineDesk
from gateway.kernel.arrivals import ArrivalStatus
from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault
from gateway.kernel.identifiers import CaseKey
from gateway.kernel.trees import Tree
from gateway.ports.reception import Disposition
from tests.flow.platforms import THEM, PlatformPartner
from tests.flow.world import World, settle

THEIR_NUMBER = "JYG-2026-9"
APPLICATION: Tree = {
    "message": {
        "number": "T-1",
        "item_code": "00013112700701",
        "item_version": "1",
        "mode": "online",
        "purpose": "enterprise-information-query",
    },
    "case": {"applicant_number": THEIR_NUMBER},
    "form": {"uscc": "91620200MA0000000H", "query_purpose": "核对企业登记信息（示例）"},
}
WITHDRAWAL: Tree = {
    "message": {"number": "T-2"},
    "case": {"applicant_number": THEIR_NUMBER},
    "form": {"reason_zh": "不办了（示例）"},
}


@pytest.fixture
def platform(world: World) -> PlatformPartner:
    return PlatformPartner(world)


async def cases(world: World) -> int:
    return len(await world.jq.journal.read(lambda s: s.cases_of(None, limit=9)))


async def named(world: World) -> CaseKey | None:
    return await world.jq.journal.read(lambda s: s.case_named(THEM, THEIR_NUMBER))


async def test_who_says_it_again_is_told_our_number_again(
    world: World, platform: PlatformPartner
) -> None:
    met = await platform.says(Kind.SUBMITTED, APPLICATION)
    again = await platform.says(Kind.SUBMITTED, APPLICATION, noise="again")
    assert met.number
    assert (again.status, again.number) == (met.status, met.number)


@pytest.mark.parametrize("lost", [1, 2, 3, 4])
async def test_whichever_commit_is_lost_the_case_is_known_by_its_numbers(
    world: World, platform: PlatformPartner, lost: int
) -> None:
    world.jq.journal.lose_write = world.jq.journal.begun + lost
    try:
        await platform.says(Kind.SUBMITTED, APPLICATION)
    except Fault as fault:
        assert fault.code.value.startswith("delivery.")
    world.jq.journal.lose_write = 0
    await world.jq.crash()
    platform.restart()
    await platform.receiving.resume()
    again = await platform.says(Kind.SUBMITTED, APPLICATION)
    assert (again.status, again.number != "") == (ArrivalStatus.TAKEN_IN, True)
    assert await cases(world) == 1
    assert await named(world) is not None
    met = await platform.says(Kind.WITHDRAWN, WITHDRAWAL)
    assert met.status is ArrivalStatus.TAKEN_IN


async def test_a_poller_that_is_stopped_in_between_leaves_the_case_its_numbers(
    world: World, platform: PlatformPartner, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = asyncio.Event()

    async def stopped(*_: object) -> Disposition:
        await never.wait()
        raise AssertionError

    with monkeypatch.context() as patched:
        patched.setattr(platform.receiving, "_settle", stopped)
        saying = asyncio.ensure_future(platform.says(Kind.SUBMITTED, APPLICATION))
        await settle()
        saying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await saying
    await platform.receiving.resume()
    assert await cases(world) == 1
    assert await named(world) is not None
    assert (await platform.says(Kind.WITHDRAWN, WITHDRAWAL)).taken_in


@pytest.mark.parametrize("how", ["said again", "replayed"])
async def test_two_at_once_and_an_obstacle_that_goes_away_between_them_are_one_case(
    world: World, platform: PlatformPartner, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    book, receiving = world.jq.directory.current(), platform.receiving
    world.jq.directory.replace(replace(book, agreements={}))
    put_aside = receiving._quarantine

    async def and_then_agreed(*given: object) -> Disposition:
        met = await put_aside(*given)  # type: ignore[arg-type]
        world.jq.directory.replace(book)
        return met

    monkeypatch.setattr(receiving, "_quarantine", and_then_agreed)
    async with receiving._turns[THEM]:
        both = [
            asyncio.ensure_future(platform.says(Kind.SUBMITTED, APPLICATION, noise=noise))
            for noise in ("a", "b")
        ]
        await settle()
    first, second = await asyncio.gather(*both)
    assert (first.status, second.status) == (ArrivalStatus.QUARANTINED,) * 2
    if how == "said again":
        third = await platform.says(Kind.SUBMITTED, APPLICATION, noise="c")
        assert third.taken_in
    else:
        jq, home = world.jq, book.home.gateway_id
        desk = QuarantineDesk(jq.committer, jq.journal, home, receiving, jq.log)
        view = cast("dict[str, object]", await desk.replay("wang", second.arrival_id, "示例"))
        assert view["status"] == "taken_in"
    assert await cases(world) == 1
