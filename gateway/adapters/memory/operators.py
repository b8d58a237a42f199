"""Operators' acts in the memory journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway.adapters.memory.undo import Table, UndoLog
from gateway.kernel.operators import ADD, REMOVE, ActStatus
from gateway.ports.journal_operators import StoredOperatorAct

if TYPE_CHECKING:
    from gateway.adapters.memory.state import State


class OperatorTables:
    """Acts by id."""

    def __init__(self, log: UndoLog) -> None:
        self.acts: Table[bytes, StoredOperatorAct] = Table(log)


class MemoryOperatorReads:
    """Implements `ports.journal_operators.OperatorReads`."""

    if TYPE_CHECKING:
        _state: State

    def operator_act(self, act_id: bytes) -> StoredOperatorAct | None:
        """See `OperatorReads`."""
        return self._state.operators.acts.rows.get(act_id)

    def operator_acts(
        self, *, limit: int, before: bytes = b"", status: ActStatus | None = None
    ) -> Sequence[StoredOperatorAct]:
        """See `OperatorReads`."""
        rows = self._state.operators.acts.rows
        found = [rows[i] for i in sorted(rows, reverse=True) if not before or i < before]
        return [a for a in found if status is None or a.status is status][:limit]

    def operator_changes(self) -> Sequence[StoredOperatorAct]:
        """See `OperatorReads`."""
        acts = self._state.operators.acts.rows.values()
        done = [a for a in acts if a.command in (ADD, REMOVE) and a.status is ActStatus.DONE]
        return sorted(done, key=lambda a: (a.settled_at_ms, a.act_id))


class MemoryOperatorWrites(MemoryOperatorReads):
    """Implements `ports.journal_operators.OperatorWrites`."""

    def save_operator_act(self, act: StoredOperatorAct) -> None:
        """See `OperatorWrites`."""
        self._state.operators.acts.put(act.act_id, act)
