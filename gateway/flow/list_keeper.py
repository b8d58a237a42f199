"""Keeping item lists: publishing what partners told whole, and telling partners of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from gateway.flow.committer import Committer
from gateway.flow.item_press import Press, Sheet, last_edition
from gateway.flow.list_hearing import kept_parts
from gateway.flow.list_telling import Tell, agreement_with, listeners, make_next, next_telling
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import ITEM_LISTS_POLL_S, ITEM_TOLD_DAYS_MAX
from gateway.ports.clock import Clock
from gateway.ports.directory import Book, Directory
from gateway.ports.item_list import Edition, ToldEdition
from gateway.ports.journal import Journal, JournalDown, Snapshot, Transaction
from gateway.ports.telemetry import EventLog
from gateway.rules.agreement import Agreement
from gateway.rules.item_list.arrivals import arriving
from gateway.rules.item_list.changes import list_digest
from gateway.rules.item_list.parts import ListPart
from gateway.rules.item_list.rows import ItemRow, fingerprint

_DAY_MS = 86_400_000


class _Base(NamedTuple):
    """The list as it is before an edition."""

    edition: Edition | None
    marks: dict[str, bytes]


class ListKeeper:
    """Goes on from the journal, whatever a process before has left."""

    def __init__(
        self,
        committer: Committer,
        journal: Journal,
        directory: Directory,
        clock: Clock,
        log: EventLog,
        press: Press,
    ) -> None:
        self._committer = committer
        self._journal = journal
        self._directory = directory
        self._clock = clock
        self._log = log
        self._press = press

    async def run(self) -> None:
        """Publish and tell for ever; what fails is tried again."""
        swept = False
        while True:
            try:
                if not swept:
                    await self._press.sweep_all()
                    swept = True
                await self.publish_told()
                await self.tell()
            except JournalDown as down:
                self._log.event("item_lists_wait", error=str(down))
            await asyncio.sleep(ITEM_LISTS_POLL_S)

    # --- what partners tell -------------------------------------------------------------------
    async def publish_told(self) -> None:
        """Publish every edition whose parts are all here; forget those that never became whole."""
        now_ms = self._clock.now_ms()
        for one in await self._journal.read(_arriving):
            try:
                await self._publish_or_forget(one, now_ms)
            except JournalDown:
                raise
            except Exception as broken:  # noqa: BLE001 - one partner's trouble: the others' go on
                error = type(broken).__name__
                self._log.event("item_list_broke", region=one.region, error=error)

    async def _publish_or_forget(self, one: ToldEdition, now_ms: int) -> None:
        if one.complete:
            try:
                await self._publish(one, now_ms)
            except Fault as fault:
                if fault.code is not FaultCode.ITEM_LIST_CHANGED_MEANWHILE:
                    await self._drop(one, fault.code.value)
        elif one.begun_ms + ITEM_TOLD_DAYS_MAX * _DAY_MS < now_ms:
            await self._drop(one, "parts are missing")

    async def _publish(self, told: ToldEdition, now_ms: int) -> None:
        base = await self._journal.read(lambda s: _base(s, told.region))
        if told.previous and list_digest(base.marks) != told.previous:
            # A file was imported since its last part came: the next change will find the gap.
            await self._drop(told, FaultCode.CATALOGUE_EDITION_GAP.value)
            return
        edition = base.edition
        async with self._press.edition(told.region, edition, now_ms) as sheet:
            counts = await self._stage(told, base, sheet)
            number = edition.number + 1 if edition else 1
            heard = Edition(
                told.region,
                number,
                sheet.at_ms,
                told.digest,
                told.rows,
                *counts,
                told.number,
                told.digest,
            )
            if not any(counts):
                await self._journal.write(lambda tx: _close(tx, told))
                return
            await sheet.publish(heard, lambda tx: _close(tx, told))
        self._log.event("item_list_published", region=told.region, edition=number, rows=told.rows)

    async def _stage(self, told: ToldEdition, base: _Base, sheet: Sheet) -> tuple[int, int, int]:
        """Stage what differs, a message at a time; return how much was added, changed, ended."""
        parts = await self._journal.read(lambda s: s.item_list.told_parts(told.region, told.number))
        added = changed = 0
        left = dict(base.marks)
        ended: list[str] = []
        for number in sorted(parts):
            one = {number: parts[number]}
            [part] = await self._journal.read(lambda s, one=one: _parts(s, told.region, one))  # type: ignore[misc]
            rows = [r for r in (*part.added, *part.changed) if _differs(base, r)]
            fresh = sum(row.code not in base.marks for row in rows)
            added, changed = added + fresh, changed + len(rows) - fresh
            for row in (*part.added, *part.changed):
                left.pop(row.code, None)
            ended += part.removed
            await sheet.stage(rows)
        gone = ended if told.previous else sorted(left)
        await sheet.stage((), gone)
        return added, changed, len(gone)

    async def _drop(self, told: ToldEdition, reason: str) -> None:
        await self._journal.write(lambda tx: tx.item_list.drop_told(told.region, told.number))
        self._log.event("item_list_dropped", region=told.region, edition=told.number, reason=reason)

    # --- what partners are told ---------------------------------------------------------------
    async def tell(self) -> None:
        """Queue what partners are to be told of our list, as far as may be under way at once."""
        book, now_ms = self._directory.current(), self._clock.now_ms()
        home = book.home.gateway_id
        due = await self._journal.read(lambda s: _due(s, home, listeners(book)))
        for partner in due:
            agreement = agreement_with(book, partner, now_ms)
            if agreement is None:
                continue
            try:
                await self._tell(book, partner, agreement)
            except Fault as fault:  # its own trouble: the others are told
                error = fault.code.value
                self._log.event("item_list_not_told", partner=partner, error=error)

    async def _tell(self, book: Book, partner: GatewayId, agreement: Agreement) -> None:
        home = book.home.gateway_id
        while True:
            said = await self._journal.read(lambda s: make_next(s.item_list, home, partner))
            if said is None:
                return
            await self._committer.submit(Tell(book, agreement, said))


def _due(snapshot: Snapshot, home: GatewayId, partners: Sequence[GatewayId]) -> list[GatewayId]:
    """Return the partners to whom a part may be said now."""
    latest = last_edition(snapshot.item_list, home)
    if latest is None:
        return []
    tellings, number = snapshot.item_list.tellings(), latest.number
    return [p for p in partners if next_telling(tellings.get(p), p, number) is not None]


def _arriving(snapshot: Snapshot) -> list[ToldEdition]:
    lists = snapshot.item_list
    found = [arriving(lists.told(region)) for region in lists.told_regions()]
    return [one for one in found if one is not None]


def _base(snapshot: Snapshot, region: GatewayId) -> _Base:
    lists = snapshot.item_list
    return _Base(last_edition(lists, region), dict(lists.fingerprints(region)))


def _parts(snapshot: Snapshot, region: GatewayId, parts: dict[int, bytes]) -> list[ListPart]:
    return list(kept_parts(snapshot, region, parts))


def _differs(base: _Base, row: ItemRow) -> bool:
    return base.marks.get(row.code) != fingerprint(row)


def _close(tx: Transaction, told: ToldEdition) -> None:
    """Keep of an edition only that it was published, and nothing of those before."""
    for one in tx.item_list.told(told.region):
        if one.number <= told.number:
            tx.item_list.drop_told(told.region, one.number)
    tx.item_list.put_told(told._replace(published=True))
