"""An event log that a test can read."""

from __future__ import annotations


class HeardEvents:
    """Keeps `ports.telemetry.EventLog` and every event in order."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, str | int | float]]] = []

    def event(self, name: str, /, **fields: str | int | float) -> None:
        self.events.append((name, fields))

    def names(self) -> list[str]:
        return [name for name, _ in self.events]
