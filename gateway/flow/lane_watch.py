"""Tells that messages of ours have met no receipt for long, whatever the way they go (回执未达).

A partner may be down, collect nothing, or have read what lies ready for it and never answered.
"""

from __future__ import annotations

from typing import Final

from gateway.kernel.assisted import ADAPTER as ASSISTED
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import RECEIPT_LATE_MS
from gateway.ports.clock import Clock
from gateway.ports.directory import Directory
from gateway.ports.journal import Journal, JournalDown, LaneState, OutboxStatus
from gateway.ports.telemetry import EventLog

_LOOK_MS: Final = 300_000
_AGAIN_MS: Final = 3_600_000
_SENT: Final = frozenset({OutboxStatus.PENDING, OutboxStatus.LISTED, OutboxStatus.UNKNOWN})


class LaneWatch:
    """Looks every five minutes; tells of a partner at once, and then every hour while it lasts.

    What people carry is not told of: their work list is for them.
    """

    def __init__(self, journal: Journal, directory: Directory, clock: Clock, log: EventLog) -> None:
        self._journal = journal
        self._directory = directory
        self._clock = clock
        self._log = log
        self._told_ms: dict[GatewayId, int] = {}

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            try:
                await self.look()
            except JournalDown as down:
                self._log.event("journal_down", error=str(down))
            await self._clock.sleep_ms(_LOOK_MS)

    async def look(self) -> None:
        """Tell of each partner whose receipts are late.

        Raises:
            JournalDown: it cannot be read.
        """
        now_ms = self._clock.now_ms()
        states = await self._journal.read(lambda snapshot: snapshot.lanes())
        late: dict[GatewayId, list[LaneState]] = {}
        for state in states:
            if self._is_late(state, now_ms):
                late.setdefault(state.partner, []).append(state)
        self._told_ms = {g: at for g, at in self._told_ms.items() if g in late}
        for partner, found in late.items():
            if now_ms - self._told_ms.get(partner, -_AGAIN_MS) < _AGAIN_MS:
                continue
            self._told_ms[partner] = now_ms
            self._log.event(
                "receipts_late",
                error="ReceiptsLate",
                partner=partner,
                count=sum(state.messages for state in found),
                ms=now_ms - min(state.oldest_ms for state in found),
            )

    def _is_late(self, state: LaneState, now_ms: int) -> bool:
        partner = self._directory.current().partners.get(state.partner)
        carried = partner is not None and partner.outlet == ASSISTED
        return state.status in _SENT and not carried and now_ms - state.oldest_ms > RECEIPT_LATE_MS
