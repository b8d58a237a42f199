"""What must hold of two gateways once everything said has met its receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise

from gateway.flow.clockwork import events_of
from gateway.kernel.case import CLOSED, CaseRecord, CaseRole, Stage
from gateway.kernel.envelope import Kind, Outcome
from gateway.kernel.identifiers import CaseKey
from gateway.ports.journal import Direction, Snapshot, StoredMessage
from gateway.rules.casework import can_step, step
from gateway.rules.deadlines import unanswered
from gateway.wire.envelopes import decode_envelope
from gateway.wire.receipts import decode_signed_receipt
from tests.flow.world import Side, World


def _reachable() -> Mapping[Stage, set[Stage]]:
    """Return the stages that allowed steps lead to from each, however many."""
    after = {s: {step(s, k) for k in Kind if can_step(s, k)} for s in Stage}
    # The origin adopts a refusal by the other gateway, which no message says.
    after[Stage.SUBMITTED].add(Stage.REFUSED_AT_INTAKE)
    grown = True
    while grown:
        grown = False
        for found in after.values():
            more = set().union(*(after[s] for s in found)) - found
            grown = grown or bool(more)
            found |= more
    return after


REACHABLE = _reachable()


async def require_converged(world: World) -> None:
    """Assert that both sides hold the same of every case, once, whole and in order."""
    for side in world.sides:
        require_allowed_stages(side)
        assert await side.outbox() == []
    for here, there in (world.sides, world.sides[::-1]):
        opened = await here.journal.read(lambda s: s.cases_of(None, limit=1_000))
        for case in opened:
            if case.role is CaseRole.ORIGIN:
                await require_same_case(here, there, case)


def require_allowed_stages(side: Side) -> None:
    """Assert that every change of stage was one or more allowed steps."""
    for trail in side.journal.trail.values():
        for before, after in pairwise(trail):
            assert after in REACHABLE[before], (side.id, trail)


async def require_same_case(here: Side, there: Side, origin: CaseRecord) -> None:
    key = origin.key
    ours = await here.journal.read(lambda s: s.history(key))
    theirs = await there.journal.read(lambda s: s.history(key))
    assert (origin.outstanding, origin.waiting) == (None, ())
    deciding = (await there.journal.read(lambda s: s.cases([key]))).get(key)
    if deciding is None:
        unsaid = origin.stage in (Stage.RECEIVING, Stage.WITHDRAWN) and not ours
        assert unsaid or origin.stage is Stage.REFUSED_AT_INTAKE, origin.stage
    else:
        assert (deciding.outstanding, deciding.waiting) == (None, ())
        assert origin.stage is deciding.stage, (origin.stage, deciding.stage)
        assert (origin.result, origin.outcome) == (deciding.result, deciding.outcome)
        assert origin.handling_number in ("", deciding.handling_number)
        assert (origin.sent, origin.received) == (deciding.received, deciding.sent)
        assert deciding.attention == "", "nothing the deciding side says is ever refused"
        require_replayed(theirs, deciding.stage)
        await _require_same_clocks(here, ours, there, theirs)
    await _require_one_direction(here, ours, there)
    await _require_one_direction(there, theirs, here)


async def _require_same_clocks(
    here: Side, ours: Sequence[StoredMessage], there: Side, theirs: Sequence[StoredMessage]
) -> None:
    """Assert that the clocks kept at each side are those its signed messages amount to."""
    kinds = []
    for side, history in ((here, ours), (there, theirs)):
        (key,) = {m.case_key for m in history if m.case_key is not None}
        case = await side.case(key.case_id)
        clocks = (await side.journal.read(lambda s, k=key: s.clocks([k])))[key].clocks  # type: ignore[misc]
        replayed = events_of(case, history)
        assert clocks.pending == ()
        goes_on = case.stage not in CLOSED or unanswered(clocks.events)
        assert (clocks.closed_at_ms is None) is goes_on
        assert sorted((e.kind, e.sender) for e in clocks.events) == sorted(
            (e.kind, e.sender) for e in replayed
        )
        for role in CaseRole:  # each side's own order is kept
            said = [(e.kind, e.rectify) for e in clocks.events if e.sender is role]
            assert said == [(e.kind, e.rectify) for e in replayed if e.sender is role]
        kinds.append(sorted(e.kind for e in clocks.events))
    assert kinds[0] == kinds[1]


def require_replayed(history: Sequence[StoredMessage], wanted: Stage) -> None:
    """Assert that the deciding side's own order of messages gives its stage."""
    stage = Stage.RECEIVING
    for message in history:
        if message.outcome is Outcome.TAKEN_IN and message.kind is not None:
            stage = step(stage, message.kind)
    assert stage is wanted


async def _require_one_direction(here: Side, history: Sequence[StoredMessage], there: Side) -> None:
    """Assert that what `here` said is, message by message, what `there` heard."""
    said = [m for m in history if m.direction is Direction.OUT]
    refs = [m.ref for m in said]
    heard = await there.journal.read(lambda s: s.messages(refs))
    for message in said:
        require_same_receipt(message, heard[message.ref])
    taken = [m for m in said if m.outcome is Outcome.TAKEN_IN]
    require_linked(taken)
    for message in await _heard_in(there, history):
        assert message.ref in heard, (here.id, "heard what was never said")


def require_same_receipt(said: StoredMessage, heard: StoredMessage) -> None:
    """Assert that a message met one receipt, kept byte for byte at both ends."""
    assert said.outcome is not None, said.kind
    assert said.receipt == heard.receipt
    assert (said.outcome, said.rule) == (heard.outcome, heard.rule)
    assert said.header_digest == heard.header_digest
    receipt = decode_signed_receipt(said.receipt).receipt
    assert (receipt.message_id, receipt.header_digest) == (said.ref.message_id, said.header_digest)


def require_linked(taken: Sequence[StoredMessage]) -> None:
    """Assert that messages taken in count 1, 2, 3 ... and each names the one before."""
    previous = b""
    for number, message in enumerate(taken, start=1):
        header = decode_envelope(message.envelope).header
        assert (header.sequence, header.previous_digest) == (number, previous)
        previous = message.header_digest


def _history_of(key: CaseKey, snapshot: Snapshot) -> Sequence[StoredMessage]:
    return snapshot.history(key)


async def _heard_in(there: Side, history: Sequence[StoredMessage]) -> Sequence[StoredMessage]:
    keys = {m.case_key for m in history if m.case_key is not None}
    found: list[StoredMessage] = []
    for key in keys:
        found += await there.journal.read(partial(_history_of, key))
    return [m for m in found if m.direction is Direction.IN]
