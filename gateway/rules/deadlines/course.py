"""The clocks of a case, from what was said in it: one pure step for each event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, assert_never

from gateway.kernel.case import CaseRole
from gateway.kernel.envelope import Kind
from gateway.kernel.limits import (
    ACCEPTANCE_DAYS,
    ACKNOWLEDGEMENT_DAYS,
    DELIVERY_DAYS,
    RECTIFICATION_DAYS,
    TRANSIT_DAYS,
    WINDOW_INTAKE_DAYS,
)
from gateway.rules.deadlines.calendar import WorkingCalendar
from gateway.rules.deadlines.timers import ClockName, Run, Timer, late_from_ms

_HANDLING: Final = (ClockName.STATUTORY, ClockName.PROMISED)


class ClockFacts(NamedTuple):
    """What a case froze for its clocks."""

    window_opened_ms: int | None = None
    """When the window began to gather material; None where the other side did."""
    promised_days: int | None = None
    """承诺办结时限 of the item, working days; 0 is at once; None if none is promised."""
    statutory_days: int | None = None
    """法定办结时限 of the item; in a joint case that of joint handling."""
    answer_days: int | None = None
    """For the participating place to answer, where the case is a joint task (协办任务)."""


class ClockEvent(NamedTuple):
    """A message of a case that counts."""

    kind: Kind
    sender: CaseRole
    sent_ms: int
    """When its sender said it."""
    counted_ms: int
    """When it began to count: the deciding side's word when it was said, others' when the
    deciding side took them in."""
    rectify: int = 0
    """Of a review: 1 if it is bad. Of the answer to a bad one: which of them, from 1. Else 0."""


class Pending(NamedTuple):
    """A message of the applicant's side that is on its way and does not count yet."""

    kind: Kind
    said_ms: int
    rectify: int = 0
    """As of `ClockEvent`."""


class Course(NamedTuple):
    """Every clock of a case as of `at_ms`."""

    at_ms: int
    timers: tuple[Timer, ...] = ()
    submitted: bool = False
    accepted: bool = False
    """By word or by lapse of time."""
    closed: bool = False

    def open_of(self, name: ClockName) -> Timer | None:
        """Return the clock of this name that has not stopped."""
        for timer in reversed(self.timers):
            if timer.name is name and timer.stopped_ms is None:
                return timer
        return None


def begin(facts: ClockFacts) -> Course:
    """Return the clocks before anything was said: that of the window, where there is one."""
    opened = facts.window_opened_ms
    if opened is None:
        return Course(0)
    origin = CaseRole.ORIGIN
    return _start(Course(opened), ClockName.WINDOW_INTAKE, origin, WINDOW_INTAKE_DAYS, opened)


def lapse(calendar: WorkingCalendar, facts: ClockFacts, course: Course, now_ms: int) -> Course:
    """Return the clocks after time alone has passed, up to `now_ms`.

    An application on which nothing was said in five working days counts as accepted from the day
    its material was received (行政许可法 art. 32), so the limits start then, in the past. Under a
    calendar that does not know the year nothing lapses.
    """
    now_ms = max(course.at_ms, now_ms)
    decision = course.open_of(ClockName.ACCEPTANCE)
    lapses = None if decision is None else late_from_ms(calendar, decision)
    if decision is not None and lapses is not None and lapses <= now_ms:
        course = _stop(course, lapses, (ClockName.ACCEPTANCE,))
        if not course.accepted:
            course = _accept(facts, course, decision.runs[0].start_ms, deemed=True)
    return course._replace(at_ms=now_ms)


