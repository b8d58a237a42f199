"""A sender that lost its answer asks; what never came can be burnt."""

from __future__ import annotations

import asyncio
from hashlib import sha256

import grpc
import pytest

from gateway.kernel.envelope import Kind, Outcome, ReceiptQuery
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import MessageId
from gateway.wire import calls
from tests.support.peer import Refusal, body_of
from tests.support.protobuf import field

from .outcomes import call_refused, is_not_taken_in, refused, still_serves, taken_in
from .worlds import DAY_MS, World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_message_that_never_came_is_not_known_and_asking_leaves_no_trace(
    world: World,
) -> None:
    sealed = world.jiuquan.submission()
    before = world.journal.everything()
    (answer,) = await world.jiuquan.line.query([sealed.query()])
    is_not_taken_in(answer, F.RECEIPT_NOT_KNOWN, retry=True)
    assert world.journal.everything() == before
    await taken_in(world, sealed)


async def test_known_receipts_come_back_byte_for_byte(world: World) -> None:
    peer = world.jiuquan
    taken, wrong = peer.submission(), peer.submission(purpose="示例")
    await taken_in(world, taken)
    await refused(world, wrong, F.AGREEMENT_PURPOSE_UNLISTED)
    receipts = await peer.deliver(taken, wrong)
    before = world.journal.everything()
    for burn in (False, True):
        queries = [taken.query(burn=burn), wrong.query(burn=burn)]
        assert await peer.line.query(queries) == receipts
    with world.later(20 * 366 * DAY_MS):
        assert await peer.line.query([taken.query(burn=True)]) == receipts[:1]
    assert world.journal.everything() == before


async def test_the_receipt_of_a_second_header_is_found_by_its_digest(world: World) -> None:
    peer = world.jiuquan
    first = peer.submission()
    second = peer.submission(message_id=first.header.message_id)
    receipts = await peer.deliver(first, second)
    assert await peer.line.query([first.query(), second.query(burn=True)]) == receipts


async def test_a_burnt_id_is_void_for_ever(world: World) -> None:
    peer = world.jiuquan
    sealed = peer.submission()
    (void,) = await peer.line.query([sealed.query(burn=True)])
    assert isinstance(void, bytes)
    receipt = peer.checked(void, sealed)
    assert (receipt.outcome, receipt.rule) == (Outcome.VOID, "")
    assert world.journal.receipts(sealed.header, sealed.header_digest) == [void]
    assert [d for _, d in world.journal.ledger(sealed.header)] == [sha256(void).digest()]
    before = world.journal.everything()
    assert await peer.line.query([sealed.query(burn=True), sealed.query()]) == [void, void]
    assert await peer.deliver(sealed) == [void], "delivered later, it is void"
    assert world.journal.everything() == before
    assert world.journal.case(sealed.header) is None
    await still_serves(world)


async def test_another_header_under_a_burnt_id_is_refused(world: World) -> None:
    peer = world.jiuquan
    burnt = peer.submission()
    (void,) = await peer.line.query([burnt.query(burn=True)])
    other = peer.submission(message_id=burnt.header.message_id)
    await refused(world, other, F.DELIVERY_ID_REUSED)
    assert world.journal.case(other.header) is None
    assert await peer.deliver(burnt) == [void]


async def test_the_intent_of_a_burnt_message_passes_under_a_new_id(world: World) -> None:
    peer = world.jiuquan
    burnt = peer.submission()
    await peer.line.query([burnt.query(burn=True)])
    anew = burnt.header._replace(message_id=MessageId(peer.new_id()))
    await taken_in(world, peer.seal(anew, burnt.body_bytes, burnt.salt))


async def test_another_partner_learns_nothing_of_a_message(world: World) -> None:
    sealed = world.jiuquan.submission()
    await taken_in(world, sealed)
    before = world.journal.everything()
    (answer,) = await world.zhangye.line.query([sealed.query()])
    is_not_taken_in(answer, F.RECEIPT_NOT_KNOWN)
    assert world.journal.everything() == before


async def test_another_partner_cannot_burn_a_message(world: World) -> None:
    coming = world.jiuquan.submission()
    (void,) = await world.zhangye.line.query([coming.query(burn=True)])
    assert isinstance(void, bytes)
    receipt = world.zhangye.verified(void)
    assert (receipt.sender, receipt.outcome) == ("620700", Outcome.VOID), "its own id, no other's"
    assert world.journal.holds(coming.header) == {}
    await taken_in(world, coming)


