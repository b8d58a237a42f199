"""A poller's turns: whatever one meets, the next comes; the same trouble is told once."""

from __future__ import annotations

import asyncio

import pytest

from gateway.adapters.outlets.polling import OneByOne, Polling
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.ports.outlet import OutletDown
from tests.fakes.clock import FixedClock
from tests.fakes.telemetry import HeardEvents

WUWEI = GatewayId("620600")


async def test_no_trouble_ends_the_polling_and_each_is_told_when_it_is_new() -> None:
    meets: list[Exception | None] = [
        OutletDown("unavailable"),
        OutletDown("unavailable"),
        Fault(FaultCode.PARTNER_NUMBER_REUSED),
        ValueError("of a document nobody foresaw"),
        None,
        ValueError("again"),
    ]
    log, turns = HeardEvents(), iter(meets)

    async def turn() -> None:
        try:
            met = next(turns)
        except StopIteration:
            raise asyncio.CancelledError from None
        if met is not None:
            raise met

    with pytest.raises(asyncio.CancelledError):
        await Polling("drop", WUWEI, 0, FixedClock(), log).run(turn)
    assert [(name, told["error"]) for name, told in log.events] == [
        ("drop_down", "unavailable"),
        ("drop_waits", "partner.number_reused"),
        ("drop_broke", "ValueError"),
        ("drop_broke", "ValueError"),
    ]
    assert all(told["partner"] == WUWEI for _, told in log.events)


def test_what_every_document_would_meet_is_not_put_off() -> None:
    apart = OneByOne()
    apart.tell()
    with pytest.raises(Fault, match=r"delivery\.journal_down"):
        apart.keep(Fault(FaultCode.DELIVERY_JOURNAL_DOWN))
    apart.keep(Fault(FaultCode.MAPPING_CODE_UNMAPPED))
    apart.keep(Fault(FaultCode.PARTNER_NUMBER_REUSED))
    with pytest.raises(Fault, match=r"mapping\.code_unmapped"):
        apart.tell()
