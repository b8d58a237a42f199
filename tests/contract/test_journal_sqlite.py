"""What is special to the journal in SQLite: durability, ownership, migrations, plans."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.adapters.sql import migrations, sqlite
from gateway.adapters.sql.cursor import Cursor
from gateway.adapters.sql.journal import SqlJournal
from gateway.adapters.sql.sqlite import (
    SqliteEngine,
    migrate_sqlite,
    open_sqlite,
    require_durable,
)
from gateway.ports.journal import JournalDown, Transaction
from tests.contract import journal_samples as s


@pytest.fixture
async def engine(sqlite_path: Path) -> AsyncIterator[SqliteEngine]:
    opened = SqliteEngine(sqlite_path)
    yield opened
    await opened.close()


def value(cursor: Cursor, text: str) -> object:
    cursor.execute(text, ())
    return cursor.fetchone()[0]


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60
    )


# --- durability ---------------------------------------------------------------------------------


async def test_the_writing_connection_waits_for_the_disk(engine: SqliteEngine) -> None:
    assert await engine.write(lambda c: value(c, "PRAGMA journal_mode")) == "wal"
    assert await engine.write(lambda c: value(c, "PRAGMA synchronous")) == 2
    assert await engine.write(lambda c: value(c, "PRAGMA foreign_keys")) == 1


@pytest.mark.parametrize(
    "lax", ["PRAGMA synchronous = OFF", "PRAGMA synchronous = NORMAL", "PRAGMA journal_mode = OFF"]
)
def test_a_connection_that_does_not_wait_for_the_disk_is_refused(
    sqlite_path: Path, lax: str
) -> None:
    connection = sqlite3.connect(sqlite_path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    require_durable(connection)
    connection.execute(lax)
    with pytest.raises(JournalDown, match="not durable"):
        require_durable(connection)
    connection.close()


async def test_what_was_written_is_there_after_closing_and_opening(sqlite_path: Path) -> None:
    journal = await open_sqlite(sqlite_path)
    await journal.write(s.write_some)
    await journal.close()
    assert not sqlite_path.with_name("journal.db-wal").exists()
    journal = await open_sqlite(sqlite_path)
    assert await s.holds_some(journal)
    await journal.close()


async def test_a_write_that_returned_is_in_the_files_without_any_closing(
    sqlite_journal: SqlJournal, sqlite_path: Path, tmp_path: Path
) -> None:
    await sqlite_journal.write(s.write_some)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("journal.db", "journal.db-wal"):
        shutil.copy(sqlite_path.with_name(name), copy / name)
    journal = await open_sqlite(copy / "journal.db")
    assert await s.holds_some(journal)
    await journal.close()


async def test_counters_go_on_after_closing_and_opening(sqlite_path: Path) -> None:
    numbers = []
    for number in (1, 2):
        journal = await open_sqlite(sqlite_path)
        await journal.write(lambda tx: tx.save_cases([s.case(1)]))
        tasks = await journal.read(lambda q: q.tasks_of(s.UNIT, after=0, limit=1))
        numbers.append(tasks[0][0])
        assert await journal.write(lambda tx: tx.next_serial("scope")) == number
        await journal.close()
    assert numbers == sorted(set(numbers))


FULL_DISK = """
import asyncio, os, resource, sys
from pathlib import Path
from gateway.adapters.sql.sqlite import open_sqlite
from gateway.ports.journal import JournalDown
from tests.contract import journal_samples as s

async def main():
    path = Path(sys.argv[1])
    journal = await open_sqlite(path)
    await journal.write(lambda tx: tx.append([s.taken(1)]))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    room = os.path.getsize(f"{path}-wal") + 8192
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    outcomes = []
    for work in (lambda tx: tx.append([s.taken(n) for n in range(2, 100)]),) * 2:
        try:
            await journal.write(work)
        except JournalDown as down:
            outcomes.append(type(down).__name__)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        await journal.probe()
    except JournalDown as down:
        outcomes.append("probe")
    outcomes.append(await journal.read(lambda q: q.ledger_pending()))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await journal.probe()
    await journal.write(lambda tx: tx.append([s.taken(n) for n in range(2, 100)]))
    outcomes.append(await journal.read(lambda q: q.ledger_pending()))
    await journal.close()
    journal = await open_sqlite(path)
    outcomes.append(await journal.read(lambda q: q.ledger_pending()))
    await journal.close()
    print(outcomes)