def step(calendar: WorkingCalendar, facts: ClockFacts, course: Course, event: ClockEvent) -> Course:
    """Return the clocks after an event. Never raises; what does not fit changes no clock.

    Time never runs back: an event that counts before the last one counts with it. Whether the
    sender may say it is *not* checked; the case's own rules do.
    """
    course = lapse(calendar, facts, course, event.counted_ms)
    if course.closed and event.kind is not Kind.REVIEWED:
        return course
    at_ms = course.at_ms
    match event.kind:
        case Kind.SUBMITTED:
            return _received(course, event, first=True)
        case Kind.MATERIALS_SUPPLIED:
            return _received(course, event, first=False)
        case Kind.ACKNOWLEDGED:
            return _stop(course, at_ms, (ClockName.ACKNOWLEDGEMENT,))
        case Kind.MATERIALS_REQUESTED:
            return _requested(course)
        case Kind.ACCEPTED:
            return _accepted(facts, course)
        case Kind.JOINT_TASK:
            return _asked(facts, course, event.sent_ms)
        case Kind.NOT_ACCEPTED | Kind.WITHDRAWN | Kind.JOINT_ANSWER:
            return _stop(course, at_ms)._replace(closed=True)
        case Kind.CLOCK_SUSPENDED:
            return _each(course, _HANDLING, lambda t: t.suspend(at_ms))
        case Kind.CLOCK_RESUMED:
            return _each(course, _HANDLING, lambda t: t.resume(at_ms))
        case Kind.DECIDED:
            return _decided(course)
        case Kind.DELIVERED:
            said = _said(event, course) if event.sender is CaseRole.ORIGIN else at_ms
            return _stop(course, said)._replace(closed=True)
        case Kind.REVIEWED:
            return _reviewed(course, event)
        case (
            Kind.ARCHIVED
            | Kind.PARCEL_MOVED
            | Kind.LICENCE_STATUS_CHANGED
            | Kind.LICENCE_QUERY
            | Kind.LICENCE_ANSWER
            | Kind.CATALOGUE_CHANGED
            | Kind.AGREEMENT_PROPOSED
            | Kind.AGREEMENT_ACCEPTED
            | Kind.AGREEMENT_REJECTED
            | Kind.AGREEMENT_REVOKED
            | Kind.KEY_ANNOUNCED
            | Kind.PING
        ):
            return course
        case _ as never:
            assert_never(never)


def send(facts: ClockFacts, course: Course, pending: Pending) -> Course:
    """Return the clocks while a message of the applicant's side, or a task, is on its way."""
    if pending.kind is Kind.JOINT_TASK:
        return _asked(facts, course, pending.said_ms)
    if course.closed or pending.kind not in _MATERIAL:
        return course
    if (pending.kind is Kind.SUBMITTED) is course.submitted:
        return course
    said = max(course.at_ms, pending.said_ms)
    course = _stop(course, said, _MATERIAL[pending.kind])
    return _start(course, ClockName.TRANSIT, CaseRole.ORIGIN, TRANSIT_DAYS, said)


_MATERIAL: Final = {
    Kind.SUBMITTED: (ClockName.WINDOW_INTAKE,),
    Kind.MATERIALS_SUPPLIED: (ClockName.CORRECTION,),
}
"""Kinds that bring material, and whose clock they stop."""


def close(course: Course, at_ms: int) -> Course:
    """Return the clocks of a case that ended without a message that says so (退件, 撤回)."""
    return _stop(course, max(course.at_ms, at_ms))._replace(closed=True)


def course_of(
    calendar: WorkingCalendar,
    facts: ClockFacts,
    events: Sequence[ClockEvent],
    pending: Sequence[Pending],
    closed_at_ms: int | None,
    now_ms: int,
) -> Course:
    """Return every clock of a case as of `now_ms`, from the beginning."""
    course = begin(facts)
    for event in events:
        course = step(calendar, facts, course, event)
    for one in pending:
        course = send(facts, course, one)
    if closed_at_ms is not None and not course.closed:
        course = close(lapse(calendar, facts, course, closed_at_ms), closed_at_ms)
    return lapse(calendar, facts, course, now_ms)


def _received(course: Course, event: ClockEvent, *, first: bool) -> Course:
    """Material was taken in by the deciding side: its decision clock starts (anew)."""
    if first is course.submitted:
        return course
    at_ms, deciding = course.at_ms, CaseRole.DECIDING
    said = _said(event, course)
    course = _stop(course, said, _MATERIAL[event.kind])
    course = _start(course, ClockName.TRANSIT, CaseRole.ORIGIN, TRANSIT_DAYS, said)
    course = _stop(course, at_ms, (ClockName.TRANSIT,))
    if first:
        course = _start(course, ClockName.ACKNOWLEDGEMENT, deciding, ACKNOWLEDGEMENT_DAYS, at_ms)
    if not course.accepted and course.open_of(ClockName.ACCEPTANCE) is None:
        course = _start(course, ClockName.ACCEPTANCE, deciding, ACCEPTANCE_DAYS, at_ms)
    return course._replace(submitted=True)


