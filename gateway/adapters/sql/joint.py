"""The joint tasks' part of the journal on a driver's cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.adapters.sql.cursor import SqlReader, SqlWriter
from gateway.kernel.identifiers import CaseId, CaseKey, GatewayId
from gateway.ports.journal_joint import JointTask

Row = tuple[Any, ...]


class SqlJointReads(SqlReader):
    """Implements `ports.journal_joint.JointReads`."""

    def joint_tasks(self, parent: CaseKey) -> Sequence[JointTask]:
        """See `JointReads`."""
        return [_task_of(row) for row in self._rows(self._sql.joint_tasks, *parent)]

    def joint_parent(self, key: CaseKey) -> CaseKey | None:
        """See `JointReads`."""
        row = self._row(self._sql.joint_parent, *key)
        return None if row is None else CaseKey(GatewayId(row[0]), CaseId(row[1]))


class SqlJointWrites(SqlWriter):
    """Implements `ports.journal_joint.JointWrites`."""

    def put_joint_task(self, task: JointTask) -> None:
        """See `JointWrites`."""
        row = (*task.key, *task.parent, *task[2:])
        self._write(self._sql.put_joint_task, [row])


def _task_of(row: Row) -> JointTask:
    return JointTask(
        CaseKey(GatewayId(row[2]), CaseId(row[3])),
        CaseKey(GatewayId(row[0]), CaseId(row[1])),
        row[4],
        GatewayId(row[5]),
        row[6],
        row[7],
    )
