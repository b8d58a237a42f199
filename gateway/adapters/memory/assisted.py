"""The assisted desk's part of the memory journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway.adapters.memory.undo import Table, UndoLog
from gateway.kernel.assisted import TypingStatus, WorkStatus
from gateway.kernel.identifiers import CaseKey
from gateway.ports.assisted import Typing, WorkItem

if TYPE_CHECKING:
    from gateway.adapters.memory.state import State


class AssistedTables:
    """Work items by message id, typed outcomes by (partner, natural key)."""

    def __init__(self, log: UndoLog) -> None:
        self.work: Table[bytes, WorkItem] = Table(log)
        self.typings: Table[tuple[str, str], Typing] = Table(log)


class MemoryAssistedReads:
    """Implements `ports.assisted.AssistedReads`."""

    if TYPE_CHECKING:
        _state: State

    def work_items(
        self, unit: str | None, *, done: bool, limit: int, after: bytes = b""
    ) -> Sequence[WorkItem]:
        """See `AssistedReads`."""
        found = [
            item
            for key, item in sorted(self._state.assisted.work.rows.items())
            if key > after
            and unit in (None, item.unit)
            and (item.status is WorkStatus.DONE) is done
        ]
        return found[:limit]

    def work_item(self, message_id: bytes) -> WorkItem | None:
        """See `AssistedReads`."""
        return self._state.assisted.work.rows.get(message_id)

    def work_of_case(self, key: CaseKey) -> Sequence[WorkItem]:
        """See `AssistedReads`."""
        rows = self._state.assisted.work.rows
        return [rows[i] for i in sorted(rows) if rows[i].case_key == key]

    def typings_of_case(self, key: CaseKey) -> Sequence[Typing]:
        """See `AssistedReads`."""
        return [t for t in self._typings() if t.case_key == key]

    def typings_in(self, status: TypingStatus, *, limit: int) -> Sequence[Typing]:
        """See `AssistedReads`."""
        return [t for t in self._typings() if t.status is status][:limit]

    def _typings(self) -> list[Typing]:
        return sorted(
            self._state.assisted.typings.rows.values(), key=lambda t: (t.typed_at_ms, t.natural_key)
        )


class MemoryAssistedWrites(MemoryAssistedReads):
    """Implements `ports.assisted.AssistedWrites`."""

    def list_work(self, items: Sequence[WorkItem]) -> None:
        """See `AssistedWrites`."""
        self.save_work([i for i in items if i.message_id not in self._state.assisted.work.rows])

    def save_work(self, items: Sequence[WorkItem]) -> None:
        """See `AssistedWrites`."""
        for item in items:
            self._state.assisted.work.put(item.message_id, item)

    def save_typings(self, typings: Sequence[Typing]) -> None:
        """See `AssistedWrites`."""
        for typing in typings:
            self._state.assisted.typings.put((typing.partner, typing.natural_key), typing)
