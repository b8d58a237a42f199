"""A message that meets no receipt for long is told of, once an hour while it lasts."""

from __future__ import annotations

import asyncio
import dataclasses

from gateway.flow.lane_watch import LaneWatch
from gateway.kernel.assisted import ADAPTER as ASSISTED
from gateway.kernel.envelope import Kind
from gateway.kernel.limits import RECEIPT_LATE_MS
from tests.fakes.telemetry import HeardEvents
from tests.flow.world import World


def watch_of(world: World) -> tuple[LaneWatch, HeardEvents]:
    log = HeardEvents()
    return LaneWatch(world.jq.journal, world.jq.directory, world.clock, log), log


async def test_a_receipt_that_does_not_come_is_told_once_an_hour_until_it_comes(
    world: World,
) -> None:
    watch, log = watch_of(world)
    case_id = await world.open_query()
    await asyncio.sleep(RECEIPT_LATE_MS / 1000)
    await watch.look()
    assert log.events == []
    await asyncio.sleep(0.001)
    for _ in range(3):
        await watch.look()
    ((name, fields),) = log.events
    assert (name, fields["partner"], fields["count"]) == ("receipts_late", "620200", 1)
    assert int(fields["ms"]) > RECEIPT_LATE_MS
    await asyncio.sleep(3_600)
    await watch.look()
    assert len(log.events) == 2
    await world.drain()
    await watch.look()
    await asyncio.sleep(3_600)
    await watch.look()
    assert len(log.events) == 2
    assert (await world.jq.said(case_id))[0].kind is Kind.SUBMITTED


async def test_what_people_carry_is_on_their_list_and_not_told(world: World) -> None:
    watch, log = watch_of(world)
    await world.open_query()
    book = world.jq.directory.current()
    carried = {g: dataclasses.replace(p, outlet=ASSISTED) for g, p in book.partners.items()}
    world.jq.directory.replace(dataclasses.replace(book, partners=carried))
    await asyncio.sleep(RECEIPT_LATE_MS / 500)
    await watch.look()
    assert log.events == []
