"""The tables of the journal in SQLite: how they are made, and how statements use them."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from gateway.adapters.sql import migrations
from gateway.adapters.sql.schema import metadata
from gateway.adapters.sql.sqlite import (
    SqliteEngine,
    current_revision,
    migrate_sqlite,
    open_sqlite,
)
from gateway.adapters.sql.sqlite_search import INDEX
from gateway.adapters.sql.statements import Statement, Statements
from gateway.ports.journal import JournalDown
from tests.contract import journal_samples as s


async def test_a_file_that_is_not_at_the_head_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with pytest.raises(JournalDown, match="kuayu migrate"):
        await open_sqlite(path)
    assert not path.exists()
    path.touch()
    with pytest.raises(JournalDown, match="kuayu migrate"):
        await open_sqlite(path)
    assert migrate_sqlite(path) == ("", migrations.HEAD)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(JournalDown, match="kuayu migrate"):
        await open_sqlite(path)
    with pytest.raises(JournalDown, match="later version"):
        migrate_sqlite(path)
    assert current_revision(path) == "9999"


async def test_migrating_again_keeps_everything(sqlite_path: Path) -> None:
    journal = await open_sqlite(sqlite_path)
    await journal.write(s.write_some)
    await journal.close()
    assert migrate_sqlite(sqlite_path) == (migrations.HEAD, migrations.HEAD)
    journal = await open_sqlite(sqlite_path)
    assert await s.holds_some(journal)
    await journal.close()


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE serials (mine TEXT)")
    connection.close()
    with pytest.raises(JournalDown, match="already exists"):
        migrate_sqlite(path)
    assert list(tables(path)) == ["serials"]
    assert current_revision(path) == ""


async def test_a_file_that_is_no_database_is_journal_down(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"no database, but long enough to be looked at " * 100)
    with pytest.raises(JournalDown, match="SQLITE_NOTADB"):
        await open_sqlite(path)
    with pytest.raises(JournalDown, match="SQLITE_NOTADB"):
        migrate_sqlite(path)
    with pytest.raises(JournalDown, match="journal's file"):
        await open_sqlite(tmp_path / "no folder" / "journal.db")


def tables(path: Path) -> dict[str, str]:
    """Return name and definition of everything in a database, Alembic's own table left out."""
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        " AND name NOT IN ('alembic_version', 'sqlite_sequence') ORDER BY name"
    ).fetchall()
    connection.close()
    return dict(rows)


def is_index(name: str | None) -> bool:
    return name is not None and name.startswith(INDEX)