def _asked(facts: ClockFacts, course: Course, said_ms: int) -> Course:
    """A joint task was given: its time counts from when it was said.

    So it ends for both sides on the day that the task names.
    """
    days = facts.answer_days
    if days is None or course.closed or course.open_of(ClockName.ANSWER) is not None:
        return course
    holder = CaseRole.PARTICIPATING
    return _start(course, ClockName.ANSWER, holder, days, min(said_ms, course.at_ms or said_ms))


def _reviewed(course: Course, event: ClockEvent) -> Course:
    """A bad review is to be put right in fifteen working days; its own answer stops its clock.

    People speak of a service after its case is closed, so this clock runs on closed cases.
    """
    if not event.rectify:
        return course
    if event.sender is CaseRole.ORIGIN:
        deciding = CaseRole.DECIDING
        return _start(course, ClockName.RECTIFICATION, deciding, RECTIFICATION_DAYS, course.at_ms)

    def answered(timer: Timer) -> Timer:
        its = timer.number == event.rectify
        return timer.stop(max(course.at_ms, timer.runs[-1].start_ms)) if its else timer

    return _each(course, (ClockName.RECTIFICATION,), answered)


def unanswered(events: Iterable[ClockEvent]) -> bool:
    """Tell whether a bad review still waits for its answer."""
    said = [event for event in events if event.kind is Kind.REVIEWED and event.rectify]
    bad = sum(event.sender is CaseRole.ORIGIN for event in said)
    return bad > len({e.rectify for e in said if e.sender is CaseRole.DECIDING})


def _said(event: ClockEvent, course: Course) -> int:
    """Return when its sender said it: the two sides' clocks may differ, time must not."""
    return min(event.sent_ms, course.at_ms)


def _requested(course: Course) -> Course:
    """补正: everything missing was told; until it is supplied the applicant holds the case.

    After acceptance, by word or by lapse, the limits go on running.
    """
    if not course.submitted:
        return course
    course = _stop(course, course.at_ms, (ClockName.ACKNOWLEDGEMENT, ClockName.ACCEPTANCE))
    if course.open_of(ClockName.CORRECTION) is not None:
        return course
    return _start(course, ClockName.CORRECTION, CaseRole.ORIGIN, None, course.at_ms)


def _accepted(facts: ClockFacts, course: Course) -> Course:
    before = (ClockName.ACKNOWLEDGEMENT, ClockName.ACCEPTANCE, ClockName.CORRECTION)
    course = _stop(course, course.at_ms, before)
    if course.accepted or not course.submitted:
        return course
    return _accept(facts, course, course.at_ms, deemed=False)


def _accept(facts: ClockFacts, course: Course, from_ms: int, *, deemed: bool) -> Course:
    limits = (facts.statutory_days, facts.promised_days)
    for name, days in zip(_HANDLING, limits, strict=True):
        if days is not None:
            course = _start(course, name, CaseRole.DECIDING, days, from_ms, deemed=deemed)
    return course._replace(accepted=True)


def _decided(course: Course) -> Course:
    if not course.submitted:
        return course
    going_on = (ClockName.DELIVERY, ClockName.RECTIFICATION)
    before = [timer.name for timer in course.timers if timer.name not in going_on]
    course = _stop(course, course.at_ms, before)
    if course.open_of(ClockName.DELIVERY) is not None:
        return course
    return _start(course, ClockName.DELIVERY, CaseRole.ORIGIN, DELIVERY_DAYS, course.at_ms)


def _start(
    course: Course,
    name: ClockName,
    holder: CaseRole,
    days: int | None,
    at_ms: int,
    *,
    deemed: bool = False,
) -> Course:
    number = 1 + sum(timer.name is name for timer in course.timers)
    timer = Timer(name, number, holder, days, (Run(at_ms),), deemed=deemed)
    return course._replace(timers=(*course.timers, timer))


def _stop(course: Course, at_ms: int, names: Iterable[ClockName] | None = None) -> Course:
    """Stop the clocks of these names, or all; none before its last start."""

    def stop(timer: Timer) -> Timer:
        return timer.stop(max(at_ms, timer.runs[-1].start_ms))

    return _each(course, names, stop)


def _each(
    course: Course, names: Iterable[ClockName] | None, change: Callable[[Timer], Timer]
) -> Course:
    chosen = None if names is None else frozenset(names)
    changed = tuple(change(t) if chosen is None or t.name in chosen else t for t in course.timers)
    return course._replace(timers=changed)
