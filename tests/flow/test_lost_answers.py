"""What becomes of a message when no believable receipt for it comes back."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from gateway.adapters.pki.suites import FileSigner
from gateway.flow.sealing import Sealer
from gateway.kernel.case import Stage
from gateway.kernel.digests import TYPE_RECEIPT, pae
from gateway.kernel.envelope import Kind, NotTakenIn, Outcome, Receipt, ReceiptQuery
from gateway.kernel.faults import FaultCode
from gateway.kernel.limits import ATTEMPTS_MAX, SKEW_MS_MAX
from gateway.ports.journal import OutboxStatus
from gateway.rules.trust import RegisteredKey
from gateway.wire.receipts import decode_signed_receipt, encode_receipt, encode_signed_receipt
from tests.flow.judge import require_converged
from tests.flow.link import Answer, Trouble
from tests.flow.parts import Pen
from tests.flow.stillness import NOW_MS
from tests.flow.world import Side, World


async def given_up(world: World, trouble: Trouble) -> bytes:
    """Open a case and let every attempt to submit it meet `trouble`, until it is unknown."""
    case_id = await world.open_query()
    world.jq.link.always = trouble
    for _ in range(ATTEMPTS_MAX):
        await world.jq.lane.turn()
        world.clock.advance(400_000)
    (entry,) = await world.jq.outbox()
    assert (entry.status, entry.attempts) == (OutboxStatus.UNKNOWN, ATTEMPTS_MAX)
    assert {kind for kind, _ in world.jq.link.calls} == {"deliver"}
    return case_id


async def test_a_message_whose_answers_are_all_lost_is_asked_for_and_its_receipt_found(
    world: World,
) -> None:
    case_id = await given_up(world, Trouble.LOSE_ANSWER)
    world.jq.link.always = Trouble.NONE
    await world.jq.lane.turn()
    assert world.jq.link.calls[-1] == ("query", 1)
    (said,) = await world.jq.said(case_id)
    assert said.outcome is Outcome.TAKEN_IN
    assert await world.jq.outbox() == []
    await require_converged(world)


async def test_a_message_that_never_arrived_is_burnt_and_sealed_anew_under_the_same_number(
    world: World,
) -> None:
    case_id = await given_up(world, Trouble.LOSE_REQUEST)
    world.jq.link.always = Trouble.NONE
    await world.drain()
    burnt, anew = await world.jq.said(case_id)
    assert (burnt.outcome, anew.outcome) == (Outcome.VOID, Outcome.TAKEN_IN)
    assert burnt.sequence == anew.sequence == 1
    assert burnt.ref != anew.ref
    await require_converged(world)


async def test_the_burnt_message_arriving_late_is_answered_with_the_void(world: World) -> None:
    case_id = await given_up(world, Trouble.LOSE_REQUEST)
    world.jq.link.always = Trouble.NONE
    await world.jq.lane.turn()
    before = await world.jyg.journal.read(lambda s: s.cases_by_id(case_id))
    (late,) = await world.jq.link.bring_late()
    burnt = (await world.jq.said(case_id))[0]
    assert late == burnt.receipt
    assert before == await world.jyg.journal.read(lambda s: s.cases_by_id(case_id))
    await world.drain()
    assert (await world.jyg.case(case_id)).stage is Stage.SUBMITTED
    await require_converged(world)


async def test_an_unknown_message_stays_unknown_while_no_one_answers(world: World) -> None:
    case_id = await given_up(world, Trouble.DOWN)
    for _ in range(2 * ATTEMPTS_MAX):
        await world.jq.lane.turn()
        world.clock.advance(400_000)
    (entry,) = await world.jq.outbox()
    assert entry.status is OutboxStatus.UNKNOWN
    assert len(await world.jq.said(case_id)) == 1
    world.jq.link.always = Trouble.NONE
    await world.drain()
    await require_converged(world)


async def test_a_message_given_up_needs_attention_until_an_answer_proves_that_it_arrived(
    world: World,
) -> None:
    case_id = await given_up(world, Trouble.LOSE_ANSWER)
    assert (await world.jq.case(case_id)).attention == "not_delivered:unavailable"
    await world.act(case_id, Kind.ACKNOWLEDGED)
    await world.jyg.lane.turn()
    assert (await world.jq.case(case_id)).attention == ""
    world.jq.link.always = Trouble.NONE
    await world.drain()
    await require_converged(world)


async def test_a_message_that_an_answer_proved_needs_no_attention_when_it_is_given_up(
    world: World,
) -> None:
    case_id = await world.open_query()
    world.jq.link.always = Trouble.LOSE_ANSWER
    await world.jq.lane.turn()
    await world.act(case_id, Kind.ACKNOWLEDGED)
    await world.jyg.lane.turn()
    for _ in range(ATTEMPTS_MAX):
        world.clock.advance(400_000)
        await world.jq.lane.turn()
    (entry,) = await world.jq.outbox()
    assert entry.status is OutboxStatus.UNKNOWN
    assert (await world.jq.case(case_id)).attention == ""
    world.jq.link.always = Trouble.NONE
    await world.drain()
    await require_converged(world)


async def test_what_waits_behind_a_burnt_message_follows_it_in_order(world: World) -> None:
    case_id = await world.open_query()
    await world.drain()
    world.jyg.link.always = Trouble.LOSE_REQUEST
    await world.act(case_id, Kind.ACKNOWLEDGED, Kind.ACCEPTED, Kind.DECIDED)
    for _ in range(ATTEMPTS_MAX):
        await world.jyg.lane.turn()
        world.clock.advance(400_000)
    world.jyg.link.always = Trouble.NONE
    await world.drain()
    taken = [m for m in await world.jyg.said(case_id) if m.outcome is Outcome.TAKEN_IN]
    assert [m.kind for m in taken] == [Kind.ACKNOWLEDGED, Kind.ACCEPTED, Kind.DECIDED]
    await require_converged(world)


async def test_a_query_without_burning_leaves_the_id_free(world: World) -> None:
    world.jq.link.next.append(Trouble.LOSE_REQUEST)
    case_id = await world.open_query()
    await world.jq.lane.turn()
    (said,) = await world.jq.said(case_id)
    query = ReceiptQuery(said.ref.message_id, said.header_digest, False)
    (answer,) = await world.jyg.intake.query_receipts(world.jq.id, [query])
    assert isinstance(answer, NotTakenIn)
    assert answer.rule == FaultCode.RECEIPT_NOT_KNOWN
    await world.drain()
    assert (await world.jyg.case(case_id)).stage is Stage.SUBMITTED


async def test_a_burn_and_its_message_in_one_group_get_one_and_the_same_receipt(
    world: World,
) -> None:
    world.jq.link.next.append(Trouble.LOSE_REQUEST)
    case_id = await world.open_query()
    await world.jq.lane.turn()
    (said,) = await world.jq.said(case_id)
    query = ReceiptQuery(said.ref.message_id, said.header_digest, True)
    writes = world.jyg.journal.writes
    (burnt,), (taken,) = await gather(
        world.jyg.intake.query_receipts(world.jq.id, [query]), world.jq.link.bring_late()
    )
    assert world.jyg.journal.writes == writes + 1
    assert burnt == taken
    await world.drain()
    await require_converged(world)


# --- receipts that are not believed ------------------------------------------------------------


def flipped(raw: bytes, _world: World) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 1])


def nothing(_raw: bytes, _world: World) -> bytes:
    return b""


def resigned(side: Callable[[World], Side], **changes: object) -> Callable[[bytes, World], bytes]:
    """Return what changes a receipt and signs it with a side's own good key."""

    def change(raw: bytes, world: World) -> bytes:
        receipt: Receipt = decode_signed_receipt(raw).receipt._replace(**changes)  # type: ignore[arg-type]
        written = encode_receipt(receipt)
        (signatures,) = Sealer([side(world).pen]).sign([pae(TYPE_RECEIPT, written)])
        return encode_signed_receipt(written, signatures)

    return change


