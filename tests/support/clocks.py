"""A calendar and a short hand for the clocks of a case."""

from __future__ import annotations

from datetime import date, datetime

from gateway.adapters.calendars.published import PublishedCalendar
from gateway.kernel.case import CaseRole
from gateway.kernel.envelope import Kind
from gateway.kernel.identifiers import CaseId, CaseKey, GatewayId
from gateway.kernel.instants import CHINA_STANDARD_TIME, from_datetime
from gateway.rules.deadlines import (
    CaseClocks,
    ClockEvent,
    ClockFacts,
    ClockName,
    Reading,
    WorkingCalendar,
    readings,
)

CALENDAR = PublishedCalendar().current()
ORIGIN, DECIDING = CaseRole.ORIGIN, CaseRole.DECIDING
KEY = CaseKey(GatewayId("620900"), CaseId(bytes(6) + b"\x70\x00\x80" + bytes(7)))
UNIT = "11620200MB0000000U"


def at(day: str, time: str = "10:00") -> int:
    """Return an instant in China."""
    moment = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=CHINA_STANDARD_TIME)
    return from_datetime(moment)


def event(kind: Kind, day: str, time: str = "10:00", *, sender: CaseRole = DECIDING) -> ClockEvent:
    """Return a message that was said and counted at once."""
    return ClockEvent(kind, sender, at(day, time), at(day, time))


def submitted(day: str, time: str = "10:00") -> ClockEvent:
    """Return the submission."""
    return event(Kind.SUBMITTED, day, time, sender=ORIGIN)


def clocks(*events: ClockEvent, promised: int | None = 1, statutory: int | None = 3) -> CaseClocks:
    """Return the deciding side's clocks of a case after these events."""
    return CaseClocks(KEY, UNIT, ClockFacts(None, promised, statutory), events)


def shown(
    case: CaseClocks, now_ms: int, calendar: WorkingCalendar = CALENDAR
) -> dict[tuple[ClockName, int], Reading]:
    """Return what each clock shows, by name and number."""
    return {(r.name, r.number): r for r in readings(calendar, case, now_ms)}


def day(text: str) -> date:
    """Return a date."""
    return date.fromisoformat(text)
