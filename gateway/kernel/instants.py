"""Instants are integers: milliseconds since 1970-01-01T00:00:00Z."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import NewType

InstantMs = NewType("InstantMs", int)

CHINA_STANDARD_TIME = timezone(timedelta(hours=8), "CST")
"""China has one civil time and no daylight saving."""


def to_iso(instant_ms: int) -> str:
    """Write an instant as RFC 3339 in China Standard Time with milliseconds."""
    at = datetime.fromtimestamp(instant_ms / 1000, tz=CHINA_STANDARD_TIME)
    return at.isoformat(timespec="milliseconds")


def from_datetime(moment: datetime) -> InstantMs:
    """Turn an aware datetime into an instant.

    Raises:
        ValueError: `moment` has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without a zone is not an instant")
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return InstantMs((delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000)


def china_date(instant_ms: int) -> str:
    """Return the civil date in China as `YYYYMMDD`."""
    return datetime.fromtimestamp(instant_ms / 1000, tz=CHINA_STANDARD_TIME).strftime("%Y%m%d")


def china_day(instant_ms: int) -> str:
    """Return the civil date in China as `2021-05-27`, the way forms write dates."""
    return to_iso(instant_ms)[:10]
