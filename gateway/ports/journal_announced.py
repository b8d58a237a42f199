"""Keys that partners announced, as the journal keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.kernel.announced import AnnouncedKey
from gateway.kernel.identifiers import GatewayId


class AnnouncedReads(Protocol):
    """Part of `ports.journal.Snapshot`."""

    def announced_keys(self) -> Sequence[AnnouncedKey]:
        """Return every announced key, by partner, then key id."""
        ...

    def announced_by(self, partner: GatewayId) -> Sequence[AnnouncedKey]:
        """Return a partner's, by key id."""
        ...


class AnnouncedWrites(Protocol):
    """Part of `ports.journal.Transaction`."""

    def save_announced(self, key: AnnouncedKey) -> None:
        """Keep a key, in place of what was kept of it."""
        ...
