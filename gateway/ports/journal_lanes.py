"""What an operator decided about a partner's lane, and when it last worked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from gateway.kernel.identifiers import GatewayId


class LaneRecord(NamedTuple):
    """A partner's lane as the journal keeps it."""

    partner: GatewayId
    delivered_at_ms: int = 0
    """When its last receipt came; 0 for never."""
    paused_at_ms: int = 0
    """Since when nothing is sent, at an operator's word; 0 while it is."""
    paused_by: str = ""
    pause_reason: str = ""


class LaneReads(Protocol):
    """Part of `ports.journal.Snapshot`."""

    def lane_records(self) -> Mapping[GatewayId, LaneRecord]:
        """Return the lanes that ever delivered or were paused."""
        ...

    def lane_record(self, partner: GatewayId) -> LaneRecord:
        """Return a partner's lane; one that was never heard of has delivered nothing."""
        ...

    def lane_fault(self, partner: GatewayId) -> str:
        """Return why a message to a partner waits still; empty if none was tried.

        The oldest of those that are asked after, else of those that are sent; only the first
        `LANE_FAULTS_MAX` are looked at.
        """
        ...


class LaneWrites(Protocol):
    """Part of `ports.journal.Transaction`."""

    def put_lane(self, record: LaneRecord) -> None:
        """Insert or replace a partner's lane."""
        ...

    def hasten(self, partner: GatewayId) -> None:
        """Make everything due that waits for a partner."""
        ...