asyncio.run(main())
"""


def test_a_full_disk_is_journal_down_and_leaves_nothing_and_passes(sqlite_path: Path) -> None:
    done = run(FULL_DISK, str(sqlite_path))
    assert done.stdout.strip() == "['JournalDown', 'JournalDown', 'probe', 1, 99, 99]", done.stderr


async def test_a_database_locked_by_another_is_journal_down_and_passes(
    sqlite_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "SQLITE_BUSY_MS", 20)
    journal = await open_sqlite(sqlite_path)
    await journal.probe()
    intruder = sqlite3.connect(sqlite_path, isolation_level=None)
    intruder.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalDown, match="SQLITE_BUSY"):
        await journal.write(s.write_some)
    intruder.execute("ROLLBACK")
    intruder.close()
    await journal.write(s.write_some)
    assert await s.holds_some(journal)
    await journal.close()


async def test_a_connection_that_met_an_error_does_not_write_again(engine: SqliteEngine) -> None:
    await engine.write(lambda c: c.execute("CREATE TEMP TABLE mark (of_this_connection)", ()))
    await engine.write(lambda c: c.execute("SELECT * FROM mark", ()))
    with pytest.raises(JournalDown):
        await engine.write(lambda c: c.execute("SELECT * FROM nowhere", ()))
    with pytest.raises(JournalDown, match="no such table: mark"):
        await engine.write(lambda c: c.execute("SELECT * FROM mark", ()))
    assert await engine.write(lambda c: value(c, "PRAGMA synchronous")) == 2


async def test_an_error_in_the_database_itself_is_journal_down_for_writes_and_reads(
    engine: SqliteEngine,
) -> None:
    for call in (engine.write, engine.read):
        with pytest.raises(JournalDown, match="no such table"):
            await call(lambda c: c.execute("SELECT * FROM nowhere", ()))
        assert await call(lambda c: value(c, "SELECT count(*) FROM messages")) == 0


# --- one owner ----------------------------------------------------------------------------------

SECOND = """
import asyncio, sys
from pathlib import Path
from gateway.adapters.sql.sqlite import current_revision, migrate_sqlite, open_sqlite
from gateway.ports.journal import JournalDown

path = Path(sys.argv[1])
for call in (lambda: asyncio.run(open_sqlite(path)), lambda: migrate_sqlite(path)):
    try:
        call()
        print("opened")
    except JournalDown as down:
        print(down)
print(current_revision(path))
"""


async def test_a_second_process_is_refused_and_may_only_ask_for_the_revision(
    sqlite_journal: SqlJournal, sqlite_path: Path
) -> None:
    await sqlite_journal.write(s.write_some)
    done = await asyncio.to_thread(run, SECOND, str(sqlite_path))
    refusal = "another process owns the journal journal.db"
    assert done.stdout.splitlines() == [refusal, refusal, migrations.HEAD], done.stderr
    assert await s.holds_some(sqlite_journal)
    await sqlite_journal.write(lambda tx: tx.next_serial("a"))


async def test_a_second_opening_in_the_same_process_is_refused(
    sqlite_journal: SqlJournal, sqlite_path: Path
) -> None:
    with pytest.raises(JournalDown, match="another process owns"):
        await open_sqlite(sqlite_path)


DIE = """
import asyncio, os, signal, sys
from pathlib import Path
from gateway.adapters.sql.sqlite import open_sqlite
from tests.contract import journal_samples as s

