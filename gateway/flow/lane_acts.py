"""What happens to a partner's lane in a transaction: it delivered, it is paused, it goes on."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.flow.committer import Group
from gateway.kernel.identifiers import CaseKey, GatewayId, MessageRef
from gateway.ports.journal_lanes import LaneRecord


class _OfLane:
    """A work on one lane, of no message and no case."""

    def __init__(self, partner: GatewayId) -> None:
        self._partner = partner

    def refs(self) -> Iterable[MessageRef]:
        """See `Work`."""
        return ()

    def keys(self) -> Iterable[CaseKey]:
        """See `Work`."""
        return ()

    def _record(self, group: Group) -> LaneRecord:
        return group.tx.lane_record(self._partner)


class Delivered(_OfLane):
    """Records that a receipt came."""

    def step(self, group: Group) -> None:
        """See `Work`."""
        group.tx.put_lane(self._record(group)._replace(delivered_at_ms=group.now_ms))


class PauseLane(_OfLane):
    """Records that nothing is to be sent to a partner; one that is paused stays as it is."""

    def __init__(self, partner: GatewayId, operator: str, reason: str) -> None:
        super().__init__(partner)
        self._by = operator, reason
        self.changed = False

    def step(self, group: Group) -> None:
        """See `Work`."""
        record = self._record(group)
        self.changed = not record.paused_at_ms
        if self.changed:
            operator, reason = self._by
            group.tx.put_lane(
                record._replace(paused_at_ms=group.now_ms, paused_by=operator, pause_reason=reason)
            )


class ResumeLane(_OfLane):
    """Records that a partner's lane goes on; what waits is due at once."""

    changed = False

    def step(self, group: Group) -> None:
        """See `Work`."""
        record = self._record(group)
        self.changed = bool(record.paused_at_ms)
        group.tx.put_lane(record._replace(paused_at_ms=0, paused_by="", pause_reason=""))
        group.tx.hasten(self._partner)
