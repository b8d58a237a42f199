"""The clocks of a case: who holds it, since when, until when."""

from __future__ import annotations

import pytest

from gateway.kernel.envelope import Kind
from gateway.rules.deadlines import (
    CalendarMissing,
    CaseClocks,
    ClockEvent,
    ClockFacts,
    ClockName,
    ClockState,
    Level,
    Pending,
    outlook,
)
from tests.support.clocks import (
    CALENDAR,
    DECIDING,
    KEY,
    ORIGIN,
    UNIT,
    at,
    clocks,
    day,
    event,
    shown,
    submitted,
)

N, S, L = ClockName, ClockState, Level
MONDAY = "2026-03-02"  # no holidays in that month


def test_nothing_said_in_five_working_days_counts_as_accepted_from_the_first() -> None:
    case = clocks(submitted(MONDAY), promised=5, statutory=20)
    before = shown(case, at("2026-03-09", "23:59"))
    assert before[N.ACCEPTANCE, 1].state is S.RUNNING
    assert before[N.ACCEPTANCE, 1].due == day("2026-03-09")
    assert (N.STATUTORY, 1) not in before

    after = shown(case, at("2026-03-10", "00:00"))
    assert after[N.ACCEPTANCE, 1].stopped_ms == at("2026-03-10", "00:00")
    statutory = after[N.STATUTORY, 1]
    assert statutory.deemed
    assert statutory.started_ms == at(MONDAY)
    assert statutory.used_days == 6
    assert statutory.due == day("2026-03-30")


def test_a_word_after_the_lapse_changes_nothing_of_the_retroactive_start() -> None:
    late = event(Kind.ACCEPTED, "2026-03-12")
    asked = event(Kind.MATERIALS_REQUESTED, "2026-03-11")
    read = shown(clocks(submitted(MONDAY), asked, late), at("2026-03-12"))
    assert read[N.STATUTORY, 1].started_ms == at(MONDAY)
    assert read[N.STATUTORY, 1].state is S.OVERDUE
    assert (N.STATUTORY, 2) not in read


def test_what_is_asked_for_in_time_stops_the_decision_and_starts_the_applicants_clock() -> None:
    asked = event(Kind.MATERIALS_REQUESTED, "2026-03-09", "23:59")
    read = shown(clocks(submitted(MONDAY), asked), at("2026-04-20"))
    assert read[N.ACCEPTANCE, 1].state is S.STOPPED
    assert read[N.CORRECTION, 1].state is S.RUNNING
    assert read[N.CORRECTION, 1].holder is ORIGIN
    assert read[N.CORRECTION, 1].due is None
    assert (N.STATUTORY, 1) not in read


def test_supplied_material_starts_five_new_days_and_they_too_lapse() -> None:
    said = (
        submitted(MONDAY),
        event(Kind.MATERIALS_REQUESTED, "2026-03-03"),
        ClockEvent(
            Kind.MATERIALS_SUPPLIED, ORIGIN, at("2026-03-10", "09:00"), at("2026-03-11", "09:00")
        ),
    )
    read = shown(clocks(*said), at("2026-03-20"))
    assert read[N.CORRECTION, 1].stopped_ms == at("2026-03-10", "09:00")
    assert read[N.TRANSIT, 2].started_ms == at("2026-03-10", "09:00")
    assert read[N.TRANSIT, 2].stopped_ms == at("2026-03-11", "09:00")
    assert read[N.ACCEPTANCE, 2].due == day("2026-03-18")
    assert read[N.STATUTORY, 1].started_ms == at("2026-03-11", "09:00")


def test_acceptance_starts_both_limits_and_the_decision_ends_them() -> None:
    said = (
        submitted("2021-05-27"),
        event(Kind.ACKNOWLEDGED, "2021-05-27"),
        event(Kind.ACCEPTED, "2021-05-27"),
    )
    open_ = shown(clocks(*said), at("2021-05-28"))
    assert open_[N.STATUTORY, 1].due == day("2021-06-01")
    assert open_[N.PROMISED, 1].due == day("2021-05-28")
    assert open_[N.PROMISED, 1].state is S.RUNNING
    decided = event(Kind.DECIDED, "2021-05-31")
    done = shown(clocks(*said, decided), at("2021-06-20"))
    assert done[N.STATUTORY, 1].state is S.STOPPED
    assert done[N.STATUTORY, 1].late_days == 0
    assert done[N.PROMISED, 1].state is S.STOPPED
    assert done[N.PROMISED, 1].late_days == 1
    assert done[N.DELIVERY, 1].holder is ORIGIN
    assert done[N.DELIVERY, 1].due == day("2021-06-15")
    assert done[N.DELIVERY, 1].state is S.OVERDUE
    assert done[N.DELIVERY, 1].late_days == 3  # 16, 17 and 18 June


