"""What `ports.journal_clocks` promises, for every adapter."""

from __future__ import annotations

import pytest

from gateway.kernel.case import CaseRole, Stage
from gateway.kernel.envelope import Kind
from gateway.ports.journal import Journal, JournalDown, Transaction
from gateway.ports.journal_clocks import ClockKept, KeptClocks, LatePlace
from gateway.rules.deadlines import (
    CaseClocks,
    ClockEvent,
    ClockFacts,
    ClockName,
    ClockWarning,
    Level,
    Pending,
)
from tests.contract import journal_samples as s

CALENDAR = "0123456789abcdef"


def kept(number: int, **more: object) -> KeptClocks:
    """Return the clocks of case `number`; what is not said is bare."""
    bare = CaseClocks(s.key_of(number), s.UNIT, ClockFacts(None, None, None))
    return KeptClocks(bare, calendar=CALENDAR)._replace(**more)  # type: ignore[arg-type]


def full(number: int) -> KeptClocks:
    """Return clocks with every field set."""
    clocks = CaseClocks(
        s.key_of(number),
        s.OTHER_UNIT,
        ClockFacts(s.NOW_MS, 0, 20),
        (
            ClockEvent(Kind.SUBMITTED, CaseRole.ORIGIN, s.NOW_MS + 1, s.NOW_MS + 2),
            ClockEvent(Kind.CLOCK_SUSPENDED, CaseRole.DECIDING, s.NOW_MS + 3, s.NOW_MS + 4),
            ClockEvent(Kind.REVIEWED, CaseRole.ORIGIN, s.NOW_MS + 4, s.NOW_MS + 5, 1),
        ),
        (Pending(Kind.REVIEWED, s.NOW_MS + 5, 1),),
        s.NOW_MS + 6,
    )
    told = frozenset({(ClockName.STATUTORY, 1, Level.HALF), (ClockName.CORRECTION, 2, Level.HALF)})
    return KeptClocks(clocks, told, CALENDAR, s.NOW_MS + 7, s.NOW_MS + 8)


def told(number: int, level: Level, at_ms: int, *, kept_at_ms: int = s.NOW_MS) -> ClockKept:
    warning = ClockWarning(ClockName.STATUTORY, 1, level, CaseRole.DECIDING, at_ms)
    return ClockKept(s.key_of(number), warning, kept_at_ms)


async def test_closed_cases_of_our_deciding_whose_clocks_go_on_wait_to_be_put_right(
    journal: Journal,
) -> None:
    wanted = {1: Stage.DELIVERED, 2: Stage.ARCHIVED}
    deciding = [
        s.case(number, role=CaseRole.DECIDING, stage=stage)
        for number, stage in {**wanted, 3: Stage.ACCEPTED, 4: Stage.DELIVERED}.items()
    ]
    origin = s.case(5, role=CaseRole.ORIGIN, stage=Stage.DELIVERED)
    await journal.write(lambda tx: tx.save_cases([*deciding, origin]))
    closed = kept(4)._replace(clocks=kept(4).clocks._replace(closed_at_ms=s.NOW_MS))
    await journal.write(lambda tx: tx.save_clocks([*map(kept, (1, 2, 3, 5)), closed]))
    found = await journal.read(lambda q: q.clocks_to_rectify(s.UNIT, 10))
    assert [k.clocks.key for k in found] == [s.key_of(1), s.key_of(2)]
    assert len(await journal.read(lambda q: q.clocks_to_rectify(s.UNIT, 1))) == 1
    assert await journal.read(lambda q: q.clocks_to_rectify(s.OTHER_UNIT, 10)) == []


async def test_clocks_come_back_as_they_were_saved_in_every_field(journal: Journal) -> None:
    for state in (kept(1), full(1), kept(1)):
        await journal.write(lambda tx, k=state: tx.save_clocks([k]))  # type: ignore[misc]
        held = await journal.read(lambda q: q.clocks([s.key_of(1), s.key_of(2)]))
        assert held == {s.key_of(1): state}
    await journal.write(lambda tx: tx.save_clocks([full(1)]))
    held = await journal.read(lambda q: q.clocks([s.key_of(1)]))
    event = held[s.key_of(1)].clocks.events[1]
    assert isinstance(event.kind, Kind)
    assert isinstance(event.sender, CaseRole)