async def main():
    journal = await open_sqlite(Path(sys.argv[1]))
    await journal.write(lambda tx: tx.append([s.taken(1)]))
    def work(tx):
        tx.append([s.taken(2)])
        os.kill(os.getpid(), signal.SIGKILL)
    await journal.write(work)

asyncio.run(main())
"""


async def test_a_killed_owner_leaves_what_it_committed_and_no_lock(sqlite_path: Path) -> None:
    done = await asyncio.to_thread(run, DIE, str(sqlite_path))
    assert done.returncode == -9, done.stderr
    journal = await open_sqlite(sqlite_path)
    held = await journal.read(lambda q: q.messages([s.ref_of(1), s.ref_of(2)]))
    assert held == {s.ref_of(1): s.stored(s.taken(1))}
    await journal.close()


async def test_a_reader_cannot_write(engine: SqliteEngine) -> None:
    def query(cursor: Cursor) -> object:
        return cursor.execute("INSERT INTO serials VALUES ('a', 1)", ())

    with pytest.raises(JournalDown, match="readonly"):
        await engine.read(query)

    def bolder(cursor: Cursor) -> object:
        cursor.execute("PRAGMA query_only = OFF", ())
        return query(cursor)

    with pytest.raises(JournalDown, match="readonly"):
        await engine.read(bolder)
    assert await engine.read(lambda c: value(c, "PRAGMA query_only")) == 1
    assert await engine.write(lambda c: value(c, "SELECT count(*) FROM serials")) == 0


async def test_a_read_beside_a_write_sees_the_state_before_and_the_loop_goes_on(
    sqlite_journal: SqlJournal,
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work(tx: Transaction) -> bool:
        s.write_some(tx)
        begun.set()
        return go_on.wait(30)

    writing = asyncio.ensure_future(sqlite_journal.write(work))
    assert await asyncio.to_thread(begun.wait, 30)
    assert await sqlite_journal.read(lambda q: q.ledger_pending()) == 0
    go_on.set()
    assert await writing
    assert await s.holds_some(sqlite_journal)


async def test_a_read_sees_one_state_while_writes_go_on(sqlite_journal: SqlJournal) -> None:
    await sqlite_journal.write(lambda tx: tx.append([s.taken(1)]))
    begun, go_on = threading.Event(), threading.Event()

    def query(q: object) -> tuple[int, bool, int]:
        first = q.ledger_pending()  # type: ignore[attr-defined]
        begun.set()
        waited = go_on.wait(30)
        return first, waited, q.ledger_pending()  # type: ignore[attr-defined]

    reading = asyncio.ensure_future(sqlite_journal.read(query))
    assert await asyncio.to_thread(begun.wait, 30)
    await sqlite_journal.write(lambda tx: tx.append([s.taken(2)]))
    go_on.set()
    assert await reading == (1, True, 1)
    assert await sqlite_journal.read(lambda q: q.ledger_pending()) == 2


# --- files --------------------------------------------------------------------------------------


def modes_in(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


async def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    before = os.umask(0)
    try:
        migrate_sqlite(path)
        journal = await open_sqlite(path)
        await journal.write(s.write_some)
        assert await s.holds_some(journal)
        modes = modes_in(tmp_path)
        await journal.close()
    finally:
        os.umask(before)
    names = ("journal.db", "journal.db-shm", "journal.db-wal", "journal.db.lock")
    assert modes == dict.fromkeys(names, 0o600)


async def test_a_file_that_others_may_read_is_restricted_when_opened(sqlite_path: Path) -> None:
    os.chmod(sqlite_path, 0o644)
    journal = await open_sqlite(sqlite_path)
    assert modes_in(sqlite_path.parent)[sqlite_path.name] == 0o600
    await journal.close()


async def test_a_name_with_special_characters_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "日志 ?mode=memory#%20.db"
    migrate_sqlite(path)
    journal = await open_sqlite(path)
    await journal.write(s.write_some)
    await journal.close()
    assert path.stat().st_size > 0
