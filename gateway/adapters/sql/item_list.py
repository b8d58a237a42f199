"""The item lists on a driver's cursor."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from gateway.adapters.sql.schema import LISTED_STILL_MS, WORDS_END
from gateway.adapters.sql.statements import Statement, Statements
from gateway.kernel.identifiers import GatewayId
from gateway.ports.item_list import Edition, ListedRow
from gateway.rules.item_list.rows import ItemRow, codes_text, fingerprint, words_text

if TYPE_CHECKING:
    from gateway.adapters.sql.cursor import Cursor

_Row = tuple[Any, ...]
_PROGRESS_EVERY: Final = 1_024


class SqlItemListReader:
    """Implements `ports.item_list.ItemListReader`."""

    def __init__(self, cursor: Cursor, statements: Statements) -> None:
        self._cursor = cursor
        self._sql = statements

    def _rows(self, statement: Statement, *values: object) -> list[_Row]:
        self._cursor.execute(statement.text, (*values, *statement.tail))
        return self._cursor.fetchall()

    def editions(self, region: GatewayId | None, *, limit: int) -> Sequence[Edition]:
        """See `ItemListReader`."""
        if region is None:
            return [Edition(*row) for row in self._rows(self._sql.latest_editions, limit)]
        return [Edition(*row) for row in self._rows(self._sql.editions, region, limit)]

    def fingerprints(self, region: GatewayId) -> Mapping[str, bytes]:
        """See `ItemListReader`."""
        return dict(self._rows(self._sql.item_fingerprints, LISTED_STILL_MS, region))

    def listed(self, region: GatewayId, codes: Collection[str]) -> Mapping[str, ListedRow]:
        """See `ItemListReader`."""
        found = {}
        for code in codes:
            for row in self._rows(self._sql.item, LISTED_STILL_MS, region, code):
                found[code] = _listed(row)
        return found

    def page(
        self, region: GatewayId, *, after: str, limit: int, at_ms: int | None = None
    ) -> Sequence[ListedRow]:
        """See `ItemListReader`."""
        if at_ms is None:
            rows = self._rows(self._sql.item_page, LISTED_STILL_MS, region, after, limit)
        else:
            rows = self._rows(self._sql.item_page_at, region, after, at_ms, at_ms, limit)
        return [_listed(row) for row in rows]

    def versions(self, region: GatewayId, code: str) -> Sequence[ListedRow]:
        """See `ItemListReader`."""
        return [_listed(row) for row in self._rows(self._sql.item_versions, region, code)]

    def search(
        self, words: Sequence[str], *, region: GatewayId | None, after: int, limit: int
    ) -> Sequence[ListedRow]:
        """See `ItemListReader`."""
        positions = self._sql.find_words(
            self._cursor, words, region=region, after=after, limit=limit
        )
        by_position = self._sql.item_by_position
        return [_listed(row) for at in positions for row in self._rows(by_position, at)]


class SqlItemListWriter(SqlItemListReader):
    """Implements `ports.item_list.ItemListWriter`."""

    def _write(self, statement: Statement, rows: Sequence[_Row]) -> None:
        start = 0
        for size, text in statement.many.items():
            while len(rows) - start >= size:
                part = rows[start : start + size]
                self._cursor.execute(text, tuple(chain.from_iterable(part)))
                start += size

    def publish(
        self,
        edition: Edition,
        rows: Sequence[ItemRow],
        ended: Collection[str],
        progress: Callable[[int], None],
    ) -> None:
        """See `ItemListWriter`."""
        region, at_ms = edition.region, edition.imported_at_ms
        last = self.editions(region, limit=1)
        number, before_ms = (last[0].number, last[0].imported_at_ms) if last else (0, -1)
        if edition.number != number + 1 or at_ms <= before_ms:
            raise ValueError("this edition does not follow the one before")
        if self._end(region, ended, at_ms) != len(ended):
            raise ValueError("a code that is not listed cannot end")
        if number:
            self._end(region, [row.code for row in rows], at_ms)
        [(position,)] = self._rows(self._sql.last_item_position)
        for start in range(0, len(rows), _PROGRESS_EVERY):
            part = rows[start : start + _PROGRESS_EVERY]
            self._add(region, part, at_ms, position + start + 1)
            progress(start + len(part))
        self._write(self._sql.add_edition, [edition])

    def _end(self, region: GatewayId, codes: Iterable[str], at_ms: int) -> int:
        """End those of `codes` that are listed; return how many were."""
        find = self._sql.item_position
        positions = [
            row for code in codes for row in self._rows(find, LISTED_STILL_MS, region, code)
        ]
        self._cursor.executemany(self._sql.end_item.text, [(at_ms, *row) for row in positions])
        self._cursor.executemany(self._sql.drop_item_words.text, positions)
        return len(positions)

    def _add(self, region: GatewayId, rows: Sequence[ItemRow], at_ms: int, position: int) -> None:
        places = range(position, position + len(rows))
        listed = [
            (at, region, row.code, at_ms, LISTED_STILL_MS, fingerprint(row), *row)
            for at, row in zip(places, rows, strict=True)
        ]
        words = [
            (at, region, words_text(row) + WORDS_END, codes_text(row))
            for at, row in zip(places, rows, strict=True)
        ]
        self._write(self._sql.add_item, listed)
        self._write(self._sql.add_item_words, words)


def _listed(row: _Row) -> ListedRow:
    position, region, from_ms, until_ms, *cells = row
    still = until_ms == LISTED_STILL_MS
    return ListedRow(position, region, ItemRow(*cells), from_ms, None if still else until_ms)