async def test_a_transaction_reads_the_clocks_it_wrote_and_a_lost_one_leaves_none(
    journal: Journal,
) -> None:
    def lost(tx: Transaction) -> None:
        tx.save_clocks([full(1)])
        tx.keep_clock_events([told(1, Level.HALF, 5)])
        assert s.key_of(1) in tx.clocks([s.key_of(1)])
        assert tx.clock_events(s.key_of(1))
        raise JournalDown("the commit failed")

    with pytest.raises(JournalDown):
        await journal.write(lost)
    assert await journal.read(lambda q: q.clocks([s.key_of(1)])) == {}
    assert await journal.read(lambda q: q.clock_events(s.key_of(1))) == []
    assert await journal.read(lambda q: q.clocks_due(2**62, 9)) == []


async def test_what_is_due_comes_earliest_first_and_what_never_is_does_not(
    journal: Journal,
) -> None:
    some = [kept(1, next_ms=300), kept(2, next_ms=100), kept(3), kept(4, next_ms=301)]
    await journal.write(lambda tx: tx.save_clocks(some))
    due = await journal.read(lambda q: q.clocks_due(300, 10))
    assert [k.clocks.key for k in due] == [s.key_of(2), s.key_of(1)]
    assert len(await journal.read(lambda q: q.clocks_due(300, 1))) == 1
    assert await journal.read(lambda q: q.clocks_due(99, 10)) == []


async def test_stale_are_open_cases_counted_with_another_calendar(journal: Journal) -> None:
    closed = kept(3, calendar="other")
    closed = closed._replace(clocks=closed.clocks._replace(closed_at_ms=7))
    some = [kept(1), kept(2, calendar="other"), closed, kept(4, calendar="")]
    await journal.write(lambda tx: tx.save_clocks(some))
    stale = await journal.read(lambda q: q.clocks_stale(CALENDAR, 10))
    assert {k.clocks.key for k in stale} == {s.key_of(2), s.key_of(4)}
    assert len(await journal.read(lambda q: q.clocks_stale(CALENDAR, 1))) == 1


async def test_late_cases_come_in_pages_of_one_unit_the_longest_first(journal: Journal) -> None:
    some = [kept(n, late_from_ms=500 if n < 5 else 400) for n in range(8)]
    other = kept(9, late_from_ms=450)
    other = other._replace(clocks=other.clocks._replace(unit=s.OTHER_UNIT))
    not_yet, never = kept(10, late_from_ms=501), kept(11)
    await journal.write(lambda tx: tx.save_clocks([*some, other, not_yet, never]))
    place, seen = LatePlace(0, "", b""), []
    while page := await journal.read(
        lambda q, p=place: q.clocks_late(s.UNIT, 500, limit=3, after=p)  # type: ignore[misc]
    ):
        assert len(page) <= 3
        seen += [k.clocks.key for k in page]
        assert page[-1].late_from_ms is not None
        place = LatePlace(page[-1].late_from_ms, *page[-1].clocks.key)
    assert seen == [s.key_of(n) for n in (5, 6, 7, 0, 1, 2, 3, 4)]
    every = await journal.read(lambda q: q.clocks_late(None, 500, limit=20))
    assert len(every) == 9
    assert every[3].clocks.unit == s.OTHER_UNIT


async def test_what_was_told_once_stays_as_it_was_first_kept(journal: Journal) -> None:
    first = told(1, Level.HALF, 200)
    await journal.write(lambda tx: tx.keep_clock_events([first, told(2, Level.HALF, 1)]))
    again = [told(1, Level.HALF, 999, kept_at_ms=9), told(1, Level.DAY_BEFORE, 100)]
    await journal.write(lambda tx: tx.keep_clock_events(again))
    events = await journal.read(lambda q: q.clock_events(s.key_of(1)))
    assert events == [told(1, Level.DAY_BEFORE, 100), first]
    assert isinstance(events[0].warning.level, Level)
