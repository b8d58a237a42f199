"""Importing an item list over every adapter: what changes is written, once, or nothing is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import pytest

from gateway.flow.item_list import Imported, ImportWish, import_items, plan_import, rows_at
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.ports.journal import Journal, Snapshot
from gateway.rules.item_list.rows import ItemRow
from tests.support.item_list import list_row, list_rows

HOME = GatewayId("620900")
T = TypeVar("T")


async def imports(
    journal: Journal, rows: Sequence[ItemRow], now_ms: int, *, end_most: bool = False
) -> Imported:
    wish = ImportWish(HOME, rows, b"s" * 32, end_most)
    return await import_items(journal, wish, now_ms=now_ms)


async def held(journal: Journal, at_ms: int | None = None) -> list[ItemRow]:
    return await journal.read(lambda q: rows_at(q.item_list, HOME, at_ms))


async def test_a_first_import_adds_everything(journal: Journal) -> None:
    done = await imports(journal, list_rows(30), 1_000)
    assert done.edition is not None
    assert done.edition[1:3] == (1, 1_000)
    assert done.edition[4:8] == (30, 30, 0, 0)
    assert await held(journal) == list_rows(30)


async def test_importing_again_writes_what_differs_and_keeps_what_was(journal: Journal) -> None:
    await imports(journal, list_rows(30), 1_000)
    rows = [list_row(5, task_version="2", promise_day="3"), *list_rows(32)[5:]]
    done = await imports(journal, rows, 2_000)
    assert done.edition is not None
    assert done.edition[4:8] == (28, 2, 1, 4)
    assert done.plan.replaced == {list_row(5).code: list_row(5)}
    assert await held(journal) == rows
    assert await held(journal, 1_999) == list_rows(30)
    assert await held(journal, 999) == []


async def test_a_file_that_changes_nothing_makes_no_edition(journal: Journal) -> None:
    await imports(journal, list_rows(3), 1_000)
    done = await imports(journal, list(reversed(list_rows(3))), 2_000)
    assert done.edition is None
    assert done.plan.changes.unchanged == 3
    assert len(await journal.read(lambda q: q.item_list.editions(HOME, limit=9))) == 1


async def test_a_file_that_would_end_most_of_the_list_needs_a_word(journal: Journal) -> None:
    await imports(journal, list_rows(10), 1_000)
    with pytest.raises(Fault) as raised:
        await imports(journal, list_rows(4), 2_000)
    assert raised.value.code is FaultCode.ITEM_LIST_ENDS_MOST
    assert await held(journal) == list_rows(10)
    await imports(journal, list_rows(4), 2_000, end_most=True)
    assert await held(journal) == list_rows(4)


async def test_a_clock_that_was_set_back_does_not_turn_history_around(journal: Journal) -> None:
    await imports(journal, list_rows(2), 5_000)
    done = await imports(journal, list_rows(3), 1_000)
    assert done.edition is not None
    assert done.edition.imported_at_ms == 5_001
    assert await held(journal, 5_000) == list_rows(2)


async def test_a_change_without_a_higher_version_is_told(journal: Journal) -> None:
    await imports(journal, [list_row(n, task_version="3") for n in (1, 2, 3)], 1_000)
    rows = [list_row(1, task_version="4"), list_row(2, task_version="2")]
    rows.append(list_row(3, task_version="3", promise_day="1"))
    done = await imports(journal, rows, 2_000)
    assert done.plan.not_raised() == [list_row(2).code, list_row(3).code]


class Between:
    """A journal to which another import comes between a read and the write after it."""

    def __init__(self, inner: Journal) -> None:
        self._inner = inner
        self.write = inner.write
        self.probe = inner.probe
        self.close = inner.close

    async def read(self, query: Callable[[Snapshot], T]) -> T:
        found = await self._inner.read(query)
        await imports(self._inner, list_rows(7), 1_500)
        return found


async def test_an_import_that_another_overtook_writes_nothing(journal: Journal) -> None:
    await imports(journal, list_rows(5), 1_000)
    with pytest.raises(Fault) as raised:
        await imports(Between(journal), list_rows(9), 2_000)
    assert raised.value.code is FaultCode.ITEM_LIST_CHANGED_MEANWHILE
    assert await held(journal) == list_rows(7)


async def test_a_plan_writes_nothing(journal: Journal) -> None:
    plan = await journal.read(lambda q: plan_import(q.item_list, HOME, list_rows(3)))
    assert len(plan.changes.added) == 3
    assert await held(journal) == []
