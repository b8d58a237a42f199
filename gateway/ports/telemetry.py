"""What the gateway tells its operators while it runs."""

from __future__ import annotations

from typing import Protocol


class EventLog(Protocol):
    """Takes events. MUST NOT block for long, and MUST NOT raise: no exchange fails for a log line.

    An implementation lets through only field names it knows to be harmless and withholds the rest,
    so a caller that passes a name, a form value or a token leaks nothing. Callers MUST NOT rely on
    that: fields are ids, codes, counts and durations.
    """

    def event(self, name: str, /, **fields: str | int | float) -> None:
        """Record that `name` (fixed text such as `jwks_renewed`) happened.

        A field `error` (the type of an exception) makes it a warning.
        """
        ...
