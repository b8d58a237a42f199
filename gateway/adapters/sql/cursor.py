"""Running the journal's statements on a driver's cursor."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Protocol

from gateway.adapters.sql.rows import Row
from gateway.adapters.sql.statements import BULK_SIZES, Statement, Statements


class Cursor(Protocol):
    """What is used of a DB-API cursor."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        ...

    def execute(self, text: str, values: Sequence[Any], /) -> object:
        """Run one statement."""
        ...

    def executemany(self, text: str, values: Sequence[Sequence[Any]], /) -> object:
        """Run one statement for each row of values."""
        ...

    def fetchall(self) -> list[Any]:
        """Return the rows."""
        ...

    def fetchone(self) -> Any:
        """Return the next row or None."""
        ...


class SqlReader:
    """Reads within a transaction that someone else began."""

    def __init__(self, cursor: Cursor, statements: Statements) -> None:
        self._cursor = cursor
        self._sql = statements

    def _rows(self, statement: Statement, *values: object) -> list[Row]:
        self._cursor.execute(statement.text, (*values, *statement.tail))
        return self._cursor.fetchall()

    def _row(self, statement: Statement, *values: object) -> Row | None:
        self._cursor.execute(statement.text, (*values, *statement.tail))
        row: Row | None = self._cursor.fetchone()
        return row

    def _look_up(
        self, texts: Mapping[int, str], keys: Collection[tuple[str, bytes]]
    ) -> Iterator[Row]:
        """Yield the rows of `keys`, owner by owner; the last id fills up a statement's size."""
        owners: dict[str, list[bytes]] = {}
        for owner, ident in keys:
            owners.setdefault(owner, []).append(ident)
        most = BULK_SIZES[-1]
        for owner, idents in owners.items():
            for start in range(0, len(idents), most):
                part = idents[start : start + most]
                size = next(n for n in BULK_SIZES if n >= len(part))
                part += part[-1:] * (size - len(part))
                self._cursor.execute(texts[size], (owner, *part))
                yield from self._cursor.fetchall()


class SqlWriter(SqlReader):
    """Writes in it too."""

    def _write(self, statement: Statement, rows: Iterable[Row]) -> None:
        values = list(rows)
        if not statement.many:
            if values:
                self._cursor.executemany(statement.text, values)
            return
        start = 0
        for size, text in statement.many.items():
            while len(values) - start >= size:
                part = values[start : start + size]
                self._cursor.execute(text, tuple(chain.from_iterable(part)))
                start += size

    def _add(self, statement: Statement, name: str, by: int) -> int:
        row = self._row(statement, name, by)
        assert row is not None
        value: int = row[0]
        return value
