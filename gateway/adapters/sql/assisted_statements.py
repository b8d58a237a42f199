"""The assisted desk's tables, rows and statements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    and_,
    bindparam,
    select,
)

from gateway.adapters.sql.schema import metadata
from gateway.kernel.assisted import TypingStatus, WorkStatus
from gateway.kernel.envelope import Kind
from gateway.kernel.identifiers import CaseKey
from gateway.ports.assisted import Typing, WorkItem

if TYPE_CHECKING:
    from gateway.adapters.sql.rows import Row
    from gateway.adapters.sql.statements import Compiler, Statement

work: Final = Table(
    "assisted_work",
    metadata,
    Column("message_id", LargeBinary, primary_key=True, nullable=False),
    Column("partner", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("case_origin", Text, nullable=False),
    Column("case_id", LargeBinary, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("header_digest", LargeBinary, nullable=False),
    Column("listed_at_ms", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("done", Boolean, nullable=False),
    Column("method", Text, nullable=False),
    Column("handed_over_at_ms", BigInteger, nullable=False),
    Column("handed_over_by", Text, nullable=False),
    Index("assisted_work_unit", "unit", "done", "message_id"),
    Index("assisted_work_done", "done", "message_id"),
    Index("assisted_work_case", "case_origin", "case_id", "message_id"),
)
"""Messages of ours that people carry; `done` is what the list is read by."""

typed: Final = Table(
    "assisted_typings",
    metadata,
    Column("partner", Text, primary_key=True, nullable=False),
    Column("natural_key", Text, primary_key=True, nullable=False),
    Column("work_id", LargeBinary, nullable=False),
    Column("case_origin", Text, nullable=False),
    Column("case_id", LargeBinary, nullable=False),
    Column("unit", Text, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("number", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("typed_at_ms", BigInteger, nullable=False),
    Column("typed_by", Text, nullable=False),
    Column("confirmed_at_ms", BigInteger, nullable=False),
    Column("confirmed_by", Text, nullable=False),
    Column("message_id", LargeBinary, nullable=False),
    Column("rule", Text, nullable=False),
    Column("settled_at_ms", BigInteger, nullable=False),
    Column("typed", LargeBinary, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Index("assisted_typings_case", "case_origin", "case_id", "typed_at_ms", "natural_key"),
    Index("assisted_typings_status", "status", "typed_at_ms", "natural_key"),
)
"""Answers of partners as they were typed."""

_KINDS: Final[Mapping[int, Kind]] = {k.value: k for k in Kind}


def work_row(i: WorkItem) -> Row:
    """Write a work item as a row."""
    return (
        i.message_id,
        i.partner,
        i.unit,
        *i.case_key,
        int(i.kind),
        i.header_digest,
        i.listed_at_ms,
        i.status.value,
        i.status is WorkStatus.DONE,
        i.method,
        i.handed_over_at_ms,
        i.handed_over_by,
    )


def work_of(row: Row) -> WorkItem:
    """Read a work item from its row."""
    return WorkItem(
        row[0],
        row[1],
        row[2],
        CaseKey(row[3], row[4]),
        _KINDS[row[5]],
        row[6],
        row[7],
        WorkStatus(row[8]),
        row[10],
        row[11],
        row[12],
    )


def typing_row(t: Typing) -> Row:
    """Write a typed answer as a row."""
    return (
        t.partner,
        t.natural_key,
        t.work_id,
        *t.case_key,
        t.unit,
        int(t.kind),
        t.number,
        t.status.value,
        t.typed_at_ms,
        t.typed_by,
        t.confirmed_at_ms,
        t.confirmed_by,
        t.message_id,
        t.rule,
        t.settled_at_ms,
        t.typed,
        t.envelope,
    )


def typing_of(row: Row) -> Typing:
    """Read a typed answer from its row."""
    return Typing(
        partner=row[0],
        natural_key=row[1],
        work_id=row[2],
        case_key=CaseKey(row[3], row[4]),
        unit=row[5],
        kind=_KINDS[row[6]],
        number=row[7],
        status=TypingStatus(row[8]),
        typed_at_ms=row[9],
        typed_by=row[10],
        confirmed_at_ms=row[11],
        confirmed_by=row[12],
        message_id=row[13],
        rule=row[14],
        settled_at_ms=row[15],
        typed=row[16],
        envelope=row[17],
    )


class AssistedStatements:
    """The desk's texts; `Statements` is one of these."""

    work_item: Statement
    work_page: Statement
    work_page_of_unit: Statement
    work_of_case: Statement
    list_work: Statement
    save_work: Statement
    typings_of_case: Statement
    typings_in: Statement
    save_typing: Statement

    def _of_assisted(self, sql: Compiler) -> None:
        w, t = work.c, typed.c
        items, answers = select(*work.columns), select(*typed.columns)
        page = items.where(w.done == bindparam("done"), w.message_id > bindparam("after"))
        page = page.order_by(w.message_id).limit(bindparam("limit"))
        self.work_item = sql.text(items.where(w.message_id == bindparam("id")), ["id"])
        self.work_page = sql.text(page, ["done", "after", "limit"])
        self.work_page_of_unit = sql.text(
            page.where(w.unit == bindparam("unit")), ["done", "after", "unit", "limit"]
        )
        self.work_of_case = sql.text(
            items.where(_in_case(w)).order_by(w.message_id), ["case_origin", "case_id"]
        )
        self.list_work = sql.keep(work)
        self.save_work = sql.upsert(work)
        self.typings_of_case = sql.text(
            answers.where(_in_case(t)).order_by(t.typed_at_ms, t.natural_key),
            ["case_origin", "case_id"],
        )
        self.typings_in = sql.text(
            answers.where(t.status == bindparam("status"))
            .order_by(t.typed_at_ms, t.natural_key)
            .limit(bindparam("limit")),
            ["status", "limit"],
        )
        self.save_typing = sql.upsert(typed)


def _in_case(columns: Any) -> Any:
    return and_(
        columns.case_origin == bindparam("case_origin"), columns.case_id == bindparam("case_id")
    )
