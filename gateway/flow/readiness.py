"""Whether the gateway can do its work now."""

from __future__ import annotations

from gateway.flow.tasks import TaskOwner
from gateway.kernel.faults import FaultCode
from gateway.kernel.limits import READY_PROBE_MS
from gateway.ports.clock import Clock
from gateway.ports.journal import Journal, JournalDown


class Readiness:
    """Proves that the journal can be written; a gateway that cannot is not ready."""

    def __init__(self, journal: Journal, clock: Clock, owner: TaskOwner) -> None:
        self._journal = journal
        self._clock = clock
        self._owner = owner
        self._proven_ms: int | None = None

    async def problems(self) -> list[str]:
        """Return rule ids of what is wrong; empty if the gateway is ready.

        A proof is good for `READY_PROBE_MS`, so that probing costs at most one write in that time.
        """
        if not self._owner.alive("committer"):
            return [FaultCode.INTERNAL.value]
        now_ms = self._clock.monotonic_ms()
        if self._proven_ms is not None and now_ms - self._proven_ms < READY_PROBE_MS:
            return []
        try:
            await self._journal.probe()
        except JournalDown:
            self._proven_ms = None
            return [FaultCode.DELIVERY_JOURNAL_DOWN.value]
        self._proven_ms = now_ms
        return []
