"""The journal over any engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from gateway.adapters.sql import statements
from gateway.adapters.sql.cursor import Cursor
from gateway.adapters.sql.snapshot import SqlSnapshot
from gateway.adapters.sql.statements import Statements
from gateway.adapters.sql.transaction import SqlTransaction
from gateway.ports.journal import Snapshot, Transaction

T = TypeVar("T")

_PROBES = "probes"


class Engine(statements.Engine, Protocol):
    """A database at work: its threads, connections and durability.

    `write` and `read` raise `JournalDown` as `ports.journal.Journal` says, and ValueError for the
    driver's integrity errors.
    """

    async def write(self, work: Callable[[Cursor], T]) -> T:
        """Run `work` once in a transaction of its own and commit it durably."""
        ...

    async def read(self, query: Callable[[Cursor], T]) -> T:
        """Run `query` on one state that contains every write that has returned."""
        ...

    async def close(self) -> None:
        """Finish what is under way and let go."""
        ...


class SqlJournal:
    """Implements `ports.journal.Journal`.

    A `write` whose caller is cancelled is still written whole or not at all.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._statements = Statements(engine)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """See `Journal`."""
        return await self._engine.write(lambda c: work(SqlTransaction(c, self._statements)))

    async def read(self, query: Callable[[Snapshot], T]) -> T:
        """See `Journal`."""
        return await self._engine.read(lambda c: query(SqlSnapshot(c, self._statements)))

    async def probe(self) -> None:
        """See `Journal`."""
        await self._engine.write(lambda c: c.execute(self._statements.count.text, (_PROBES, 1)))

    async def close(self) -> None:
        """See `Journal`."""
        await self._engine.close()
