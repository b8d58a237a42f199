"""Many messages under one signature: each stands or falls alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.kernel.envelope import Kind, Outcome
from gateway.kernel.faults import FaultCode as F
from gateway.wire.receipts import decode_signed_receipt
from tests.support.peer import Sealed, body_of

from .outcomes import is_not_taken_in, refused, still_serves, taken_in
from .test_tampering import flipped
from .worlds import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

BAD: dict[str, tuple[Callable[[Sealed], Sealed], F]] = {
    "header": (
        lambda s: s._replace(header_bytes=flipped(s.header_bytes, -1)),
        F.TRUST_BATCH_INVALID,
    ),
    "body": (lambda s: s._replace(body_bytes=flipped(s.body_bytes, -1)), F.TRUST_BODY_MISMATCH),
    "salt": (lambda s: s._replace(salt=flipped(s.salt, 7)), F.TRUST_BODY_MISMATCH),
    "unsigned": (lambda s: s._replace(signatures=()), F.TRUST_UNSIGNED),
    "signature": (
        lambda s: s._replace(
            signatures=(s.signatures[0]._replace(signature=flipped(s.signatures[0].signature, -1)),)
        ),
        F.TRUST_SIGNATURE_INVALID,
    ),
}


@pytest.mark.parametrize("what", BAD)
async def test_a_bad_envelope_among_64_leaves_its_neighbours_alone(world: World, what: str) -> None:
    change, rule = BAD[what]
    peer = world.jiuquan
    body = peer.submission().body_bytes
    batch = peer.sign(*(peer.commit(peer.header(), body) for _ in range(64)))
    sent = [*batch[:32], change(batch[32]), *batch[33:]]
    answers = await peer.deliver(*sent)
    is_not_taken_in(answers[32], rule)
    assert world.journal.holds(batch[32].header) == {}
    for sealed, answer in zip(batch, answers, strict=True):
        if sealed is not batch[32]:
            assert isinstance(answer, bytes)
            assert peer.checked(answer, sealed).outcome is Outcome.TAKEN_IN
            assert world.journal.stage(sealed.header) == "submitted"
    await still_serves(world)
    await taken_in(world, batch[32])


async def test_every_kind_of_outcome_in_one_call(world: World) -> None:
    peer = world.jiuquan
    body = peer.submission().body_bytes
    wrong = peer.header(purpose="示例")
    batch = peer.sign(*(peer.commit(h, body) for h in (peer.header(), wrong, peer.header())))
    answers = await peer.deliver(batch[0], batch[1], batch[2]._replace(signatures=()))
    assert isinstance(answers[0], bytes) and isinstance(answers[1], bytes)
    assert peer.checked(answers[0], batch[0]).outcome is Outcome.TAKEN_IN
    assert peer.checked(answers[1], batch[1]).rule == F.AGREEMENT_PURPOSE_UNLISTED
    is_not_taken_in(answers[2], F.TRUST_UNSIGNED)


async def test_a_message_of_a_batch_is_taken_in_alone(world: World) -> None:
    peer = world.jiuquan
    batch = peer.sign(*(peer.commit(peer.header(Kind.PING), body_of({})) for _ in range(256)))
    for sealed in (batch[0], batch[255], batch[127]):
        await taken_in(world, sealed)


async def test_a_batch_of_two_partners_messages_proves_only_ones_own(world: World) -> None:
    """Zhangye's header under Jiuquan's batch head is no word of Zhangye's."""
    theirs = world.zhangye.commit(world.zhangye.header(Kind.PING), body_of({}))
    ours = world.jiuquan.commit(world.jiuquan.header(Kind.PING), body_of({}))
    signed = world.jiuquan.sign(ours, theirs)
    before = world.journal.everything()
    (answer,) = await world.zhangye.deliver(signed[1])
    is_not_taken_in(answer, F.TRUST_KEY_UNKNOWN)
    assert world.journal.everything() == before
    await taken_in(world, signed[0])


async def test_the_receipts_of_one_call_are_signed_together_and_hold_alone(world: World) -> None:
    peer = world.jiuquan
    batch = [peer.ping() for _ in range(8)]
    answers = await peer.deliver(*batch)
    heads = set()
    for sealed, answer in zip(batch, answers, strict=True):
        assert isinstance(answer, bytes)
        peer.checked(answer, sealed)
        proof = decode_signed_receipt(answer).signatures[0].batch
        assert proof is not None
        heads.add(proof.head_bytes)
    assert len(heads) == 1


async def test_a_receipt_of_another_message_does_not_verify_as_ours(world: World) -> None:
    """That the check of receipts in these tests can fail."""
    peer = world.jiuquan
    one, other = peer.ping(), peer.ping()
    first, second = await peer.deliver(one, other)
    assert isinstance(first, bytes) and isinstance(second, bytes)
    with pytest.raises(AssertionError):
        peer.checked(first, other)
    signed = decode_signed_receipt(first)
    at = first.index(signed.receipt_bytes) + signed.receipt_bytes.index(b"620200")
    forged = first[:at] + b"620201" + first[at + 6 :]
    with pytest.raises(Exception, match=r"trust\.batch_invalid"):
        peer.verified(forged)


async def test_a_batch_of_forged_messages_costs_no_one_their_answer(world: World) -> None:
    peer = world.jiuquan
    forged = [peer.ping()._replace(signatures=()) for _ in range(255)]
    good = peer.submission()
    answers = await peer.deliver(*forged, good)
    for answer in answers[:-1]:
        is_not_taken_in(answer, F.TRUST_UNSIGNED)
    assert isinstance(answers[-1], bytes)
    assert peer.checked(answers[-1], good).outcome is Outcome.TAKEN_IN
    await refused(world, peer.submission(purpose="示例"), F.AGREEMENT_PURPOSE_UNLISTED)
