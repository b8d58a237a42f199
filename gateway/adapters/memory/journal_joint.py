"""The joint tasks' part of the memory journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.adapters.memory.undo import Table, UndoLog
from gateway.kernel.identifiers import CaseKey
from gateway.ports.journal_joint import JointTask


class JointTables:
    """Links by the task's own key."""

    def __init__(self, log: UndoLog) -> None:
        self.tasks: Table[CaseKey, JointTask] = Table(log)


class _State(Protocol):
    @property
    def joint(self) -> JointTables: ...


class _Held(Protocol):
    @property
    def _state(self) -> _State: ...


class MemoryJointReads:
    """Implements `ports.journal_joint.JointReads`."""

    def joint_tasks(self: _Held, parent: CaseKey) -> Sequence[JointTask]:
        """See `JointReads`."""
        found = [t for t in self._state.joint.tasks.rows.values() if t.parent == parent]
        return sorted(found, key=lambda t: t.number)

    def joint_parent(self: _Held, key: CaseKey) -> CaseKey | None:
        """See `JointReads`."""
        task = self._state.joint.tasks.rows.get(key)
        return None if task is None else task.parent


class MemoryJointWrites:
    """Implements `ports.journal_joint.JointWrites`."""

    def put_joint_task(self: _Held, task: JointTask) -> None:
        """See `JointWrites`."""
        if task.key not in self._state.joint.tasks.rows:
            self._state.joint.tasks.put(task.key, task)