def unsigned(raw: bytes, _world: World) -> bytes:
    return encode_signed_receipt(decode_signed_receipt(raw).receipt_bytes, ())


def long_before(raw: bytes, world: World) -> bytes:
    at_ms = decode_signed_receipt(raw).receipt.received_at_ms - SKEW_MS_MAX - 1
    return resigned(lambda w: w.jyg, received_at_ms=at_ms)(raw, world)


def long_after(raw: bytes, world: World) -> bytes:
    at_ms = world.clock.now_ms() + SKEW_MS_MAX + 1
    return resigned(lambda w: w.jyg, received_at_ms=at_ms)(raw, world)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(flipped, id="a bit flipped"),
        pytest.param(nothing, id="no bytes"),
        pytest.param(unsigned, id="unsigned"),
        pytest.param(resigned(lambda w: w.jq), id="signed by another key"),
        pytest.param(resigned(lambda w: w.jyg, message_id=bytes(16)), id="another message"),
        pytest.param(resigned(lambda w: w.jyg, header_digest=bytes(32)), id="another header"),
        pytest.param(resigned(lambda w: w.jyg, sender="620700"), id="another sender"),
        pytest.param(resigned(lambda w: w.jyg, recipient="620700"), id="another recipient"),
        pytest.param(long_before, id="before our sending"),
        pytest.param(long_after, id="in the future"),
    ],
)
async def test_a_receipt_that_proves_nothing_is_not_believed_and_the_message_sent_again(
    world: World, spoil: Callable[[bytes, World], bytes]
) -> None:
    def tamper(answers: list[Answer]) -> list[Answer]:
        return [spoil(a, world) if isinstance(a, bytes) else a for a in answers]

    world.jq.link.tamper = tamper
    case_id = await world.open_query()
    await world.jq.lane.turn()
    (said,) = await world.jq.said(case_id)
    (entry,) = await world.jq.outbox()
    assert (said.outcome, entry.status) == (None, OutboxStatus.PENDING)
    assert entry.last_fault == FaultCode.RECEIPT_INVALID
    assert "receipt_refused" in world.jq.log.names()
    world.jq.link.tamper = None
    await world.drain()
    assert (await world.jyg.history(case_id))[0].outcome is Outcome.TAKEN_IN
    assert len(await world.jyg.history(case_id)) == 1
    await require_converged(world)