async def test_one_call_may_ask_after_many(world: World) -> None:
    peer = world.jiuquan
    sent = peer.sign(*(peer.ping() for _ in range(128)))
    receipts = await peer.deliver(*sent)
    lost = [peer.ping() for _ in range(128)]
    answers = await peer.line.query(
        [q for s, m in zip(sent, lost, strict=True) for q in (s.query(), m.query(burn=True))]
    )
    assert answers[::2] == receipts
    for sealed, void in zip(lost, answers[1::2], strict=True):
        assert isinstance(void, bytes)
        assert peer.checked(void, sealed).outcome is Outcome.VOID


async def test_the_same_burn_twice_in_one_call_gets_one_void(world: World) -> None:
    peer = world.jiuquan
    sealed = peer.submission()
    one, two = await peer.line.query([sealed.query(burn=True)] * 2)
    assert isinstance(one, bytes)
    assert one == two
    assert world.journal.holds(sealed.header) == {"messages": 1, "ledger_pending": 1}


async def test_a_burn_and_a_delivery_at_once_agree_on_one_outcome(world: World) -> None:
    peer = world.jiuquan
    for _ in range(4):
        sent = peer.sign(*(peer.commit(peer.header(Kind.PING), body_of({})) for _ in range(32)))
        queries = [s.query(burn=True) for s in sent]
        burnt, delivered, again = await asyncio.gather(
            peer.line.query(queries), peer.deliver(*sent), peer.line.query(queries[::-1])
        )
        assert burnt == delivered == again[::-1]
        assert burnt == await peer.deliver(*sent)
        for sealed, answer in zip(sent, burnt, strict=True):
            assert isinstance(answer, bytes)
            assert peer.checked(answer, sealed).outcome is not Outcome.REFUSED
            assert world.journal.holds(sealed.header) == {"messages": 1, "ledger_pending": 1}


async def test_a_burn_and_another_header_at_once_take_the_id_once(world: World) -> None:
    peer = world.jiuquan
    for _ in range(4):
        lost, sent = peer.ping(), peer.ping()
        header = sent.header._replace(
            message_id=lost.header.message_id, body_commitment=b"", trace_context="other"
        )
        other = peer.seal(header, sent.body_bytes)
        (void,), (answer,) = await asyncio.gather(
            peer.line.query([lost.query(burn=True)]), peer.deliver(other)
        )
        assert isinstance(void, bytes) and isinstance(answer, bytes)
        outcomes = peer.verified(void).outcome, peer.checked(answer, other).outcome
        assert outcomes in {
            (Outcome.VOID, Outcome.REFUSED),
            (Outcome.TAKEN_IN, Outcome.TAKEN_IN),
        }
        assert await peer.deliver(other) == [answer]
        assert await peer.line.query([lost.query(burn=True)]) == [void]


BAD = {
    "nothing": (b"", F.LIMIT_ENVELOPES_PER_CALL),
    "257": (
        calls.encode_queries([ReceiptQuery(MessageId(b"\1" * 16), b"\1" * 32, burn=True)] * 257),
        F.LIMIT_ENVELOPES_PER_CALL,
    ),
    "short_id": (
        calls.encode_queries([ReceiptQuery(MessageId(b"\1" * 15), b"\1" * 32, burn=True)]),
        F.WIRE_FIELD_INVALID,
    ),
    "short_digest": (
        calls.encode_queries([ReceiptQuery(MessageId(b"\1" * 16), b"", burn=True)]),
        F.WIRE_FIELD_INVALID,
    ),
    "unknown_field": (field(9, 1), F.WIRE_UNKNOWN_FIELD),
    "garbage": (b"\xff" * 9, F.WIRE_UNPARSEABLE),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_call_that_is_no_question_fails_as_a_whole(world: World, case: str) -> None:
    raw, rule = BAD[case]
    before = world.journal.everything()
    said = await call_refused(world.jiuquan, "QueryReceipts", raw)
    assert said == Refusal(grpc.StatusCode.INVALID_ARGUMENT, rule)
    assert world.journal.everything() == before
    await still_serves(world)
