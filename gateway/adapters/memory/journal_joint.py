"""The joint tasks' part of the memory journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway.adapters.memory.undo import Table, UndoLog
from gateway.kernel.identifiers import CaseKey
from gateway.ports.journal_joint import JointTask

if TYPE_CHECKING:
    from gateway.adapters.memory.state import State


class JointTables:
    """Links by the task's own key."""

    def __init__(self, log: UndoLog) -> None:
        self.tasks: Table[CaseKey, JointTask] = Table(log)


class MemoryJointReads:
    """Implements `ports.journal_joint.JointReads`."""

    if TYPE_CHECKING:
        _state: State

    def joint_tasks(self, parent: CaseKey) -> Sequence[JointTask]:
        """See `JointReads`."""
        found = [t for t in self._state.joint.tasks.rows.values() if t.parent == parent]
        return sorted(found, key=lambda t: t.number)

    def joint_parent(self, key: CaseKey) -> CaseKey | None:
        """See `JointReads`."""
        task = self._state.joint.tasks.rows.get(key)
        return None if task is None else task.parent


class MemoryJointWrites:
    """Implements `ports.journal_joint.JointWrites`."""

    if TYPE_CHECKING:
        _state: State

    def put_joint_task(self, task: JointTask) -> None:
        """See `JointWrites`."""
        if task.key not in self._state.joint.tasks.rows:
            self._state.joint.tasks.put(task.key, task)
