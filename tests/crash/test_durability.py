"""The writing connection of a running gateway waits for the disk."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from gateway.ports.journal import Snapshot
from tests.crash.points import durability
from tests.crash.process import Child, make_sites


@pytest.mark.parametrize(("level", "seen"), [("OFF", 0), ("NORMAL", 1), ("FULL", 2)])
def test_a_connection_that_does_not_wait_for_the_disk_is_noticed(
    tmp_path: Path, level: str, seen: int
) -> None:
    with closing(sqlite3.connect(tmp_path / "any.sqlite3")) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {level}")
        tx = cast(Snapshot, SimpleNamespace(_cursor=db.cursor()))
        assert durability(tx) == ("wal", seen)


async def test_a_running_gateway_writes_with_synchronous_full(tmp_path: Path) -> None:
    """Asked of the connection itself, inside a write; the child asks so in every write."""
    child = Child(make_sites(tmp_path)[0])
    try:
        await child.start()
        assert (child.ready["journal_mode"], child.ready["synchronous"]) == ("wal", 2)
        await child.stop()
    finally:
        await child.close()
