"""When a message was sent, against the gateway's own clock; every border to the millisecond."""

from __future__ import annotations

import pytest

from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import MessageId, uuid7
from gateway.kernel.limits import ID_TIME_MS_MAX, MESSAGE_LIFE_MS_MAX
from tests.support.peer import Sealed

from .outcomes import refused, taken_in
from .worlds import DAY_MS, MINUTE_MS, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

SKEW_MS = 5 * MINUTE_MS


def sent_at(world: World, shift_ms: int, life_ms: int, id_shift_ms: int = 0) -> Sealed:
    """Return a submission sent `shift_ms` from now that lives for `life_ms`."""
    peer = world.jiuquan
    sent_at_ms = world.clock.now_ms() + shift_ms
    return peer.submission(
        message_id=MessageId(uuid7(sent_at_ms + id_shift_ms, peer.entropy.token(10))),
        sent_at_ms=sent_at_ms,
        expires_at_ms=sent_at_ms + life_ms,
    )


async def test_a_message_from_the_future_is_refused_beyond_five_minutes(world: World) -> None:
    await refused(world, sent_at(world, SKEW_MS + 1, DAY_MS), F.DELIVERY_IN_FUTURE)
    await refused(world, sent_at(world, 365 * DAY_MS, DAY_MS), F.DELIVERY_IN_FUTURE)
    await taken_in(world, sent_at(world, SKEW_MS, DAY_MS))


async def test_an_expired_message_is_refused_beyond_five_minutes(world: World) -> None:
    await refused(world, sent_at(world, -DAY_MS, DAY_MS - SKEW_MS - 1), F.DELIVERY_EXPIRED)
    await refused(world, sent_at(world, -365 * DAY_MS, DAY_MS), F.DELIVERY_EXPIRED)
    await taken_in(world, sent_at(world, -DAY_MS, DAY_MS - SKEW_MS))


async def test_a_message_may_live_thirty_days_and_no_longer(world: World) -> None:
    long = sent_at(world, 0, MESSAGE_LIFE_MS_MAX + 1)
    await refused(world, long, F.DELIVERY_LIFE_TOO_LONG)
    await taken_in(world, sent_at(world, 0, MESSAGE_LIFE_MS_MAX))


@pytest.mark.parametrize("sign", [-1, 1])
async def test_an_id_drawn_at_another_time_is_refused(world: World, sign: int) -> None:
    drawn = sent_at(world, 0, DAY_MS, sign * (ID_TIME_MS_MAX + 1))
    await refused(world, drawn, F.DELIVERY_ID_TIME)
    await taken_in(world, sent_at(world, 0, DAY_MS, sign * ID_TIME_MS_MAX))


@pytest.mark.parametrize("at_ms", [2**63 - 1, 2**62])
async def test_a_time_beyond_all_calendars_is_refused(world: World, at_ms: int) -> None:
    far = world.jiuquan.submission(sent_at_ms=at_ms - 1, expires_at_ms=at_ms)
    await refused(world, far, F.DELIVERY_IN_FUTURE)


async def test_a_time_before_1970_is_refused(world: World) -> None:
    await refused(world, world.jiuquan.submission(sent_at_ms=-(2**63)), F.WIRE_FIELD_INVALID)


async def test_a_refusal_for_its_time_does_not_block_the_corrected_message(world: World) -> None:
    early = sent_at(world, SKEW_MS + 1, DAY_MS)
    await refused(world, early, F.DELIVERY_IN_FUTURE)
    peer, now_ms = world.jiuquan, world.clock.now_ms()
    header = early.header._replace(
        message_id=MessageId(peer.new_id()), sent_at_ms=now_ms, expires_at_ms=now_ms + DAY_MS
    )
    await taken_in(world, peer.seal(header, early.body_bytes, early.salt))


async def test_a_refused_message_stays_refused_when_its_time_has_come(world: World) -> None:
    early = sent_at(world, SKEW_MS + 1, DAY_MS)
    receipt = await refused(world, early, F.DELIVERY_IN_FUTURE)
    with world.later(MINUTE_MS):
        (again,) = await world.jiuquan.deliver(early)
    assert isinstance(again, bytes)
    assert world.jiuquan.checked(again, early) == receipt