@pytest.mark.parametrize(
    ("today", "state", "late_days"),
    [
        ("2026-03-05", S.RUNNING, 0),  # the last day, to its end
        ("2026-03-06", S.OVERDUE, 1),
        ("2026-03-07", S.OVERDUE, 1),
        ("2026-03-09", S.OVERDUE, 2),
    ],
)
def test_late_days_are_working_days_begun(today: str, state: ClockState, late_days: int) -> None:
    read = shown(clocks(submitted(MONDAY), event(Kind.ACCEPTED, MONDAY)), at(today))
    found = read[N.STATUTORY, 1]
    assert (found.due, found.state, found.late_days) == (day("2026-03-05"), state, late_days)


@pytest.mark.parametrize(
    ("today", "late_days"),
    [
        ("2026-03-06", 0),
        ("2026-03-07", 1),
        ("2026-03-08", 1),
        ("2026-03-09", 1),
        ("2026-03-10", 2),
    ],
)
def test_the_weekend_after_a_missed_friday_counts_as_one_day_late(
    today: str, late_days: int
) -> None:
    said = (submitted(MONDAY), event(Kind.ACCEPTED, MONDAY))
    found = shown(clocks(*said, statutory=4), at(today))[N.STATUTORY, 1]
    assert (found.due, found.late_days) == (day("2026-03-06"), late_days)


def test_a_clock_stopped_on_the_saturday_after_its_last_day_was_one_day_late() -> None:
    said = (submitted(MONDAY), event(Kind.ACCEPTED, MONDAY), event(Kind.DECIDED, "2026-03-07"))
    found = shown(clocks(*said, statutory=4), at("2026-03-30"))[N.STATUTORY, 1]
    assert (found.state, found.late_days) == (S.STOPPED, 1)


def test_days_late_in_a_year_that_is_not_known_read_one_and_say_so() -> None:
    said = (submitted("2026-12-21"), event(Kind.ACCEPTED, "2026-12-21"))
    found = shown(clocks(*said), at("2027-02-01"))[N.STATUTORY, 1]
    assert (found.state, found.late_days) == (S.OVERDUE, 1)
    assert found.used_days == CalendarMissing(2027)


def test_a_special_procedure_is_not_counted() -> None:
    said = (
        submitted(MONDAY),
        event(Kind.ACCEPTED, MONDAY),
        event(Kind.CLOCK_SUSPENDED, "2026-03-04"),
    )
    still = shown(clocks(*said, statutory=5), at("2026-04-30"))
    assert still[N.STATUTORY, 1].state is S.SUSPENDED
    assert still[N.STATUTORY, 1].used_days == 2
    assert still[N.STATUTORY, 1].due is None
    resumed = event(Kind.CLOCK_RESUMED, "2026-03-18")
    again = shown(clocks(*said, resumed, statutory=5), at("2026-03-18"))
    assert again[N.STATUTORY, 1].state is S.RUNNING
    assert again[N.STATUTORY, 1].used_days == 2
    assert again[N.STATUTORY, 1].due == day("2026-03-23")


def test_a_suspension_on_the_last_day_leaves_the_day_of_the_resumption() -> None:
    said = (
        submitted(MONDAY),
        event(Kind.ACCEPTED, MONDAY),
        event(Kind.CLOCK_SUSPENDED, "2026-03-05"),
        event(Kind.CLOCK_RESUMED, "2026-03-14"),  # a Saturday
    )
    read = shown(clocks(*said), at("2026-03-14"))[N.STATUTORY, 1]
    assert (read.used_days, read.due, read.state) == (3, day("2026-03-16"), S.RUNNING)


def test_a_suspension_that_comes_too_late_does_not_hide_the_delay() -> None:
    said = (
        submitted(MONDAY),
        event(Kind.ACCEPTED, MONDAY),
        event(Kind.CLOCK_SUSPENDED, "2026-03-09"),
    )
    read = shown(clocks(*said), at("2026-04-01"))[N.STATUTORY, 1]
    assert read.state is S.OVERDUE
    assert (read.due, read.late_days) == (day("2026-03-05"), 2)


def test_an_unknown_year_reads_missing_and_nothing_lapses() -> None:
    case = clocks(submitted("2026-12-30"))
    read = shown(case, at("2027-06-01"))
    assert read[N.ACCEPTANCE, 1].due == CalendarMissing(2027)
    assert read[N.ACCEPTANCE, 1].used_days == CalendarMissing(2027)
    assert read[N.ACCEPTANCE, 1].state is S.RUNNING
    assert (N.STATUTORY, 1) not in read
    told = outlook(CALENDAR, case, (), at("2026-12-30", "11:00"))
    assert {(w.clock, w.level) for w in told.due} == {(N.ACCEPTANCE, L.CALENDAR_MISSING)}
    # The day of acknowledgement is still in a known year.
    assert told.late_from_ms == at("2027-01-01", "00:00")


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (0, [(L.OVERDUE, "2026-03-03")]),
        (1, [(L.DAY_BEFORE, "2026-03-03"), (L.OVERDUE, "2026-03-04")]),
        (3, [(L.HALF, "2026-03-05"), (L.DAY_BEFORE, "2026-03-05"), (L.OVERDUE, "2026-03-06")]),
        (
            20,
            [
                (L.HALF, "2026-03-17"),
                (L.THREE_QUARTERS, "2026-03-24"),
                (L.DAY_BEFORE, "2026-03-28"),
                (L.OVERDUE, "2026-03-31"),
            ],
        ),
    ],
)
def test_warnings_fall_due_at_the_end_of_working_days(
    days: int, told: list[tuple[Level, str]]
) -> None:
    case = clocks(submitted(MONDAY), event(Kind.ACCEPTED, MONDAY), promised=None, statutory=days)
    found = outlook(CALENDAR, case, (), at("2026-05-01"))
    statutory = [(w.level, w.at_ms) for w in found.due if w.clock is N.STATUTORY]
    assert statutory == [(level, at(on, "00:00")) for level, on in told]


