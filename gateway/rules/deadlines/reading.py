"""What the clocks of a case show at an instant, and what they will tell next."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.kernel.case import CaseRole
from gateway.kernel.identifiers import CaseKey
from gateway.rules.deadlines.calendar import (
    CalendarMissing,
    WorkingCalendar,
    china_day,
    days_between,
)
from gateway.rules.deadlines.course import (
    ClockEvent,
    ClockFacts,
    Course,
    Pending,
    course_of,
)
from gateway.rules.deadlines.timers import (
    ClockName,
    ClockWarning,
    Level,
    Timer,
    due_of,
    late_from_ms,
    used_days,
    warnings_of,
)


class ClockState(StrEnum):
    """How a clock stands."""

    RUNNING = "running"
    SUSPENDED = "suspended"  # 中止, 特别程序
    STOPPED = "stopped"
    OVERDUE = "overdue"  # 超期


class CaseClocks(NamedTuple):
    """All that the clocks of one case follow from; the clocks themselves are recomputed."""

    key: CaseKey
    unit: str
    """Credit code of our own unit whose tokens see the case."""
    facts: ClockFacts
    events: tuple[ClockEvent, ...] = ()
    pending: tuple[Pending, ...] = ()
    closed_at_ms: int | None = None
    """When the case was closed at this side; None while it is open."""


class Reading(NamedTuple):
    """One clock as of an instant."""

    name: ClockName
    number: int
    holder: CaseRole
    state: ClockState
    started_ms: int
    stopped_ms: int | None
    limit_days: int | None
    due: date | CalendarMissing | None
    """The last day; None without a limit and while suspended."""
    used_days: int | CalendarMissing
    late_from_ms: int | None
    """From when it is or was overdue; to come while it runs in time."""
    late_days: int
    """Working days begun since the last day, and at least 1 once it is over: on rest days that
    follow it at once, and where the calendar does not tell (`used_days` says that it is missing).
    """
    deemed: bool


def read_timer(calendar: WorkingCalendar, timer: Timer, now_ms: int) -> Reading:
    """Return what a clock shows at `now_ms`."""
    used, late_ms = used_days(calendar, timer, now_ms), late_from_ms(calendar, timer)
    was_late = late_ms is not None and late_ms <= now_ms
    late_days = 0
    if was_late:
        late_days = 1
        if isinstance(used, int) and timer.limit_days is not None:
            late_days = max(1, used - timer.limit_days)
    if timer.stopped_ms is not None:
        state = ClockState.STOPPED
    elif was_late:
        state = ClockState.OVERDUE
    else:
        state = ClockState.RUNNING if timer.running else ClockState.SUSPENDED
    return Reading(
        timer.name,
        timer.number,
        timer.holder,
        state,
        timer.runs[0].start_ms,
        timer.stopped_ms,
        timer.limit_days,
        due_of(calendar, timer),
        used,
        late_ms,
        late_days,
        timer.deemed,
    )


def course(calendar: WorkingCalendar, clocks: CaseClocks, now_ms: int) -> Course:
    """Return every clock of a case as of `now_ms`."""
    facts, events, pending = clocks.facts, clocks.events, clocks.pending
    return course_of(calendar, facts, events, pending, clocks.closed_at_ms, now_ms)


def readings(calendar: WorkingCalendar, clocks: CaseClocks, now_ms: int) -> tuple[Reading, ...]:
    """Return what every clock of a case shows at `now_ms`, in the order they were started."""
    now = course(calendar, clocks, now_ms)
    return tuple(read_timer(calendar, timer, now.at_ms) for timer in now.timers)


class Holding(NamedTuple):
    """How long one side has held a case: its stretches together, suspended time included."""

    holder: CaseRole
    days: int | CalendarMissing
    """Working days begun."""
    since_ms: int | None
    """When its last stretch began, if it goes on; None if the side does not hold the case."""


def holdings(calendar: WorkingCalendar, clocks: CaseClocks, now_ms: int) -> tuple[Holding, ...]:
    """Return how long each side has held a case, the side that opened it first.

    A side holds a case while a clock of its own is open; both do while a correction is asked for
    although the limits run already.
    """
    now = course(calendar, clocks, now_ms)
    task = any(timer.name is ClockName.ANSWER for timer in now.timers)
    opened = CaseRole.ASKING if task else CaseRole.ORIGIN
    return tuple(
        _holding(calendar, [t for t in now.timers if t.holder is role], role, now.at_ms)
        for role in (opened, opened.counterpart)
    )


def _holding(
    calendar: WorkingCalendar, timers: Iterable[Timer], role: CaseRole, now_ms: int
) -> Holding:
    stretches: list[tuple[int, int, bool]] = []
    for timer in sorted(timers, key=lambda t: t.runs[0].start_ms):
        start_ms, is_open = timer.runs[0].start_ms, timer.stopped_ms is None
        end_ms = now_ms if timer.stopped_ms is None else timer.stopped_ms
        if stretches and start_ms <= stretches[-1][1]:
            begun, ended, was_open = stretches[-1]
            stretches[-1] = begun, max(ended, end_ms), was_open or is_open
        else:
            stretches.append((start_ms, end_ms, is_open))
    since_ms = stretches[-1][0] if stretches and stretches[-1][2] else None
    days = 0
    for begun, ended, _ in stretches:
        ran = days_between(calendar, china_day(begun), china_day(ended))
        if isinstance(ran, CalendarMissing):
            return Holding(role, ran, since_ms)
        days += ran
    return Holding(role, days, since_ms)


class Outlook(NamedTuple):
    """What is to be told of a case, and when to look again."""

    due: tuple[ClockWarning, ...]
    """Fallen due and not kept yet, in order of time."""
    next_ms: int | None
    """When the next one falls due; None if nothing will by time alone."""
    late_from_ms: int | None
    """From when an open clock of the case is overdue, the earliest; may be to come."""


def outlook(
    calendar: WorkingCalendar,
    clocks: CaseClocks,
    kept: Collection[tuple[ClockName, int, Level]],
    now_ms: int,
) -> Outlook:
    """Compare what the clocks of a case tell with what was kept already."""
    return outlook_of(calendar, course(calendar, clocks, now_ms), kept)


def outlook_of(
    calendar: WorkingCalendar, now: Course, kept: Collection[tuple[ClockName, int, Level]]
) -> Outlook:
    """Compare what the clocks of a case tell by now with what was kept already."""
    told: list[ClockWarning] = []
    late: list[int] = []
    for timer in now.timers:
        warnings = warnings_of(calendar, timer, now.at_ms)
        told += [w for w in warnings if (w.clock, w.number, w.level) not in kept]
        if timer.stopped_ms is None:
            late += [w.at_ms for w in warnings if w.level in _LATE]
    due = sorted((w for w in told if w.at_ms <= now.at_ms), key=lambda w: w.at_ms)
    next_ms = min((w.at_ms for w in told if w.at_ms > now.at_ms), default=None)
    return Outlook(tuple(due), next_ms, min(late, default=None))


_LATE: Final = (Level.OVERDUE, Level.DEEMED_ACCEPTED)


def unknown_years(calendar: WorkingCalendar, clocks: CaseClocks, now_ms: int) -> set[int]:
    """Return the years that are in the way of an open clock of a case."""
    now = course(calendar, clocks, now_ms)
    due = [due_of(calendar, timer) for timer in now.timers if timer.stopped_ms is None]
    return {day.year for day in due if isinstance(day, CalendarMissing)}
