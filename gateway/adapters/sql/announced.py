"""Announced keys in the SQL journal."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.adapters.sql.announced_statements import key_of, row_of
from gateway.adapters.sql.cursor import SqlReader, SqlWriter
from gateway.kernel.announced import AnnouncedKey
from gateway.kernel.identifiers import GatewayId


class SqlAnnouncedReads(SqlReader):
    """Implements `ports.journal_announced.AnnouncedReads`; a part of `SqlSnapshot`."""

    def announced_keys(self) -> Sequence[AnnouncedKey]:
        """See `AnnouncedReads`."""
        return [key_of(row) for row in self._rows(self._sql.announced_keys)]

    def announced_by(self, partner: GatewayId) -> Sequence[AnnouncedKey]:
        """See `AnnouncedReads`."""
        return [key_of(row) for row in self._rows(self._sql.announced_keys_by, partner)]


class SqlAnnouncedWrites(SqlWriter):
    """Implements `ports.journal_announced.AnnouncedWrites`; a part of `SqlTransaction`."""

    def save_announced(self, key: AnnouncedKey) -> None:
        """See `AnnouncedWrites`."""
        self._write(self._sql.save_announced_key, [row_of(key)])
