"""When to look at a case again: what is stored so that no one need count every case."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from gateway.kernel.limits import CLOCK_CACHE_MAX
from gateway.rules.deadlines.calendar import WorkingCalendar, start_of_day
from gateway.rules.deadlines.course import ClockEvent, ClockFacts, Pending, course_of
from gateway.rules.deadlines.reading import CaseClocks, outlook_of
from gateway.rules.deadlines.timers import ClockName, Level


class Polling(NamedTuple):
    """Instants in Unix ms."""

    next_ms: int | None
    """When something is to be told next; passed if it is to be told still; None if never."""
    late_from_ms: int | None
    """From when an open clock is overdue, passed or to come; None if none will be."""


def polling(
    calendar: WorkingCalendar,
    clocks: CaseClocks,
    told: frozenset[tuple[ClockName, int, Level]],
    now_ms: int,
) -> Polling:
    """Return when to look at a case again.

    Clocks count days and tell things at the ends of days, so this hangs on the days of what was
    said and not on the hours. Thousands of cases that went alike on the same days are counted once.
    """
    facts = clocks.facts
    return _polling(
        calendar,
        facts._replace(window_opened_ms=_day(facts.window_opened_ms)),
        tuple(
            event._replace(
                sent_ms=start_of_day(event.sent_ms), counted_ms=start_of_day(event.counted_ms)
            )
            for event in clocks.events
        ),
        tuple(p._replace(said_ms=start_of_day(p.said_ms)) for p in clocks.pending),
        _day(clocks.closed_at_ms),
        told,
        start_of_day(now_ms),
    )


@lru_cache(maxsize=CLOCK_CACHE_MAX)
def _polling(
    calendar: WorkingCalendar,
    facts: ClockFacts,
    events: tuple[ClockEvent, ...],
    pending: tuple[Pending, ...],
    closed_at_ms: int | None,
    told: frozenset[tuple[ClockName, int, Level]],
    now_ms: int,
) -> Polling:
    now = course_of(calendar, facts, events, pending, closed_at_ms, now_ms)
    found = outlook_of(calendar, now, told)
    return Polling(found.due[0].at_ms if found.due else found.next_ms, found.late_from_ms)


def _day(instant_ms: int | None) -> int | None:
    return None if instant_ms is None else start_of_day(instant_ms)
