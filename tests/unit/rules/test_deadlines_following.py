"""Clock events keep step with the case: confirmed words stay, others stand or fall with it."""

from __future__ import annotations

from gateway.kernel.case import CaseRecord, CaseRole, Chain, Outstanding, Stage
from gateway.kernel.envelope import Kind
from gateway.rules.deadlines import CaseClocks, ClockEvent, ClockFacts, Pending, follow
from tests.contract import journal_samples as s
from tests.support.clocks import DECIDING, KEY, ORIGIN, UNIT

FIRST = ClockEvent(Kind.SUBMITTED, ORIGIN, 1, 2)


def case(
    role: CaseRole,
    stage: Stage,
    *said: Kind,
    confirmed: int = 0,
) -> CaseRecord:
    """Return a case that has so many confirmed messages of ours and these not yet."""
    told = Outstanding(said[0], b"m", confirmed + 1, b"d") if said else None
    bare = s.case(1, role=role, stage=stage)
    return bare._replace(sent=Chain(confirmed, b"h"), outstanding=told, waiting=said[1:])


def clocks(*events: ClockEvent, pending: tuple[Pending, ...] = ()) -> CaseClocks:
    return CaseClocks(KEY, UNIT, ClockFacts(None, 1, 3), events, pending)


def said_at(now_ms: int, kind: Kind) -> ClockEvent:
    return ClockEvent(kind, DECIDING, now_ms, now_ms)


def kinds(found: CaseClocks) -> list[Kind]:
    return [event.kind for event in found.events]


def test_a_word_of_the_deciding_side_counts_from_when_it_was_said() -> None:
    now = case(DECIDING, Stage.ACCEPTED, Kind.ACKNOWLEDGED, Kind.ACCEPTED)
    found = follow(clocks(FIRST), now, [], confirmed_ms=9, now_ms=5)
    assert found.events == (FIRST, said_at(5, Kind.ACKNOWLEDGED), said_at(5, Kind.ACCEPTED))
    later = case(DECIDING, Stage.ACCEPTED, Kind.ACCEPTED, confirmed=1)
    assert follow(found, later, [], confirmed_ms=9, now_ms=8).events == found.events


def test_a_refused_word_and_what_was_said_on_top_of_it_no_longer_count() -> None:
    before = clocks(
        FIRST, said_at(3, Kind.ACKNOWLEDGED), said_at(4, Kind.ACCEPTED), said_at(5, Kind.DECIDED)
    )
    back = case(DECIDING, Stage.ACKNOWLEDGED, confirmed=1)
    found = follow(before, back, [], confirmed_ms=9, now_ms=8)
    assert kinds(found) == [Kind.SUBMITTED, Kind.ACKNOWLEDGED]
    again = case(DECIDING, Stage.ACCEPTED, Kind.ACCEPTED, confirmed=1)
    said = follow(found, again, [], confirmed_ms=9, now_ms=10)
    assert said.events[-1] == said_at(10, Kind.ACCEPTED)


def test_a_draft_dropped_from_the_middle_leaves_what_is_still_said() -> None:
    before = clocks(FIRST, said_at(3, Kind.ACKNOWLEDGED), said_at(4, Kind.MATERIALS_REQUESTED))
    now = case(DECIDING, Stage.ACCEPTED, Kind.ACKNOWLEDGED, Kind.ACCEPTED)
    found = follow(before, now, [], confirmed_ms=9, now_ms=8)
    assert kinds(found) == [Kind.SUBMITTED, Kind.ACKNOWLEDGED, Kind.ACCEPTED]


def test_the_origins_word_counts_when_the_other_side_took_it_in() -> None:
    sent = follow(
        clocks(), case(ORIGIN, Stage.SUBMITTED, Kind.SUBMITTED), [], confirmed_ms=0, now_ms=4
    )
    assert (sent.events, sent.pending) == ((), (Pending(Kind.SUBMITTED, 4),))
    arrived = case(ORIGIN, Stage.SUBMITTED, confirmed=1)
    found = follow(sent, arrived, [], confirmed_ms=7, now_ms=9)
    assert found.events == (ClockEvent(Kind.SUBMITTED, ORIGIN, 4, 7),)
    assert found.pending == ()


def test_an_answer_that_overtakes_the_receipt_comes_after_what_it_answers() -> None:
    sent = clocks(pending=(Pending(Kind.SUBMITTED, 4),))
    answered = case(ORIGIN, Stage.ACKNOWLEDGED, confirmed=1)
    answer = ClockEvent(Kind.ACKNOWLEDGED, DECIDING, 6, 6)
    found = follow(sent, answered, [answer], confirmed_ms=6, now_ms=9)
    assert kinds(found) == [Kind.SUBMITTED, Kind.ACKNOWLEDGED]


def test_a_message_sealed_anew_was_still_said_when_it_was_said() -> None:
    sent = clocks(pending=(Pending(Kind.SUBMITTED, 4),))
    again = case(ORIGIN, Stage.SUBMITTED, Kind.SUBMITTED)
    found = follow(sent, again, [], confirmed_ms=0, now_ms=9)
    assert found.pending == (Pending(Kind.SUBMITTED, 4),)


def test_a_withdrawal_that_was_refused_leaves_no_trace() -> None:
    sent = clocks(FIRST, pending=(Pending(Kind.WITHDRAWN, 4),))
    decided = case(ORIGIN, Stage.DECIDED, confirmed=1)
    found = follow(sent, decided, [], confirmed_ms=0, now_ms=9)
    assert (found.events, found.pending) == ((FIRST,), ())


def test_a_closed_case_stays_closed_at_its_first_instant_and_opens_if_it_goes_back() -> None:
    closed = follow(clocks(FIRST), case(DECIDING, Stage.NOT_ACCEPTED), [], confirmed_ms=0, now_ms=5)
    assert closed.closed_at_ms == 5
    later = follow(closed, case(DECIDING, Stage.NOT_ACCEPTED), [], confirmed_ms=0, now_ms=9)
    assert later.closed_at_ms == 5
    back = follow(closed, case(DECIDING, Stage.ACKNOWLEDGED), [], confirmed_ms=0, now_ms=9)
    assert back.closed_at_ms is None
