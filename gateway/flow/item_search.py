"""Narrowing and paging what may be asked for (`GET /v1/items`)."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.flow.desk import View
from gateway.rules.item_list.rows import folded, query_words


def narrowed(views: Sequence[View], query: str | None, region: str | None) -> list[View]:
    """Return the views of a region that have every word of `query` in name or code.

    None does not narrow.

    Raises:
        Fault: `portal.request_invalid`: the query has no words, or too many.
    """
    words = () if query is None else query_words(query)
    return [
        view
        for view in views
        if region in (None, view["region"]) and all(word in _text(view) for word in words)
    ]


def _text(view: View) -> str:
    names = ("name_zh", "name_en", "item_code")
    return folded("\n".join(str(view.get(name, "")) for name in names))


def page_of(views: Sequence[View], after: str, limit: int) -> tuple[list[View], str | None]:
    """Return the page beyond `after` and the cursor of the next; None behind the last.

    An item that stands under several agreements is never split over pages, so a page may be
    longer than `limit`.
    """
    beyond = sorted((v for v in views if _place(v) > after), key=_place)
    if len(beyond) <= limit:
        return beyond, None
    last = _place(beyond[limit - 1])
    page = [view for view in beyond if _place(view) <= last]
    return page, last if len(page) < len(beyond) else None


def _place(view: View) -> str:
    return f"{view['region']}.{view['item_code']}"
