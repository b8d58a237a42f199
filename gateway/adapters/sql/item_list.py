"""The item lists on a driver's cursor."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from gateway.adapters.sql.cursor import SqlReader, SqlWriter
from gateway.adapters.sql.item_list_schema import LISTED_STILL_MS, WORDS_END
from gateway.adapters.sql.rows import Row
from gateway.kernel.identifiers import GatewayId
from gateway.ports.item_list import Change, Edition, ListedRow, Telling, ToldEdition
from gateway.rules.item_list.rows import ItemRow, codes_text, fingerprint, words_text

_PROGRESS_EVERY: Final = 1_024


class SqlItemListReader(SqlReader):
    """Implements `ports.item_list.ItemListReader`."""

    def editions(self, region: GatewayId | None, *, limit: int) -> Sequence[Edition]:
        """See `ItemListReader`."""
        if region is None:
            return [Edition(*row) for row in self._rows(self._sql.latest_editions, limit)]
        return [Edition(*row) for row in self._rows(self._sql.editions, region, limit)]

    def _last_ms(self, region: GatewayId) -> int:
        """Return the instant at which the list became what it is now; -1 if there is none."""
        last = self.editions(region, limit=1)
        return last[0].imported_at_ms if last else -1

    def fingerprints(self, region: GatewayId) -> Mapping[str, bytes]:
        """See `ItemListReader`."""
        at = self._last_ms(region)
        return dict(self._rows(self._sql.item_fingerprints, region, at, at))

    def listed(self, region: GatewayId, codes: Collection[str]) -> Mapping[str, ListedRow]:
        """See `ItemListReader`."""
        at = self._last_ms(region)
        return self._listed_at(region, codes, at, at)

    def _listed_at(
        self, region: GatewayId, codes: Collection[str], at_ms: int, last_ms: int
    ) -> dict[str, ListedRow]:
        found = {}
        for code in codes:
            for row in self._rows(self._sql.item, region, code, at_ms, at_ms):
                found[code] = _listed(row, last_ms)
        return found

    def page(
        self, region: GatewayId, *, after: str, limit: int, at_ms: int | None = None
    ) -> Sequence[ListedRow]:
        """See `ItemListReader`."""
        last = self._last_ms(region)
        at = last if at_ms is None else min(at_ms, last)
        rows = self._rows(self._sql.item_page, region, after, at, at, limit)
        return [_listed(row, last) for row in rows]

    def changes(
        self, region: GatewayId, since_ms: int, until_ms: int, *, after: str, limit: int
    ) -> Sequence[Change]:
        """See `ItemListReader`."""
        last = self._last_ms(region)
        until = min(until_ms, last)
        span = since_ms, until
        codes = [
            code
            for (code,) in self._rows(self._sql.changed_codes, region, after, *span, *span, limit)
        ]
        before = self._listed_at(region, codes, since_ms, last)
        now = self._listed_at(region, codes, until, last)
        return [Change(code, before.get(code), now.get(code)) for code in codes]

    def staged(self) -> Mapping[GatewayId, int]:
        """See `ItemListReader`."""
        return {GatewayId(region): at_ms for region, at_ms, _ in self._rows(self._sql.staged)}

    def told(self, region: GatewayId) -> Sequence[ToldEdition]:
        """See `ItemListReader`."""
        found = [ToldEdition(*row) for row in self._rows(self._sql.told, region)]
        return [one._replace(published=bool(one.published)) for one in found]

    def told_regions(self) -> Sequence[GatewayId]:
        """See `ItemListReader`."""
        return [GatewayId(region) for (region,) in self._rows(self._sql.told_regions)]

    def told_parts(self, region: GatewayId, number: int) -> Mapping[int, bytes]:
        """See `ItemListReader`."""
        return dict(self._rows(self._sql.told_parts, region, number))

    def tellings(self) -> Mapping[GatewayId, Telling]:
        """See `ItemListReader`."""
        rows = [Telling(*row) for row in self._rows(self._sql.tellings)]
        return {t.partner: t._replace(whole=bool(t.whole)) for t in rows}

    def versions(self, region: GatewayId, code: str) -> Sequence[ListedRow]:
        """See `ItemListReader`."""
        last = self._last_ms(region)
        rows = self._rows(self._sql.item_versions, region, code, last)
        return [_listed(row, last) for row in rows]

    def search(
        self, words: Sequence[str], *, region: GatewayId | None, after: int, limit: int
    ) -> Sequence[ListedRow]:
        """See `ItemListReader`."""
        positions = self._sql.find_words(
            self._cursor, words, region=region, after=after, limit=limit
        )
        by_position = self._sql.item_by_position
        rows = [row for at in positions for row in self._rows(by_position, at)]
        last = {of: self._last_ms(of) for of in {row[1] for row in rows}}
        return [_listed(row, last[row[1]]) for row in rows]


class SqlItemListWriter(SqlItemListReader, SqlWriter):
    """Implements `ports.item_list.ItemListWriter`."""

    def stage(
        self, region: GatewayId, at_ms: int, rows: Sequence[ItemRow], ended: Collection[str]
    ) -> None:
        """See `ItemListWriter`."""
        [(position,)] = self._rows(self._sql.last_item_position)
        under_way = self.staged().get(region)
        if at_ms <= self._last_ms(region) or under_way not in (None, at_ms):
            raise ValueError("this edition does not follow the one before")
        if under_way is None:
            self._write(self._sql.put_staged, [(region, at_ms, position + 1)])
        if self._end(region, ended, at_ms) != len(ended):
            raise ValueError("a code that is not listed cannot end")
        self._end(region, [row.code for row in rows], at_ms)
        self._list(region, rows, at_ms, position + 1)

    def publish(
        self,
        edition: Edition,
        rows: Sequence[ItemRow],
        ended: Collection[str],
        progress: Callable[[int], None],
    ) -> None:
        """See `ItemListWriter`."""
        region, at_ms = edition.region, edition.imported_at_ms
        if not edition.follows(next(iter(self.editions(region, limit=1)), None)):
            raise ValueError("this edition does not follow the one before")
        self.stage(region, at_ms, (), ended)
        for start in range(0, len(rows), _PROGRESS_EVERY):
            part = rows[start : start + _PROGRESS_EVERY]
            self.stage(region, at_ms, part, ())
            progress(start + len(part))
        self._write(self._sql.add_edition, [edition])
        self._cursor.execute(self._sql.drop_staged.text, (region,))

    def sweep(self, region: GatewayId, limit: int) -> int:
        """See `ItemListWriter`."""
        for of, at_ms, first in self._rows(self._sql.staged):
            if of == region:
                return self._undo(region, at_ms, first, limit)
        last = self._last_ms(region)
        ended = self._rows(self._sql.ended_words, last, region, limit)
        self._cursor.executemany(self._sql.drop_item_words.text, ended)
        return len(ended)

    def _undo(self, region: GatewayId, at_ms: int, first: int, limit: int) -> int:
        """Take staged rows away; only then are those they replaced listed on, code by code."""
        staged = self._rows(self._sql.staged_positions, first, region, at_ms, limit)
        if staged:
            self._cursor.executemany(self._sql.drop_item_words.text, staged)
            self._cursor.executemany(self._sql.drop_item.text, staged)
            return len(staged)
        ended = self._rows(self._sql.ended_positions, at_ms, region, limit)
        still = [(LISTED_STILL_MS, *row) for row in ended]
        self._cursor.executemany(self._sql.end_item.text, still)
        if len(ended) < limit:
            self._cursor.execute(self._sql.drop_staged.text, (region,))
        return len(ended) + 1

    def _end(self, region: GatewayId, codes: Iterable[str], at_ms: int) -> int:
        """End those of `codes` that are listed; return how many were."""
        find = self._sql.item_position
        positions = [
            row for code in codes for row in self._rows(find, LISTED_STILL_MS, region, code)
        ]
        self._cursor.executemany(self._sql.end_item.text, [(at_ms, *row) for row in positions])
        return len(positions)

    def _list(self, region: GatewayId, rows: Sequence[ItemRow], at_ms: int, position: int) -> None:
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

    def put_told(self, edition: ToldEdition) -> None:
        """See `ItemListWriter`."""
        self._write(self._sql.put_told, [edition])

    def put_told_part(self, region: GatewayId, number: int, part: int, message_id: bytes) -> None:
        """See `ItemListWriter`."""
        self._write(self._sql.put_told_part, [(region, number, part, message_id)])

    def drop_told(self, region: GatewayId, number: int) -> None:
        """See `ItemListWriter`."""
        for statement in (self._sql.drop_told, self._sql.drop_told_parts):
            self._cursor.execute(statement.text, (region, number))

    def put_telling(self, telling: Telling) -> None:
        """See `ItemListWriter`."""
        self._write(self._sql.put_telling, [telling])


def _listed(row: Row, last_ms: int) -> ListedRow:
    """Return a row; one that ends with an edition that is only staged is listed still."""
    position, region, from_ms, until_ms, *cells = row
    still = until_ms > last_ms
    return ListedRow(position, region, ItemRow(*cells), from_ms, None if still else until_ms)
