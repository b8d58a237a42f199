"""The SQL of the item lists; see `adapters.sql.statements`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BindParameter, and_, bindparam, delete, func, or_, select, update

from gateway.adapters.sql import item_list_schema as t
from gateway.rules.item_list.rows import COLUMNS

if TYPE_CHECKING:
    from gateway.adapters.sql.statements import Compiler


class ItemListStatements:
    """The texts over the tables of item lists, their changes, and what partners tell of them.

    "Listed at L": `listed_from_ms <= L < listed_until_ms`. What is listed now is what is listed at
    the instant of the region's last edition, so rows that are staged for a later one are not seen.
    """

    def _of_item_list(self, sql: Compiler) -> None:
        i = t.item_list.c
        cells = [c for c in t.item_list.columns if c.name in COLUMNS]
        whole = select(i.position, i.region, i.listed_from_ms, i.listed_until_ms, *cells)
        region = i.region == bindparam("region")
        code, above = i.code == bindparam("code"), i.code > bindparam("after")
        begun, not_ended = (
            i.listed_from_ms <= bindparam("from"),
            i.listed_until_ms > bindparam("to"),
        )
        limit: BindParameter[int] = bindparam("limit")
        self.item = sql.text(
            whole.where(region, code, begun, not_ended), ["region", "code", "from", "to"]
        )
        self.item_position = sql.text(
            select(i.position).where(i.listed_until_ms == bindparam("until"), region, code),
            ["until", "region", "code"],
        )
        self.item_by_position = sql.text(whole.where(i.position == bindparam("at")), ["at"])
        self.item_fingerprints = sql.text(
            select(i.code, i.fingerprint).where(region, begun, not_ended), ["region", "from", "to"]
        )
        self.item_page = sql.text(
            whole.where(region, above, begun, not_ended).order_by(i.code).limit(limit),
            ["region", "after", "from", "to", "limit"],
        )
        self.item_versions = sql.text(
            whole.where(region, code, begun).order_by(i.listed_from_ms), ["region", "code", "from"]
        )
        self.last_item_position = sql.text(select(func.coalesce(func.max(i.position), 0)))
        self.add_item = sql.insert(t.item_list)
        self.end_item = sql.text(
            update(t.item_list)
            .values(listed_until_ms=bindparam("ended_ms"))
            .where(i.position == bindparam("at")),
            ["ended_ms", "at"],
        )
        self._of_changes(sql)
        self._of_words(sql)
        self._of_editions(sql)
        self._of_told(sql)

    def _of_changes(self, sql: Compiler) -> None:
        i = t.item_list.c
        limit: BindParameter[int] = bindparam("limit")
        came = and_(i.listed_from_ms > bindparam("since"), i.listed_from_ms <= bindparam("until"))
        went = and_(
            i.listed_until_ms > bindparam("since2"), i.listed_until_ms <= bindparam("until2")
        )
        self.changed_codes = sql.text(
            select(i.code)
            .distinct()
            .where(i.region == bindparam("region"), i.code > bindparam("after"), or_(came, went))
            .order_by(i.code)
            .limit(limit),
            ["region", "after", "since", "until", "since2", "until2", "limit"],
        )

    def _of_words(self, sql: Compiler) -> None:
        i, w, s = t.item_list.c, t.item_words.c, t.item_staging.c
        limit: BindParameter[int] = bindparam("limit")
        self.add_item_words = sql.insert(t.item_words)
        self.drop_item_words = sql.text(delete(t.item_words).where(w.position == bindparam("at")))
        self.drop_item = sql.text(delete(t.item_list).where(i.position == bindparam("at")))
        self.staged = sql.text(select(*t.item_staging.columns))
        self.put_staged = sql.upsert(t.item_staging)
        self.drop_staged = sql.text(
            delete(t.item_staging).where(s.region == bindparam("region")), ["region"]
        )
        self.staged_positions = sql.text(
            select(i.position)
            .where(
                i.position >= bindparam("first"),
                func.lower(i.region) == bindparam("region"),  # not by the region's index
                i.listed_from_ms == bindparam("from"),
            )
            .order_by(i.position)
            .limit(limit),
            ["first", "region", "from", "limit"],
        )
        ended = (i.listed_until_ms == bindparam("until"), i.region == bindparam("region"))
        self.ended_positions = sql.text(
            select(i.position).where(*ended).limit(limit), ["until", "region", "limit"]
        )
        self.ended_words = sql.text(
            select(i.position)
            .join(t.item_words, w.position == i.position)
            .where(*ended)
            .limit(limit),
            ["until", "region", "limit"],
        )

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

    def _of_told(self, sql: Compiler) -> None:
        e, p = t.item_told.c, t.item_told_parts.c
        self.told = sql.text(
            select(*t.item_told.columns).where(e.region == bindparam("region")).order_by(e.number),
            ["region"],
        )
        self.told_regions = sql.text(select(e.region).distinct().order_by(e.region))
        self.put_told = sql.upsert(t.item_told)
        self.told_parts = sql.text(
            select(p.part, p.message_id)
            .where(p.region == bindparam("region"), p.number == bindparam("number"))
            .order_by(p.part),
            ["region", "number"],
        )
        self.put_told_part = sql.keep(t.item_told_parts)
        self.drop_told = sql.text(
            delete(t.item_told).where(
                e.region == bindparam("region"), e.number == bindparam("number")
            ),
            ["region", "number"],
        )
        self.drop_told_parts = sql.text(
            delete(t.item_told_parts).where(
                p.region == bindparam("region"), p.number == bindparam("number")
            ),
            ["region", "number"],
        )
        self.tellings = sql.text(select(*t.item_tellings.columns))
        self.put_telling = sql.upsert(t.item_tellings)
