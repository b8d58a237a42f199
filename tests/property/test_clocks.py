"""Clocks never run backwards, whatever is said in whatever order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.kernel.case import CaseRole
from gateway.kernel.envelope import Kind
from gateway.rules.deadlines import (
    CaseClocks,
    ClockEvent,
    ClockFacts,
    ClockState,
    Level,
    Reading,
    WorkingCalendar,
    outlook,
    polling,
    readings,
)
from tests.property.effort import effort
from tests.support.clocks import CALENDAR, KEY, UNIT, at

BEGIN_MS = at("2025-09-22", "00:00")
SPAN_MS = 120 * 86_400_000  # over the National Day holiday and the new year
instants = st.integers(BEGIN_MS, BEGIN_MS + SPAN_MS)
sides = st.sampled_from([CaseRole.ORIGIN, CaseRole.DECIDING])
days = st.none() | st.integers(0, 30)
said = st.builds(
    lambda kind, side, sent, road: ClockEvent(kind, side, sent, sent + road),
    st.sampled_from(list(Kind)),
    sides,
    instants,
    st.integers(0, 3 * 86_400_000),
)
histories = st.lists(said, max_size=14)
likely = st.permutations(
    [
        Kind.MATERIALS_REQUESTED,
        Kind.MATERIALS_SUPPLIED,
        Kind.ACCEPTED,
        Kind.CLOCK_SUSPENDED,
        Kind.CLOCK_RESUMED,
        Kind.CLOCK_SUSPENDED,
        Kind.CLOCK_RESUMED,
        Kind.DECIDED,
    ]
)
ordered = st.builds(
    lambda kinds, times: [
        ClockEvent(kind, CaseRole.DECIDING, t, t)
        for kind, t in zip([Kind.SUBMITTED, *kinds], sorted(times), strict=True)
    ],
    likely,
    st.lists(instants, min_size=9, max_size=9),
)
cases = st.builds(
    lambda opened, promised, statutory, events, closed: CaseClocks(
        KEY,
        UNIT,
        ClockFacts(opened, promised, statutory),
        tuple(events),
        closed_at_ms=closed,
    ),
    st.none() | instants,
    days,
    days,
    histories | ordered,
    st.none() | instants,
)


def _number(reading: Reading) -> int:
    assert isinstance(reading.used_days, int)
    return reading.used_days


@effort(400)
@given(case=cases, first=instants, later=instants)
def test_as_time_passes_no_clock_loses_days_and_no_stopped_one_starts(
    case: CaseClocks, first: int, later: int
) -> None:
    first, later = sorted((first, later))
    before, after = (readings(CALENDAR, case, t) for t in (first, later))
    assert [(r.name, r.number) for r in before] == [
        (r.name, r.number) for r in after[: len(before)]
    ]
    for old, new in zip(before, after, strict=False):
        assert _number(new) >= _number(old)
        assert new.late_days >= old.late_days
        assert new.started_ms == old.started_ms
        if old.state is ClockState.STOPPED:
            assert new == old
        if old.state is ClockState.OVERDUE:
            assert new.state in (ClockState.OVERDUE, ClockState.STOPPED)


@effort(400)
@given(case=cases, more=said, now_ms=instants)
def test_a_further_event_takes_no_day_back_from_the_deciding_side(
    case: CaseClocks, more: ClockEvent, now_ms: int
) -> None:
    case = case._replace(closed_at_ms=None)
    last = max((e.counted_ms for e in case.events), default=now_ms)
    before = readings(CALENDAR, case, max(now_ms, last))
    counted = more._replace(counted_ms=max(more.counted_ms, now_ms, last))
    longer = case._replace(events=(*case.events, counted))
    after = {(r.name, r.number): r for r in readings(CALENDAR, longer, counted.counted_ms)}
    for old in before:
        new = after[old.name, old.number]
        if old.holder is CaseRole.DECIDING:
            assert _number(new) >= _number(old)
            assert new.late_days >= old.late_days
        if old.state is ClockState.STOPPED:
            assert new == old


@effort(300)
@given(case=cases, looks=st.lists(instants, min_size=1, max_size=8))
def test_however_often_one_looks_each_warning_is_told_once_and_never_early(
    case: CaseClocks, looks: list[int]
) -> None:
    kept: dict[tuple[object, int, Level], int] = {}
    for now_ms in sorted(looks):
        found = outlook(CALENDAR, case, kept.keys(), now_ms)  # type: ignore[arg-type]
        last = max([now_ms, case.facts.window_opened_ms or 0, case.closed_at_ms or 0])
        for warning in found.due:
            told = (warning.clock, warning.number, warning.level)
            assert told not in kept
            assert warning.at_ms <= max([last, *(e.counted_ms for e in case.events)])
            kept[told] = warning.at_ms
    at_once = outlook(CALENDAR, case, (), max(looks))
    assert {(w.clock, w.number, w.level): w.at_ms for w in at_once.due} == kept


@effort(300)
@given(case=cases, now_ms=instants)
def test_what_is_late_says_so_and_what_says_so_is_late(case: CaseClocks, now_ms: int) -> None:
    found = outlook(CALENDAR, case, (), now_ms)
    shown = readings(CALENDAR, case, now_ms)
    overdue = [r for r in shown if r.state is ClockState.OVERDUE]
    starts = [r.late_from_ms for r in overdue if r.late_from_ms is not None]
    assert len(starts) == len(overdue)
    told = found.late_from_ms
    if starts:
        assert told == min(starts)
    reached = max([now_ms, *(e.counted_ms for e in case.events), case.closed_at_ms or 0])
    assert bool(starts) or told is None or told > min(now_ms, reached)
    levels = {(w.clock, w.number) for w in found.due if w.level is Level.OVERDUE}
    assert {(r.name, r.number) for r in overdue} <= levels


@effort(400)
@given(case=cases, now_ms=instants)
def test_when_to_look_again_is_what_a_full_count_says(case: CaseClocks, now_ms: int) -> None:
    found = outlook(CALENDAR, case, (), now_ms)
    counted = polling(CALENDAR, case, frozenset(), now_ms)
    assert counted.late_from_ms == found.late_from_ms
    assert counted.next_ms == (found.due[0].at_ms if found.due else found.next_ms)
    told = frozenset((w.clock, w.number, w.level) for w in found.due)
    assert polling(CALENDAR, case, told, now_ms).next_ms == found.next_ms
    unknown = polling(WorkingCalendar({}), case, frozenset(), now_ms)
    assert unknown.late_from_ms is None
    last = max([now_ms, *(e.counted_ms for e in case.events), case.closed_at_ms or 0])
    assert unknown.next_ms is None or unknown.next_ms <= max(last, case.facts.window_opened_ms or 0)
