"""What operators do with what could not be mapped: replay it once, or let go of it for good."""

from __future__ import annotations

import base64
from typing import cast

import pytest

from gateway.flow.quarantine import QuarantineDesk
from gateway.kernel.arrivals import ArrivalStatus
from gateway.kernel.case import Stage
from gateway.kernel.envelope import Kind, Outcome
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import MessageRef, parse_uuid7
from gateway.ports.reception import Disposition
from gateway.wire.receipts import decode_signed_receipt
from tests.flow.platforms import THEM, PlatformPartner, told
from tests.flow.test_receiving import number_of, submitted
from tests.flow.world import World


class Quarantined:
    """A case whose acknowledgement lies in quarantine."""

    def __init__(self, world: World) -> None:
        self.world, self.platform = world, PlatformPartner(world)
        side = world.jq
        self.desk = QuarantineDesk(
            side.committer, side.journal, side.id, self.platform.receiving, side.log
        )

    async def begin(self) -> bytes:
        self.case_id = await submitted(self.world, self.platform)
        self.platform.translation.broken.add("acknowledged")
        self.said = told("R-1", number_of(self.platform))
        met = await self.come()
        return met.arrival_id

    async def come(self) -> Disposition:
        return await self.platform.says(Kind.ACKNOWLEDGED, self.said)

    async def stage(self) -> Stage:
        return (await self.world.jq.case(self.case_id)).stage


@pytest.fixture
def quarantined(world: World) -> Quarantined:
    return Quarantined(world)


async def test_what_is_not_there_is_not_found(quarantined: Quarantined) -> None:
    for act in (
        quarantined.desk.show(b"x" * 16),
        quarantined.desk.replay("uid-1", b"x" * 16, ""),
        quarantined.desk.drop("uid-1", b"x" * 16, "r"),
    ):
        with pytest.raises(Fault) as refused:
            await act
        assert refused.value.code is FaultCode.OPERATOR_NOT_FOUND


async def test_the_list_shows_the_rule_and_the_field_and_nothing_that_was_said(
    quarantined: Quarantined,
) -> None:
    arrival_id = await quarantined.begin()
    view = await quarantined.desk.list(ArrivalStatus.QUARANTINED, 10)
    (row,) = cast("list[dict[str, object]]", view["arrivals"])
    assert (row["rule"], row["field"], row["partner"]) == (
        "mapping.value_invalid",
        "/form/state",
        THEM,
    )
    assert number_of(quarantined.platform) not in str(view)
    shown = await quarantined.desk.show(arrival_id)
    assert number_of(quarantined.platform).encode() in base64.b64decode(str(shown["raw"]))


async def test_a_replay_by_the_same_table_ends_where_it_was(quarantined: Quarantined) -> None:
    arrival_id = await quarantined.begin()
    view = await quarantined.desk.replay("uid-1", arrival_id, "试一次")
    assert (view["status"], view["rule"]) == ("quarantined", "mapping.value_invalid")
    assert (view["operator"], view["reason"]) == ("uid-1", "试一次")
    assert await quarantined.stage() is Stage.SUBMITTED


async def test_a_replay_by_a_mended_table_counts_once(quarantined: Quarantined) -> None:
    arrival_id = await quarantined.begin()
    quarantined.platform.translation.broken.clear()
    view = await quarantined.desk.replay("uid-1", arrival_id, "映射表已更正")
    assert view["status"] == "taken_in"
    assert await quarantined.stage() is Stage.ACKNOWLEDGED
    with pytest.raises(Fault) as refused:
        await quarantined.desk.replay("uid-1", arrival_id, "")
    assert refused.value.code is FaultCode.PARTNER_ARRIVAL_SETTLED
    assert (await quarantined.come()).taken_in
    assert len(await quarantined.world.jq.history(quarantined.case_id)) == 2


async def test_a_replay_of_what_came_again_meanwhile_has_no_second_effect(
    quarantined: Quarantined,
) -> None:
    arrival_id = await quarantined.begin()
    quarantined.platform.translation.broken.clear()
    assert (await quarantined.come()).taken_in
    view = await quarantined.desk.replay("uid-1", arrival_id, "")
    assert view["status"] == "dropped"
    assert len(await quarantined.world.jq.history(quarantined.case_id)) == 2


async def test_what_is_dropped_is_void_for_ever_and_its_bytes_stay_on_record(
    quarantined: Quarantined,
) -> None:
    arrival_id = await quarantined.begin()
    view = await quarantined.desk.drop("uid-1", arrival_id, "测试数据")
    assert view["status"] == "dropped"
    burnt = parse_uuid7(str(view["message_id"]))
    assert burnt is not None
    ref = MessageRef(THEM, burnt)  # type: ignore[arg-type]
    journal = quarantined.world.jq.journal
    message = (await journal.read(lambda s: s.messages([ref])))[ref]
    assert decode_signed_receipt(message.receipt).receipt.outcome is Outcome.VOID
    with pytest.raises(Fault) as refused:
        await quarantined.desk.replay("uid-1", arrival_id, "")
    assert refused.value.code is FaultCode.PARTNER_ARRIVAL_SETTLED
    shown = await quarantined.desk.show(arrival_id)
    assert number_of(quarantined.platform).encode() in base64.b64decode(str(shown["raw"]))


async def test_without_an_adapter_key_nothing_is_replayed(quarantined: Quarantined) -> None:
    arrival_id = await quarantined.begin()
    side = quarantined.world.jq
    desk = QuarantineDesk(side.committer, side.journal, side.id, None, side.log)
    with pytest.raises(Fault) as refused:
        await desk.replay("uid-1", arrival_id, "")
    assert refused.value.code is FaultCode.DELIVERY_SIGNER_DOWN
