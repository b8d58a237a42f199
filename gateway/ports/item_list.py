"""The item lists (事项清单) of regions, as they are and as they were. Reached through the journal.

`Snapshot.item_list` reads and `Transaction.item_list` also writes, so that a change of a list and
what follows from it are one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from gateway.kernel.identifiers import GatewayId
from gateway.rules.item_list.arrivals import ToldEdition
from gateway.rules.item_list.rows import ItemRow

__all__ = [
    "Change",
    "Edition",
    "ItemListReader",
    "ItemListWriter",
    "ListedRow",
    "Telling",
    "ToldEdition",
]


class Edition(NamedTuple):
    """One import that changed a region's list."""

    region: GatewayId
    number: int
    """1, 2, 3 ... within the region."""
    imported_at_ms: int
    source: bytes
    """SHA-256 of the file; of what a partner told, the list's digest."""
    rows: int
    """How many the list has since."""
    added: int
    changed: int
    ended: int
    told: int = 0
    """The number its own gateway gave it, if it came as messages; 0 if as a file."""
    digest: bytes = b""
    """`rules.item_list.changes.list_digest`; empty for one that an earlier version imported."""

    def follows(self, last: Edition | None) -> bool:
        """Tell whether it may be published after `last`; None if there is none yet."""
        if last is None:
            return self.number == 1
        return self.number == last.number + 1 and self.imported_at_ms > last.imported_at_ms


class ListedRow(NamedTuple):
    """One version of a row: listed from one edition until another changed or ended it."""

    position: int
    """Grows with every version recorded, over all regions."""
    region: GatewayId
    row: ItemRow
    listed_from_ms: int
    listed_until_ms: int | None
    """None while it is listed."""


class Change(NamedTuple):
    """A code whose row one instant had otherwise than another; None: not listed then."""

    code: str
    before: ListedRow | None
    after: ListedRow | None


class Telling(NamedTuple):
    """What a partner was told of our own list."""

    partner: GatewayId
    known: int
    """The edition that it has taken in whole; 0: none that we know of."""
    number: int
    """The edition that it is told, or was last."""
    base: int
    """The edition that the changes build on; 0: the whole list is told."""
    after: str
    """The last code that a queued part holds."""
    queued: int
    """How many parts were queued."""
    whole: bool
    """Whether the last part is queued."""
    settled: int
    """How many parts have met their receipt."""
    rule: str = ""
    """By which rule a part was refused; nothing more is queued then."""

    @property
    def under_way(self) -> bool:
        """Whether a receipt is still to come, or a part to be queued."""
        return self.settled < self.queued or not (self.whole or self.rule)


class ItemListReader(Protocol):
    """Reads. A row is found by its region and `ItemRow.code`; what is staged is not seen."""

    def editions(self, region: GatewayId | None, *, limit: int) -> Sequence[Edition]:
        """Return a region's editions, latest first; with None, the latest of each region."""
        ...

    def fingerprints(self, region: GatewayId) -> Mapping[str, bytes]:
        """Return the fingerprint of each row listed now, by code."""
        ...

    def listed(self, region: GatewayId, codes: Collection[str]) -> Mapping[str, ListedRow]:
        """Return those of `codes` that are listed now."""
        ...

    def page(
        self, region: GatewayId, *, after: str, limit: int, at_ms: int | None = None
    ) -> Sequence[ListedRow]:
        """Return the rows listed at an instant (None: now) by code, codes above `after`."""
        ...

    def changes(
        self, region: GatewayId, since_ms: int, until_ms: int, *, after: str, limit: int
    ) -> Sequence[Change]:
        """Return what differs between two instants by code, codes above `after`.

        A row that was changed and changed back comes with `before` and `after` alike.
        """
        ...

    def staged(self) -> Mapping[GatewayId, int]:
        """Return the regions of which an edition is being written, each with its instant."""
        ...

    def told(self, region: GatewayId) -> Sequence[ToldEdition]:
        """Return what a partner tells of its list, by number."""
        ...

    def told_regions(self) -> Sequence[GatewayId]:
        """Return the regions that `told` knows of."""
        ...

    def told_parts(self, region: GatewayId, number: int) -> Mapping[int, bytes]:
        """Return the ids of the messages that hold an edition's parts, by part."""
        ...

    def tellings(self) -> Mapping[GatewayId, Telling]:
        """Return what each partner was told."""
        ...

    def versions(self, region: GatewayId, code: str) -> Sequence[ListedRow]:
        """Return every version of a row, oldest first."""
        ...

    def search(
        self, words: Sequence[str], *, region: GatewayId | None, after: int, limit: int
    ) -> Sequence[ListedRow]:
        """Return rows listed now that have every word, by position, positions above `after`.

        Words come from `rules.item_list.rows.query_words` and are text, never a query language.
        What "has" means says `rules.item_list.rows.has_words`.
        """
        ...


class ItemListWriter(ItemListReader, Protocol):
    """Reads and writes within one transaction."""

    def stage(
        self, region: GatewayId, at_ms: int, rows: Sequence[ItemRow], ended: Collection[str]
    ) -> None:
        """Write a part of an edition that will be of the instant `at_ms`; nobody sees it yet.

        `rows` will be listed, what they replace and `ended` no more. Each code comes once.

        MUST raise ValueError (and so leave nothing) if `at_ms` is not later than the region's last
        edition, another edition of the region is staged, or it ends a code that is not listed.
        """
        ...

    def publish(
        self,
        edition: Edition,
        rows: Sequence[ItemRow],
        ended: Collection[str],
        progress: Callable[[int], None],
    ) -> None:
        """Record an edition: `rows` are listed from now on, what they replace and `ended` no more.

        So is what was staged for its instant. Replaced and ended versions stay, until the
        edition's instant. `progress` is told how many of `rows` are written, now and then.

        MUST raise ValueError (and so leave nothing) if the edition is not the next of its region,
        is not later than the one before, or ends a code that is not listed; and what `stage` does.
        """
        ...

    def sweep(self, region: GatewayId, limit: int) -> int:
        """Undo what is staged of a region, or else forget by which words ended rows were found.

        At most `limit` rows; returns how many, 0 once nothing is left to do.
        """
        ...

    def put_told(self, edition: ToldEdition) -> None:
        """Insert or replace what is known of an edition that a partner tells."""
        ...

    def put_told_part(self, region: GatewayId, number: int, part: int, message_id: bytes) -> None:
        """Keep which message holds a part; a part that is here keeps its message."""
        ...

    def drop_told(self, region: GatewayId, number: int) -> None:
        """Forget an edition and its parts; an unknown one is no error."""
        ...

    def put_telling(self, telling: Telling) -> None:
        """Insert or replace what a partner was told."""
        ...
