"""All that is special to SQLite.

One process owns the file (a lock on a file beside it). Within it one connection, on one thread,
writes and checkpoints; all others are opened read-only. Versions of SQLite before 3.51.3 can
corrupt a database in WAL mode that two connections write or checkpoint at once.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import queue
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.dialects import sqlite as dialects
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from gateway.adapters.sql import migrations
from gateway.adapters.sql.cursor import Cursor
from gateway.adapters.sql.journal import SqlJournal
from gateway.adapters.sql.snapshot import SqlSnapshot
from gateway.adapters.sql.sqlite_search import find_words
from gateway.adapters.sql.statements import Statements
from gateway.adapters.sql.transaction import SqlTransaction
from gateway.kernel.limits import (
    SQLITE_BUSY_MS,
    SQLITE_CACHE_KIB,
    SQLITE_CHECKPOINT_PAGES,
    SQLITE_READERS_MAX,
    SQLITE_STATEMENTS_MAX,
)
from gateway.ports.journal import JournalDown, JournalHeld, Snapshot, Transaction

T = TypeVar("T")

_OLDEST: Final = (3, 35, 0)  # RETURNING
_SYNCHRONOUS_FULL: Final = 2
_FILE_MODE: Final = 0o600  # forms hold personal data


async def open_sqlite(path: Path) -> SqlJournal:
    """Open the journal in the file `path` and own it until it is closed.

    Raises:
        JournalDown: another process owns the file, its tables are not those of this version (run
            `kuayu migrate`), or it cannot be read and written.
    """
    return await asyncio.to_thread(lambda: SqlJournal(SqliteEngine(path)))


def migrate_sqlite(path: Path) -> tuple[str, str]:
    """Bring the file to the tables of this version; create it if there is none.

    Returns the revisions before (empty for a new file) and after.

    Raises:
        JournalDown: another process owns the file, it is of a later version of the gateway, or it
            cannot be written.
    """
    with _reported(), _owned(path):
        with _file_reported():
            _create(path)
        before = current_revision(path)
        if before == migrations.HEAD:
            return before, before
        with _alembic_connection(_open_writer(path)) as connection:
            try:
                migrations.upgrade(connection)
            except migrations.LaterVersion as error:
                raise JournalDown("the journal is of a later version") from error
        return before, current_revision(path)


def current_revision(path: Path) -> str:
    """Return the revision of the file's tables; empty if it has none or there is no file.

    Raises:
        JournalDown: it cannot be read.
    """
    if not path.exists():
        return ""
    with _reported(), closing(_open_reader(path)) as connection:
        there = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
        if connection.execute(there).fetchone() is None:
            return ""
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return "" if row is None else str(row[0])


def write_sqlite(path: Path, work: Callable[[Transaction], None]) -> None:
    """Write once, in one transaction, to a file that no gateway runs on. Blocks.

    Raises:
        JournalDown: another process owns the file, its tables are not those of this version, or
            it cannot be written.
    """
    with _reported(), _owned(path), _file_reported():
        _require_head(path)
        with closing(_open_writer(path)) as connection:
            cursor = connection.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            work(SqlTransaction(cursor, Statements(SqliteEngine)))
            cursor.execute("COMMIT")


@contextmanager
def open_sqlite_reader(path: Path) -> Iterator[Snapshot]:
    """Read one state of a file that another process may own; nothing can be written.

    To be left soon: while a state is read, the owner's checkpoints cannot pass it.

    Raises:
        JournalDown: there is no such file, its tables are not those of this version, or it cannot
            be read.
    """
    with _reported(), _file_reported():
        _require_head(path)
        connection = _open_reader(path)
    try:
        with _reported():
            cursor = connection.cursor()
            cursor.execute("BEGIN")
            yield SqlSnapshot(cursor, Statements(SqliteEngine))
    finally:
        connection.close()


class SqliteEngine:
    """Implements `adapters.sql.journal.Engine` on one file."""

    dialect: Final = dialects.dialect()
    insert = staticmethod(dialects.insert)
    find_words = staticmethod(find_words)

    def __init__(self, path: Path) -> None:
        self._path = path
        self._closed = False
        self._writer: sqlite3.Connection | None = None
        self._lock = _lock(path)
        try:
            with _reported(), _file_reported():
                _require_head(path)
                _restrict(path)
                self._writer = _open_writer(path)
                # Held open from the start: the side files stay, and can be read when the disk is
                # full and the writer was discarded.
                first_reader = _open_reader(path)
        except BaseException:
            if self._writer is not None:
                self._writer.close()
            os.close(self._lock)
            raise
        self._idle: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._idle.put(first_reader)
        self._writing = ThreadPoolExecutor(1, "journal-writer")
        self._reading = ThreadPoolExecutor(SQLITE_READERS_MAX, "journal-reader")

    async def write(self, work: Callable[[Cursor], T]) -> T:
        """See `Engine`."""
        return await self._submit(self._writing, self._write, work)

    async def read(self, query: Callable[[Cursor], T]) -> T:
        """See `Engine`."""
        return await self._submit(self._reading, self._read, query)

    async def _submit(
        self,
        threads: ThreadPoolExecutor,
        run: Callable[[Callable[[Cursor], T]], T],
        work: Callable[[Cursor], T],
    ) -> T:
        if self._closed:
            raise JournalDown("the journal is closed")
        return await asyncio.wrap_future(threads.submit(run, work))

    async def close(self) -> None:
        """See `Engine`. The last connection to close is the writer's, and it checkpoints."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        try:
            with _reported():
                self._reading.shutdown()
                while not self._idle.empty():
                    self._idle.get().close()
                self._writing.shutdown()
                if self._writer is not None:
                    self._writer.close()
        finally:
            os.close(self._lock)

    def _write(self, work: Callable[[Cursor], T]) -> T:
        """Run in the writer's thread only."""
        with _reported(self._discard_writer):
            if self._writer is None:
                self._writer = _open_writer(self._path)
            cursor = self._writer.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            try:
                result = work(cursor)
                cursor.execute("COMMIT")
            except BaseException:
                self._writer.rollback()
                raise
            return result

    def _discard_writer(self) -> None:
        """Let go of a connection that met an error of the disk: the next write opens another.

        After a failed fsync its idea of what is on the disk is not to be relied on.
        """
        broken, self._writer = self._writer, None
        if broken is not None:
            broken.close()

    def _read(self, query: Callable[[Cursor], T]) -> T:
        """Run in a reader's thread."""
        with _reported():
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                connection = _open_reader(self._path)
            try:
                cursor = connection.cursor()
                cursor.execute("BEGIN")
                result = query(cursor)
                cursor.execute("ROLLBACK")
            except BaseException:
                connection.close()
                raise
            self._idle.put(connection)
            return result


