"""The same again, another under the same id, out of order."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.kernel.envelope import Kind, Outcome
from gateway.kernel.faults import FaultCode as F
from tests.support.peer import body_of
from tests.support.world import JIUQUAN, run_nodes

from .outcomes import is_not_taken_in, not_taken_in, refused, still_serves, taken_in
from .worlds import DAY_MS, World, exchange_world, own_channel

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_replay_gets_the_same_receipt_and_has_no_effect(world: World) -> None:
    sealed = world.jiuquan.submission()
    await taken_in(world, sealed)
    before = world.journal.everything()
    (first,) = world.journal.receipts(sealed.header, sealed.header_digest)
    for _ in range(3):
        assert await world.jiuquan.deliver(sealed) == [first]
    assert await world.jiuquan.deliver(*[sealed] * 256) == [first] * 256
    assert world.journal.everything() == before


@pytest.mark.parametrize("years", [2, 20])
async def test_a_replay_gets_the_same_receipt_after_key_and_agreement_ended(
    world: World, years: int
) -> None:
    """The key ends after one year, the agreement in 2036; the message itself within a month."""
    peer = world.jiuquan
    taken, refusal = peer.submission(), peer.submission(item_code="00099999900101")
    await taken_in(world, taken)
    await refused(world, refusal, F.AGREEMENT_ITEM_UNLISTED)
    first = await peer.deliver(taken, refusal)
    book = world.node.running.directory.current()
    (key,) = book.partners[JIUQUAN.gateway_id].keys.values()
    with world.later(years * 366 * DAY_MS):
        assert world.clock.now_ms() > key.not_after_ms
        ended = book.agreements[peer.agreement].not_after_ms < world.clock.now_ms()
        assert ended is (years == 20)
        before = world.journal.everything()
        assert await peer.deliver(taken, refusal) == first
        (new,) = await peer.deliver(peer.submission())
        is_not_taken_in(new, F.TRUST_KEY_EXPIRED)
        assert world.journal.everything() == before
    await still_serves(world)


async def test_a_replay_survives_a_restart(tmp_path: Path) -> None:
    async with exchange_world(tmp_path) as world:
        sealed = world.jiuquan.submission()
        await taken_in(world, sealed)
        (first,) = await world.jiuquan.deliver(sealed)
        site = world.jiuquan.to
    async with run_nodes([site]) as (node,):
        line = own_channel(world.jiuquan.site, site, node.running.exchange_port)
        assert await line.deliver([sealed.raw]) == [first]
        await line.channel.close()


async def test_another_header_under_the_same_id_is_refused_and_the_first_stays(
    world: World,
) -> None:
    peer = world.jiuquan
    first = peer.submission()
    await taken_in(world, first)
    (receipt,) = await peer.deliver(first)
    case = world.journal.case(first.header)
    second = peer.submission(message_id=first.header.message_id)
    await refused(world, second, F.DELIVERY_ID_REUSED)
    third = peer.submission(message_id=first.header.message_id)
    await refused(world, third, F.DELIVERY_ID_REUSED)
    assert await peer.deliver(first) == [receipt]
    assert world.journal.envelope(first.header) == first.raw
    assert world.journal.case(first.header) == case
    assert world.journal.case(second.header) is None


async def test_another_body_under_the_same_header_changes_nothing(world: World) -> None:
    """The sender gets the receipt of what it signed; the changed bytes are kept nowhere."""
    peer = world.jiuquan
    first = peer.submission()
    await taken_in(world, first)
    (receipt,) = await peer.deliver(first)
    before = world.journal.everything()
    assert await peer.deliver(first._replace(body_bytes=b"", salt=b"\0" * 32)) == [receipt]
    assert await peer.deliver(first._replace(signatures=())) == [receipt]
    assert world.journal.everything() == before
    await still_serves(world)


async def test_two_headers_under_one_id_in_one_call_get_one_effect(world: World) -> None:
    peer = world.jiuquan
    first = peer.submission()
    second = peer.submission(message_id=first.header.message_id)
    one, two, again, once_more = await peer.deliver(first, second, first, second)
    assert isinstance(one, bytes) and isinstance(two, bytes)
    assert (again, once_more) == (one, two)
    assert peer.checked(one, first).outcome is Outcome.TAKEN_IN
    assert peer.checked(two, second).rule == F.DELIVERY_ID_REUSED
    assert world.journal.case(second.header) is None
    assert await peer.deliver(second, first) == [two, one]
    assert world.journal.holds(first.header) == {
        "messages": 1,
        "second_receipts": 1,
        "ledger_pending": 2,
    }


async def test_two_identical_envelopes_in_one_call_get_the_same_bytes(world: World) -> None:
    sealed = world.jiuquan.submission()
    one, two = await world.jiuquan.deliver(sealed, sealed)
    assert isinstance(one, bytes)
    assert one == two
    assert world.jiuquan.checked(one, sealed).outcome is Outcome.TAKEN_IN
    assert world.journal.holds(sealed.header) == {"messages": 1, "ledger_pending": 1}


async def test_the_same_id_of_another_sender_is_another_message(world: World) -> None:
    ours = world.jiuquan.submission()
    await taken_in(world, ours)
    theirs = world.zhangye.submission(message_id=ours.header.message_id)
    await taken_in(world, theirs, by=world.zhangye)


async def test_a_tampered_copy_sent_first_does_not_block_the_genuine_one(world: World) -> None:
    sealed = world.jiuquan.submission()
    await not_taken_in(world, sealed._replace(salt=b"\0" * 32), F.TRUST_BODY_MISMATCH)
    await taken_in(world, sealed)


async def test_a_tampered_copy_beside_the_genuine_one_does_not_block_it(world: World) -> None:
    sealed = world.jiuquan.submission()
    copy = sealed._replace(body_bytes=sealed.body_bytes + b"\0")
    tampered, genuine, after = await world.jiuquan.deliver(copy, sealed, copy)
    is_not_taken_in(tampered, F.TRUST_BODY_MISMATCH)
    assert isinstance(genuine, bytes)
    assert world.jiuquan.checked(genuine, sealed).outcome is Outcome.TAKEN_IN
    is_not_taken_in(after, F.TRUST_BODY_MISMATCH)


async def test_a_gap_says_what_is_expected_and_the_same_bytes_pass_later(world: World) -> None:
    peer = world.jiuquan
    first = peer.submission()
    second = peer.next(first, Kind.WITHDRAWN, {"reason_zh": "示例"})
    gap = await not_taken_in(world, second, F.DELIVERY_CHAIN_GAP, retry=True)
    assert gap.expected_sequence == 1
    await taken_in(world, first)
    later = peer.next(second, Kind.WITHDRAWN)
    gap = await not_taken_in(world, later, F.DELIVERY_CHAIN_GAP, retry=True)
    assert gap.expected_sequence == 2
    await taken_in(world, second)
    assert world.journal.stage(first.header) == "withdrawn"
    await refused(world, later, F.CASE_CLOSED)


async def test_a_submission_that_is_not_the_first_message_is_a_gap(world: World) -> None:
    sealed = world.jiuquan.submission(sequence=2, previous_digest=b"\1" * 32)
    gap = await not_taken_in(world, sealed, F.DELIVERY_CHAIN_GAP)
    assert gap.expected_sequence == 1


async def test_a_reordered_call_takes_in_what_is_next_and_the_rest_later(world: World) -> None:
    peer = world.jiuquan
    first = peer.submission()
    second = peer.next(first, Kind.WITHDRAWN)
    gap, taken = await peer.deliver(second, first)
    assert is_not_taken_in(gap, F.DELIVERY_CHAIN_GAP).expected_sequence == 1
    assert world.journal.holds(second.header) == {}
    assert isinstance(taken, bytes)
    await taken_in(world, second)


async def test_a_whole_case_in_one_call_is_taken_in_in_order(world: World) -> None:
    peer = world.jiuquan
    first = peer.submission()
    second = peer.next(first, Kind.WITHDRAWN)
    answers = await peer.deliver(first, second)
    outcomes = [
        peer.checked(a, s).outcome
        for a, s in zip(answers, (first, second), strict=True)
        if isinstance(a, bytes)
    ]
    assert outcomes == [Outcome.TAKEN_IN] * 2
    assert world.journal.stage(first.header) == "withdrawn"


async def test_a_sequence_number_is_used_once(world: World) -> None:
    peer = world.jiuquan
    first = peer.submission()
    await taken_in(world, first)
    renamed = first.header._replace(message_id=peer.ping().header.message_id)
    again = peer.seal(renamed, first.body_bytes, first.salt)
    await refused(world, again, F.DELIVERY_SEQUENCE_USED)


async def test_a_message_on_another_history_is_refused(world: World) -> None:
    peer = world.jiuquan
    first = peer.submission()
    await taken_in(world, first)
    wrong = peer.next(first, Kind.WITHDRAWN, previous_digest=b"\1" * 32)
    await refused(world, wrong, F.DELIVERY_PREVIOUS_MISMATCH)
    never = peer.next(first, Kind.WITHDRAWN, last_seen_digest=b"\1" * 32)
    await refused(world, never, F.DELIVERY_LAST_SEEN_UNKNOWN)
    await taken_in(world, peer.next(first, Kind.WITHDRAWN))


async def test_a_message_of_a_case_nobody_opened_is_refused(world: World) -> None:
    sealed = world.jiuquan.submission()
    header = sealed.header._replace(kind=Kind.WITHDRAWN, body_commitment=b"")
    await refused(world, world.jiuquan.seal(header, body_of({})), F.CASE_UNKNOWN)


async def test_a_refusal_uses_up_no_sequence_number(world: World) -> None:
    peer = world.jiuquan
    wrong = peer.submission(purpose="示例")
    await refused(world, wrong, F.AGREEMENT_PURPOSE_UNLISTED)
    corrected = wrong.header._replace(
        message_id=peer.ping().header.message_id, purpose="enterprise-information-query"
    )
    await taken_in(world, peer.seal(corrected, wrong.body_bytes, wrong.salt))
