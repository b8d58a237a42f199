"""The assisted desk's part of the SQL journal."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.adapters.sql.assisted_statements import typing_of, typing_row, work_of, work_row
from gateway.adapters.sql.cursor import SqlReader, SqlWriter
from gateway.kernel.assisted import TypingStatus
from gateway.kernel.identifiers import CaseKey
from gateway.ports.assisted import Typing, WorkItem


class SqlAssistedReads(SqlReader):
    """Implements `ports.assisted.AssistedReads`; a part of `SqlSnapshot`."""

    def work_items(
        self, unit: str | None, *, done: bool, limit: int, after: bytes = b""
    ) -> Sequence[WorkItem]:
        """See `AssistedReads`."""
        if unit is None:
            rows = self._rows(self._sql.work_page, done, after, limit)
        else:
            rows = self._rows(self._sql.work_page_of_unit, done, after, unit, limit)
        return [work_of(row) for row in rows]

    def work_item(self, message_id: bytes) -> WorkItem | None:
        """See `AssistedReads`."""
        rows = self._rows(self._sql.work_item, message_id)
        return work_of(rows[0]) if rows else None

    def work_of_case(self, key: CaseKey) -> Sequence[WorkItem]:
        """See `AssistedReads`."""
        return [work_of(row) for row in self._rows(self._sql.work_of_case, *key)]

    def typings_of_case(self, key: CaseKey) -> Sequence[Typing]:
        """See `AssistedReads`."""
        return [typing_of(row) for row in self._rows(self._sql.typings_of_case, *key)]

    def typings_in(self, status: TypingStatus, *, limit: int) -> Sequence[Typing]:
        """See `AssistedReads`."""
        rows = self._rows(self._sql.typings_in, status.value, limit)
        return [typing_of(row) for row in rows]


class SqlAssistedWrites(SqlWriter):
    """Implements `ports.assisted.AssistedWrites`; a part of `SqlTransaction`."""

    def list_work(self, items: Sequence[WorkItem]) -> None:
        """See `AssistedWrites`."""
        self._write(self._sql.list_work, map(work_row, items))

    def save_work(self, items: Sequence[WorkItem]) -> None:
        """See `AssistedWrites`."""
        self._write(self._sql.save_work, map(work_row, items))

    def save_typings(self, typings: Sequence[Typing]) -> None:
        """See `AssistedWrites`."""
        self._write(self._sql.save_typing, map(typing_row, typings))
