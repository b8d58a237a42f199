"""Operators' acts in the SQL journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.adapters.sql.cursor import SqlReader, SqlWriter
from gateway.adapters.sql.operator_statements import act_of, act_row
from gateway.kernel.operators import ADD, REMOVE, ActStatus
from gateway.ports.journal_operators import StoredOperatorAct

_ABOVE_ALL: Final = b"\xff" * 17


class SqlOperatorReads(SqlReader):
    """Implements `ports.journal_operators.OperatorReads`; a part of `SqlSnapshot`."""

    def operator_act(self, act_id: bytes) -> StoredOperatorAct | None:
        """See `OperatorReads`."""
        row = self._row(self._sql.operator_act, act_id)
        return None if row is None else act_of(row)

    def operator_acts(
        self, *, limit: int, before: bytes = b"", status: ActStatus | None = None
    ) -> Sequence[StoredOperatorAct]:
        """See `OperatorReads`."""
        before = before or _ABOVE_ALL
        if status is None:
            return [act_of(row) for row in self._rows(self._sql.operator_acts, before, limit)]
        rows = self._rows(self._sql.operator_acts_in, before, status.value, limit)
        return [act_of(row) for row in rows]

    def operator_changes(self) -> Sequence[StoredOperatorAct]:
        """See `OperatorReads`."""
        done = ActStatus.DONE.value
        by = self._sql.operator_acts_by
        rows = [row for command in (ADD, REMOVE) for row in self._rows(by, command, done)]
        return sorted(map(act_of, rows), key=lambda a: (a.settled_at_ms, a.act_id))


class SqlOperatorWrites(SqlWriter):
    """Implements `ports.journal_operators.OperatorWrites`; a part of `SqlTransaction`."""

    def save_operator_act(self, act: StoredOperatorAct) -> None:
        """See `OperatorWrites`."""
        self._write(self._sql.save_operator_act, [act_row(act)])
