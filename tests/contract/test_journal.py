"""What `ports.journal` promises of messages, receipts and transactions, for every adapter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from gateway.kernel.envelope import Kind, Outcome
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseId
from gateway.ports.journal import (
    Direction,
    Evidence,
    Journal,
    JournalDown,
    OutboxStatus,
    Snapshot,
    Transaction,
)
from tests.contract import journal_samples as s


async def contents(journal: Journal) -> object:
    """Everything the samples could have written."""

    def query(snapshot: Snapshot) -> object:
        refs = [s.ref_of(n, sender) for n in range(20) for sender in (s.PARTNER, s.HOME)]
        keys = [s.key_of(n) for n in range(20)]
        return (
            snapshot.messages(refs),
            snapshot.cases(keys),
            [snapshot.outbox(key) for key in keys],
            [snapshot.history(key) for key in keys],
            [snapshot.materials(key) for key in keys],
            snapshot.lanes(),
            snapshot.tasks_of(s.UNIT, after=0, limit=100),
            [snapshot.remembered(s.UNIT, key) for key in ("a", "b")],
            snapshot.evidence(s.digest_of("evidence")),
            snapshot.second_receipt(s.ref_of(1), s.digest_of(f"other{s.PARTNER}1")),
            snapshot.ledger_pending(),
        )

    return await journal.read(query)


def write_one_of_each(tx: Transaction) -> None:
    """Use every writing method once, on new keys and on those of `before`."""
    key = s.key_of(1)
    tx.append([s.taken(10, case=key)])
    tx.refuse([s.refused(11, case=key), s.refused(1, variant="other")])
    tx.void([s.void(12)])
    tx.seal([s.sealed(13, key)])
    tx.receipted([s.receipt(2)])
    tx.save_cases([s.full_case(1), s.case(5)])
    tx.put_outbox([s.entry(3, case=key, message=13), s.entry(4, case=key)])
    tx.drop_outbox([s.id_of(2)])
    tx.claim(s.PARTNER, OutboxStatus.PENDING, now_ms=1, leased_until_ms=2, limit=9)
    tx.release_leases()
    tx.put_materials([s.material(key, 0, 0, b"c" * 32), s.material(key, 1, 0)])
    tx.remember([s.remembered("b")])
    tx.put_evidence([Evidence(s.digest_of("evidence"), "item", b"{}")])
    tx.next_serial("scope")


def before(tx: Transaction) -> None:
    """What is there before a write that fails."""
    key = s.key_of(1)
    tx.append([s.taken(1, case=key)])
    tx.seal([s.sealed(2, key)])
    tx.save_cases([s.case(1)])
    tx.put_outbox([s.entry(2, case=key, message=2), s.entry(3, case=key)])
    tx.put_materials([s.material(key, 0, 0)])
    tx.remember([s.remembered("a")])
    tx.next_serial("scope")


async def test_a_write_that_raises_leaves_nothing(journal: Journal) -> None:
    await journal.write(before)
    as_it_was = await contents(journal)

    def work(tx: Transaction) -> None:
        write_one_of_each(tx)
        raise Fault(FaultCode.CASE_STAGE, "示例")

    with pytest.raises(Fault) as raised:
        await journal.write(work)
    assert raised.value.code is FaultCode.CASE_STAGE
    assert await contents(journal) == as_it_was
    await journal.write(write_one_of_each)  # the same keys are free
    assert await contents(journal) != as_it_was


async def test_numbers_given_in_a_write_that_raises_are_given_again(journal: Journal) -> None:
    def work(tx: Transaction) -> None:
        assert tx.next_serial("620200") == 1
        tx.save_cases([s.case(1)])
        raise LookupError

    for _ in range(2):
        with pytest.raises(LookupError):
            await journal.write(work)
    assert await journal.write(lambda tx: tx.next_serial("620200")) == 1


async def test_a_transaction_reads_its_own_writes(journal: Journal) -> None:
    await journal.write(before)

    def work(tx: Transaction) -> None:
        write_one_of_each(tx)
        key = s.key_of(1)
        assert len(tx.messages([s.ref_of(10), s.ref_of(11), s.ref_of(12)])) == 3
        assert tx.messages([s.ref_of(2, s.HOME)])[s.ref_of(2, s.HOME)].outcome is Outcome.TAKEN_IN
        assert tx.cases([key])[key] == s.full_case(1)
        assert [e.draft_id for e in tx.outbox(key)] == [s.id_of(3), s.id_of(4)]
        assert [m.batch for m in tx.materials(key)] == [0, 1]
        assert tx.remembered(s.UNIT, "b") == s.remembered("b")
        assert tx.knows_header(key, Direction.OUT, s.digest_of("own13"))
        assert tx.next_serial("scope") == 3

    await journal.write(work)


async def test_a_read_contains_every_write_that_returned(journal: Journal) -> None:
    for number in range(30):
        await journal.write(lambda tx, n=number: tx.append([s.taken(n)]))  # type: ignore[misc]
        known = await journal.read(lambda q, n=number: q.messages([s.ref_of(n)]))  # type: ignore[misc]
        assert s.ref_of(number) in known


async def test_writes_run_one_after_another_and_each_only_once(journal: Journal) -> None:
    running: list[int] = []
    order: list[int] = []

    def work(number: int) -> Callable[[Transaction], int]:
        def run(tx: Transaction) -> int:
            running.append(number)
            assert running == [number]
            order.append(number)
            serial = tx.next_serial("scope")
            running.clear()
            return serial

        return run

    serials = await asyncio.gather(*(journal.write(work(n)) for n in range(40)))
    assert sorted(order) == list(range(40))
    assert sorted(serials) == list(range(1, 41))


async def test_a_message_known_already_is_not_appended_and_leaves_nothing(
    journal: Journal,
) -> None:
    await journal.write(lambda tx: tx.append([s.taken(1)]))
    for again in (s.taken(1), s.taken(1, variant="other")):
        with pytest.raises(ValueError, match="known already"):
            await journal.write(lambda tx, a=again: tx.append([s.taken(2), a, s.taken(3)]))  # type: ignore[misc]
    held = await journal.read(lambda q: q.messages([s.ref_of(n) for n in (1, 2, 3)]))
    assert held == {s.ref_of(1): s.stored(s.taken(1))}
    assert await journal.read(lambda q: q.ledger_pending()) == 1


async def test_a_message_twice_in_one_group_is_not_appended(journal: Journal) -> None:
    with pytest.raises(ValueError, match="known already"):
        await journal.write(lambda tx: tx.append([s.taken(1), s.taken(1)]))
    assert not await journal.read(lambda q: q.messages([s.ref_of(1)]))


async def test_an_id_is_free_for_each_sender(journal: Journal) -> None:
    both = [s.taken(1), s.taken(1, sender=s.OTHER)]
    await journal.write(lambda tx: tx.append(both))
    held = await journal.read(lambda q: q.messages([s.ref_of(1), s.ref_of(1, s.OTHER)]))
    assert held == {s.ref_of(1): s.stored(both[0]), s.ref_of(1, s.OTHER): s.stored(both[1])}
    by_id = await journal.read(lambda q: q.messages_by_id(s.id_of(1)))
    assert {m.ref.sender for m in by_id} == {s.PARTNER, s.OTHER}
    assert not await journal.read(lambda q: q.messages_by_id(s.id_of(2)))


async def test_a_message_comes_back_verbatim(journal: Journal) -> None:
    in_case = s.taken(1, case=s.key_of(7), kind=Kind.WITHDRAWN, sequence=2**32 - 1)
    caseless = s.taken(2, kind=Kind.PING)
    own = s.sealed(3, s.key_of(7))._replace(standing=s.digest_of("own standing"))

    def work(tx: Transaction) -> None:
        tx.append([in_case, caseless])
        tx.seal([own])

    await journal.write(work)
    refs = [s.ref_of(1), s.ref_of(2), s.ref_of(3, s.HOME), s.ref_of(4)]
    held = await journal.read(lambda q: q.messages(refs))
    assert held == {
        s.ref_of(1): s.stored(in_case),
        s.ref_of(2): s.stored(caseless),
        s.ref_of(3, s.HOME): own,
    }


async def test_a_refusal_under_a_taken_id_keeps_the_first_and_records_the_second_receipt(
    journal: Journal,
) -> None:
    first, second = s.taken(1), s.refused(1, variant="other", rule="delivery.id_reused")
    await journal.write(lambda tx: tx.append([first]))
    await journal.write(lambda tx: tx.refuse([second]))
    other_digest = second.authenticated.received.header_digest

    def query(q: Snapshot) -> object:
        ref = s.ref_of(1)
        return (
            q.messages([ref])[ref],
            q.second_receipt(ref, other_digest),
            q.second_receipt(ref, s.digest_of("a third")),
            q.ledger_pending(),
        )

    assert await journal.read(query) == (s.stored(first), second.receipt, None, 2)


async def test_of_two_refusals_under_one_new_id_the_first_is_stored(journal: Journal) -> None:
    first, second = s.refused(1), s.refused(1, variant="other")
    await journal.write(lambda tx: tx.refuse([first, second]))
    held = await journal.read(lambda q: q.messages([s.ref_of(1)]))
    assert held == {s.ref_of(1): s.stored(first)}
    digest = second.authenticated.received.header_digest
    assert await journal.read(lambda q: q.second_receipt(s.ref_of(1), digest)) == second.receipt
    assert await journal.read(lambda q: q.ledger_pending()) == 2


async def test_a_header_that_was_answered_is_not_refused_with_another_receipt(
    journal: Journal,
) -> None:
    await journal.write(lambda tx: tx.refuse([s.refused(1), s.refused(1, variant="other")]))
    for again in (s.refused(1), s.refused(1, variant="other")):
        anew = again._replace(receipt=b"another receipt")
        with pytest.raises(ValueError, match=r"already"):
            await journal.write(lambda tx, r=anew: tx.refuse([r]))  # type: ignore[misc]
    assert await journal.read(lambda q: q.ledger_pending()) == 2


async def test_a_refused_message_that_names_half_a_case_belongs_to_none(journal: Journal) -> None:
    half = s.refused(1, case=s.key_of(1)._replace(case_id=CaseId(b"")))
    await journal.write(lambda tx: tx.refuse([half]))
    held = await journal.read(lambda q: q.messages([s.ref_of(1)]))
    assert held[s.ref_of(1)].case_key is None


async def test_a_burnt_id_is_known_and_cannot_be_burnt_or_taken_in_again(
    journal: Journal,
) -> None:
    await journal.write(lambda tx: tx.void([s.void(1)]))
    held = (await journal.read(lambda q: q.messages([s.ref_of(1)])))[s.ref_of(1)]
    assert (held.outcome, held.receipt, held.header_digest) == (
        Outcome.VOID,
        s.void(1).receipt,
        s.void(1).header_digest,
    )
    assert (held.kind, held.case_key, held.envelope) == (None, None, b"")
    assert (held.direction, held.counterpart) == (Direction.IN, s.PARTNER)
    for work in (
        lambda tx: tx.void([s.void(1)]),
        lambda tx: tx.append([s.taken(1)]),
    ):
        with pytest.raises(ValueError, match="known already"):
            await journal.write(work)
    assert await journal.read(lambda q: q.ledger_pending()) == 1


@pytest.mark.parametrize(
    ("outcome", "rule"),
    [(Outcome.TAKEN_IN, ""), (Outcome.REFUSED, "case.stage"), (Outcome.VOID, "")],
)
async def test_a_receipt_of_our_own_message_is_kept(
    journal: Journal, outcome: Outcome, rule: str
) -> None:
    told = s.receipt(1, outcome, rule)
    await journal.write(lambda tx: tx.seal([s.sealed(1), s.sealed(2)]))
    await journal.write(lambda tx: tx.receipted([told]))
    refs = [s.ref_of(1, s.HOME), s.ref_of(2, s.HOME)]
    held = await journal.read(lambda q: q.messages(refs))
    assert held == {
        refs[0]: s.sealed(1)._replace(
            outcome=outcome,
            rule=rule,
            receipt=told.receipt,
            receipted_at_ms=told.received_at_ms,
        ),
        refs[1]: s.sealed(2),
    }


async def test_the_same_receipt_again_changes_nothing_and_another_is_refused(
    journal: Journal,
) -> None:
    await journal.write(lambda tx: tx.seal([s.sealed(1)]))
    await journal.write(lambda tx: tx.receipted([s.receipt(1), s.receipt(1)]))
    await journal.write(lambda tx: tx.receipted([s.receipt(1)]))
    with pytest.raises(ValueError, match="another receipt"):
        await journal.write(lambda tx: tx.receipted([s.receipt(1, Outcome.VOID)]))
    held = await journal.read(lambda q: q.messages([s.ref_of(1, s.HOME)]))
    assert held[s.ref_of(1, s.HOME)].receipt == s.receipt(1).receipt
    assert await journal.read(lambda q: q.ledger_pending()) == 1


async def test_a_receipt_for_a_message_that_is_not_ours_is_refused(journal: Journal) -> None:
    await journal.write(lambda tx: tx.append([s.taken(1)]))
    theirs = s.receipt(1)._replace(ref=s.ref_of(1))
    for stray in (s.receipt(5), theirs):
        with pytest.raises(ValueError, match="no message of ours"):
            await journal.write(lambda tx, r=stray: tx.receipted([r]))  # type: ignore[misc]


async def test_a_sealed_message_cannot_be_sealed_twice(journal: Journal) -> None:
    await journal.write(lambda tx: tx.seal([s.sealed(1)]))
    with pytest.raises(ValueError, match="known already"):
        await journal.write(lambda tx: tx.seal([s.sealed(1)]))


async def test_each_receipt_makes_one_ledger_entry(journal: Journal) -> None:
    steps: list[tuple[Callable[[Transaction], object], int]] = [
        (lambda tx: tx.append([s.taken(1), s.taken(2)]), 2),
        (lambda tx: tx.refuse([s.refused(3)]), 3),
        (lambda tx: tx.refuse([s.refused(1, variant="other")]), 4),
        (lambda tx: tx.void([s.void(4)]), 5),
        (lambda tx: tx.seal([s.sealed(5)]), 5),
        (lambda tx: tx.receipted([s.receipt(5)]), 6),
        (lambda tx: tx.save_cases([s.case(1)]), 6),
    ]
    for work, pending in steps:
        await journal.write(work)
        assert await journal.read(lambda q: q.ledger_pending()) == pending


@pytest.mark.parametrize("count", [1, 2, 5, 256, 1000])
async def test_look_ups_of_any_size_find_what_is_known_and_nothing_else(
    journal: Journal, count: int
) -> None:
    known = range(0, count, 2)
    senders = (s.PARTNER, s.OTHER)

    def work(tx: Transaction) -> None:
        tx.append([s.taken(n, sender=senders[n % 4 // 2]) for n in known])
        tx.save_cases([s.case(n, origin=senders[n % 4 // 2]) for n in known])
        tx.seal([s.sealed(n) for n in known])
        tx.put_outbox([s.entry(n, message=n) for n in known])

    await journal.write(work)

    def query(q: Snapshot) -> None:
        refs = {s.ref_of(n, senders[n % 4 // 2]): n for n in range(count)}
        found = q.messages(refs)
        assert {ref: m.ref for ref, m in found.items()} == {
            ref: ref for ref, n in refs.items() if n % 2 == 0
        }
        keys = {s.key_of(n, senders[n % 4 // 2]): n for n in range(count)}
        cases = q.cases(keys)
        assert {key: c.key for key, c in cases.items()} == {
            key: key for key, n in keys.items() if n % 2 == 0
        }
        own = [s.ref_of(n, s.HOME) for n in range(count)]
        assert set(q.outbox_of(own)) == {s.ref_of(n, s.HOME) for n in known}

    await journal.read(query)


async def test_a_look_up_of_nothing_finds_nothing(journal: Journal) -> None:
    def query(q: Snapshot) -> None:
        assert (q.messages([]), q.cases([]), q.outbox_of([])) == ({}, {}, {})

    await journal.read(query)


async def test_writes_of_nothing_change_nothing(journal: Journal) -> None:
    empty = await contents(journal)

    def work(tx: Transaction) -> None:
        tx.append([])
        tx.refuse([])
        tx.void([])
        tx.seal([])
        tx.receipted([])
        tx.save_cases([])
        tx.put_outbox([])
        tx.drop_outbox([])
        tx.put_materials([])
        tx.remember([])
        tx.put_evidence([])

    await journal.write(work)
    assert await contents(journal) == empty


async def test_the_history_is_in_order_of_recording_and_has_both_directions_and_refusals(
    journal: Journal,
) -> None:
    key, other = s.key_of(1), s.key_of(2)
    await journal.write(lambda tx: tx.append([s.taken(9, case=key), s.taken(8, case=other)]))
    await journal.write(lambda tx: tx.seal([s.sealed(7, key)]))
    await journal.write(lambda tx: tx.refuse([s.refused(3, case=key), s.refused(2, case=other)]))
    await journal.write(lambda tx: tx.append([s.taken(5, case=key), s.taken(4, case=key)]))
    await journal.write(lambda tx: tx.receipted([s.receipt(7)]))
    history = await journal.read(lambda q: q.history(key))
    assert [m.ref for m in history] == [
        s.ref_of(9),
        s.ref_of(7, s.HOME),
        s.ref_of(3),
        s.ref_of(5),
        s.ref_of(4),
    ]
    assert [m.outcome for m in history] == [
        Outcome.TAKEN_IN,
        Outcome.TAKEN_IN,
        Outcome.REFUSED,
        Outcome.TAKEN_IN,
        Outcome.TAKEN_IN,
    ]
    assert not await journal.read(lambda q: q.history(s.key_of(1, s.OTHER)))


async def test_a_header_is_known_in_its_case_and_direction_only(journal: Journal) -> None:
    key = s.key_of(1)

    def work(tx: Transaction) -> None:
        tx.append([s.taken(1, case=key)])
        tx.seal([s.sealed(2, key)])

    await journal.write(work)
    theirs, ours = s.digest_of(f"{s.PARTNER}1"), s.digest_of("own2")

    def query(q: Snapshot) -> None:
        assert q.knows_header(key, Direction.IN, theirs)
        assert q.knows_header(key, Direction.OUT, ours)
        assert not q.knows_header(key, Direction.OUT, theirs)
        assert not q.knows_header(key, Direction.IN, ours)
        assert not q.knows_header(s.key_of(2), Direction.IN, theirs)

    await journal.read(query)


async def test_evidence_is_kept_once_and_as_first_given(journal: Journal) -> None:
    document = Evidence(s.digest_of("evidence"), "certificate", b"\x00der\xff")
    again = document._replace(kind="item", content=b"other")
    await journal.write(lambda tx: tx.put_evidence([document, document]))
    await journal.write(lambda tx: tx.put_evidence([again]))
    assert await journal.read(lambda q: q.evidence(document.digest)) == document
    assert await journal.read(lambda q: q.evidence(s.digest_of("none"))) is None


async def test_serials_are_taken_several_at_a_time(journal: Journal) -> None:
    def work(tx: Transaction) -> list[int]:
        return [tx.next_serial("a"), tx.next_serial("a", 3), tx.next_serial("a")]

    assert await journal.write(work) == [1, 2, 5]


async def test_serials_count_from_one_within_their_scope(journal: Journal) -> None:
    def work(tx: Transaction) -> list[int]:
        return [tx.next_serial("a"), tx.next_serial("b"), tx.next_serial("a")]

    assert await journal.write(work) == [1, 1, 2]
    assert await journal.write(work) == [3, 2, 4]


async def test_an_answer_is_remembered_for_its_unit_and_never_replaced(journal: Journal) -> None:
    mine, theirs = s.remembered("a"), s.remembered("a", s.OTHER_UNIT)
    theirs = theirs._replace(answer=b"their answer")
    await journal.write(lambda tx: tx.remember([mine, theirs]))
    with pytest.raises(ValueError, match="known already"):
        await journal.write(lambda tx: tx.remember([mine._replace(answer=b"other")]))

    def query(q: Snapshot) -> object:
        return q.remembered(s.UNIT, "a"), q.remembered(s.OTHER_UNIT, "a"), q.remembered("", "a")

    assert await journal.read(query) == (mine, theirs, None)


async def test_a_probe_succeeds_and_writes_nothing_one_can_see(journal: Journal) -> None:
    empty = await contents(journal)
    await journal.probe()
    await journal.probe()
    assert await contents(journal) == empty


async def test_a_closed_journal_is_down_and_may_be_closed_again(journal: Journal) -> None:
    await journal.close()
    await journal.close()
    with pytest.raises(JournalDown):
        await journal.write(lambda tx: tx.next_serial("a"))
    with pytest.raises(JournalDown):
        await journal.read(lambda q: q.ledger_pending())
    with pytest.raises(JournalDown):
        await journal.probe()


async def test_a_write_whose_caller_is_cancelled_is_whole_or_absent(journal: Journal) -> None:
    def work(tx: Transaction) -> None:
        tx.append([s.taken(n, case=s.key_of(1)) for n in range(50)])
        tx.save_cases([s.case(1)])

    writing = asyncio.ensure_future(journal.write(work))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await journal.probe()  # stands behind it in the queue
    messages = await journal.read(lambda q: len(q.history(s.key_of(1))))
    cases = await journal.read(lambda q: len(q.cases([s.key_of(1)])))
    assert (messages, cases) in ((50, 1), (0, 0))


async def test_close_finishes_writes_under_way(journal: Journal) -> None:
    done = [asyncio.ensure_future(journal.write(lambda tx: tx.next_serial("a"))) for _ in range(5)]
    await asyncio.sleep(0)
    await journal.close()
    assert await asyncio.gather(*done) == [1, 2, 3, 4, 5]
