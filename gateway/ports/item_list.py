"""The item lists (事项清单) of regions, as they are and as they were. Reached through the journal.

`Snapshot.item_list` reads and `Transaction.item_list` also writes, so that a change of a list and
what follows from it are one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from gateway.kernel.identifiers import GatewayId
from gateway.rules.item_list.rows import ItemRow


class Edition(NamedTuple):
    """One import that changed a region's list."""

    region: GatewayId
    number: int
    """1, 2, 3 ... within the region."""
    imported_at_ms: int
    source: bytes
    """SHA-256 of the file."""
    rows: int
    """How many the list has since."""
    added: int
    changed: int
    ended: int


class ListedRow(NamedTuple):
    """One version of a row: listed from one edition until another changed or ended it."""

    position: int
    """Grows with every version recorded, over all regions."""
    region: GatewayId
    row: ItemRow
    listed_from_ms: int
    listed_until_ms: int | None
    """None while it is listed."""


class ItemListReader(Protocol):
    """Reads. A row is found by its region and `ItemRow.code`."""

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

    def publish(
        self,
        edition: Edition,
        rows: Sequence[ItemRow],
        ended: Collection[str],
        progress: Callable[[int], None],
    ) -> None:
        """Record an edition: `rows` are listed from now on, what they replace and `ended` no more.

        Replaced and ended versions stay, until the edition's instant. `progress` is told how many
        of `rows` are written, now and then.

        MUST raise ValueError (and so leave nothing) if the edition is not the next of its region,
        is not later than the one before, or ends a code that is not listed.
        """
        ...
