"""What `ports.item_list` promises, for every adapter of the journal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

import pytest

from gateway.adapters.sql.cursor import Cursor
from gateway.adapters.sql.journal import SqlJournal
from gateway.adapters.sql.sqlite import SqliteEngine
from gateway.kernel.identifiers import GatewayId
from gateway.ports.item_list import Edition, ListedRow, Telling, ToldEdition
from gateway.ports.journal import Journal, Snapshot, Transaction
from gateway.rules.item_list.rows import ItemRow, fingerprint, query_words
from tests.support.item_list import OTHER_AUTHORITY, list_row, list_rows

HOME, OTHER = GatewayId("620900"), GatewayId("620200")


def edition(number: int, region: GatewayId = HOME, at_ms: int | None = None) -> Edition:
    return Edition(
        region, number, number * 1_000 if at_ms is None else at_ms, b"s" * 32, 9, 1, 2, 3
    )


def publish(one: Edition, rows: Sequence[ItemRow], tx: Transaction) -> None:
    tx.item_list.publish(one, rows, (), print)


def publishing(
    number: int,
    rows: Sequence[ItemRow],
    ended: Collection[str] = (),
    region: GatewayId = HOME,
    progress: Callable[[int], None] = lambda _: None,
) -> Callable[[Transaction], None]:
    return lambda tx: tx.item_list.publish(edition(number, region), rows, ended, progress)


async def names(journal: Journal, query: str, region: GatewayId | None = None) -> list[str]:
    words = query_words(query)
    found = await journal.read(
        lambda q: q.item_list.search(words, region=region, after=0, limit=100)
    )
    return [one.row.task_name for one in found]


async def codes(journal: Journal, at_ms: int | None = None, region: GatewayId = HOME) -> list[str]:
    def query(q: Snapshot) -> list[str]:
        page = q.item_list.page(region, after="", limit=1_000, at_ms=at_ms)
        return [one.row.task_version + one.row.local_task_code for one in page]

    return await journal.read(query)


# --- publishing ---------------------------------------------------------------------------------
async def test_an_edition_that_does_not_follow_leaves_nothing(journal: Journal) -> None:
    with pytest.raises(ValueError, match="follow"):
        await journal.write(publishing(2, list_rows(1)))
    await journal.write(publishing(1, list_rows(1)))
    for wrong in (edition(1, at_ms=5_000), edition(3), edition(2, at_ms=1_000)):
        with pytest.raises(ValueError, match="follow"):
            await journal.write(partial(publish, wrong, list_rows(2)))
    assert await codes(journal) == ["1SL-1"]
    assert await journal.read(lambda q: q.item_list.editions(HOME, limit=9)) == [edition(1)]


async def test_ending_a_code_that_is_not_listed_leaves_nothing(journal: Journal) -> None:
    rows = list_rows(2)
    await journal.write(publishing(1, rows))
    with pytest.raises(ValueError, match="cannot end"):
        await journal.write(publishing(2, list_rows(3), [rows[0].code, "nowhere"]))
    assert await codes(journal) == ["1SL-1", "1SL-2"]
    assert await names(journal, "示例3") == []


async def test_a_write_that_raises_later_takes_the_list_back_too(journal: Journal) -> None:
    await journal.write(publishing(1, list_rows(2)))

    def work(tx: Transaction) -> None:
        publishing(2, [list_row(1, task_version="2"), list_row(3)], [list_row(2).code])(tx)
        assert len(tx.item_list.fingerprints(HOME)) == 2
        raise RuntimeError("after all")

    with pytest.raises(RuntimeError, match="after all"):
        await journal.write(work)
    assert await codes(journal) == ["1SL-1", "1SL-2"]
    assert await names(journal, "示例3") == []
    assert await names(journal, "示例2") == [list_row(2).task_name]
    await journal.write(publishing(2, [list_row(3)]))
    assert await codes(journal) == ["1SL-1", "1SL-2", "1SL-3"]


async def test_a_region_has_its_own_list_and_numbers(journal: Journal) -> None:
    await journal.write(publishing(1, list_rows(3)))
    await journal.write(publishing(1, list_rows(2, OTHER_AUTHORITY), region=OTHER))
    await journal.write(publishing(2, [], [list_row(2).code]))
    assert await codes(journal) == ["1SL-1", "1SL-3"]
    assert await codes(journal, region=OTHER) == ["1SL-1", "1SL-2"]
    latest = await journal.read(lambda q: q.item_list.editions(None, limit=9))
    assert [(e.region, e.number) for e in latest] == [(OTHER, 1), (HOME, 2)]


async def test_progress_ends_at_the_number_of_rows(journal: Journal) -> None:
    seen: list[int] = []
    await journal.write(publishing(1, list_rows(2_500), progress=seen.append))
    assert seen == sorted(seen)
    assert seen[-1] == 2_500


async def test_every_cell_comes_back_as_it_was(journal: Journal) -> None:
    cells = {name: f"{name} 㛃𬭊'\"%_\n" for name in ItemRow._fields if not name.endswith("code")}
    row = list_row(1, **cells)
    await journal.write(publishing(1, [row]))
    found = await journal.read(lambda q: q.item_list.listed(HOME, [row.code, "nowhere"]))
    assert found[row.code].row == row
    assert found.keys() == {row.code}
    assert await journal.read(lambda q: q.item_list.fingerprints(HOME)) == {
        row.code: fingerprint(row)
    }


# --- as it was ----------------------------------------------------------------------------------
async def test_the_list_of_every_instant_can_be_read(journal: Journal) -> None:
    await journal.write(publishing(1, list_rows(3)))
    changed, added = list_row(2, task_version="2"), list_row(4)
    await journal.write(publishing(2, [changed, added], [list_row(3).code]))
    await journal.write(publishing(3, [list_row(3, task_version="5")], [list_row(1).code]))
    assert await codes(journal, 999) == []
    assert await codes(journal, 1_000) == ["1SL-1", "1SL-2", "1SL-3"]
    assert await codes(journal, 1_999) == ["1SL-1", "1SL-2", "1SL-3"]
    assert await codes(journal, 2_000) == ["1SL-1", "2SL-2", "1SL-4"]
    assert await codes(journal, 3_000) == await codes(journal) == ["2SL-2", "5SL-3", "1SL-4"]


async def test_the_versions_of_a_row_tell_from_when_until_when(journal: Journal) -> None:
    await journal.write(publishing(1, list_rows(1)))
    await journal.write(publishing(2, [list_row(1, task_version="2")]))
    await journal.write(publishing(3, [], [list_row(1).code]))
    await journal.write(publishing(4, [list_row(1, task_version="3")]))
    found = await journal.read(lambda q: q.item_list.versions(HOME, list_row(1).code))
    assert [(v.row.task_version, v.listed_from_ms, v.listed_until_ms) for v in found] == [
        ("1", 1_000, 2_000),
        ("2", 2_000, 3_000),
        ("3", 4_000, None),
    ]
    assert [v.position for v in found] == sorted({v.position for v in found})


def page_of(after: str, at_ms: int | None, q: Snapshot) -> Sequence[ListedRow]:
    return q.item_list.page(HOME, after=after, limit=3, at_ms=at_ms)


async def test_pages_follow_each_other_by_code(journal: Journal) -> None:
    await journal.write(publishing(1, list(reversed(list_rows(7)))))
    await journal.write(publishing(1, list_rows(7, OTHER_AUTHORITY), region=OTHER))
    for at_ms in (None, 1_500):
        after, seen = "", []
        while page := await journal.read(partial(page_of, after, at_ms)):
            assert len(page) <= 3
            seen += [one.row for one in page]
            after = page[-1].row.code
        assert seen == list_rows(7)


# --- search -------------------------------------------------------------------------------------
NAMES = {
    1: "内资企业及分支机构设立登记（分公司）",
    2: "户口迁移（夫妻投靠）",
    3: "ETC 发行服务",
    4: "100%国有企业_产权登记",
    5: "㛃𬭊示例事项",
    6: '含"引号"与*星号 OR 运算',
    7: "户口注销",
}


@pytest.fixture
async def named(journal: Journal) -> Journal:
    rows = [list_row(n, task_name=name, local_task_code=f"JQ{n}") for n, name in NAMES.items()]
    await journal.write(publishing(1, rows))
    others = [list_row(2, OTHER_AUTHORITY, task_name=NAMES[2])]
    await journal.write(publishing(1, others, region=OTHER))
    return journal


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("分支机构", [1]),
        ("户口", [2, 7, 2]),
        ("户", [2, 7, 2]),
        ("户口 夫妻", [2, 2]),
        ("夫妻投靠 户口迁移", [2, 2]),
        ("分公司 登记 分支机构", [1]),
        ("户口 没有的", []),
        ("etc", [3]),
        ("ＥＴＣ", [3]),
        ("分公司)", [1]),
        ("100%", [4]),
        ("%", [4]),
        ("_", [4]),
        ("业_产", [4]),
        ("㛃𬭊示", [5]),
        ("㛃𬭊", [5]),
        ("𬭊", [5]),
        ('"引号"', [6]),
        ('"', [6]),
        ("与*星", [6]),
        ("*", [6]),
        ("OR 星号", [6]),
        ("' OR 1=1 --", []),
        ("words:户口迁移", []),
        ("NEAR(户口迁 户口注)", []),
        ("户口迁 OR 户口注", []),
        ("^户口迁", []),
        ("{words}", []),
        ("\x00户口迁移\x00", [2, 2]),
        ("000000000003", [3]),
        ("11620200mb0000000u", [2]),
        ("11620900MB000000003000000000005", [5]),
        ("jq4", [4]),
        ("q4", []),
    ],
)
async def test_a_query_is_text_and_finds_it_anywhere(
    named: Journal, query: str, wanted: list[int]
) -> None:
    assert await names(named, query) == [NAMES[n] for n in wanted]


async def test_a_search_may_stay_within_a_region(named: Journal) -> None:
    assert await names(named, "户口迁移", OTHER) == [NAMES[2]]
    assert await names(named, "户口", HOME) == [NAMES[2], NAMES[7]]
    assert await names(named, "户口", GatewayId("620700")) == []
    assert await names(named, "户口迁移", GatewayId("620700")) == []


async def test_a_department_is_found_too(named: Journal) -> None:
    assert await names(named, "公安局", HOME) == [NAMES[1], NAMES[6]]
    assert await names(named, "公安局 引号") == [NAMES[6]]
    assert await names(named, "安局", HOME) == [NAMES[1], NAMES[6]]  # the very end of the text
    assert await names(named, "局", HOME) == list(NAMES.values())


def found_by(query: str, after: int, q: Snapshot) -> Sequence[ListedRow]:
    return q.item_list.search(query_words(query), region=HOME, after=after, limit=8)


async def test_a_word_that_begins_very_many_runs_of_three_is_found_too(journal: Journal) -> None:
    rows = [list_row(n, task_name=f"证{chr(0x4E00 + n)}书第{n % 2}类") for n in range(90)]
    await journal.write(publishing(1, rows))
    more = [list_row(n, OTHER_AUTHORITY, task_name=f"证{chr(0x5E00 + n)}书") for n in range(90)]
    await journal.write(publishing(1, more, region=OTHER))
    assert await names(journal, "证", HOME) == [row.task_name for row in rows]
    assert await names(journal, "证", OTHER) == [row.task_name for row in more]
    assert len(await names(journal, "证")) == 100
    assert await names(journal, "证 第1类") == [row.task_name for row in rows[1::2]]
    assert await names(journal, "证 书", GatewayId("620700")) == []
    assert await names(journal, "证 无") == []


async def test_found_rows_follow_each_other_page_by_page(journal: Journal) -> None:
    await journal.write(publishing(1, list_rows(50)))
    for query in ("示例", "（示例"):
        after, seen = 0, []
        while page := await journal.read(partial(found_by, query, after)):
            seen += [one.row for one in page]
            after = page[-1].position
        assert seen == list_rows(50)


async def test_only_what_is_listed_now_is_found(named: Journal) -> None:
    new = list_row(2, task_name="户籍迁移", task_version="2")
    await named.write(publishing(2, [new], [list_row(7).code]))
    assert await names(named, "户口", HOME) == []
    assert await names(named, "户口迁移", HOME) == []
    assert await names(named, "户籍迁移", HOME) == ["户籍迁移"]
    assert await names(named, "户籍", HOME) == ["户籍迁移"]
    again = list_row(7, task_name=NAMES[7], task_version="2")
    await named.write(publishing(3, [again]))
    assert await names(named, "户口注销") == [NAMES[7]]


# --- SQLite alone -------------------------------------------------------------------------------
async def test_the_index_agrees_with_its_table_after_many_editions(
    sqlite_journal: SqlJournal,
) -> None:
    for number in range(1, 8):
        rows = [list_row(n, task_version=str(number)) for n in range(number, 200, number)]
        ended = [list_row(number - 1).code] if number > 1 else []
        await sqlite_journal.write(publishing(number, rows, ended))
        while await sqlite_journal.write(lambda tx: tx.item_list.sweep(HOME, 50)):
            assert await names(sqlite_journal, "示例") == await names(sqlite_journal, "（示例")
    engine = sqlite_journal._engine
    assert isinstance(engine, SqliteEngine)

    def check(cursor: Cursor) -> tuple[int, int]:
        # rank 1 compares the index with the table it stands over; it raises if they differ
        cursor.execute("INSERT INTO item_index(item_index, rank) VALUES ('integrity-check', 1)", ())
        cursor.execute("SELECT count(*) FROM item_words", ())
        (words,) = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM item_list WHERE listed_until_ms = ?", (2**63 - 1,))
        return words, cursor.fetchone()[0]

    words, listed = await engine.write(check)
    assert words == listed == len(await codes(sqlite_journal))


# --- an edition written in steps ------------------------------------------------------------------
def staging(
    at_ms: int, rows: Sequence[ItemRow], ended: Collection[str] = (), region: GatewayId = HOME
) -> Callable[[Transaction], None]:
    return lambda tx: tx.item_list.stage(region, at_ms, rows, ended)


async def seen(journal: Journal) -> list[object]:
    """Return everything that a reader can see of the list, but for numbers it is not told."""

    def query(q: Snapshot) -> list[object]:
        lists = q.item_list
        code = list_row(1).code
        return [
            lists.page(HOME, after="", limit=100),
            lists.page(HOME, after="", limit=100, at_ms=99_000),
            lists.fingerprints(HOME),
            lists.listed(HOME, [code, list_row(3).code]),
            lists.versions(HOME, code),
            lists.search(query_words("示例"), region=None, after=0, limit=100),
            lists.search(query_words("示例3"), region=HOME, after=0, limit=100),
            lists.changes(HOME, -1, 99_000, after="", limit=100),
            lists.editions(HOME, limit=9),
        ]

    return await journal.read(query)


async def test_nobody_sees_an_edition_before_its_last_step(journal: Journal) -> None:
    await journal.write(publishing(1, list_rows(2)))
    before = await seen(journal)
    await journal.write(staging(2_000, [list_row(1, task_version="2")]))
    await journal.write(staging(2_000, [list_row(3)], [list_row(2).code]))
    assert await seen(journal) == before
    assert await journal.read(lambda q: q.item_list.staged()) == {HOME: 2_000}
    await journal.write(publishing(2, []))
    assert await codes(journal) == ["2SL-1", "1SL-3"]
    assert await codes(journal, 1_999) == ["1SL-1", "1SL-2"]
    assert len(await names(journal, "示例")) == 2
    assert await journal.read(lambda q: q.item_list.staged()) == {}


async def test_what_died_on_its_way_is_swept_and_leaves_the_list_as_it_was(
    journal: Journal,
) -> None:
    await journal.write(publishing(1, list_rows(40)))
    before = await seen(journal)
    changed = [list_row(n, task_version="2") for n in range(1, 31)]
    await journal.write(staging(2_000, changed))
    await journal.write(staging(2_000, [list_row(50)], [list_row(40).code]))
    await journal.write(staging(1_000, list_rows(3, OTHER_AUTHORITY), region=OTHER))
    while await journal.write(lambda tx: tx.item_list.sweep(HOME, 7)):
        assert await seen(journal) == before
    assert await journal.read(lambda q: q.item_list.staged()) == {OTHER: 1_000}, "another's stays"
    await journal.write(publishing(2, changed, [list_row(40).code]))
    assert (await codes(journal)).count("2SL-1") == 1
    assert len(await codes(journal)) == 39


async def test_two_editions_of_a_region_are_not_staged_at_once(journal: Journal) -> None:
    await journal.write(publishing(1, list_rows(1)))
    await journal.write(staging(3_000, [list_row(2)]))
    for wrong in (2_000, 4_000, 1_000):
        with pytest.raises(ValueError, match="follow"):
            await journal.write(staging(wrong, [list_row(3)]))
    with pytest.raises(ValueError, match="follow"):
        await journal.write(publishing(2, [list_row(3)]))
    with pytest.raises(ValueError, match="cannot end"):
        await journal.write(staging(3_000, [], ["nowhere"]))
    assert await codes(journal) == ["1SL-1"]


async def test_changes_between_two_instants_come_by_code_and_page_by_page(
    journal: Journal,
) -> None:
    await journal.write(publishing(1, list_rows(3)))
    await journal.write(publishing(2, [list_row(1, task_version="2"), list_row(4)]))
    await journal.write(publishing(3, [list_row(1)], [list_row(3).code]))

    async def told(since: int, until: int, after: str = "", limit: int = 9) -> list[str]:
        found = await journal.read(
            lambda q: q.item_list.changes(HOME, since, until, after=after, limit=limit)
        )
        return [
            f"{c.before.row.task_version if c.before else '-'}"
            f"{c.after.row.task_version if c.after else '-'} {c.code[-1]}"
            for c in found
        ]

    assert await told(-1, 1_000) == ["-1 1", "-1 2", "-1 3"]
    assert await told(1_000, 2_000) == ["12 1", "-1 4"]
    assert await told(2_000, 9_000) == ["21 1", "1- 3"]
    assert await told(1_000, 3_000) == ["11 1", "1- 3", "-1 4"]
    assert await told(1_000, 3_000, after=list_row(1).code, limit=1) == ["1- 3"]
    assert await told(3_000, 9_000) == []


# --- what is told of lists ------------------------------------------------------------------------
async def test_what_a_partner_tells_is_kept_part_by_part(journal: Journal) -> None:
    one = ToldEdition(OTHER, 4, b"d" * 32, b"", 3, 1_000, 1, 0)

    def tell(tx: Transaction) -> None:
        tx.item_list.put_told(one)
        tx.item_list.put_told(one._replace(arrived=2, parts=2))
        tx.item_list.put_told(one._replace(number=5))
        tx.item_list.put_told_part(OTHER, 4, 2, b"b" * 16)
        tx.item_list.put_told_part(OTHER, 4, 1, b"a" * 16)
        tx.item_list.put_told_part(OTHER, 4, 1, b"c" * 16)

    await journal.write(tell)
    four, five = await journal.read(lambda q: q.item_list.told(OTHER))
    assert (four.complete, five.complete, four.published) == (True, False, False)
    parts = await journal.read(lambda q: q.item_list.told_parts(OTHER, 4))
    assert list(parts.items()) == [(1, b"a" * 16), (2, b"b" * 16)]
    assert await journal.read(lambda q: q.item_list.told_regions()) == [OTHER]
    await journal.write(lambda tx: tx.item_list.drop_told(OTHER, 4))
    await journal.write(lambda tx: tx.item_list.drop_told(OTHER, 4))
    assert await journal.read(lambda q: q.item_list.told(OTHER)) == [five]
    assert await journal.read(lambda q: q.item_list.told_parts(OTHER, 4)) == {}


async def test_what_partners_were_told_is_kept(journal: Journal) -> None:
    first = Telling(OTHER, 0, 1, 0, "", 1, True, 0)
    await journal.write(lambda tx: tx.item_list.put_telling(first))
    last = first._replace(known=1, settled=1, rule="x")
    await journal.write(lambda tx: tx.item_list.put_telling(last))
    assert await journal.read(lambda q: q.item_list.tellings()) == {OTHER: last}
    assert (first.under_way, last.under_way) == (True, False)
