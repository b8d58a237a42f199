"""What a journal promises of the assisted desk: a work list and typed outcomes that stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.adapters.sql.sqlite import open_sqlite
from gateway.kernel.assisted import TypingStatus, WorkStatus
from gateway.kernel.envelope import Kind
from gateway.ports.assisted import Typing, WorkItem
from gateway.ports.journal import Journal, Transaction
from tests.contract import journal_samples as s


def item(number: int, unit: str = s.UNIT, status: WorkStatus = WorkStatus.LISTED) -> WorkItem:
    return WorkItem(
        s.id_of(number),
        s.PARTNER,
        unit,
        s.key_of(number % 2),
        Kind.SUBMITTED,
        s.digest_of(f"own{number}"),
        s.NOW_MS + number,
        status,
    )


def typing(number: int, status: TypingStatus = TypingStatus.TYPED, natural: str = "") -> Typing:
    return Typing(
        s.PARTNER,
        natural or f"示例{number}/accepted",
        s.id_of(number),
        s.key_of(number % 2),
        s.UNIT,
        Kind.ACCEPTED,
        f"示例{number}",
        status,
        s.NOW_MS + number,
        "示例-甲",
        b'{"number":"1"}',
    )


async def test_nothing_is_listed_that_was_not_written(journal: Journal) -> None:
    found = await journal.read(
        lambda q: (
            q.work_items(None, done=False, limit=9),
            q.work_item(s.id_of(1)),
            q.work_of_case(s.key_of(1)),
            q.typings_of_case(s.key_of(1)),
            q.typings_in(TypingStatus.CONFIRMED, limit=9),
        )
    )
    assert found == ([], None, [], [], [])


async def test_a_write_that_fails_leaves_neither_work_nor_typing(journal: Journal) -> None:
    def broken(tx: Transaction) -> None:
        tx.list_work([item(1)])
        tx.save_typings([typing(1)])
        raise RuntimeError("示例")

    with pytest.raises(RuntimeError):
        await journal.write(broken)
    assert await journal.read(lambda q: q.work_items(None, done=False, limit=9)) == []
    assert await journal.read(lambda q: q.typings_of_case(s.key_of(1))) == []


async def test_listing_an_item_again_does_not_take_back_what_people_did(journal: Journal) -> None:
    done = item(1)._replace(
        status=WorkStatus.HANDED_OVER,
        method="phone",
        handed_over_at_ms=s.NOW_MS,
        handed_over_by="示例-甲",
    )
    await journal.write(lambda tx: tx.list_work([item(1)]))
    await journal.write(lambda tx: tx.save_work([done]))
    await journal.write(lambda tx: tx.list_work([item(1), item(2)]))
    assert await journal.read(lambda q: q.work_item(s.id_of(1))) == done
    assert await journal.read(lambda q: q.work_item(s.id_of(2))) == item(2)


async def test_the_list_is_one_units_in_order_and_in_pages(journal: Journal) -> None:
    mine = [item(n) for n in range(5)]
    theirs = item(7, unit=s.OTHER_UNIT)
    finished = item(9, status=WorkStatus.DONE)
    await journal.write(lambda tx: tx.list_work([theirs, *reversed(mine), finished]))
    page = await journal.read(lambda q: q.work_items(s.UNIT, done=False, limit=3))
    assert page == mine[:3]
    rest = await journal.read(lambda q: q.work_items(s.UNIT, done=False, limit=9, after=s.id_of(2)))
    assert rest == mine[3:]
    assert await journal.read(lambda q: q.work_items(s.UNIT, done=True, limit=9)) == [finished]
    every = await journal.read(lambda q: q.work_items(None, done=False, limit=9))
    assert every == [*mine, theirs]


async def test_a_case_has_its_own_work_and_typings(journal: Journal) -> None:
    await journal.write(lambda tx: tx.list_work([item(n) for n in range(4)]))
    await journal.write(lambda tx: tx.save_typings([typing(n) for n in (3, 2, 1)]))
    assert await journal.read(lambda q: q.work_of_case(s.key_of(1))) == [item(1), item(3)]
    assert await journal.read(lambda q: q.typings_of_case(s.key_of(1))) == [typing(1), typing(3)]


async def test_one_natural_key_is_one_typing_and_the_last_word_stands(journal: Journal) -> None:
    first = typing(1)
    confirmed = first._replace(
        status=TypingStatus.CONFIRMED,
        confirmed_at_ms=s.NOW_MS + 60,
        confirmed_by="示例-乙",
        message_id=s.id_of(50),
        envelope=b"envelope",
        rule="limit.overloaded",
        settled_at_ms=s.NOW_MS + 61,
    )
    await journal.write(lambda tx: tx.save_typings([first, typing(3)]))
    await journal.write(lambda tx: tx.save_typings([confirmed]))
    assert await journal.read(lambda q: q.typings_of_case(s.key_of(1))) == [confirmed, typing(3)]
    waiting = await journal.read(lambda q: q.typings_in(TypingStatus.CONFIRMED, limit=9))
    assert waiting == [confirmed]
    assert await journal.read(lambda q: q.typings_in(TypingStatus.TYPED, limit=0)) == []


async def test_what_was_typed_is_there_after_a_restart(sqlite_path: Path) -> None:
    journal = await open_sqlite(sqlite_path)
    await journal.write(lambda tx: tx.list_work([item(1)]))
    await journal.write(lambda tx: tx.save_typings([typing(1)]))
    await journal.close()
    journal = await open_sqlite(sqlite_path)
    found = await journal.read(lambda q: (q.work_item(s.id_of(1)), q.typings_of_case(s.key_of(1))))
    await journal.close()
    assert found == (item(1), [typing(1)])
