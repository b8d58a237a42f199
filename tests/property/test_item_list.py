"""Item lists: no file breaks the reader, and both adapters keep and find the same."""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.adapters.memory.journal import MemoryJournal
from gateway.adapters.sql.sqlite import migrate_sqlite, open_sqlite
from gateway.flow.item_list import ImportWish, import_items, rows_at
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.ports.journal import Journal, Snapshot
from gateway.rules.item_list.reading import begins_as_formula, read_csv
from gateway.rules.item_list.rows import COLUMNS, ItemRow, query_words
from gateway.rules.item_list.writing import write_csv
from tests.property.effort import effort
from tests.support.item_list import csv_bytes, list_row

ROW = list_row(1)
CELLS = st.text(max_size=12) | st.sampled_from(["", "=1", "\t", "1.1E+30", '"', "\r\n", "1", "Y"])


# --- reading ------------------------------------------------------------------------------------
def require_all_or_nothing(raw: bytes) -> None:
    found = read_csv(raw)
    for problem in found.problems:
        assert problem.rule.value.startswith("item_list.")
    if not found.problems:
        assert found.rows
        assert read_csv("".join(write_csv(found.rows)).encode()).rows == found.rows


@effort(300)
@given(raw=st.binary(max_size=200))
@example(raw=b"\x84\x31\x95\x33")  # the byte order mark in GB18030
@example(raw=b'"')
@example(raw=b"\xef\xbb\xbf")
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    require_all_or_nothing(raw)
    require_all_or_nothing(csv_bytes(ROW) + raw)
    require_all_or_nothing(csv_bytes(ROW, encoding="gb18030") + raw)


@effort(300)
@given(changes=st.dictionaries(st.sampled_from(COLUMNS), CELLS, max_size=4))
def test_no_cell_breaks_the_reader_and_what_is_read_is_safe(changes: dict[str, str]) -> None:
    row = ROW._replace(**changes)
    raw = csv_bytes(row)
    require_all_or_nothing(raw)
    for kept in read_csv(raw).rows:
        assert not any(begins_as_formula(cell) for cell in kept)


@effort(200)
@given(cells=st.lists(CELLS, min_size=len(COLUMNS), max_size=len(COLUMNS)))
def test_nothing_that_is_written_begins_as_a_formula(cells: list[str]) -> None:
    text = "".join(write_csv([ItemRow(*cells)]))
    [_, written] = csv.reader(io.StringIO(text, newline=""))
    assert not any(begins_as_formula(cell) for cell in written)
    assert [cell.removeprefix("'") for cell in written] == [
        cell.removeprefix("'") for cell in cells
    ]


# --- keeping and finding ------------------------------------------------------------------------
HOME, OTHER = GatewayId("620900"), GatewayId("620200")
NAMES = st.text("户口迁移aA１(（%_\"'* 𬭊", min_size=1, max_size=6).filter(str.strip)


class Step(NamedTuple):
    region: GatewayId
    names: dict[int, tuple[str, int]]


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from([HOME, OTHER]),
        st.dictionaries(st.integers(1, 6), st.tuples(NAMES, st.integers(1, 3)), min_size=1),
    ),
    min_size=1,
    max_size=5,
)


def rows_of(step: Step) -> list[ItemRow]:
    return [
        list_row(number, task_name=name, task_version=str(version), local_task_code="")
        for number, (name, version) in sorted(step.names.items())
    ]


def everything(q: Snapshot, queries: Sequence[str]) -> object:
    lists = q.item_list
    regions = HOME, OTHER
    found = []
    for query in queries:
        words = query_words(query)
        for region in (None, *regions):
            rows = lists.search(words, region=region, after=0, limit=50)
            found.append([(one.region, one.row) for one in rows])
    instants = (None, *range(1_000, 6_000, 500))
    return (
        found,
        [rows_at(lists, region, at_ms) for region in regions for at_ms in instants],
        [lists.fingerprints(region) for region in regions],
        [lists.editions(region, limit=9) for region in (None, *regions)],
        [
            [(v.row, v.listed_from_ms, v.listed_until_ms) for v in lists.versions(region, code)]
            for region in regions
            for code in sorted({list_row(n).code for n in range(1, 7)})
        ],
    )


def now(region: GatewayId, q: Snapshot) -> list[ItemRow]:
    return rows_at(q.item_list, region, None)


async def play(journal: Journal, steps: Sequence[Step], queries: Sequence[str]) -> object:
    try:
        for number, step in enumerate(steps, 1):
            wish = ImportWish(step.region, rows_of(step), b"s" * 32, end_most=True)
            await import_items(journal, wish, now_ms=number * 1_000)
            assert await journal.read(partial(now, step.region)) == rows_of(step)
        return await journal.read(lambda q: everything(q, queries))
    finally:
        await journal.close()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("lists") / "empty.db"
    migrate_sqlite(path)
    return path.read_bytes()


@effort(60)
@given(steps=STEPS, queries=st.lists(NAMES, min_size=1, max_size=6))
def test_both_adapters_keep_and_find_the_same(
    empty: bytes, steps: list[Step], queries: list[str]
) -> None:
    asked = [query for query in queries if is_query(query)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        path.write_bytes(empty)

        async def both() -> tuple[object, object]:
            sqlite = await play(await open_sqlite(path), steps, asked)
            return sqlite, await play(MemoryJournal(), steps, asked)

        sqlite, memory = asyncio.run(both())
    assert sqlite == memory


def is_query(text: str) -> bool:
    try:
        query_words(text)
    except Fault as fault:
        assert fault.code is FaultCode.PORTAL_REQUEST_INVALID
        return False
    return True