def test_the_migrations_make_the_tables_of_the_schema(migrated: Path, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{migrated}")
    with engine.connect() as connection:
        # What an engine keeps for its text search is compared as text below.
        known = {"compare_type": True, "include_name": lambda name, *_: not is_index(name)}
        context = MigrationContext.configure(connection, opts=known)
        assert compare_metadata(context, metadata) == []
    engine.dispose()

    direct = tmp_path / "direct.db"
    engine = create_engine(f"sqlite:///{direct}")
    metadata.create_all(engine)
    engine.dispose()
    assert tables(migrated) == tables(direct)


def test_the_revision_that_is_needed_is_the_newest_there_is() -> None:
    assert ScriptDirectory.from_config(migrations.config()).get_current_head() == migrations.HEAD


def test_going_back_leaves_no_table(migrated: Path, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    shutil.copy(migrated, path)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        config = migrations.config()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()
    engine.dispose()
    assert tables(path) == {}


RARE = {
    "agreement_acts",
    "agreements",
    "announced_keys",
    "notices",
    "clocks_stale",
    "lanes",
    "latest_editions",
    "lane_records",
    "pending",
    "release",
    "staged",
    "tellings",
    "told_regions",
}
"""For a page of an operator and for the start of a process; they read every row of an index."""


def texts() -> list[tuple[str, str]]:
    found = []
    for name, made in sorted(vars(Statements(SqliteEngine)).items()):
        if isinstance(made, Statement):
            found.append((name, made.text))
        elif isinstance(made, Mapping):
            found += [(name, text) for text in made.values()]
    return found


def plan_of(path: Path, text: str) -> Sequence[str]:
    connection = sqlite3.connect(path)
    values = (None,) * text.count("?")
    rows = connection.execute(f"EXPLAIN QUERY PLAN {text}", values).fetchall()
    connection.close()
    return [row[3] for row in rows]


@pytest.mark.parametrize(("name", "text"), [t for t in texts() if t[0] not in RARE])
def test_no_statement_reads_a_whole_table_or_sorts(migrated: Path, name: str, text: str) -> None:
    steps = plan_of(migrated, text)
    assert not [step for step in steps if "SCAN" in step or "TEMP B-TREE" in step]


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("messages", "sqlite_autoindex_messages_1 (sender=? AND message_id=?)"),
        ("outcomes", "sqlite_autoindex_messages_1 (sender=? AND message_id=?)"),
        ("messages_by_id", "messages_id (message_id=?)"),
        ("history", "messages_case (case_origin=? AND case_id=?)"),
        ("knows_header", "messages_case (case_origin=? AND case_id=?)"),
        ("cases", "sqlite_autoindex_cases_1 (origin=? AND case_id=?)"),
        ("cases_by_id", "cases_id (case_id=?)"),
        ("cases_page", "cases_id (case_id<?)"),
        ("cases_page_of_role", "cases_id (case_id<?)"),
        ("cases_page_of_unit", "cases_unit (unit=? AND role=? AND case_id<?)"),
        ("tasks", "cases_task (unit=? AND awaits_us=? AND change_number>?)"),
        ("clocks", "PRIMARY KEY (origin=? AND case_id=?)"),
        ("clocks_due", "case_clocks_next (next_ms<?)"),
        ("clocks_late", "case_clocks_late ((late_from_ms,origin,case_id)>(?,?,?)"),
        ("clocks_late_of_unit", "case_clocks_late ((late_from_ms,origin,case_id)>(?,?,?)"),
        ("clocks_to_rectify", "case_clocks_open (closed_at_ms=? AND unit=?)"),
        ("clock_events", "PRIMARY KEY (origin=? AND case_id=?)"),
        ("outbox", "outbox_case (case_origin=? AND case_id=?)"),
        ("outbox_of", "sqlite_autoindex_messages_1 (sender=? AND message_id=?)"),
        ("outbox_of", "outbox_message (message_id=?)"),
        ("claimable", "outbox_lane (partner=? AND status=?)"),
        ("claimable", "messages_id (message_id=?)"),
        ("item", "item_list_history (region=? AND code=? AND listed_from_ms<?)"),
        ("item_position", "item_list_current (listed_until_ms=? AND region=? AND code=?)"),
        ("item_fingerprints", "item_list_history (region=?)"),
        ("item_page", "item_list_history (region=? AND code>?)"),
        ("item_page_at", "item_list_history (region=? AND code>?)"),
        ("item_versions", "item_list_history (region=? AND code=? AND listed_from_ms<?)"),
        ("changed_codes", "COVERING INDEX item_list_history (region=? AND code>?)"),
        ("staged_positions", "INTEGER PRIMARY KEY (rowid>?)"),
        ("ended_positions", "item_list_current (listed_until_ms=? AND region=?)"),
        ("ended_words", "item_list_current (listed_until_ms=? AND region=?)"),
        ("told", "PRIMARY KEY (region=?)"),
        ("told_parts", "PRIMARY KEY (region=? AND number=?)"),
        ("editions", "PRIMARY KEY (region=?)"),
        ("work_page", "assisted_work_done (done=? AND message_id>?)"),
        ("work_page_of_unit", "assisted_work_unit (unit=? AND done=? AND message_id>?)"),
        ("work_of_case", "assisted_work_case (case_origin=? AND case_id=?)"),
        ("typings_of_case", "assisted_typings_case (case_origin=? AND case_id=?)"),
        ("typings_in", "assisted_typings_status (status=?)"),
    ],
)
def test_a_statement_uses_the_index_made_for_it(migrated: Path, name: str, index: str) -> None:
    for text in (text for named, text in texts() if named == name):
        assert any(index in step for step in plan_of(migrated, text)), plan_of(migrated, text)


def test_the_lanes_are_counted_on_an_index(migrated: Path) -> None:
    text = dict(texts())["lanes"]
    assert plan_of(migrated, text) == ["SCAN outbox USING COVERING INDEX outbox_lane"]
