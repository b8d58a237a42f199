"""A page of what may be asked for (`GET /v1/items`)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from gateway.flow.desk import ItemsWish, View
from gateway.flow.items import item_views
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import ITEMS_LOOKED_AT_MAX
from gateway.ports.directory import Book
from gateway.rules.catalogue import Item
from gateway.rules.item_list.rows import folded, query_words

_BEYOND_DIGITS = ":"
"""Sorts after every digit, so that it ends a region's keys."""


def items_page(book: Book, at_ms: int, wish: ItemsWish) -> tuple[list[View], str | None]:
    """Return the views beyond the cursor that were wished for, and the next cursor.

    At most `ITEMS_LOOKED_AT_MAX` items are looked at, so that no query holds the event loop up.

    Raises:
        Fault: `portal.request_invalid`: the query has no words, or too many.
    """
    words = () if wish.query is None else query_words(wish.query)
    keys = book.item_keys
    region, _, code = wish.after.partition(".")
    start = bisect_right(keys, (GatewayId(region), code))
    end = len(keys)
    if wish.region is not None:
        start = max(start, bisect_left(keys, (wish.region, "")))
        end = bisect_left(keys, (GatewayId(wish.region + _BEYOND_DIGITS), ""))
    views: list[View] = []
    for at in range(start, min(end, start + ITEMS_LOOKED_AT_MAX)):
        key = keys[at]
        if all(word in _text(book.catalogue[key]) for word in words):
            views += item_views(book, at_ms, [key])
        if len(views) >= wish.limit:
            return views, _cursor(key) if at + 1 < end else None
    last = start + ITEMS_LOOKED_AT_MAX
    return views, _cursor(keys[last - 1]) if last < end else None


def _cursor(key: tuple[GatewayId, str]) -> str:
    return ".".join(key)


def _text(item: Item) -> str:
    return folded(f"{item.name_zh}\n{item.name_en}\n{item.code}")
