"""The tables of the regions' item lists, and of what gateways tell each other of them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, Table, Text

from gateway.adapters.sql.schema import SERIAL, key, metadata, need
from gateway.rules.item_list.rows import COLUMNS

LISTED_STILL_MS: Final = 2**63 - 1
"""Stands where no edition has ended a version: keys hold no NULL."""

item_list: Final = Table(
    "item_list",
    metadata,
    Column("position", SERIAL, primary_key=True, autoincrement=False),
    need("region", Text),
    need("code", Text),
    need("listed_from_ms", BigInteger),
    need("listed_until_ms", BigInteger),
    need("fingerprint", LargeBinary),
    *(need(name, Text) for name in COLUMNS),
    Index("item_list_current", "listed_until_ms", "region", "code", unique=True),
    Index("item_list_history", "region", "code", "listed_from_ms", "listed_until_ms"),
)
"""Every version of every row of the regions' item lists, under the state platform's names."""

item_editions: Final = Table(
    "item_editions",
    metadata,
    key("region", Text),
    key("number", BigInteger),
    need("imported_at_ms", BigInteger),
    need("source", LargeBinary),
    need("rows", BigInteger),
    need("added", BigInteger),
    need("changed", BigInteger),
    need("ended", BigInteger),
    need("told", BigInteger),
    need("digest", LargeBinary),
    sqlite_with_rowid=False,
)
"""The imports and messages that changed a list."""

item_staging: Final = Table(
    "item_staging",
    metadata,
    key("region", Text),
    need("at_ms", BigInteger),
    need("first_position", BigInteger),
    sqlite_with_rowid=False,
)
"""Editions that are being written: rows of their instant at and above their position."""

item_told: Final = Table(
    "item_told",
    metadata,
    key("region", Text),
    key("number", BigInteger),
    need("digest", LargeBinary),
    need("previous", LargeBinary),
    need("rows", BigInteger),
    need("begun_ms", BigInteger),
    need("arrived", BigInteger),
    need("parts", BigInteger),
    need("published", Boolean),
    sqlite_with_rowid=False,
)
"""Editions that partners tell of."""

item_told_parts: Final = Table(
    "item_told_parts",
    metadata,
    key("region", Text),
    key("number", BigInteger),
    key("part", BigInteger),
    need("message_id", LargeBinary),
    sqlite_with_rowid=False,
)
"""Which messages hold their parts."""

item_tellings: Final = Table(
    "item_tellings",
    metadata,
    key("partner", Text),
    need("known", BigInteger),
    need("number", BigInteger),
    need("base", BigInteger),
    need("after", Text),
    need("queued", BigInteger),
    need("whole", Boolean),
    need("settled", BigInteger),
    need("rule", Text),
    sqlite_with_rowid=False,
)
"""What partners were told of our own list."""

item_words: Final = Table(
    "item_words",
    metadata,
    Column("position", SERIAL, primary_key=True, autoincrement=False),
    need("region", Text),
    need("words", Text),
    need("codes", Text),
)
"""What the rows listed now are searched by; an engine's index stands over it."""

WORDS_END: Final = "\n\n"
"""Ends `words`, so that its last characters too begin a run of three; no query holds it."""