@contextmanager
def _reported(when_down: Callable[[], None] | None = None) -> Iterator[None]:
    """Tell errors of the disk, which pass, from errors of the caller, which do not."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise ValueError("a key is known already") from error
    except sqlite3.DatabaseError as error:
        if isinstance(error, (sqlite3.ProgrammingError, sqlite3.DataError)):
            raise
        if when_down is not None:
            when_down()
        name = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
        raise JournalDown(f"{name}: {error}") from error


@contextmanager
def _file_reported() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise JournalDown(f"the journal's file: {os.strerror(error.errno or 0)}") from error


def _lock(path: Path) -> int:
    """Take the lock that makes this process the file's owner; closing the descriptor frees it."""
    with _file_reported():
        held = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, _FILE_MODE)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(held)
        raise JournalHeld(f"another process owns the journal {path.name}") from error
    return held


@contextmanager
def _owned(path: Path) -> Iterator[None]:
    held = _lock(path)
    try:
        yield
    finally:
        os.close(held)


def _create(path: Path) -> None:
    """Make an empty file that only its owner reads; SQLite gives its side files the same mode."""
    if path.exists():
        _restrict(path)
        return
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _FILE_MODE))
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _restrict(path: Path) -> None:
    if path.stat().st_mode & 0o077:
        path.chmod(_FILE_MODE)


def _require_head(path: Path) -> None:
    if sqlite3.sqlite_version_info < _OLDEST:
        raise JournalDown(f"SQLite {sqlite3.sqlite_version} is too old")
    found, needed = current_revision(path), migrations.HEAD
    if found != needed:
        raise JournalDown(
            f"the journal {path.name} is at revision {found or 'none'}, this version needs "
            f"{needed}: run `kuayu migrate`"
        )


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=SQLITE_BUSY_MS / 1000,
        isolation_level=None,  # transactions are begun and ended by hand
        check_same_thread=False,  # opened here, used by one thread at a time
        cached_statements=SQLITE_STATEMENTS_MAX,
    )


def _open_writer(path: Path) -> sqlite3.Connection:
    connection = _connect(path, "rw")
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA cache_size = -{SQLITE_CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {SQLITE_CHECKPOINT_PAGES}")
        require_durable(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def require_durable(connection: sqlite3.Connection) -> None:
    """Read back from a writing connection that its commits wait for the disk.

    Raises:
        JournalDown: they do not.
    """
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
    if mode != "wal" or synchronous < _SYNCHRONOUS_FULL:
        raise JournalDown(f"commits are not durable: {mode}, synchronous {synchronous}")


def _open_reader(path: Path) -> sqlite3.Connection:
    connection = _connect(path, "ro")
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA schema_version")  # really opens the files
        connection.execute(f"PRAGMA cache_size = -{SQLITE_CACHE_KIB}")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _alembic_connection(held: sqlite3.Connection) -> Iterator[Connection]:
    """Lend `held` to SQLAlchemy, with transactions that hold schema changes too; close it after."""
    engine = create_engine("sqlite://", creator=lambda: held, poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise error.orig or error from error
    finally:
        engine.dispose()
        held.close()
