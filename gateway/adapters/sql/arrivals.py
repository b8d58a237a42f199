"""The arrivals' part of the SQL journal."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.adapters.sql.arrival_statements import arrival_of, arrival_row
from gateway.adapters.sql.cursor import SqlReader, SqlWriter
from gateway.kernel.arrivals import ArrivalStatus
from gateway.kernel.identifiers import CaseId, CaseKey, GatewayId
from gateway.ports.journal_arrivals import Held, StoredArrival


class SqlArrivalReads(SqlReader):
    """Implements `ports.journal_arrivals.ArrivalReads`; a part of `SqlSnapshot`."""

    def arrivals_named(self, partner: GatewayId, natural_key: str) -> Sequence[StoredArrival]:
        """See `ArrivalReads`."""
        rows = self._rows(self._sql.arrivals_named, partner, natural_key)
        return [arrival_of(row) for row in rows]

    def arrival(self, arrival_id: bytes) -> StoredArrival | None:
        """See `ArrivalReads`."""
        row = self._row(self._sql.arrival, arrival_id)
        return None if row is None else arrival_of(row)

    def arrivals_in(
        self, status: ArrivalStatus, *, limit: int, after: bytes = b""
    ) -> Sequence[StoredArrival]:
        """See `ArrivalReads`."""
        rows = self._rows(self._sql.arrivals_in, status.value, after, limit)
        return [arrival_of(row) for row in rows]

    def arrivals_held(self, partner: GatewayId) -> Held:
        """See `ArrivalReads`."""
        row = self._row(self._sql.arrivals_held, partner)
        assert row is not None, "a count is always one row"
        return Held(row[0], row[1])

    def case_named(self, partner: GatewayId, number: str) -> CaseKey | None:
        """See `ArrivalReads`."""
        row = self._row(self._sql.case_named, partner, number)
        return None if row is None else CaseKey(GatewayId(row[0]), CaseId(row[1]))

    def parked(self, partner: GatewayId, limit: int) -> Sequence[bytes]:
        """See `ArrivalReads`."""
        return [row[0] for row in self._rows(self._sql.parked, partner, limit)]

    def nonce_used(self, partner: GatewayId, nonce: str) -> bool:
        """See `ArrivalReads`."""
        return self._row(self._sql.nonce_used, partner, nonce) is not None


class SqlArrivalWrites(SqlWriter):
    """Implements `ports.journal_arrivals.ArrivalWrites`; a part of `SqlTransaction`."""

    def save_arrivals(self, arrivals: Sequence[StoredArrival]) -> None:
        """See `ArrivalWrites`."""
        self._write(self._sql.save_arrival, map(arrival_row, arrivals))

    def name_case(self, partner: GatewayId, number: str, key: CaseKey) -> None:
        """See `ArrivalWrites`."""
        self._write(self._sql.name_case, [(partner, number, *key)])

    def use_nonce(self, partner: GatewayId, nonce: str, until_ms: int, now_ms: int) -> None:
        """See `ArrivalWrites`."""
        self._write(self._sql.forget_nonces, [(partner, now_ms)])
        self._write(self._sql.use_nonce, [(partner, nonce, until_ms)])
