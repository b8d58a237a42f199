"""The arrivals' part of the memory journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway.adapters.memory.undo import Table, UndoLog
from gateway.kernel.arrivals import OPEN, ArrivalStatus
from gateway.kernel.identifiers import CaseKey, GatewayId
from gateway.ports.journal import OutboxStatus
from gateway.ports.journal_arrivals import Held, StoredArrival

if TYPE_CHECKING:
    from gateway.adapters.memory.state import State


class ArrivalTables:
    """Arrivals by id, cases by (partner, number), ends of nonces by (partner, nonce)."""

    def __init__(self, log: UndoLog) -> None:
        self.arrivals: Table[bytes, StoredArrival] = Table(log)
        self.numbers: Table[tuple[str, str], CaseKey] = Table(log)
        self.nonces: Table[tuple[str, str], int] = Table(log)


class MemoryArrivalReads:
    """Implements `ports.journal_arrivals.ArrivalReads`."""

    if TYPE_CHECKING:
        _state: State

    def arrivals_named(self, partner: GatewayId, natural_key: str) -> Sequence[StoredArrival]:
        """See `ArrivalReads`."""
        named = (partner, natural_key)
        return [_light(a) for a in self._all() if (a.partner, a.natural_key) == named]

    def arrival(self, arrival_id: bytes) -> StoredArrival | None:
        """See `ArrivalReads`."""
        return self._state.arrivals.arrivals.rows.get(arrival_id)

    def arrivals_in(
        self, status: ArrivalStatus, *, limit: int, after: bytes = b""
    ) -> Sequence[StoredArrival]:
        """See `ArrivalReads`."""
        found = [a for a in self._all() if a.status is status and a.arrival_id > after]
        return [_light(a) for a in found[:limit]]

    def arrivals_held(self, partner: GatewayId) -> Held:
        """See `ArrivalReads`."""
        sizes = [a.size for a in self._all() if a.partner == partner and a.status in OPEN]
        return Held(len(sizes), sum(sizes))

    def case_named(self, partner: GatewayId, number: str) -> CaseKey | None:
        """See `ArrivalReads`."""
        return self._state.arrivals.numbers.rows.get((partner, number))

    def parked(self, partner: GatewayId, limit: int) -> Sequence[bytes]:
        """See `ArrivalReads`."""
        found = [
            e.message_id
            for _, e in sorted(self._state.outbox.rows.items())
            if e.partner == partner and e.status is OutboxStatus.LISTED
        ]
        return found[:limit]

    def nonce_used(self, partner: GatewayId, nonce: str) -> bool:
        """See `ArrivalReads`."""
        return (partner, nonce) in self._state.arrivals.nonces.rows

    def _all(self) -> list[StoredArrival]:
        rows = self._state.arrivals.arrivals.rows
        return [rows[i] for i in sorted(rows)]


class MemoryArrivalWrites(MemoryArrivalReads):
    """Implements `ports.journal_arrivals.ArrivalWrites`."""

    def save_arrivals(self, arrivals: Sequence[StoredArrival]) -> None:
        """See `ArrivalWrites`."""
        for arrival in arrivals:
            self._state.arrivals.arrivals.put(arrival.arrival_id, arrival)

    def name_case(self, partner: GatewayId, number: str, key: CaseKey) -> None:
        """See `ArrivalWrites`."""
        if self.case_named(partner, number) is None:
            self._state.arrivals.numbers.put((partner, number), key)

    def use_nonce(self, partner: GatewayId, nonce: str, until_ms: int, now_ms: int) -> None:
        """See `ArrivalWrites`."""
        table = self._state.arrivals.nonces
        ended = [k for k, end_ms in table.rows.items() if k[0] == partner and end_ms < now_ms]
        for key in ended:
            table.drop(key)
        if (partner, nonce) not in table.rows:
            table.put((partner, nonce), until_ms)


def _light(arrival: StoredArrival) -> StoredArrival:
    return arrival._replace(raw=b"", document=b"")
