"""Which days are worked."""

from __future__ import annotations

from typing import Protocol

from gateway.rules.deadlines import WorkingCalendar


class CalendarSource(Protocol):
    """Holds the working-day calendar. `current` MUST be cheap and MUST NOT block.

    A year that was not published MUST be absent, never filled in by a pattern.
    """

    def current(self) -> WorkingCalendar:
        """Return the calendar as of now; callers keep one for the whole of a decision."""
        ...
