"""Commit groups: many decisions, one signature, all or nothing, and no one fails for another."""

from __future__ import annotations

import gc
from asyncio import ensure_future, gather, sleep
from collections.abc import Iterable, Sequence
from functools import partial
from weakref import ref

import pytest

from gateway.flow import committer as committer_module
from gateway.flow.committer import Committer, Group
from gateway.flow.sealing import Sealer
from gateway.kernel.case import CaseRecord, Stage
from gateway.kernel.envelope import Kind, NotTakenIn, Outcome
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseKey, MessageRef
from gateway.ports.journal import Snapshot
from gateway.wire.receipts import decode_signed_receipt
from tests.fakes.clock import SeededEntropy
from tests.flow.judge import require_converged
from tests.flow.link import Trouble
from tests.flow.parts import Pen
from tests.flow.stillness import rest
from tests.flow.test_waiting import require_other_suites
from tests.flow.world import WINDOW, World, actor, query_wish


class Serial:
    """A work that takes a serial, and may break afterwards."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.got = 0

    def refs(self) -> Iterable[MessageRef]:
        return ()

    def keys(self) -> Iterable[CaseKey]:
        return ()

    def step(self, group: Group) -> None:
        self.got = group.next_serial("示例")
        if self.error is not None:
            raise self.error


def _cases_by_id(case_id: bytes, snapshot: Snapshot) -> Sequence[CaseRecord]:
    return snapshot.cases_by_id(case_id)


def codes(faults: Sequence[Fault | None]) -> list[FaultCode | None]:
    return [None if fault is None else fault.code for fault in faults]


async def test_a_step_that_breaks_fails_alone_and_its_neighbours_commit(world: World) -> None:
    works = [Serial(), Serial(ZeroDivisionError()), Serial()]
    faults = await world.jq.committer.submit_all(works)
    assert codes(faults) == [None, FaultCode.INTERNAL, None]
    assert ("step_broke", {"error": "ZeroDivisionError", "count": 3}) in world.jq.log.events
    assert [works[0].got, works[2].got] == [1, 2], "what the broken group took was given back"


async def test_a_broken_step_of_another_submitter_is_not_felt(world: World) -> None:
    broken = gather(
        world.jq.committer.submit(Serial(KeyError("x"))),
        world.open_query(),
        return_exceptions=True,
    )
    fault, case_id = await broken
    assert isinstance(fault, Fault)
    assert fault.code is FaultCode.INTERNAL
    assert isinstance(case_id, bytes)
    await world.drain()
    await require_converged(world)


async def test_a_fault_is_its_submitters_answer_and_no_one_elses(world: World) -> None:
    works = [Serial(Fault(FaultCode.CASE_CLOSED)), Serial()]
    assert codes(await world.jq.committer.submit_all(works)) == [FaultCode.CASE_CLOSED, None]
    assert "step_broke" not in world.jq.log.names()


async def test_nothing_is_taken_in_while_the_signer_is_down(world: World) -> None:
    first, second = await world.open_query(), await world.open_query()
    world.jyg.pen.down = True
    await world.jq.lane.turn()
    for case_id in (first, second):
        assert not await world.jyg.journal.read(partial(_cases_by_id, case_id))
        assert not await world.jyg.history(case_id)
    assert await world.jyg.journal.read(lambda s: s.ledger_pending()) == 0
    faults = {e.last_fault for e in await world.jq.outbox()}
    assert faults == {FaultCode.DELIVERY_SIGNER_DOWN}
    world.jyg.pen.down = False
    await world.drain()
    await require_converged(world)
    numbers = [(await world.jyg.case(c)).handling_number[-4:] for c in (first, second)]
    assert sorted(numbers) == ["0001", "0002"], "serials of the lost group were given back"


async def test_nothing_is_said_while_our_own_signer_is_down(world: World) -> None:
    world.jq.pen.down = True
    with pytest.raises(Fault) as raised:
        await world.open_query()
    assert raised.value.code is FaultCode.DELIVERY_SIGNER_DOWN
    assert not await world.jq.journal.read(lambda s: s.cases_of(WINDOW, limit=9))


@pytest.mark.parametrize("how", ["down", "lost_commits"])
async def test_nothing_is_taken_in_while_the_journal_is_down(world: World, how: str) -> None:
    case_id = await world.open_query()
    setattr(world.jyg.journal, how, 1)
    await world.jq.lane.turn()
    world.jyg.journal.down = False
    assert not await world.jyg.history(case_id)
    (entry,) = await world.jq.outbox()
    assert entry.last_fault == FaultCode.DELIVERY_JOURNAL_DOWN
    await world.drain()
    assert (await world.jyg.case(case_id)).stage is Stage.SUBMITTED
    await require_converged(world)


async def test_a_commit_that_fails_after_signing_lets_no_receipt_leave(world: World) -> None:
    await world.open_query()
    world.jyg.journal.lost_commits = 1
    signed = world.jyg.pen.signatures
    heard: list[object] = []

    def listen(answers: list[bytes | NotTakenIn]) -> list[bytes | NotTakenIn]:
        heard.extend(answers)
        return answers

    world.jq.link.tamper = listen
    await world.jq.lane.turn()
    assert world.jyg.pen.signatures == signed + 1
    assert [type(a) for a in heard] == [NotTakenIn]
    world.jq.link.tamper = None
    await world.drain()


async def test_a_lane_waits_out_a_journal_that_is_down(world: World) -> None:
    await world.open_query()
    world.jq.journal.down = True
    assert not await world.jq.lane.turn()
    assert ("lane_waits", FaultCode.DELIVERY_JOURNAL_DOWN) in [
        (name, fields.get("rule")) for name, fields in world.jq.log.events
    ]
    world.jq.journal.down = False
    await world.drain()
    await require_converged(world)


async def test_a_receipt_whose_settling_was_lost_is_fetched_again(world: World) -> None:
    case_id = await world.open_query()
    world.jq.link.next.append(Trouble.HOLD_ANSWER)
    turn = world.begin_turn(world.jq)
    await rest()
    world.jq.journal.lost_commits = 1
    world.jq.link.release()
    assert not await turn
    assert (await world.jq.said(case_id))[0].outcome is None
    await world.drain()
    assert len(await world.jyg.history(case_id)) == 1
    await require_converged(world)


async def test_a_full_queue_refuses_as_overloaded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer_module, "GROUP_QUEUE_MAX", 3)
    faults = await world.jq.committer.submit_all([Serial() for _ in range(4)])
    assert codes(faults) == [FaultCode.LIMIT_OVERLOADED] * 4
    assert codes(await world.jq.committer.submit_all([Serial() for _ in range(3)])) == [None] * 3


async def test_a_stopping_gateway_commits_what_is_queued_and_takes_no_more(world: World) -> None:
    side = world.jq
    queued = [ensure_future(side.committer.submit_all([Serial()])) for _ in range(5)]
    await sleep(0)
    side.committer.stop()
    assert [codes(f) for f in await gather(*queued)] == [[None]] * 5
    with pytest.raises(Fault) as raised:
        await world.open_query()
    assert raised.value.code is FaultCode.DELIVERY_STOPPING
    await rest()
    assert not side.owner.alive("committer")


async def test_two_identical_envelopes_in_one_group_get_one_receipt_and_one_effect(
    world: World,
) -> None:
    case_id = await world.open_query()
    (said,) = await world.jq.said(case_id)
    raw = said.envelope
    answers = await world.jyg.intake.take_in(world.jq.id, [raw, raw])
    again = await world.jyg.intake.take_in(world.jq.id, [raw])
    assert [*answers, *again] == [answers[0]] * 3
    assert len(await world.jyg.history(case_id)) == 1
    await world.drain()
    await require_converged(world)


async def test_a_bad_envelope_in_a_call_fails_alone(world: World) -> None:
    case_id = await world.open_query()
    (said,) = await world.jq.said(case_id)
    forged = said.envelope[:-1] + bytes([said.envelope[-1] ^ 1])
    answers = await world.jyg.intake.take_in(world.jq.id, [b"\xff", forged, said.envelope, b""])
    kinds = [a.rule if isinstance(a, NotTakenIn) else "receipt" for a in answers]
    assert kinds[0] == FaultCode.WIRE_UNPARSEABLE
    assert kinds[1] == FaultCode.TRUST_SIGNATURE_INVALID
    assert kinds[2] == "receipt"
    assert isinstance(answers[3], NotTakenIn)
    await world.drain()
    await require_converged(world)


async def test_the_receipts_of_a_group_stand_under_one_signature(world: World) -> None:
    for _ in range(10):
        await world.open_query()
    signed = world.jyg.pen.signatures
    assert await world.jq.lane.turn()
    assert world.jyg.pen.signatures == signed + 1
    receipts = []
    for case in await world.jyg.journal.read(lambda s: s.cases_of(None, limit=99)):
        (heard,) = await world.jyg.history(case.key.case_id)
        receipts.append(decode_signed_receipt(heard.receipt))
    heads = {s.batch.head_bytes for r in receipts for s in r.signatures if s.batch is not None}
    assert len(receipts) == 10
    assert len(heads) == 1
    assert {r.receipt.outcome for r in receipts} == {Outcome.TAKEN_IN}
    await require_converged(world)


async def test_a_group_is_freed_without_the_garbage_collector(world: World) -> None:
    """In a circle it would keep every message it held, until the collector stops everyone."""
    groups: list[ref[Group]] = []
    world.jyg.committer.accompany(lambda group: groups.append(ref(group)))
    gc.disable()
    try:
        await world.open_query()
        await world.drain()
    finally:
        gc.enable()
    assert groups
    assert [group() for group in groups] == [None] * len(groups)


async def test_serials_within_a_group_are_given_once_each(world: World) -> None:
    works = [Serial() for _ in range(5)]
    await world.jq.committer.submit_all(works)
    more = Serial()
    await world.jq.committer.submit(more)
    assert [w.got for w in works] + [more.got] == [1, 2, 3, 4, 5, 6]


async def test_a_group_is_never_larger_than_its_bound(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer_module, "GROUP_MAX", 4)
    writes = world.jq.journal.writes
    await gather(*(world.jq.committer.submit_all([Serial(), Serial()]) for _ in range(5)))
    assert world.jq.journal.writes == writes + 3


async def test_a_submitter_that_went_away_does_not_stop_the_writer(world: World) -> None:
    gone = ensure_future(world.jq.committer.submit_all([Serial()]))
    await sleep(0)
    gone.cancel()
    staying = Serial()
    await world.jq.committer.submit(staying)
    assert gone.cancelled()
    assert staying.got == 2, "what was queued is committed, whoever waits for it"


async def test_each_wish_for_a_suite_gets_signatures_of_exactly_that_suite(world: World) -> None:
    other = Pen(world.jyg.setup.signers[0])
    sealer = Sealer([world.jq.pen, other])
    committer = Committer(world.jq.journal, sealer, world.clock, SeededEntropy(7), world.jq.log)
    world.jq.owner.start("second writer", committer.run())
    signed: list[int] = []

    class Asks(Serial):
        def step(self, group: Group) -> None:
            group.sign(b"a", lambda s: signed.append(len(s)))
            group.sign(b"b", lambda s: signed.append(len(s)), ("ES256",))

    await committer.submit(Asks())
    assert signed == [1, 1]


async def test_acts_and_deliveries_of_many_cases_share_groups(world: World) -> None:
    opened = await gather(
        *(world.jq.desk.open_case(actor(WINDOW), query_wish(), None) for _ in range(20))
    )
    assert len({v["case_id"] for v in opened}) == 20
    assert world.jq.journal.writes <= 3
    await world.drain()
    ids = [bytes.fromhex(str(v["case_id"]).replace("-", "")) for v in opened]
    await gather(*(world.act(case_id, Kind.ACKNOWLEDGED) for case_id in ids))
    await world.drain()
    await require_converged(world)


async def test_a_case_that_needs_a_suite_we_cannot_sign_with_fails_alone(world: World) -> None:
    require_other_suites(world.jq)
    first, second = Serial(), Serial()
    opened, *_ = await gather(
        world.open_query(),
        world.jq.committer.submit(first),
        world.jq.committer.submit(second),
        return_exceptions=True,
    )
    assert isinstance(opened, Fault)
    assert opened.code is FaultCode.TRUST_SUITE_MISSING
    assert [first.got, second.got] == [1, 2]
    assert "signer_down" not in world.jq.log.names()
