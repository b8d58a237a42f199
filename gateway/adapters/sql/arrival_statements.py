"""Tables, rows and statements of what partners' platforms sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
)

from gateway.adapters.sql.schema import metadata, outbox
from gateway.kernel.arrivals import OPEN, ArrivalStatus
from gateway.kernel.envelope import Strength
from gateway.kernel.identifiers import CaseId, CaseKey, GatewayId
from gateway.ports.journal import OutboxStatus
from gateway.ports.journal_arrivals import StoredArrival

if TYPE_CHECKING:
    from gateway.adapters.sql.rows import Row
    from gateway.adapters.sql.statements import Compiler, Statement

arrivals: Final = Table(
    "arrivals",
    metadata,
    Column("arrival_id", LargeBinary, primary_key=True, nullable=False),
    Column("partner", Text, nullable=False),
    Column("adapter", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("strength", SmallInteger, nullable=False),
    Column("natural_key", Text, nullable=False),
    Column("content_digest", LargeBinary, nullable=False),
    Column("raw_digest", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("received_at_ms", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("case_origin", Text, nullable=False),
    Column("case_id", LargeBinary, nullable=False),
    Column("message_id", LargeBinary, nullable=False),
    Column("settled_at_ms", BigInteger, nullable=False),
    Column("operator", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Index("arrivals_key", "partner", "natural_key", "arrival_id"),
    Index("arrivals_status", "status", "arrival_id"),
    Index("arrivals_held", "partner", "status", "size"),
)
"""What came from partners' own platforms; raw bytes only while it is open."""

case_numbers: Final = Table(
    "case_numbers",
    metadata,
    Column("partner", Text, primary_key=True, nullable=False),
    Column("number", Text, primary_key=True, nullable=False),
    Column("origin", Text, nullable=False),
    Column("case_id", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""What a number stands for in a partner's mouth."""

nonces: Final = Table(
    "arrival_nonces",
    metadata,
    Column("partner", Text, primary_key=True, nullable=False),
    Column("nonce", Text, primary_key=True, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""What may be said once only, for as long as its signature would count."""


class ArrivalStatements:
    """Their texts; see `Statements`."""

    arrivals_named: Statement
    arrival: Statement
    arrivals_in: Statement
    arrivals_held: Statement
    case_named: Statement
    nonce_used: Statement
    parked: Statement
    save_arrival: Statement
    name_case: Statement
    use_nonce: Statement
    forget_nonces: Statement

    def _of_arrivals(self, sql: Compiler) -> None:
        t, n = arrivals.c, nonces.c
        light = [c for c in arrivals.columns if c.name not in ("document", "raw")]
        self.arrivals_named = sql.text(
            select(*light)
            .where(t.partner == bindparam("partner"), t.natural_key == bindparam("key"))
            .order_by(t.arrival_id),
            ["partner", "key"],
        )
        self.arrival = sql.text(
            select(*arrivals.columns).where(t.arrival_id == bindparam("arrival_id")),
            ["arrival_id"],
        )
        self.arrivals_in = sql.text(
            select(*light)
            .where(t.status == bindparam("status"), t.arrival_id > bindparam("after"))
            .order_by(t.arrival_id)
            .limit(bindparam("limit")),
            ["status", "after", "limit"],
        )
        statuses: list[ColumnElement[str]] = [
            literal_column(f"'{status.value}'") for status in sorted(OPEN)
        ]
        size = func.coalesce(func.sum(t.size), literal_column("0"))
        self.arrivals_held = sql.text(
            select(func.count(), size).where(
                t.partner == bindparam("partner"), or_(*[t.status == one for one in statuses])
            ),
            ["partner"],
        )
        self.case_named = sql.text(
            select(case_numbers.c.origin, case_numbers.c.case_id).where(
                case_numbers.c.partner == bindparam("partner"),
                case_numbers.c.number == bindparam("number"),
            ),
            ["partner", "number"],
        )
        o = outbox.c
        listed: ColumnElement[str] = literal_column(f"'{OutboxStatus.LISTED.value}'")
        self.parked = sql.text(
            select(o.message_id)
            .where(o.partner == bindparam("partner"), o.status == listed)
            .order_by(o.draft_id)
            .limit(bindparam("limit")),
            ["partner", "limit"],
        )
        self.nonce_used = sql.text(
            select(literal_column("1")).where(
                n.partner == bindparam("partner"), n.nonce == bindparam("nonce")
            ),
            ["partner", "nonce"],
        )
        self.save_arrival = sql.upsert(arrivals)
        self.name_case = sql.keep(case_numbers)
        self.use_nonce = sql.keep(nonces)
        self.forget_nonces = sql.text(
            delete(nonces).where(n.partner == bindparam("partner"), n.until_ms < bindparam("now")),
            ["partner", "now"],
        )


def arrival_row(a: StoredArrival) -> Row:
    """Return a row of `arrivals`."""
    origin, case_id = a.case_key or ("", b"")
    return (
        *a[:4],
        int(a.strength),
        *a[5:10],
        a.status.value,
        *a[11:14],
        origin,
        case_id,
        *a[15:],
    )


def arrival_of(row: Row) -> StoredArrival:
    """Read a row of `arrivals`, with or without what stands last."""
    key = CaseKey(GatewayId(row[14]), CaseId(row[15])) if row[14] else None
    strength, status = Strength(row[4]), ArrivalStatus(row[10])
    found = (*row[:4], strength, *row[5:10], status, *row[11:14], key, *row[16:])
    return StoredArrival(*found)
