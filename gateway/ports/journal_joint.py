"""Which joint tasks (多地联办) a main case has: what the journal keeps at the asking side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gateway.kernel.identifiers import CaseKey, GatewayId


class JointTask(NamedTuple):
    """The link between a main case and the case of a joint task.

    How the task stands is in its own case.
    """

    parent: CaseKey
    key: CaseKey
    number: int
    """1 for the first that was asked in the case."""
    participant: GatewayId
    asked_at_ms: int
    due_on: str
    """The last day for the answer, as `2021-05-27`; empty if its year was not published."""


class JointReads(Protocol):
    """Part of `ports.journal.Snapshot`."""

    def joint_tasks(self, parent: CaseKey) -> Sequence[JointTask]:
        """Return the joint tasks of a main case, in the order of asking."""
        ...

    def joint_parent(self, key: CaseKey) -> CaseKey | None:
        """Return the main case of a joint task of ours; None if it is none."""
        ...


class JointWrites(Protocol):
    """Part of `ports.journal.Transaction`."""

    def put_joint_task(self, task: JointTask) -> None:
        """Keep the link of a joint task; one that is known stays as it is."""
        ...
