"""A clock that can be moved forward while gateways run: for a deadline that a demo cannot wait for.

A gateway in demo mode follows it if the file is in its state folder when it starts; no other
gateway ever does.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from gateway.adapters.system.clock import SystemClock

FILE: Final = "moved_clock"
"""Holds by how many ms the time of day is moved."""
_LOOK_MS: Final = 100


class MovedClock(SystemClock):
    """Implements `ports.clock.Clock`; `now_ms` is ahead by what the file says, all else is real."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._moved_ms = 0
        self._looked_ms = -_LOOK_MS

    def now_ms(self) -> int:
        """Return Unix time in ms, moved. A file that cannot be read leaves it as it was."""
        at_ms = self.monotonic_ms()
        if at_ms - self._looked_ms >= _LOOK_MS:
            self._looked_ms = at_ms
            with suppress(OSError, ValueError):
                self._moved_ms = int(self._file.read_text(encoding="ascii"))
        return super().now_ms() + self._moved_ms

    def move(self, ms: int) -> None:
        """Move the time of day to `ms` ahead, for everyone who follows the file."""
        beside = self._file.with_suffix(".new")
        beside.write_text(f"{ms}\n", encoding="ascii")
        beside.replace(self._file)
