"""The SQL of the item lists; see `adapters.sql.statements`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BindParameter, bindparam, delete, func, select, update

from gateway.adapters.sql import schema as t
from gateway.rules.item_list.rows import COLUMNS

if TYPE_CHECKING:
    from gateway.adapters.sql.statements import Compiler


class ItemListStatements:
    """The texts over `item_list`, `item_editions` and `item_words`."""

    def _of_item_list(self, sql: Compiler) -> None:
        i, w = t.item_list.c, t.item_words.c
        cells = [c for c in t.item_list.columns if c.name in COLUMNS]
        whole = select(i.position, i.region, i.listed_from_ms, i.listed_until_ms, *cells)
        until, region = i.listed_until_ms == bindparam("until"), i.region == bindparam("region")
        code, above = i.code == bindparam("code"), i.code > bindparam("after")
        limit: BindParameter[int] = bindparam("limit")
        self.item = sql.text(whole.where(until, region, code), ["until", "region", "code"])
        self.item_position = sql.text(
            select(i.position).where(until, region, code), ["until", "region", "code"]
        )
        self.item_by_position = sql.text(whole.where(i.position == bindparam("at")), ["at"])
        self.item_fingerprints = sql.text(
            select(i.code, i.fingerprint).where(until, region), ["until", "region"]
        )
        self.item_page = sql.text(
            whole.where(until, region, above).order_by(i.code).limit(limit),
            ["until", "region", "after", "limit"],
        )
        self.item_page_at = sql.text(
            whole.where(
                region,
                above,
                i.listed_from_ms <= bindparam("from"),
                i.listed_until_ms > bindparam("until"),
            )
            .order_by(i.code)
            .limit(limit),
            ["region", "after", "from", "until", "limit"],
        )
        self.item_versions = sql.text(
            whole.where(region, code).order_by(i.listed_from_ms), ["region", "code"]
        )
        self.last_item_position = sql.text(select(func.coalesce(func.max(i.position), 0)))
        self.add_item = sql.insert(t.item_list)
        self.end_item = sql.text(
            update(t.item_list)
            .values(listed_until_ms=bindparam("ended_ms"))
            .where(i.position == bindparam("at")),
            ["ended_ms", "at"],
        )
        self.add_item_words = sql.insert(t.item_words)
        self.drop_item_words = sql.text(delete(t.item_words).where(w.position == bindparam("at")))
        self._of_editions(sql)

    def _of_editions(self, sql: Compiler) -> None:
        e = t.item_editions.c
        limit: BindParameter[int] = bindparam("limit")
        self.editions = sql.text(
            select(*t.item_editions.columns)
            .where(e.region == bindparam("region"))
            .order_by(e.number.desc())
            .limit(limit),
            ["region", "limit"],
        )
        latest = t.item_editions.alias("latest")
        self.latest_editions = sql.text(
            select(*t.item_editions.columns)
            .where(
                e.number
                == select(func.max(latest.c.number))
                .where(latest.c.region == e.region)
                .scalar_subquery()
            )
            .order_by(e.region)
            .limit(limit),
            ["limit"],
        )
        self.add_edition = sql.insert(t.item_editions)
