"""When somebody is told that a key runs out."""

from __future__ import annotations

from typing import Final

WARN_DAYS: Final = (60, 30, 14, 7)
"""Whole days before the end; a certificate takes an office weeks to get."""
_DAY_MS: Final = 86_400_000


def days_left(not_after_ms: int, now_ms: int) -> int:
    """Return whole days until a key's end; below 0 it is over."""
    return (not_after_ms - now_ms) // _DAY_MS


def warning(not_after_ms: int, now_ms: int) -> int:
    """Return the threshold that was crossed last: 60, 30, 14, 7, 0 (it is over); -1 if none."""
    left_ms = not_after_ms - now_ms
    if left_ms <= 0:
        return 0
    crossed = [days for days in WARN_DAYS if left_ms <= days * _DAY_MS]
    return min(crossed, default=-1)
