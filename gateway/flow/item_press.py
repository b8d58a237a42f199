"""Publishing an edition of a list in steps, so that no step holds the journal's writer up.

Rows are written a few hundred at a time as of an instant that no reader looks at yet; the last,
short step makes the edition the list. What died on the way is undone before the next edition of
the region, and at the start.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, TypeVar

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import ITEM_STAGE_ROWS
from gateway.ports.item_list import Edition, ItemListReader
from gateway.ports.journal import Journal, Transaction
from gateway.rules.item_list.rows import ItemRow

_REGIONS_MAX: Final = 10_000  # GB/T 2260 has about 3,200
T = TypeVar("T")


def _chunks(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), ITEM_STAGE_ROWS):
        yield rows[start : start + ITEM_STAGE_ROWS]


def last_edition(lists: ItemListReader, region: GatewayId) -> Edition | None:
    """Return the edition that a region's list is now."""
    last = lists.editions(region, limit=1)
    return last[0] if last else None


class Sheet:
    """One edition on its way; see `Press.edition`."""

    def __init__(self, journal: Journal, region: GatewayId, base: int, at_ms: int) -> None:
        self._journal = journal
        self._region = region
        self._base = base
        self.at_ms = at_ms
        self.staged = 0
        """How many rows are written."""

    async def stage(
        self,
        rows: Sequence[ItemRow],
        ended: Sequence[str] = (),
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        """Write rows and endings, a few hundred in each transaction. Each code comes once.

        Raises:
            Fault: `item_list.changed_meanwhile`.
            JournalDown: what was written is undone before the region's next edition.
        """
        for part in _chunks(rows):
            await self._journal.write(partial(self._stage, part, ()))
            self.staged += len(part)
            progress(self.staged)
        for gone in _chunks(ended):
            await self._journal.write(partial(self._stage, (), gone))

    def _stage(self, rows: Sequence[ItemRow], ended: Collection[str], tx: Transaction) -> None:
        self._require_base(tx)
        tx.item_list.stage(self._region, self.at_ms, rows, ended)

    def _require_base(self, tx: Transaction) -> None:
        last = last_edition(tx.item_list, self._region)
        if (last.number if last else 0) != self._base:
            raise Fault(FaultCode.ITEM_LIST_CHANGED_MEANWHILE)

    async def publish(
        self, edition: Edition, also: Callable[[Transaction], None] = lambda tx: None
    ) -> Edition:
        """Make what was staged the list, with what `also` writes, in one transaction.

        Raises:
            Fault: `item_list.changed_meanwhile`, and what `also` raises.
        """

        def work(tx: Transaction) -> Edition:
            self._require_base(tx)
            tx.item_list.publish(edition, (), (), lambda rows: None)
            also(tx)
            return edition

        return await self._journal.write(work)


class Press:
    """Publishes editions; one of a region at a time, so one press for a journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._one: dict[GatewayId, asyncio.Lock] = {}

    @asynccontextmanager
    async def edition(
        self, region: GatewayId, base: Edition | None, now_ms: int
    ) -> AsyncIterator[Sheet]:
        """Begin the edition that follows `base`; what is not published by the end is undone."""
        async with self._one.setdefault(region, asyncio.Lock()):
            await self._sweep(region)
            # A clock set back does not turn history around.
            at_ms = max(now_ms, base.imported_at_ms + 1) if base else now_ms
            try:
                yield Sheet(self._journal, region, base.number if base else 0, at_ms)
            except Fault:
                await self._sweep(region)
                raise
            await self._sweep(region)

    async def _sweep(self, region: GatewayId) -> int:
        """Undo what an edition that died has left, a few hundred rows in each transaction."""
        swept = 0
        while True:
            did = await self._journal.write(lambda tx: tx.item_list.sweep(region, ITEM_STAGE_ROWS))
            if not did:
                return swept
            swept += did

    async def sweep_all(self) -> int:
        """Undo what a process that died has left, for its next start."""
        regions = await self._journal.read(lambda s: _regions(s.item_list))
        swept = 0
        for region in regions:
            async with self._one.setdefault(region, asyncio.Lock()):  # one that begins now is alive
                swept += await self._sweep(region)
        return swept


def _regions(lists: ItemListReader) -> list[GatewayId]:
    editions = lists.editions(None, limit=_REGIONS_MAX)
    return sorted({*lists.staged(), *(e.region for e in editions)})
