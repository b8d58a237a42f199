"""Deadlines (时限): working days, the clocks of a case, and what they warn of."""

from gateway.rules.deadlines.calendar import (
    CalendarMissing,
    CalendarYear,
    WorkingCalendar,
    china_day,
    contradictions,
    days_between,
    due_day,
    end_of,
)
from gateway.rules.deadlines.course import ClockEvent, ClockFacts, Course, Pending, unanswered
from gateway.rules.deadlines.following import follow
from gateway.rules.deadlines.polling import Polling, polling
from gateway.rules.deadlines.reading import (
    CaseClocks,
    ClockState,
    Holding,
    Outlook,
    Reading,
    holdings,
    outlook,
    readings,
    unknown_years,
)
from gateway.rules.deadlines.timers import ClockName, ClockWarning, Level, Run, Timer

__all__ = [
    "CalendarMissing",
    "CalendarYear",
    "CaseClocks",
    "ClockEvent",
    "ClockFacts",
    "ClockName",
    "ClockState",
    "ClockWarning",
    "Course",
    "Holding",
    "Level",
    "Outlook",
    "Pending",
    "Polling",
    "Reading",
    "Run",
    "Timer",
    "WorkingCalendar",
    "china_day",
    "contradictions",
    "days_between",
    "due_day",
    "end_of",
    "follow",
    "holdings",
    "outlook",
    "polling",
    "readings",
    "unanswered",
    "unknown_years",
]