async def test_answers_in_the_wrong_order_are_not_believed(world: World) -> None:
    first, second = await world.open_query(), await world.open_query()
    world.jq.link.tamper = lambda answers: answers[::-1]
    await world.jq.lane.turn()
    assert len(await world.jq.outbox()) == 2
    world.jq.link.tamper = None
    await world.drain()
    for case_id in (first, second):
        assert (await world.jq.said(case_id))[0].outcome is Outcome.TAKEN_IN
    await require_converged(world)


async def test_a_receipt_that_is_believed_at_a_second_attempt_is_the_one_first_given(
    world: World,
) -> None:
    world.jq.link.next.append(Trouble.LOSE_ANSWER)
    case_id = await world.open_query()
    await world.jq.lane.turn()
    (heard,) = await world.jyg.history(case_id)
    world.clock.advance(3_600_000)
    await world.drain()
    (said,) = await world.jq.said(case_id)
    assert said.receipt == heard.receipt
    received_at_ms = decode_signed_receipt(said.receipt).receipt.received_at_ms
    assert received_at_ms == heard.recorded_at_ms < said.receipted_at_ms


async def test_a_not_taken_in_answer_is_tried_again_after_the_wait_it_names(world: World) -> None:
    world.jyg.journal.down = True
    case_id = await world.open_query()
    await world.jq.lane.turn()
    (entry,) = await world.jq.outbox()
    assert entry.last_fault == FaultCode.DELIVERY_JOURNAL_DOWN
    assert entry.due_ms >= world.clock.now_ms() + 2_000
    world.jyg.journal.down = False
    assert not await world.jq.lane.turn()
    await world.drain()
    assert (await world.jyg.case(case_id)).stage is Stage.SUBMITTED


# --- keys --------------------------------------------------------------------------------------


async def test_a_receipt_is_verified_by_the_key_that_was_valid_when_it_was_made(
    world: World,
) -> None:
    world.jq.link.next.append(Trouble.LOSE_ANSWER)
    case_id = await world.open_query()
    await world.jq.lane.turn()
    end_keys(world.jq, world.jyg, world.clock.now_ms() + 1_000)
    world.clock.advance(3_600_000)
    await world.drain()  # the same bytes come again, an hour after the key has ended
    (said,) = await world.jq.said(case_id)
    assert said.outcome is Outcome.TAKEN_IN


async def test_a_receipt_made_after_its_key_ended_is_not_believed(world: World) -> None:
    end_keys(world.jq, world.jyg, world.clock.now_ms() - 1)
    case_id = await world.open_query()
    await world.jq.lane.turn()
    (said,) = await world.jq.said(case_id)
    assert said.outcome is None
    assert ("receipt_refused", FaultCode.TRUST_KEY_EXPIRED) in [
        (name, fields.get("rule")) for name, fields in world.jq.log.events
    ]


async def test_messages_go_on_under_a_new_key_that_the_partner_knows(world: World) -> None:
    case_id = await world.open_query()
    await world.drain()
    before = world.jyg.pen
    rotate_key(world.jyg, known_to=world.sides)
    await world.jyg.crash()
    await world.act(case_id, Kind.ACKNOWLEDGED)
    await world.drain()
    assert before.key_id != world.jyg.pen.key_id
    assert (await world.jq.case(case_id)).stage is Stage.ACKNOWLEDGED
    await require_converged(world)


def end_keys(side: Side, partner: Side, at_ms: int) -> None:
    """Have a side's directory say that a partner's keys end at `at_ms`."""
    book = side.directory.current()
    entry = book.partners[partner.id]
    keys = {key_id: replace(key, not_after_ms=at_ms) for key_id, key in entry.keys.items()}
    ended = replace(entry, keys=keys)
    side.directory.replace(replace(book, partners={**book.partners, partner.id: ended}))


def rotate_key(side: Side, known_to: tuple[Side, ...]) -> None:
    """Give a side a new signing key, which all directories have beside the old one."""
    signer = FileSigner(generate_private_key(SECP256R1()))
    key = RegisteredKey(signer.key_id, signer.suite, signer.public_key, NOW_MS, NOW_MS + 86_400_000)
    for other in known_to:
        book = other.directory.current()
        entry = book.home if other is side else book.partners[side.id]
        entry = replace(entry, keys={**entry.keys, key.key_id: key})
        other.directory.replace(
            replace(book, home=entry)
            if other is side
            else replace(book, partners={**book.partners, side.id: entry})
        )
    side.pen = Pen(signer)
