"""The item list (事项清单): importing a file as what changes, reading and searching it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from gateway.flow.desk import Actor, View
from gateway.flow.item_press import Press, last_edition
from gateway.flow.item_views import change_view, edition_view, row_view
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import PAGE_MAX
from gateway.ports.item_list import Edition, ItemListReader
from gateway.ports.journal import Journal
from gateway.rules.item_list.changes import (
    Changes,
    compare,
    list_digest,
    require_most_stay,
    version_not_raised,
)
from gateway.rules.item_list.rows import ItemRow, fingerprint, query_words

_PAGE: Final = 1_000
EDITIONS_MAX: Final = 100_000  # an edition a day for 270 years
BEFORE_ALL_MS: Final = -1
NOW_MS: Final = 2**62


class Since(NamedTuple):
    """What a list is compared with: its edition of that number, else the instant."""

    edition: int | None
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class ImportWish:
    """A file's rows, free of problems, as the list of a region from now on."""

    region: GatewayId
    rows: Sequence[ItemRow]
    source: bytes
    """SHA-256 of the file."""
    end_most: bool = False
    """Allow that more than half of the list ends."""


class Plan(NamedTuple):
    """What a file would change, seen against one state of the list."""

    edition: int
    """Number of the edition it was seen against; 0 if there is none yet."""
    changes: Changes
    replaced: Mapping[str, ItemRow]
    """What the changed rows are now, by code."""

    def not_raised(self) -> list[str]:
        """Return the codes that change without a higher version: a warning."""
        changed = self.changes.changed
        return [r.code for r in changed if version_not_raised(self.replaced[r.code], r)]


class Imported(NamedTuple):
    """What an import did. `edition` is None if there was nothing to change."""

    plan: Plan
    edition: Edition | None


def plan_import(lists: ItemListReader, region: GatewayId, rows: Sequence[ItemRow]) -> Plan:
    """Compare a file's rows with the list as it is. Writes nothing."""
    last = lists.editions(region, limit=1)
    changes = compare(lists.fingerprints(region), rows)
    listed = lists.listed(region, [row.code for row in changes.changed])
    replaced = {code: one.row for code, one in listed.items()}
    return Plan(last[0].number if last else 0, changes, replaced)


async def import_items(
    journal: Journal,
    wish: ImportWish,
    *,
    now_ms: int,
    progress: Callable[[int], None] = lambda rows: None,
    press: Press | None = None,
) -> Imported:
    """Make a file the list of its region; the versions before are kept.

    The comparison runs beside other writes; only what changes is written, in steps that nobody
    sees, and the last makes it the list. `progress` is told how many rows are written. A file that
    changes nothing makes no edition. `press` is the journal's, where others import too.

    Raises:
        Fault: `item_list.ends_most`; `item_list.changed_meanwhile` if another import came between,
            in which case trying again is right.
        JournalDown: the list is what it was.
    """
    region = wish.region
    base, plan = await journal.read(
        lambda q: (
            last_edition(q.item_list, region),
            plan_import(q.item_list, region, wish.rows),
        )
    )
    changes = plan.changes
    if not wish.end_most:
        require_most_stay(changes)
    if not changes.any:
        return Imported(plan, None)
    new = (*changes.added, *changes.changed)
    digest = await asyncio.to_thread(digest_of, wish.rows)
    async with (press or Press(journal)).edition(region, base, now_ms) as sheet:
        await sheet.stage(new, changes.ended, progress)
        edition = Edition(
            region,
            plan.edition + 1,
            sheet.at_ms,
            wish.source,
            len(wish.rows),
            len(changes.added),
            len(changes.changed),
            len(changes.ended),
            digest=digest,
        )
        return Imported(plan, await sheet.publish(edition))


def digest_of(rows: Sequence[ItemRow]) -> bytes:
    """Return the digest of a list; see `rules.item_list.changes.list_digest`."""
    return list_digest({row.code: fingerprint(row) for row in rows})


def rows_at(lists: ItemListReader, region: GatewayId, at_ms: int | None) -> list[ItemRow]:
    """Return the whole list of a region as of an instant (None: now), by code."""
    rows: list[ItemRow] = []
    while True:
        after = rows[-1].code if rows else ""
        page = lists.page(region, after=after, limit=_PAGE, at_ms=at_ms)
        rows += [one.row for one in page]
        if len(page) < _PAGE:
            return rows


class ItemListDesk(Protocol):
    """The item list as portals read it. Every method raises `Fault`."""

    async def search(
        self, actor: Actor, query: str, region: GatewayId | None, after: int, limit: int
    ) -> tuple[Sequence[View], int]:
        """Return rows that have every word of `query`, and where the next page begins."""
        ...

    async def page(
        self, actor: Actor, region: GatewayId | None, after: str, limit: int
    ) -> Sequence[View]:
        """Return a region's rows by code, codes above `after`; None: this gateway's region."""
        ...

    async def editions(self, actor: Actor, region: GatewayId | None) -> Sequence[View]:
        """Return the editions of a region's list, latest first."""
        ...

    async def changes(
        self, actor: Actor, region: GatewayId | None, since: Since, after: str, limit: int
    ) -> tuple[Sequence[View], str | None]:
        """Return what changed since an edition or instant by code, and where the next page begins.

        Raises `portal.not_found` if there is no such edition.
        """
        ...


class ItemLists:
    """Implements `ItemListDesk` on the journal."""

    def __init__(self, journal: Journal, home: GatewayId) -> None:
        self._journal = journal
        self._home = home

    async def search(
        self, actor: Actor, query: str, region: GatewayId | None, after: int, limit: int
    ) -> tuple[Sequence[View], int]:
        """See `ItemListDesk`."""
        words = query_words(query)
        found = await self._journal.read(
            lambda q: q.item_list.search(words, region=region, after=after, limit=limit)
        )
        return [row_view(one) for one in found], found[-1].position if found else after

    async def page(
        self, actor: Actor, region: GatewayId | None, after: str, limit: int
    ) -> Sequence[View]:
        """See `ItemListDesk`."""
        of = region or self._home
        found = await self._journal.read(lambda q: q.item_list.page(of, after=after, limit=limit))
        return [row_view(one) for one in found]

    async def editions(self, actor: Actor, region: GatewayId | None) -> Sequence[View]:
        """See `ItemListDesk`."""
        of = region or self._home
        found = await self._journal.read(lambda q: q.item_list.editions(of, limit=PAGE_MAX))
        return [edition_view(edition) for edition in found]

    async def changes(
        self, actor: Actor, region: GatewayId | None, since: Since, after: str, limit: int
    ) -> tuple[Sequence[View], str | None]:
        """See `ItemListDesk`."""
        of = region or self._home
        found = await self._journal.read(
            lambda q: q.item_list.changes(
                of, _instant(q.item_list, of, since), NOW_MS, after=after, limit=limit
            )
        )
        following = found[-1].code if len(found) == limit else None
        return [view for one in found if (view := change_view(one)) is not None], following


def _instant(lists: ItemListReader, region: GatewayId, since: Since) -> int:
    if since.edition is None:
        return since.at_ms
    if since.edition == 0:
        return BEFORE_ALL_MS
    for edition in lists.editions(region, limit=EDITIONS_MAX):
        if edition.number == since.edition:
            return edition.imported_at_ms
    raise Fault(FaultCode.PORTAL_NOT_FOUND)
