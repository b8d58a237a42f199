"""The SQL of the journal, built from Core constructs once per engine.

Compiling a construct costs more than running it, so the texts are kept and run on the driver's
own cursor, with parameters by position: rows in, tuples out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.engine import Dialect

from gateway.adapters.sql import schema as t
from gateway.adapters.sql.agreement_statements import AgreementStatements
from gateway.adapters.sql.announced_statements import AnnouncedStatements
from gateway.adapters.sql.arrival_statements import ArrivalStatements
from gateway.adapters.sql.assisted_statements import AssistedStatements
from gateway.adapters.sql.item_list_statements import ItemListStatements
from gateway.adapters.sql.joint_statements import JointStatements
from gateway.adapters.sql.lane_statements import LaneStatements
from gateway.adapters.sql.operator_statements import OperatorStatements
from gateway.kernel.case import CaseRole, Stage
from gateway.kernel.identifiers import GatewayId
from gateway.ports.journal import Direction

BULK_SIZES: Final = (1, 4, 16, 64, 256)
"""How many keys one look-up takes: few texts to keep prepared, and little padding."""

INSERT_SIZES: Final = (64, 16, 4, 1)
"""How many rows one INSERT takes: whole groups in a few runs, few texts to keep prepared."""

_VALUES: Final = re.compile(r"(?<=\bVALUES )(\([^()]*\))")


class Statement(NamedTuple):
    """A text and the constants that follow the caller's parameters."""

    text: str
    tail: tuple[object, ...] = ()
    many: Mapping[int, str] = MappingProxyType({})
    """For INSERT: number of rows to the text that takes so many, largest first.

    One statement of many rows is one run of the driver. Row by row, SQLite's driver lets go of
    the interpreter lock for each, and waits for it as often while the event loop is busy.
    """


class FindWords(Protocol):
    """Text search; see `ports.item_list.ItemListReader.search`."""

    def __call__(
        self,
        cursor: Any,
        words: Sequence[str],
        /,
        *,
        region: GatewayId | None,
        after: int,
        limit: int,
    ) -> Sequence[int]:
        """Return positions in order."""
        ...


class Engine(Protocol):
    """What the texts need to know of an engine."""

    @property
    def dialect(self) -> Dialect:
        """Its dialect, with parameters by position."""
        ...

    @property
    def insert(self) -> Callable[[Table], Any]:
        """Its INSERT that knows ON CONFLICT; SQLAlchemy has no common one."""
        ...

    @property
    def find_words(self) -> FindWords:
        """Its text search over `item_words`; SQL has no common one."""
        ...


class Compiler:
    """Turns constructs into texts and holds them to the parameter order the callers use."""

    def __init__(self, engine: Engine) -> None:
        self._dialect = engine.dialect
        self._insert = engine.insert

    def text(self, construct: ClauseElement, names: Sequence[str] = ()) -> Statement:
        """Compile; `names` are the parameters in order, what follows them must be constant."""
        done: Any = construct.compile(dialect=self._dialect)
        order = list(done.positiontup or ())
        if order[: len(names)] != list(names):
            raise ValueError(f"parameters stand in the order {order}")
        return Statement(str(done), tuple(done.params[name] for name in order[len(names) :]))

    def insert(self, table: Table) -> Statement:
        """INSERT of whole rows, without a number that the engine gives."""
        names = [c.name for c in table.columns if c.autoincrement is not True]
        return self._columns(insert(table), names)

    def upsert(self, table: Table) -> Statement:
        """INSERT of whole rows that replaces the row with the same primary key."""
        names = [c.name for c in table.columns]
        row = self._insert(table)
        keys = [c.name for c in table.primary_key]
        new = {name: row.excluded[name] for name in names if name not in keys}
        return self._columns(row.on_conflict_do_update(index_elements=keys, set_=new), names)

    def keep(self, table: Table) -> Statement:
        """INSERT of whole rows that leaves the row with the same primary key as it is."""
        return self._columns(
            self._insert(table).on_conflict_do_nothing(), [c.name for c in table.columns]
        )

    def add(self, table: Table, key: str) -> Statement:
        """Raise the number under (name) by (by), beginning at it; return the new number."""
        row = self._insert(table)
        more = row.on_conflict_do_update(
            index_elements=[key], set_={"value": table.c.value + row.excluded.value}
        )
        return self._columns(more.returning(table.c.value), [key, "value"])

    def _columns(self, construct: ClauseElement, names: Sequence[str]) -> Statement:
        done: Any = construct.compile(
            dialect=self._dialect, column_keys=list(names), for_executemany=True
        )
        if list(done.positiontup) != list(names):
            raise ValueError(f"columns stand in the order {done.positiontup}")
        text = str(done)
        before, row, after = _VALUES.split(text, 1)
        many = {n: before + ", ".join([row] * n) + after for n in INSERT_SIZES}
        return Statement(text, many=MappingProxyType(many))

    def bulk(
        self, rows: Select[Any], owner: ColumnElement[str], ident: ColumnElement[bytes]
    ) -> Mapping[int, str]:
        """Compile a look-up of one owner's ids for each of `BULK_SIZES`: (owner, id, id, ...).

        Not `(owner, id) IN ((..), (..))`: SQLite scans the whole table for that.
        """
        spelt = {"render_postcompile": True}  # the list of IN written out
        return {
            n: str(
                rows.where(owner == "", ident.in_([b""] * n)).compile(
                    dialect=self._dialect, compile_kwargs=spelt
                )
            )
            for n in BULK_SIZES
        }


