"""Pages of what may be asked for."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import pytest

from gateway.flow import item_search
from gateway.flow.desk import ItemsWish
from gateway.flow.item_search import items_page
from gateway.flow.items import item_views
from gateway.kernel.faults import Fault
from gateway.kernel.identifiers import GatewayId
from gateway.ports.directory import Book
from tests.support.book import HOME, NOW_MS, item_code, make_book, partner_id

BOOK = make_book(3, 5)
EVERYTHING = item_views(BOOK, NOW_MS)


def pages(book: Book, wish: ItemsWish) -> list[list[tuple[object, object]]]:
    """Follow the cursor to the end and return (region, code) page by page."""
    found = []
    following: str | None = wish.after
    while following is not None:
        views, following = items_page(book, NOW_MS, wish._replace(after=following))
        found.append([(view["region"], view["item_code"]) for view in views])
    return found


def joined(found: list[list[tuple[object, object]]]) -> list[tuple[object, object]]:
    return list(chain.from_iterable(found))


ALL = [(partner_id(p), item_code(n)) for p in range(3) for n in range(5)]


def test_without_a_wish_everything_comes_at_once() -> None:
    assert items_page(BOOK, NOW_MS, ItemsWish()) == (EVERYTHING, None)
    assert [(v["region"], v["item_code"]) for v in EVERYTHING] == ALL


@pytest.mark.parametrize("limit", [1, 4, 5, 14, 15, 16])
def test_pages_hold_everything_once(limit: int) -> None:
    found = pages(BOOK, ItemsWish(limit=limit))
    assert joined(found) == ALL
    assert all(len(page) == limit for page in found[:-1])


def test_a_region_alone_is_walked() -> None:
    for number in range(3):
        found = pages(BOOK, ItemsWish(region=partner_id(number), limit=2))
        assert joined(found) == ALL[5 * number : 5 * number + 5]
    assert items_page(BOOK, NOW_MS, ItemsWish(region=GatewayId("999999"))) == ([], None)
    assert items_page(BOOK, NOW_MS, ItemsWish(region=HOME)) == ([], None)  # nothing to ask of us


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("示例事项", ALL),
        ("3", ALL[3::5]),
        ("事项 3", ALL[3::5]),
        (item_code(4), ALL[4::5]),
        ("没有", []),
    ],
)
def test_every_word_of_a_query_is_in_name_or_code(
    query: str, wanted: list[tuple[object, object]]
) -> None:
    assert joined(pages(BOOK, ItemsWish(query, limit=2))) == wanted


def test_a_query_looks_at_a_bounded_number_of_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_search, "ITEMS_LOOKED_AT_MAX", 4)
    found = pages(BOOK, ItemsWish("3", region=partner_id(1)))
    assert found == [[ALL[8]], []]
    assert joined(pages(BOOK, ItemsWish("3"))) == ALL[3::5]
    assert len(pages(BOOK, ItemsWish("没有"))) == 5


def test_an_item_under_two_agreements_is_not_split_over_pages() -> None:
    [first, *others] = BOOK.agreements.values()
    second = replace(first, digest=b"2" * 32)
    book = replace(BOOK, agreements={a.digest: a for a in (first, second, *others)})
    views, following = items_page(book, NOW_MS, ItemsWish(limit=1))
    assert [view["agreement"] for view in views] == [first.digest.hex(), second.digest.hex()]
    assert following == ".".join(ALL[0])
    assert len(joined(pages(book, ItemsWish(limit=3)))) == 20


def test_a_cursor_of_nowhere_goes_on_after_where_it_would_stand() -> None:
    assert items_page(BOOK, NOW_MS, ItemsWish(after="zzz")) == ([], None)
    assert items_page(BOOK, NOW_MS, ItemsWish(after="0")) == (EVERYTHING, None)


def test_a_query_without_words_is_refused() -> None:
    with pytest.raises(Fault):
        items_page(BOOK, NOW_MS, ItemsWish(" "))


def test_the_agreements_with_a_partner_are_those_of_the_two_alone() -> None:
    [one, other, _] = BOOK.agreements.values()
    three = replace(one, digest=b"3" * 32, parties=one.parties | other.parties)
    book = replace(BOOK, agreements={a.digest: a for a in (one, three, other)})
    assert list(book.agreements_with(partner_id(0))) == [one]
    assert list(book.agreements_with(partner_id(1))) == [other]
    assert list(book.agreements_with(partner_id(2))) == []
    assert list(book.agreements_with(HOME)) == []
