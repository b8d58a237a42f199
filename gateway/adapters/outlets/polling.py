"""Looking again and again at what a partner lays down (轮询): trouble is told once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.kernel.faults import Fault
from gateway.kernel.identifiers import GatewayId
from gateway.ports.clock import Clock
from gateway.ports.outlet import OutletDown
from gateway.ports.telemetry import EventLog


@dataclass
class Polling:
    """Takes turns until it is cancelled."""

    what: str
    """Begins the names of its events: `table` tells `table_down`, `table_waits`."""
    partner: GatewayId
    every_s: float
    clock: Clock
    log: EventLog
    trouble: str = ""
    """What the last turn met; empty: nothing. The same again is not told again."""

    async def run(self, turn: Callable[[], Awaitable[None]]) -> None:
        """Go on whatever a turn meets: a bug that one document finds must not end the polling."""
        while True:
            try:
                await turn()
                self.trouble = ""
            except OutletDown as down:
                self._tell("down", down.reason)
            except Fault as fault:
                self._tell("waits", fault.code.value)
            except Exception as broken:  # noqa: BLE001 - see above; told, and tried again
                self._tell("broke", type(broken).__name__)
            await self.clock.sleep_ms(int(self.every_s * 1_000))

    def _tell(self, how: str, trouble: str) -> None:
        if trouble != self.trouble:
            self.log.event(f"{self.what}_{how}", partner=self.partner, error=trouble)
        self.trouble = trouble


class OneByOne:
    """Holds what single documents met, so that one that cannot be taken over blocks no other."""

    def __init__(self) -> None:
        self._first: Fault | None = None

    def keep(self, fault: Fault) -> None:
        """Put a document's own fault off.

        Raises:
            Fault: it is none of the document's: what comes after would meet it too.
        """
        if not fault.code.value.startswith(("partner.", "schema.", "mapping.")):
            raise fault
        self._first = self._first or fault

    def tell(self) -> None:
        """End the turn.

        Raises:
            Fault: the first that was put off.
        """
        if self._first is not None:
            raise self._first
