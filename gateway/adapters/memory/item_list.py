"""The item lists kept in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from gateway.adapters.memory.undo import Table, UndoLog
from gateway.kernel.identifiers import GatewayId
from gateway.ports.item_list import Change, Edition, ListedRow, Telling, ToldEdition
from gateway.rules.item_list.rows import ItemRow, codes_text, fingerprint, has_words, words_text

_Name = tuple[GatewayId, str]


class ItemListState:
    """Every version by position, the latest of each row, the editions, and what is told of them."""

    def __init__(self, log: UndoLog) -> None:
        self.versions: Table[int, ListedRow] = Table(log)
        self.of_code: Table[_Name, tuple[int, ...]] = Table(log)
        self.editions: Table[tuple[GatewayId, int], Edition] = Table(log)
        self.staged: Table[GatewayId, int] = Table(log)
        self.counters: Table[str, int] = Table(log)
        self.told: Table[tuple[GatewayId, int], ToldEdition] = Table(log)
        self.told_parts: Table[tuple[GatewayId, int], Mapping[int, bytes]] = Table(log)
        self.tellings: Table[GatewayId, Telling] = Table(log)


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

    def _last_ms(self, region: GatewayId) -> int:
        last = self.editions(region, limit=1)
        return last[0].imported_at_ms if last else -1

    def _at(self, region: GatewayId, at_ms: int) -> dict[str, ListedRow]:
        """Return what was listed at an instant, by code; the staged is not seen."""
        found = {
            v.row.code: self._seen(v)
            for v in self._state.versions.rows.values()
            if v.region == region and _listed_at(v, min(at_ms, self._last_ms(region)))
        }
        return dict(sorted(found.items()))

    def _seen(self, version: ListedRow) -> ListedRow:
        until = version.listed_until_ms
        staged = until is not None and until > self._last_ms(version.region)
        return version._replace(listed_until_ms=None) if staged else version

    def _now(self, region: GatewayId) -> dict[str, ListedRow]:
        return self._at(region, self._last_ms(region))

    def fingerprints(self, region: GatewayId) -> Mapping[str, bytes]:
        """See `ItemListReader`."""
        return {code: fingerprint(v.row) for code, v in self._now(region).items()}

    def listed(self, region: GatewayId, codes: Collection[str]) -> Mapping[str, ListedRow]:
        """See `ItemListReader`."""
        now = self._now(region)
        return {code: now[code] for code in codes if code in now}

    def page(
        self, region: GatewayId, *, after: str, limit: int, at_ms: int | None = None
    ) -> Sequence[ListedRow]:
        """See `ItemListReader`."""
        found = self._now(region) if at_ms is None else self._at(region, at_ms)
        return [v for code, v in found.items() if code > after][:limit]

    def changes(
        self, region: GatewayId, since_ms: int, until_ms: int, *, after: str, limit: int
    ) -> Sequence[Change]:
        """See `ItemListReader`."""
        until = min(until_ms, self._last_ms(region))
        span = range(since_ms + 1, until + 1)
        codes = {
            v.row.code
            for v in self._state.versions.rows.values()
            if v.region == region and (v.listed_from_ms in span or v.listed_until_ms in span)
        }
        before, now = self._at(region, since_ms), self._at(region, until)
        wanted = sorted(code for code in codes if code > after)[:limit]
        return [Change(code, before.get(code), now.get(code)) for code in wanted]

    def staged(self) -> Mapping[GatewayId, int]:
        """See `ItemListReader`."""
        return dict(self._state.staged.rows)

    def told(self, region: GatewayId) -> Sequence[ToldEdition]:
        """See `ItemListReader`."""
        return [one for key, one in sorted(self._state.told.rows.items()) if key[0] == region]

    def told_regions(self) -> Sequence[GatewayId]:
        """See `ItemListReader`."""
        return sorted({key[0] for key in self._state.told.rows})

    def told_parts(self, region: GatewayId, number: int) -> Mapping[int, bytes]:
        """See `ItemListReader`."""
        return dict(sorted(self._state.told_parts.rows.get((region, number), {}).items()))

    def tellings(self) -> Mapping[GatewayId, Telling]:
        """See `ItemListReader`."""
        return dict(self._state.tellings.rows)

    def versions(self, region: GatewayId, code: str) -> Sequence[ListedRow]:
        """See `ItemListReader`."""
        last = self._last_ms(region)
        places = self._state.of_code.rows.get((region, code), ())
        every = [self._seen(self._state.versions.rows[at]) for at in places]
        return [v for v in every if v.listed_from_ms <= last]

    def search(
        self, words: Sequence[str], *, region: GatewayId | None, after: int, limit: int
    ) -> Sequence[ListedRow]:
        """See `ItemListReader`."""
        last = {e.region: e.imported_at_ms for e in self.editions(None, limit=len(self._all()))}
        found = []
        for at, version in sorted(self._all().items()):
            texts = words_text(version.row), codes_text(version.row)
            wanted = at > after and region in (None, version.region) and has_words(*texts, words)
            if wanted and _listed_at(version, last.get(version.region, -1)):
                found.append(self._seen(version))
        return found[:limit]

    def _all(self) -> Mapping[int, ListedRow]:
        return self._state.versions.rows

    def stage(
        self, region: GatewayId, at_ms: int, rows: Sequence[ItemRow], ended: Collection[str]
    ) -> None:
        """See `ItemListWriter`."""
        under_way = self._state.staged.rows.get(region, at_ms)
        if at_ms <= self._last_ms(region) or under_way != at_ms:
            raise ValueError("this edition does not follow the one before")
        self._state.staged.put(region, at_ms)
        if self._end(region, ended, at_ms) != len(ended):
            raise ValueError("a code that is not listed cannot end")
        self._end(region, [row.code for row in rows], at_ms)
        for row in rows:
            position = self._state.counters.rows.get("position", 0) + 1
            self._state.counters.put("position", position)
            self._state.versions.add(position, ListedRow(position, region, row, at_ms, None))
            places = self._state.of_code.rows.get((region, row.code), ())
            self._state.of_code.put((region, row.code), (*places, position))

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
        self.stage(region, at_ms, rows, ended)
        self._state.staged.drop(region)
        self._state.editions.add((region, edition.number), edition)
        progress(len(rows))

    def sweep(self, region: GatewayId, limit: int) -> int:
        """See `ItemListWriter`. Words are no table here: there is nothing to forget."""
        at_ms = self._state.staged.rows.get(region)
        if at_ms is None:
            return 0
        every = [(at, v) for at, v in self._all().items() if v.region == region]
        staged = [(at, v) for at, v in every if v.listed_from_ms == at_ms][:limit]
        for at, version in staged:
            self._state.versions.drop(at)
            name = region, version.row.code
            places = self._state.of_code.rows[name]
            self._state.of_code.put(name, tuple(place for place in places if place != at))
        if staged:
            return len(staged)
        ended = [(at, v) for at, v in every if v.listed_until_ms == at_ms][:limit]
        for at, version in ended:
            self._state.versions.put(at, version._replace(listed_until_ms=None))
        if len(ended) < limit:
            self._state.staged.drop(region)
        return len(ended) + 1

    def _end(self, region: GatewayId, codes: Iterable[str], at_ms: int) -> int:
        """End those of `codes` that are listed; return how many were."""
        ended = 0
        for code in codes:
            places = self._state.of_code.rows.get((region, code), ())
            for at in places:
                version = self._state.versions.rows[at]
                if version.listed_until_ms is None:
                    self._state.versions.put(at, version._replace(listed_until_ms=at_ms))
                    ended += 1
        return ended

    def put_told(self, edition: ToldEdition) -> None:
        """See `ItemListWriter`."""
        self._state.told.put((edition.region, edition.number), edition)

    def put_told_part(self, region: GatewayId, number: int, part: int, message_id: bytes) -> None:
        """See `ItemListWriter`."""
        held = self._state.told_parts.rows.get((region, number), {})
        self._state.told_parts.put((region, number), {part: message_id, **held})

    def drop_told(self, region: GatewayId, number: int) -> None:
        """See `ItemListWriter`."""
        self._state.told.drop((region, number))
        self._state.told_parts.drop((region, number))

    def put_telling(self, telling: Telling) -> None:
        """See `ItemListWriter`."""
        self._state.tellings.put(telling.partner, telling)


def _listed_at(version: ListedRow, at_ms: int) -> bool:
    until = version.listed_until_ms
    return version.listed_from_ms <= at_ms and (until is None or at_ms < until)
