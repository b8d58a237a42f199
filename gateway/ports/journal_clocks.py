"""What the journal keeps of clocks: what they follow from, and what they have told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from gateway.kernel.identifiers import CaseKey
from gateway.rules.deadlines import CaseClocks, ClockName, ClockWarning, Level


class KeptClocks(NamedTuple):
    """A case's clocks with what polling needs; the last three follow from the rest."""

    clocks: CaseClocks
    told: frozenset[tuple[ClockName, int, Level]] = frozenset()
    """What has been kept as an event: (clock, number, level)."""
    calendar: str = ""
    """Fingerprint of the calendar that `next_ms` and `late_from_ms` were counted with."""
    next_ms: int | None = None
    """When they tell something next; passed if it is to be kept still; None if never."""
    late_from_ms: int | None = None
    """From when an open clock is overdue, passed or to come; None if none will be."""


class ClockKept(NamedTuple):
    """Something a clock told, kept for good."""

    case_key: CaseKey
    warning: ClockWarning
    kept_at_ms: int


class LatePlace(NamedTuple):
    """Where a page of late cases ended; the first begins at `FIRST_PAGE`."""

    late_from_ms: int
    origin: str
    case_id: bytes


FIRST_PAGE = LatePlace(0, "", b"")


class ClockReads(Protocol):
    """Part of `ports.journal.Snapshot`."""

    def clocks(self, keys: Collection[CaseKey]) -> Mapping[CaseKey, KeptClocks]:
        """Return the clocks of those of `keys` that have any."""
        ...

    def clocks_due(self, now_ms: int, limit: int) -> Sequence[KeptClocks]:
        """Return cases whose `next_ms` has come, earliest first."""
        ...

    def clocks_stale(self, calendar: str, limit: int) -> Sequence[KeptClocks]:
        """Return cases not closed whose clocks were counted with another calendar."""
        ...

    def clocks_late(
        self, unit: str | None, now_ms: int, *, limit: int, after: LatePlace = FIRST_PAGE
    ) -> Sequence[KeptClocks]:
        """Return a unit's cases (of any unit if None) late as of `now_ms`, the longest first."""
        ...

    def clocks_to_rectify(self, unit: str, limit: int) -> Sequence[KeptClocks]:
        """Return the clocks of cases where `unit` decided and a bad review waits for its answer.

        That is: role deciding, stage delivered or archived, the clocks not closed.
        """
        ...

    def clock_events(self, key: CaseKey) -> Sequence[ClockKept]:
        """Return what the clocks of a case have told, by the instant it fell due."""
        ...


class ClockWrites(Protocol):
    """Part of `ports.journal.Transaction`."""

    def save_clocks(self, clocks: Sequence[KeptClocks]) -> None:
        """Insert or replace the clocks of cases."""
        ...

    def keep_clock_events(self, events: Sequence[ClockKept]) -> None:
        """Keep what clocks told. What one told before stays as it was first kept."""
        ...
