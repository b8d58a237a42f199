"""Every adapter of a port, for the one suite that holds the port's promises."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.adapters.memory.journal import MemoryJournal
from gateway.adapters.sql.journal import SqlJournal
from gateway.adapters.sql.sqlite import migrate_sqlite, open_sqlite
from gateway.ports.journal import Journal


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the tables and nothing in them."""
    path = tmp_path_factory.mktemp("journal") / "empty.db"
    migrate_sqlite(path)
    return path


@pytest.fixture
def sqlite_path(migrated: Path, tmp_path: Path) -> Path:
    """A database of this test's own."""
    path = tmp_path / "journal.db"
    shutil.copy(migrated, path)
    return path


@pytest.fixture
async def sqlite_journal(sqlite_path: Path) -> AsyncIterator[SqlJournal]:
    journal = await open_sqlite(sqlite_path)
    yield journal
    await journal.close()


@pytest.fixture(params=["memory", "sqlite"])
async def journal(request: pytest.FixtureRequest, sqlite_path: Path) -> AsyncIterator[Journal]:
    opened: Journal = (
        MemoryJournal() if request.param == "memory" else await open_sqlite(sqlite_path)
    )
    yield opened
    await opened.close()
