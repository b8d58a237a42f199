"""The lanes' table and statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Table,
    Text,
    bindparam,
    func,
    literal_column,
    select,
    update,
)

from gateway.adapters.sql.schema import metadata, outbox

if TYPE_CHECKING:
    from gateway.adapters.sql.statements import Compiler, Statement

lanes: Final = Table(
    "lanes",
    metadata,
    Column("partner", Text, primary_key=True, nullable=False),
    Column("delivered_at_ms", BigInteger, nullable=False),
    Column("paused_at_ms", BigInteger, nullable=False),
    Column("paused_by", Text, nullable=False),
    Column("pause_reason", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""What an operator decided about each lane, and when its last receipt came."""


class LaneStatements:
    """Their texts; see `Statements`."""

    lanes: Statement
    lane_records: Statement
    lane_record: Statement
    lane_faults: Statement
    put_lane: Statement
    hasten: Statement

    def _of_lanes(self, sql: Compiler) -> None:
        o = outbox.c
        self.lanes = sql.text(
            select(o.partner, o.status, func.count(), func.min(o.created_at_ms), func.min(o.due_ms))
            .group_by(o.partner, o.status)
            .order_by(o.partner, o.status)
        )
        self.lane_records = sql.text(select(*lanes.columns).order_by(lanes.c.partner))
        self.lane_record = sql.text(
            select(*lanes.columns).where(lanes.c.partner == bindparam("partner")), ["partner"]
        )
        self.lane_faults = sql.text(
            select(o.last_fault)
            .where(o.partner == bindparam("partner"), o.status == bindparam("state"))
            .order_by(o.draft_id)
            .limit(bindparam("most")),
            ["partner", "state", "most"],
        )
        self.put_lane = sql.upsert(lanes)
        self.hasten = sql.text(
            update(outbox)
            .values(due_ms=literal_column("0"))
            .where(o.partner == bindparam("lane"), o.due_ms > literal_column("0")),
            ["lane"],
        )
