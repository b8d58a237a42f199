"""Table, rows and statements of what operators did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text, bindparam, select

from gateway.adapters.sql.schema import metadata
from gateway.kernel.identifiers import KeyId
from gateway.kernel.operators import ActStatus
from gateway.ports.journal_operators import StoredOperatorAct

if TYPE_CHECKING:
    from gateway.adapters.sql.rows import Row
    from gateway.adapters.sql.statements import Compiler, Statement

operator_acts: Final = Table(
    "operator_acts",
    metadata,
    Column("act_id", LargeBinary, primary_key=True, nullable=False),
    Column("command", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("key_id", LargeBinary, nullable=False),
    Column("acted_at_ms", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("second", LargeBinary, nullable=False),
    Column("rule", Text, nullable=False),
    Column("settled_at_ms", BigInteger, nullable=False),
    Index("operator_acts_status", "status", "act_id"),
    Index("operator_acts_command", "command", "status", "settled_at_ms", "act_id"),
)


class OperatorStatements:
    """Part of `Statements`."""

    def _of_operators(self, sql: Compiler) -> None:
        c = operator_acts.c
        acts = select(*operator_acts.columns)
        newest = acts.where(c.act_id < bindparam("before")).order_by(c.act_id.desc())
        limited = newest.limit(bindparam("limit"))
        self.operator_act: Statement = sql.text(acts.where(c.act_id == bindparam("of")), ["of"])
        self.operator_acts: Statement = sql.text(limited, ["before", "limit"])
        self.operator_acts_in: Statement = sql.text(
            limited.where(c.status == bindparam("status")), ["before", "status", "limit"]
        )
        done = acts.where(c.command == bindparam("of"), c.status == bindparam("status"))
        self.operator_acts_by: Statement = sql.text(
            done.order_by(c.settled_at_ms, c.act_id), ["of", "status"]
        )
        self.save_operator_act: Statement = sql.upsert(operator_acts)


def act_of(row: Row) -> StoredOperatorAct:
    """Read a row."""
    act = StoredOperatorAct(*row)
    return act._replace(key_id=KeyId(act.key_id), status=ActStatus(act.status))


def act_row(act: StoredOperatorAct) -> Row:
    """Write a row."""
    return tuple(act._replace(status=act.status.value))  # type: ignore[arg-type]
