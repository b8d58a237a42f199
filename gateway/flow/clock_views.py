"""Clocks as portals, business systems and operators see them: JSON-ready."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from gateway.flow.views import case_view
from gateway.kernel.case import CaseRecord, CaseRole
from gateway.kernel.identifiers import CaseId, CaseKey, GatewayId, parse_uuid7, uuid_text
from gateway.kernel.instants import to_iso
from gateway.ports.journal import Snapshot
from gateway.ports.journal_clocks import FIRST_PAGE, ClockKept, KeptClocks, LatePlace
from gateway.rules.deadlines import (
    CalendarMissing,
    ClockName,
    ClockState,
    Reading,
    WorkingCalendar,
    holdings,
    readings,
)

CLOCK_ZH = {
    ClockName.WINDOW_INTAKE: "收件",
    ClockName.TRANSIT: "流转",
    ClockName.ACKNOWLEDGEMENT: "签收",
    ClockName.ACCEPTANCE: "受理决定",
    ClockName.CORRECTION: "补正",
    ClockName.STATUTORY: "法定办结时限",
    ClockName.PROMISED: "承诺办结时限",
    ClockName.DELIVERY: "送达",
    ClockName.ANSWER: "协办答复",
    ClockName.RECTIFICATION: "差评整改",
}
CALENDAR_MISSING = "calendar_missing"
"""What a day or a number of days reads that needs a year no one has published yet."""


def sides_of(case: CaseRecord, home: str) -> dict[CaseRole, str]:
    """Return which gateway is which side of a case."""
    return {case.role: home, case.role.counterpart: case.counterpart}


def clock_view(reading: Reading, sides: dict[CaseRole, str]) -> dict[str, object]:
    """Show one clock. Days are working days; `due` is the last of them."""
    return {
        "clock": reading.name.value,
        "clock_zh": CLOCK_ZH[reading.name],
        "number": reading.number,
        "held_by": sides[reading.holder],
        "state": reading.state.value,
        "started_at": to_iso(reading.started_ms),
        "stopped_at": None if reading.stopped_ms is None else to_iso(reading.stopped_ms),
        "limit_days": reading.limit_days,
        "used_days": _days(reading.used_days),
        "due": _day(reading.due),
        "late_days": reading.late_days,
        "deemed_accepted": reading.deemed,
    }


def _days(days: int | CalendarMissing) -> int | str:
    return CALENDAR_MISSING if isinstance(days, CalendarMissing) else days


def _day(day: date | CalendarMissing | None) -> str | None:
    if day is None:
        return None
    return day.isoformat() if isinstance(day, date) else CALENDAR_MISSING


def told_view(kept: ClockKept, sides: dict[CaseRole, str]) -> dict[str, object]:
    """Show what a clock has told."""
    warning = kept.warning
    return {
        "clock": warning.clock.value,
        "number": warning.number,
        "told": warning.level.value,
        "held_by": sides[warning.holder],
        "at": to_iso(warning.at_ms),
        "kept_at": to_iso(kept.kept_at_ms),
    }


def clocks_view(
    snapshot: Snapshot, case: CaseRecord, home: str, calendar: WorkingCalendar, now_ms: int
) -> dict[str, object]:
    """Show every clock of a case as of `now_ms`, who held it how long, what the clocks told."""
    kept = snapshot.clocks([case.key]).get(case.key)
    if kept is None:
        return {"clocks": [], "held": [], "told": []}
    sides = sides_of(case, home)
    return {
        "clocks": [clock_view(r, sides) for r in readings(calendar, kept.clocks, now_ms)],
        "held": _held(kept, sides, calendar, now_ms),
        "told": [told_view(event, sides) for event in snapshot.clock_events(case.key)],
    }


def _held(
    kept: KeptClocks, sides: dict[CaseRole, str], calendar: WorkingCalendar, now_ms: int
) -> list[dict[str, object]]:
    return [
        {
            "gateway": sides[h.holder],
            "days": _days(h.days),
            "since": None if h.since_ms is None else to_iso(h.since_ms),
        }
        for h in holdings(calendar, kept.clocks, now_ms)
    ]


def overdue_views(
    snapshot: Snapshot,
    unit: str | None,
    home: str,
    calendar: WorkingCalendar,
    now_ms: int,
    *,
    limit: int,
    after: LatePlace = FIRST_PAGE,
) -> tuple[list[dict[str, object]], LatePlace | None]:
    """Return overdue cases, the longest first, and where the next page begins; None if nowhere."""
    page = snapshot.clocks_late(unit, now_ms, limit=limit, after=after)
    cases = snapshot.cases([kept.clocks.key for kept in page])
    views = [_overdue_view(cases[kept.clocks.key], kept, home, calendar, now_ms) for kept in page]
    if len(page) < limit or page[-1].late_from_ms is None:
        return views, None
    return views, LatePlace(page[-1].late_from_ms, *page[-1].clocks.key)


def rectification_views(
    snapshot: Snapshot,
    unit: str,
    home: str,
    calendar: WorkingCalendar,
    now_ms: int,
    *,
    limit: int,
) -> list[dict[str, object]]:
    """Return cases with bad reviews (差评) that wait for their answer, and the clocks of those."""
    page = snapshot.clocks_to_rectify(unit, limit)
    cases = snapshot.cases([kept.clocks.key for kept in page])
    views = []
    for kept in page:
        case = cases[kept.clocks.key]
        sides = sides_of(case, home)
        open_ = [
            clock_view(reading, sides)
            for reading in readings(calendar, kept.clocks, now_ms)
            if reading.name is ClockName.RECTIFICATION and reading.stopped_ms is None
        ]
        views.append({**_head(case, home), "clocks": open_})
    return views


def _head(case: CaseRecord, home: str) -> dict[str, object]:
    whole = case_view(case, home)
    named = ("case_id", "origin", "deciding", "role", "unit", "stage", "stage_zh", "held_by")
    more = ("item_code", "case_numbers")
    return {name: whole[name] for name in (*named, *more)}


def _overdue_view(
    case: CaseRecord, kept: KeptClocks, home: str, calendar: WorkingCalendar, now_ms: int
) -> dict[str, object]:
    sides = sides_of(case, home)
    late = [
        reading
        for reading in readings(calendar, kept.clocks, now_ms)
        if reading.state is ClockState.OVERDUE
    ]
    return {
        **_head(case, home),
        "overdue_since": None if kept.late_from_ms is None else to_iso(kept.late_from_ms),
        "late_days": max((reading.late_days for reading in late), default=0),
        "clocks": [clock_view(reading, sides) for reading in late],
        "held": _held(kept, sides, calendar, now_ms),
    }


def cursor_text(place: LatePlace | None) -> str:
    """Write where a page begins, for a query or a command line; empty for nowhere."""
    if place is None:
        return ""
    return f"{place.late_from_ms}.{place.origin}.{uuid_text(place.case_id)}"


def cursor_of(text: str) -> LatePlace | None:
    """Read what `cursor_text` wrote; None if it is none."""
    if not text:
        return FIRST_PAGE
    parts: Sequence[str] = text.split(".")
    if len(parts) != 3 or not (parts[0].isascii() and parts[0].isdigit() and len(parts[0]) < 16):
        return None
    case_id = parse_uuid7(parts[2])
    if case_id is None:
        return None
    key = CaseKey(GatewayId(parts[1]), CaseId(case_id))
    return LatePlace(int(parts[0]), *key)
