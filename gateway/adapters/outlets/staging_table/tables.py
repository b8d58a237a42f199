"""A partner's tables: rows laid down, rows read, flags set. Blocking; one thread a partner."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from math import isfinite
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    MetaData,
    RowMapping,
    String,
    Table,
    Time,
    and_,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.exc import NoSuchTableError

from gateway.adapters.outlets.staging_table.settings import Children, StagingTableSettings
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import STAGED_ROWS_MAX
from gateway.kernel.trees import Tree, Value

_TEXT_OF: Final = "%Y-%m-%d %H:%M:%S"


class Staged(NamedTuple):
    """A row as it was read."""

    table: str
    key: object
    flag: str
    cells: Tree
    """By column in lower case; rows that belong to it in lists.

    Bytes are base64, what JSON has no word for is the text of it: one row never hides another.
    """


class Tables:
    """Works on the tables that the settings name. Names are quoted, values are parameters."""

    def __init__(self, engine: Engine, settings: StagingTableSettings) -> None:
        self._engine = engine
        self._settings = settings
        self._tables: dict[str, Table] = {}
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _read_any_text)

    def lay(self, table: str, document: Tree, number: str, at: datetime) -> None:
        """Write a row with its children, new; the same number again changes nothing.

        One that the partner could not process is laid down anew, with the next version.

        Raises:
            Fault: `mapping.value_invalid` for a table or a column that is not there.
        """
        s = self._settings
        if table.lower() not in {name.lower() for name in s.out}:
            raise Fault(FaultCode.MAPPING_VALUE_INVALID, f"operation {table[:64]}")
        with self._begin() as c:
            into = self._table(c, table)
            key, flag = self._column(into, s.key), self._column(into, s.flag)
            known = c.execute(select(into).where(key == number).with_for_update()).mappings()
            row = known.first()
            if row is not None:
                if str(row[flag]) == s.flags.error:
                    c.execute(update(into).where(key == number).values(self._again(into, row)))
                return
            cells, lists = self._split(table, document)
            cells = {s.key: number, s.flag: s.flags.new, **cells}
            if s.version:
                cells.setdefault(s.version, 1)
            if s.inserted:
                cells.setdefault(s.inserted, at.strftime(_TEXT_OF))
            c.execute(insert(into).values(self._values(into, cells)))
            for children, rows in lists:
                below = self._table(c, children.table)
                for place, one in enumerate(rows, start=1):
                    named = {children.order: place, **one, children.parent: number}
                    c.execute(insert(below).values(self._values(below, named)))

    def news(self, table: str) -> Sequence[Staged]:
        """Return what the partner wrote and nobody has read, oldest first."""
        s = self._settings
        with self._begin() as c:
            source = self._table(c, table)
            rows = self._ordered(c, source, self._column(source, s.flag) == s.flags.new)
            return [self._staged(c, table, row) for row in rows]

    def answers(self, table: str, numbers: Collection[str]) -> Sequence[Staged]:
        """Return those of our rows that the partner has read."""
        s = self._settings
        with self._begin() as c:
            source = self._table(c, table)
            mine = self._column(source, s.key).in_(sorted(numbers))
            read = self._column(source, s.flag) != s.flags.new
            return [self._staged(c, table, r) for r in self._ordered(c, source, and_(mine, read))]

    def mark(self, row: Staged, flag: str, told: str) -> None:
        """Set the flag of a row of the partner's, if it is still as it was read."""
        s = self._settings
        with self._begin() as c:
            source = self._table(c, row.table)
            key, was = self._column(source, s.key), self._column(source, s.flag)
            values: dict[str, object] = {was.name: flag}
            if s.error:
                column = self._column(source, s.error)
                length = getattr(column.type, "length", None)
                values[column.name] = told[:length] if length else told
            c.execute(update(source).where(key == row.key, was == row.flag).values(values))

    # --- within ---------------------------------------------------------------------------------

    def _begin(self) -> AbstractContextManager[Connection]:
        return self._engine.begin()

    def _table(self, c: Connection, name: str) -> Table:
        """Return a table as it is in the database, read once."""
        found = self._tables.get(name)
        if found is None:
            schema = self._settings.schema_name
            try:
                found = Table(name, MetaData(), schema=schema, autoload_with=c)
            except NoSuchTableError:
                raise Fault(FaultCode.MAPPING_VALUE_INVALID, f"no table {name}") from None
            if c.dialect.name == "sqlite":
                _read_as_written(found)
            self._tables[name] = found
        return found

    def _column(self, table: Table, name: str) -> Column[Any]:
        for column in table.columns:
            if column.name.lower() == name.lower():
                return column
        raise Fault(FaultCode.MAPPING_VALUE_INVALID, f"{table.name} has no column {name[:64]}")

    def _values(self, table: Table, cells: Tree | dict[str, Any]) -> dict[str, object]:
        return {self._column(table, name).name: _plain(v) for name, v in cells.items()}

    def _again(self, table: Table, row: RowMapping) -> dict[str, object]:
        s = self._settings
        values: dict[str, object] = {self._column(table, s.flag).name: s.flags.new}
        if s.version:
            column = self._column(table, s.version)
            values[column.name] = int(row[column] or 0) + 1
        return values

    def _split(
        self, table: str, document: Tree
    ) -> tuple[dict[str, Any], list[tuple[Children, list[dict[str, Any]]]]]:
        """Part a document into its own cells and the rows that belong to it."""
        cells = dict(document)
        lists = []
        for children in self._children(table):
            rows = cells.pop(children.name, [])
            if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
                raise Fault(FaultCode.MAPPING_VALUE_INVALID, f"/{children.name}")
            lists.append((children, [r for r in rows if isinstance(r, dict)]))
        return cells, lists

    def _children(self, table: str) -> list[Children]:
        return [c for c in self._settings.children if c.of.lower() == table.lower()]

    def _ordered(self, c: Connection, source: Table, which: Any) -> list[RowMapping]:
        s = self._settings
        order = [self._column(source, s.key)]
        if s.inserted:
            order.insert(0, self._column(source, s.inserted))
        chosen = select(source).where(which).order_by(*order).limit(STAGED_ROWS_MAX)
        return list(c.execute(chosen).mappings())

    def _staged(self, c: Connection, table: str, row: RowMapping) -> Staged:
        s, source = self._settings, self._table(c, table)
        key = row[self._column(source, s.key)]
        cells: Tree = _cells(row)
        for children in self._children(table):
            below = self._table(c, children.table)
            mine = self._column(below, children.parent) == key
            order = self._column(below, children.order)
            rows = c.execute(select(below).where(mine).order_by(order).limit(STAGED_ROWS_MAX))
            cells[children.name] = [_cells(r) for r in rows.mappings()]
        return Staged(table, key, str(row[self._column(source, s.flag)]), cells)


def _read_any_text(connection: sqlite3.Connection, _record: object) -> None:
    """Take a text that is no UTF-8 as its bytes: it is refused with its row, and hides no other."""
    connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")


def _read_as_written(table: Table) -> None:
    """Take times of an SQLite table as the texts they are: one that is none hides no other row."""
    for column in table.columns:
        if isinstance(column.type, Date | DateTime | Time):
            column.type = String()


def _cells(row: RowMapping) -> Tree:
    return {str(name).lower(): _value(v) for name, v in row.items()}


def _value(value: object) -> Value:
    match value:
        case None | bool() | int() | str():
            return value
        case float() if isfinite(value):
            return value
        case Decimal() if value.is_finite() and value == value.to_integral_value():
            return int(value)
        case datetime():
            return value.strftime(_TEXT_OF)
        case date():
            return value.isoformat()
        case bytes() | memoryview():
            return base64.b64encode(value).decode()
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, default=str)
        case _:
            return str(value)


def _plain(value: object) -> object:
    if isinstance(value, dict | list):
        raise Fault(FaultCode.MAPPING_VALUE_INVALID, "a list where a cell is")
    return value
