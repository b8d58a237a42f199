"""The lanes' part of the journal on a driver's cursor."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.adapters.sql.cursor import SqlReader, SqlWriter
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import LANE_FAULTS_MAX
from gateway.ports.journal import OutboxStatus
from gateway.ports.journal_lanes import LaneRecord

TRIED = OutboxStatus.UNKNOWN, OutboxStatus.PENDING


class SqlLaneReads(SqlReader):
    """Implements `ports.journal_lanes.LaneReads`."""

    def lane_records(self) -> Mapping[GatewayId, LaneRecord]:
        """See `LaneReads`."""
        found = (LaneRecord(*row) for row in self._rows(self._sql.lane_records))
        return {r.partner: r for r in found}

    def lane_record(self, partner: GatewayId) -> LaneRecord:
        """See `LaneReads`."""
        row = self._row(self._sql.lane_record, partner)
        return LaneRecord(partner) if row is None else LaneRecord(*row)

    def lane_fault(self, partner: GatewayId) -> str:
        """See `LaneReads`."""
        for status in TRIED:
            rows = self._rows(self._sql.lane_faults, partner, status.value, LANE_FAULTS_MAX)
            found = next((str(row[0]) for row in rows if row[0]), "")
            if found:
                return found
        return ""


class SqlLaneWrites(SqlWriter):
    """Implements `ports.journal_lanes.LaneWrites`."""

    def put_lane(self, record: LaneRecord) -> None:
        """See `LaneWrites`."""
        self._write(self._sql.put_lane, [record])

    def hasten(self, partner: GatewayId) -> None:
        """See `LaneWrites`."""
        self._write(self._sql.hasten, [(partner,)])
