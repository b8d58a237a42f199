"""The joint tasks' table and statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    bindparam,
    select,
)

from gateway.adapters.sql.schema import metadata

if TYPE_CHECKING:
    from gateway.adapters.sql.statements import Compiler, Statement

joint_tasks: Final = Table(
    "joint_tasks",
    metadata,
    Column("origin", Text, primary_key=True, nullable=False),
    Column("case_id", LargeBinary, primary_key=True, nullable=False),
    Column("parent_origin", Text, nullable=False),
    Column("parent_case_id", LargeBinary, nullable=False),
    Column("number", Integer, nullable=False),
    Column("participant", Text, nullable=False),
    Column("asked_at_ms", BigInteger, nullable=False),
    Column("due_on", Text, nullable=False),
    Index("joint_tasks_parent", "parent_origin", "parent_case_id", "number"),
    sqlite_with_rowid=False,
)
"""Which main case each joint task (协办任务) that was given here belongs to."""


class JointStatements:
    """Their texts; see `Statements`."""

    joint_tasks: Statement
    joint_parent: Statement
    put_joint_task: Statement

    def _of_joint(self, sql: Compiler) -> None:
        t = joint_tasks.c
        self.joint_tasks = sql.text(
            select(*joint_tasks.columns)
            .where(
                t.parent_origin == bindparam("parent_origin"),
                t.parent_case_id == bindparam("parent_case_id"),
            )
            .order_by(t.number),
            ["parent_origin", "parent_case_id"],
        )
        self.joint_parent = sql.text(
            select(t.parent_origin, t.parent_case_id).where(
                t.origin == bindparam("origin"), t.case_id == bindparam("case_id")
            ),
            ["origin", "case_id"],
        )
        self.put_joint_task = sql.keep(joint_tasks)