def _all(table: Table) -> list[ColumnElement[Any]]:
    return [c for c in table.columns if c.autoincrement is not True]


def _constant(word: StrEnum) -> ColumnElement[str]:
    """Write a word of ours into the statement, so that it is no parameter."""
    return literal_column(f"'{word.value}'")


def _sealed() -> ColumnElement[bool]:
    """Join an outbox entry to its sealed message: `direction` sets ours apart from theirs."""
    m, o = t.messages.c, t.outbox.c
    return and_(m.message_id == o.message_id, m.direction == _constant(Direction.OUT))


class Statements(
    AgreementStatements,
    ItemListStatements,
    AssistedStatements,
    JointStatements,
    LaneStatements,
    ArrivalStatements,
    OperatorStatements,
    AnnouncedStatements,
):
    """Every text of the journal, ready to run."""

    def __init__(self, engine: Engine) -> None:
        sql = Compiler(engine)
        self._of_messages(sql)
        self._of_cases(sql)
        self._of_clocks(sql)
        self._of_outbox(sql)
        self._of_the_rest(sql)
        self._of_agreements(sql)
        self._of_item_list(sql)
        self.find_words = engine.find_words
        self._of_assisted(sql)
        self._of_joint(sql)
        self._of_lanes(sql)
        self._of_arrivals(sql)
        self._of_operators(sql)
        self._of_announced(sql)

    def _of_messages(self, sql: Compiler) -> None:
        m, s = t.messages.c, t.second_receipts.c
        whole = select(*_all(t.messages))
        in_case = and_(m.case_origin == bindparam("case_origin"), m.case_id == bindparam("case_id"))
        self.messages = sql.bulk(whole, m.sender, m.message_id)
        self.outcomes = sql.bulk(
            select(m.sender, m.message_id, m.header_digest, m.direction, m.outcome, m.receipt),
            m.sender,
            m.message_id,
        )
        self.messages_by_id = sql.text(
            whole.where(m.message_id == bindparam("message_id")).order_by(m.position),
            ["message_id"],
        )
        self.history = sql.text(
            whole.where(in_case).order_by(m.position), ["case_origin", "case_id"]
        )
        self.knows_header = sql.text(
            select(m.position)
            .where(
                in_case,
                m.direction == bindparam("direction"),
                m.header_digest == bindparam("header_digest"),
            )
            .limit(1),
            ["case_origin", "case_id", "direction", "header_digest"],
        )
        self.add_message = sql.insert(t.messages)
        self.receipt_message = sql.text(
            update(t.messages)
            .values({c: bindparam(c) for c in ("outcome", "rule", "receipted_at_ms", "receipt")})
            .where(m.sender == bindparam("of"), m.message_id == bindparam("id")),
            ["outcome", "rule", "receipted_at_ms", "receipt", "of", "id"],
        )
        self.second_receipt = sql.text(
            select(s.receipt).where(
                s.sender == bindparam("sender"),
                s.message_id == bindparam("message_id"),
                s.header_digest == bindparam("header_digest"),
            ),
            ["sender", "message_id", "header_digest"],
        )
        self.add_second_receipt = sql.insert(t.second_receipts)
        self.add_pending = sql.insert(t.ledger_pending)
        self.pending = sql.text(select(func.count()).select_from(t.ledger_pending))

    def _of_cases(self, sql: Compiler) -> None:
        c = t.cases.c
        whole = select(*_all(t.cases))
        page = whole.where(c.case_id < bindparam("before")).order_by(c.case_id.desc())
        page = page.limit(bindparam("limit"))
        unit, role = c.unit == bindparam("unit"), c.role == bindparam("role")
        self.cases = sql.bulk(whole, c.origin, c.case_id)
        self.cases_by_id = sql.text(
            whole.where(c.case_id == bindparam("case_id")).order_by(c.origin), ["case_id"]
        )
        self.cases_page = sql.text(page, ["before", "limit"])
        self.cases_page_of_role = sql.text(page.where(role), ["before", "role", "limit"])
        self.cases_page_of_unit = sql.text(
            page.where(unit, role), ["before", "unit", "role", "limit"]
        )
        self.tasks = sql.text(
            whole.where(unit, c.awaits_us == true(), c.change_number > bindparam("after"))
            .order_by(c.change_number)
            .limit(bindparam("limit")),
            ["unit", "after", "limit"],
        )
        self.save_case = sql.upsert(t.cases)

    def _of_clocks(self, sql: Compiler) -> None:
        c, e = t.case_clocks.c, t.clock_events.c
        whole = select(*_all(t.case_clocks))
        place = tuple_(c.late_from_ms, c.origin, c.case_id)
        late = (
            whole.where(
                place > tuple_(bindparam("after_ms"), bindparam("origin"), bindparam("case_id")),
                c.late_from_ms <= bindparam("now"),
            )
            .order_by(c.late_from_ms, c.origin, c.case_id)
            .limit(bindparam("limit"))
        )
        self.clocks = sql.bulk(whole, c.origin, c.case_id)
        self.clocks_due = sql.text(
            whole.where(c.next_ms <= bindparam("now"))
            .order_by(c.next_ms)
            .limit(bindparam("limit")),
            ["now", "limit"],
        )
        self.clocks_stale = sql.text(
            whole.where(c.closed_at_ms.is_(None), c.calendar != bindparam("calendar")).limit(
                bindparam("limit")
            ),
            ["calendar", "limit"],
        )
        names = ["after_ms", "origin", "case_id", "now"]
        self.clocks_late = sql.text(late, [*names, "limit"])
        self.clocks_late_of_unit = sql.text(
            late.where(c.unit == bindparam("unit")), [*names, "unit", "limit"]
        )
        k = t.cases.c
        self.clocks_to_rectify = sql.text(
            whole.join(t.cases, (k.origin == c.origin) & (k.case_id == c.case_id))
            .where(
                c.unit == bindparam("unit"),
                c.closed_at_ms.is_(None),
                k.role == _constant(CaseRole.DECIDING),
                k.stage.in_([_constant(Stage.DELIVERED), _constant(Stage.ARCHIVED)]),
            )
            .order_by(c.origin, c.case_id)
            .limit(bindparam("limit")),
            ["unit", "limit"],
        )
        self.save_clocks = sql.upsert(t.case_clocks)
        self.clock_events = sql.text(
            select(*t.clock_events.columns).where(
                e.origin == bindparam("origin"), e.case_id == bindparam("case_id")
            ),
            ["origin", "case_id"],
        )
        self.keep_clock_event = sql.keep(t.clock_events)

    def _of_outbox(self, sql: Compiler) -> None:
        o, m = t.outbox.c, t.messages.c
        filled = select(*_all(t.outbox), m.envelope).select_from(
            t.outbox.outerjoin(t.messages, _sealed())
        )
        named = select(*_all(t.outbox), m.sender).select_from(t.messages.join(t.outbox, _sealed()))
        self.outbox = sql.text(
            filled.where(
                o.case_origin == bindparam("case_origin"), o.case_id == bindparam("case_id")
            ).order_by(o.draft_id),
            ["case_origin", "case_id"],
        )
        self.outbox_of = sql.bulk(named, m.sender, m.message_id)
        self.claimable = sql.text(
            filled.where(
                o.partner == bindparam("partner"),
                o.status == bindparam("status"),
                o.due_ms <= bindparam("due"),
                o.leased_until_ms <= bindparam("leased"),
            )
            .order_by(o.draft_id)
            .limit(bindparam("limit"))
            .with_for_update(skip_locked=True, of=t.outbox),
            ["partner", "status", "due", "leased", "limit"],
        )
        self.lease = sql.text(
            update(t.outbox)
            .values(attempts=bindparam("attempts"), leased_until_ms=bindparam("leased_until_ms"))
            .where(o.draft_id == bindparam("id")),
            ["attempts", "leased_until_ms", "id"],
        )
        self.release = sql.text(
            update(t.outbox).values(leased_until_ms=0).where(o.leased_until_ms > 0)
        )
        self.put_outbox = sql.upsert(t.outbox)
        self.drop_outbox = sql.text(delete(t.outbox).where(o.draft_id == bindparam("id")), ["id"])

    def _of_the_rest(self, sql: Compiler) -> None:
        f, r, e = t.materials.c, t.remembered.c, t.evidence.c
        self.materials = sql.text(
            select(*t.materials.columns)
            .where(f.origin == bindparam("origin"), f.case_id == bindparam("case_id"))
            .order_by(f.batch, f.position),
            ["origin", "case_id"],
        )
        self.put_material = sql.upsert(t.materials)
        self.remembered = sql.text(
            select(r.request_digest, r.answer, r.recorded_at_ms).where(
                r.unit == bindparam("unit"), r.key == bindparam("key")
            ),
            ["unit", "key"],
        )
        self.remember = sql.insert(t.remembered)
        self.evidence = sql.text(
            select(e.digest, e.kind, e.content).where(e.digest == bindparam("digest")), ["digest"]
        )
        self.put_evidence = sql.keep(t.evidence)
        self.next_serial = sql.add(t.serials, "scope")
        self.count = sql.add(t.counters, "name")
