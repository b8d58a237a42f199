"""One clock: when it runs, what it has used of its limit, when it is due and when it warns."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.kernel.case import CaseRole
from gateway.rules.deadlines.calendar import (
    CalendarMissing,
    WorkingCalendar,
    china_day,
    days_between,
    due_day,
    end_of,
)


class ClockName(StrEnum):
    """What is measured."""

    WINDOW_INTAKE = "intake"  # 收件
    TRANSIT = "transit"  # 流转
    ACKNOWLEDGEMENT = "acknowledgement"  # 签收
    ACCEPTANCE = "acceptance"  # 受理决定
    CORRECTION = "correction"  # 补正
    STATUTORY = "statutory"  # 法定时限
    PROMISED = "promised"  # 承诺时限
    DELIVERY = "delivery"  # 送达
    ANSWER = "answer"  # 协办答复
    RECTIFICATION = "rectification"  # 差评整改


class Level(StrEnum):
    """What a clock tells, each at most once."""

    HALF = "half"
    THREE_QUARTERS = "three_quarters"
    DAY_BEFORE = "day_before"
    OVERDUE = "overdue"  # 超期
    DEEMED_ACCEPTED = "deemed_accepted"  # 逾期不告知的，自收到申请材料之日起即为受理
    CALENDAR_MISSING = "calendar_missing"


class Run(NamedTuple):
    """A stretch of time in which a clock runs; `end_ms` is None while it does."""

    start_ms: int
    end_ms: int | None = None


class Timer(NamedTuple):
    """A clock of one case. Immutable: each step makes the next."""

    name: ClockName
    number: int
    """1 for the first of this name in the case; a second correction has a second clock."""
    holder: CaseRole
    """Whose time it is."""
    limit_days: int | None
    """Working days; None where no rule sets a limit."""
    runs: tuple[Run, ...]
    stopped_ms: int | None = None
    deemed: bool = False
    """Started because the acceptance decision was not made in time (视为受理)."""

    @property
    def running(self) -> bool:
        """Whether time passes on it."""
        return self.stopped_ms is None and self.runs[-1].end_ms is None

    def suspend(self, at_ms: int) -> Timer:
        """Return it with its time standing still from `at_ms`; as it is if it does not run."""
        if not self.running:
            return self
        last = self.runs[-1]
        return self._replace(runs=(*self.runs[:-1], last._replace(end_ms=at_ms)))

    def resume(self, at_ms: int) -> Timer:
        """Return it running again; as it is if it runs or was stopped."""
        if self.running or self.stopped_ms is not None:
            return self
        return self._replace(runs=(*self.runs, Run(at_ms)))

    def stop(self, at_ms: int) -> Timer:
        """Return it stopped for good; as it is if it was stopped before."""
        if self.stopped_ms is not None:
            return self
        return self.suspend(at_ms)._replace(stopped_ms=at_ms)


def used_days(calendar: WorkingCalendar, timer: Timer, now_ms: int) -> int | CalendarMissing:
    """Count the working days a clock has used by `now_ms`, each once it has begun.

    The day of the start is not counted, nor that of a resumption; that of a suspension is.
    """
    used = 0
    for run in timer.runs:
        end_ms = max(run.start_ms, now_ms) if run.end_ms is None else run.end_ms
        ran = days_between(calendar, china_day(run.start_ms), china_day(end_ms))
        if isinstance(ran, CalendarMissing):
            return ran
        used += ran
    return used


def _crossing(
    calendar: WorkingCalendar, timer: Timer, days: int
) -> tuple[date | CalendarMissing | None, bool]:
    """Return the day at whose end `days` are used up, and whether the clock ran to that end.

    The day is None while the clock stands before it.
    """
    used = 0
    for run in timer.runs:
        due = due_day(calendar, china_day(run.start_ms), days - used)
        if run.end_ms is None:
            return due, not isinstance(due, CalendarMissing)
        ran = days_between(calendar, china_day(run.start_ms), china_day(run.end_ms))
        if isinstance(ran, CalendarMissing):
            return ran, False
        if not isinstance(due, CalendarMissing) and end_of(due) <= run.end_ms:
            return due, True
        if run is timer.runs[-1] and run.end_ms == timer.stopped_ms:
            return due, False
        used += ran
    return None, False


def due_of(calendar: WorkingCalendar, timer: Timer) -> date | CalendarMissing | None:
    """Return the last day of a clock; None without a limit, and while it is suspended."""
    if timer.limit_days is None:
        return None
    return _crossing(calendar, timer, timer.limit_days)[0]


def crosses_ms(calendar: WorkingCalendar, timer: Timer, days: int) -> int | None:
    """Return when `days` are used up, passed or to come; None if the clock stands before that."""
    day, ran = _crossing(calendar, timer, days)
    return end_of(day) if ran and isinstance(day, date) else None


def late_from_ms(calendar: WorkingCalendar, timer: Timer) -> int | None:
    """Return from when a clock is overdue: the end of its last day."""
    return None if timer.limit_days is None else crosses_ms(calendar, timer, timer.limit_days)


class ClockWarning(NamedTuple):
    """Something a clock tells, and the instant at which it falls due."""

    clock: ClockName
    number: int
    level: Level
    holder: CaseRole
    at_ms: int


_LEVELS: Final = (Level.HALF, Level.THREE_QUARTERS, Level.DAY_BEFORE, Level.OVERDUE)


def _threshold(level: Level, limit: int) -> int:
    """Return after how many used days a level falls due; negative if it never does."""
    match level:
        case Level.HALF:
            days = -(-limit // 2)
            return days if days < limit else -1
        case Level.THREE_QUARTERS:
            days = -(-3 * limit // 4)
            return days if days < limit else -1
        case Level.DAY_BEFORE:
            return limit - 1
        case Level.OVERDUE | Level.DEEMED_ACCEPTED | Level.CALENDAR_MISSING:
            return limit


def warnings_of(calendar: WorkingCalendar, timer: Timer, now_ms: int) -> list[ClockWarning]:
    """Return what a clock tells as it stands, passed and to come, in order of time.

    Each falls due at the end of a working day (24:00 in China). A year that is not known is told
    as of `now_ms`, once it is in the way of a clock that has not stopped.
    """
    if timer.limit_days is None or _ended_at_once(timer):
        return []
    found = []
    late = False
    for level in _LEVELS:
        days = _threshold(level, timer.limit_days)
        at_ms = crosses_ms(calendar, timer, days) if days >= 0 else None
        if at_ms is not None:
            late = late or level is Level.OVERDUE
            if level is Level.OVERDUE and timer.name is ClockName.ACCEPTANCE:
                level = Level.DEEMED_ACCEPTED  # noqa: PLW2901
            found.append(ClockWarning(timer.name, timer.number, level, timer.holder, at_ms))
    if late or timer.stopped_ms is not None:
        return sorted(found, key=_instant)
    if isinstance(due_of(calendar, timer), CalendarMissing):
        missing = Level.CALENDAR_MISSING
        found.append(ClockWarning(timer.name, timer.number, missing, timer.holder, now_ms))
    return sorted(found, key=_instant)


def _ended_at_once(timer: Timer) -> bool:
    """Tell whether a clock stopped on the day it started: no day ended while it ran."""
    if timer.stopped_ms is None:
        return False
    return timer.stopped_ms < end_of(china_day(timer.runs[0].start_ms))


def _instant(warning: ClockWarning) -> int:
    return warning.at_ms
