"""The three outcomes of a delivery, each looked at from the wire and from the disk."""

from __future__ import annotations

from hashlib import sha256

from gateway.kernel.envelope import NotTakenIn, Outcome, Receipt
from gateway.kernel.faults import FaultCode
from tests.support.peer import CallRefused, Peer, Refusal, Sealed

from .worlds import World

Answer = bytes | NotTakenIn


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for c in text)


async def still_serves(world: World) -> None:
    """The gateway answers a good message of either partner."""
    for peer in (world.jiuquan, world.zhangye):
        ping = peer.ping()
        (answer,) = await peer.deliver(ping)
        assert isinstance(answer, bytes), answer
        assert peer.checked(answer, ping).outcome is Outcome.TAKEN_IN


def is_not_taken_in(answer: Answer, rule: FaultCode, *, retry: bool | None = None) -> NotTakenIn:
    assert isinstance(answer, NotTakenIn), "there is a receipt"
    assert answer.rule == rule
    assert is_chinese(answer.text_zh)
    assert answer.text_en and not is_chinese(answer.text_en.partition(":")[0])
    assert retry is None or answer.retry is retry
    return answer


async def not_taken_in(
    world: World,
    sealed: Sealed,
    rule: FaultCode,
    *,
    over: Peer | None = None,
    retry: bool | None = None,
) -> NotTakenIn:
    """Deliver a message that must leave no trace, and return what was said of it."""
    answer = await raw_not_taken_in(world, sealed.raw, rule, over=over, retry=retry)
    assert world.journal.holds(sealed.header) == {}
    return answer


async def raw_not_taken_in(
    world: World,
    raw: bytes,
    rule: FaultCode,
    *,
    over: Peer | None = None,
    retry: bool | None = None,
) -> NotTakenIn:
    """Deliver an envelope of any bytes that must leave no trace."""
    before = world.journal.everything()
    (answer,) = await (over or world.jiuquan).line.deliver([raw])
    said = is_not_taken_in(answer, rule, retry=retry)
    assert world.journal.everything() == before
    await still_serves(world)
    return said


async def refused(
    world: World, sealed: Sealed, rule: FaultCode, *, by: Peer | None = None
) -> Receipt:
    """Deliver a message that must be refused for good, and return its receipt."""
    peer = by or world.jiuquan
    cases = world.journal.cases()
    (answer,) = await peer.deliver(sealed)
    assert isinstance(answer, bytes), answer
    receipt = peer.checked(answer, sealed)
    assert (receipt.outcome, receipt.rule) == (Outcome.REFUSED, rule)
    assert is_chinese(receipt.text_zh)
    assert receipt.text_en and not is_chinese(receipt.text_en.partition(":")[0])
    assert world.journal.cases() == cases, "a refused message has no effect"
    _is_stored(world, sealed, answer)
    assert await peer.deliver(sealed) == [answer], "the same bytes, the same receipt"
    await still_serves(world)
    return receipt


async def taken_in(world: World, sealed: Sealed, *, by: Peer | None = None) -> Receipt:
    """Deliver a message that must be taken in, and return its receipt."""
    peer = by or world.jiuquan
    (answer,) = await peer.deliver(sealed)
    assert isinstance(answer, bytes), answer
    receipt = peer.checked(answer, sealed)
    assert (receipt.outcome, receipt.rule) == (Outcome.TAKEN_IN, "")
    assert world.journal.envelope(sealed.header) == sealed.raw, "verbatim"
    _is_stored(world, sealed, answer)
    if sealed.header.case_id:
        assert world.journal.case(sealed.header) is not None
    return receipt


def _is_stored(world: World, sealed: Sealed, answer: bytes) -> None:
    assert world.journal.receipts(sealed.header, sealed.header_digest) == [answer]
    digests = [found for _, found in world.journal.ledger(sealed.header)]
    assert digests.count(sha256(answer).digest()) == 1


async def call_refused(peer: Peer, method: str, raw: bytes) -> Refusal:
    """Make a call that must fail as a whole, and return how it did."""
    try:
        await peer.line.call(method, raw)
    except CallRefused as said:
        return said.refusal
    raise AssertionError("the call was answered")
