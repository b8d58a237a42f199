"""Announced keys in the memory journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway.adapters.memory.undo import Table, UndoLog
from gateway.kernel.announced import AnnouncedKey
from gateway.kernel.identifiers import GatewayId, KeyId

if TYPE_CHECKING:
    from gateway.adapters.memory.state import State


class AnnouncedTables:
    """Keys by (partner, key id)."""

    def __init__(self, log: UndoLog) -> None:
        self.keys: Table[tuple[GatewayId, KeyId], AnnouncedKey] = Table(log)


class MemoryAnnouncedReads:
    """Implements `ports.journal_announced.AnnouncedReads`."""

    if TYPE_CHECKING:
        _state: State

    def announced_keys(self) -> Sequence[AnnouncedKey]:
        """See `AnnouncedReads`."""
        rows = self._state.announced.keys.rows
        return [rows[key] for key in sorted(rows)]

    def announced_by(self, partner: GatewayId) -> Sequence[AnnouncedKey]:
        """See `AnnouncedReads`."""
        return [key for key in self.announced_keys() if key.partner == partner]


class MemoryAnnouncedWrites(MemoryAnnouncedReads):
    """Implements `ports.journal_announced.AnnouncedWrites`."""

    def save_announced(self, key: AnnouncedKey) -> None:
        """See `AnnouncedWrites`."""
        self._state.announced.keys.put((key.partner, key.key_id), key)
