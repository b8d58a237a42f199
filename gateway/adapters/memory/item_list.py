"""The item lists kept in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from gateway.adapters.memory.undo import Table, UndoLog
from gateway.kernel.identifiers import GatewayId
from gateway.ports.item_list import Edition, ListedRow
from gateway.rules.item_list.rows import ItemRow, codes_text, fingerprint, has_words, words_text

_Name = tuple[GatewayId, str]


class ItemListState:
    """Every version by position, the current one of each row, and the editions."""

    def __init__(self, log: UndoLog) -> None:
        self.versions: Table[int, ListedRow] = Table(log)
        self.current: Table[_Name, int] = Table(log)
        self.editions: Table[tuple[GatewayId, int], Edition] = Table(log)


class MemoryItemList:
    """Implements `ports.item_list.ItemListWriter`."""

    def __init__(self, state: ItemListState) -> None:
        self._state = state

    def editions(self, region: GatewayId | None, *, limit: int) -> Sequence[Edition]:
        """See `ItemListReader`."""
        rows = self._state.editions.rows
        if region is not None:
            return [rows[key] for key in sorted(rows, reverse=True) if key[0] == region][:limit]
        latest = {key[0]: rows[key] for key in sorted(rows)}
        return list(latest.values())[:limit]

    def _now(self, region: GatewayId) -> list[ListedRow]:
        current, versions = self._state.current.rows, self._state.versions.rows
        return [versions[at] for name, at in sorted(current.items()) if name[0] == region]

    def fingerprints(self, region: GatewayId) -> Mapping[str, bytes]:
        """See `ItemListReader`."""
        return {v.row.code: fingerprint(v.row) for v in self._now(region)}

    def listed(self, region: GatewayId, codes: Collection[str]) -> Mapping[str, ListedRow]:
        """See `ItemListReader`."""
        wanted = set(codes)
        return {v.row.code: v for v in self._now(region) if v.row.code in wanted}

    def page(
        self, region: GatewayId, *, after: str, limit: int, at_ms: int | None = None
    ) -> Sequence[ListedRow]:
        """See `ItemListReader`."""
        if at_ms is None:
            found = self._now(region)
        else:
            every = self._state.versions.rows.values()
            found = [v for v in every if v.region == region and _listed_at(v, at_ms)]
            found.sort(key=lambda v: v.row.code)
        return [v for v in found if v.row.code > after][:limit]

    def versions(self, region: GatewayId, code: str) -> Sequence[ListedRow]:
        """See `ItemListReader`."""
        every = self._state.versions.rows.values()
        found = [v for v in every if (v.region, v.row.code) == (region, code)]
        return sorted(found, key=lambda v: v.listed_from_ms)

    def search(
        self, words: Sequence[str], *, region: GatewayId | None, after: int, limit: int
    ) -> Sequence[ListedRow]:
        """See `ItemListReader`."""
        found = []
        for name, at in sorted(self._state.current.rows.items(), key=lambda item: item[1]):
            version = self._state.versions.rows[at]
            texts = words_text(version.row), codes_text(version.row)
            if at > after and region in (None, name[0]) and has_words(*texts, words):
                found.append(version)
        return found[:limit]

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
        for code in ended:
            if (region, code) not in self._state.current.rows:
                raise ValueError("a code that is not listed cannot end")
            self._end((region, code), at_ms)
        for row in rows:
            name = region, row.code
            if name in self._state.current.rows:
                self._end(name, at_ms)
            position = len(self._state.versions.rows) + 1
            self._state.versions.add(position, ListedRow(position, region, row, at_ms, None))
            self._state.current.add(name, position)
        self._state.editions.add((region, edition.number), edition)
        progress(len(rows))

    def _end(self, name: _Name, at_ms: int) -> None:
        at = self._state.current.rows[name]
        self._state.current.drop(name)
        version = self._state.versions.rows[at]
        self._state.versions.put(at, version._replace(listed_until_ms=at_ms))


def _listed_at(version: ListedRow, at_ms: int) -> bool:
    until = version.listed_until_ms
    return version.listed_from_ms <= at_ms and (until is None or at_ms < until)