def test_what_was_kept_is_not_told_again_and_the_next_is_named() -> None:
    case = clocks(submitted(MONDAY), event(Kind.ACCEPTED, MONDAY), promised=None, statutory=20)
    now = at("2026-03-17", "08:00")
    kept = {(w.clock, w.number, w.level) for w in outlook(CALENDAR, case, (), now).due}
    assert (N.STATUTORY, 1, L.HALF) in kept
    again = outlook(CALENDAR, case, kept, now)
    assert again.due == ()
    assert again.next_ms == at("2026-03-24", "00:00")
    assert again.late_from_ms == at("2026-03-31", "00:00")


def test_a_clock_stopped_in_time_warns_of_nothing_more() -> None:
    said = (submitted(MONDAY), event(Kind.ACCEPTED, MONDAY), event(Kind.DECIDED, "2026-03-03"))
    found = outlook(CALENDAR, clocks(*said, statutory=20), (), at("2026-03-04"))
    assert {w.clock for w in found.due} <= {N.PROMISED}
    assert all(w.level is not L.OVERDUE for w in found.due)


def test_a_warning_that_no_one_was_awake_for_is_still_told_after_the_clock_stopped() -> None:
    said = (submitted(MONDAY), event(Kind.ACCEPTED, MONDAY), event(Kind.DECIDED, "2026-03-20"))
    found = outlook(CALENDAR, clocks(*said), (), at("2026-03-21"))
    assert (N.STATUTORY, L.OVERDUE) in {(w.clock, w.level) for w in found.due}


def test_the_lapse_itself_is_told_as_such() -> None:
    found = outlook(CALENDAR, clocks(submitted(MONDAY)), (), at("2026-03-10", "00:00"))
    lapses = [w for w in found.due if w.level is L.DEEMED_ACCEPTED]
    assert [(w.clock, w.at_ms) for w in lapses] == [(N.ACCEPTANCE, at("2026-03-10", "00:00"))]
    assert (N.STATUTORY, L.OVERDUE) in {(w.clock, w.level) for w in found.due}


def test_the_window_holds_the_case_until_it_sends_and_the_road_until_it_arrives() -> None:
    facts = ClockFacts(at(MONDAY, "09:00"), 1, 3)
    gathering = CaseClocks(KEY, UNIT, facts)
    assert shown(gathering, at(MONDAY))[N.WINDOW_INTAKE, 1].state is S.RUNNING
    sent = gathering._replace(pending=(Pending(Kind.SUBMITTED, at("2026-03-03")),))
    on_its_way = shown(sent, at("2026-03-05"))
    assert on_its_way[N.WINDOW_INTAKE, 1].stopped_ms == at("2026-03-03")
    assert on_its_way[N.TRANSIT, 1].state is S.OVERDUE
    assert on_its_way[N.TRANSIT, 1].holder is ORIGIN
    arrived = gathering._replace(
        events=(ClockEvent(Kind.SUBMITTED, ORIGIN, at("2026-03-03"), at("2026-03-05")),)
    )
    read = shown(arrived, at("2026-03-05"))
    assert read[N.TRANSIT, 1].stopped_ms == at("2026-03-05")
    assert read[N.ACKNOWLEDGEMENT, 1].holder is DECIDING


@pytest.mark.parametrize("kind", [Kind.NOT_ACCEPTED, Kind.WITHDRAWN])
def test_an_end_stops_every_clock(kind: Kind) -> None:
    said = (submitted(MONDAY), event(kind, "2026-03-03"), event(Kind.ACCEPTED, "2026-03-04"))
    read = shown(clocks(*said), at("2026-06-01"))
    assert {r.state for r in read.values()} == {S.STOPPED}
    assert (N.STATUTORY, 1) not in read


def test_a_case_closed_without_a_word_stops_its_clocks() -> None:
    facts = ClockFacts(at(MONDAY), 1, 3)
    closed = CaseClocks(KEY, UNIT, facts, closed_at_ms=at("2026-03-04"))
    read = shown(closed, at("2026-06-01"))[N.WINDOW_INTAKE, 1]
    assert (read.state, read.stopped_ms) == (S.STOPPED, at("2026-03-04"))


def test_kinds_that_concern_no_clock_change_none() -> None:
    others = [k for k in Kind if k in (Kind.PING, Kind.JOINT_TASK, Kind.ARCHIVED, Kind.REVIEWED)]
    plain = clocks(submitted(MONDAY))
    more = clocks(submitted(MONDAY), *(event(k, MONDAY) for k in others))
    assert shown(plain, at("2026-03-05")) == shown(more, at("2026-03-05"))
