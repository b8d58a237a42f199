"""Text search in SQLite: an FTS5 index of trigrams over `item_words`.

A trigram is any three characters in a row, so Chinese needs no splitting into words. What is
shorter than three characters is in no trigram and is looked for row by row in `item_words`, which
is narrow for that reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from sqlalchemy import DDL, event
from sqlalchemy.schema import ExecutableDDLElement

from gateway.adapters.sql.schema import item_words
from gateway.kernel.identifiers import GatewayId
from gateway.rules.item_list.rows import SHORT_WORD_CHARS_MAX

if TYPE_CHECKING:
    from gateway.adapters.sql.cursor import Cursor

INDEX: Final = "item_index"
DEFINITIONS: Final = (
    "CREATE VIRTUAL TABLE item_index USING fts5(words, codes, region, content='item_words', "
    "content_rowid='position', tokenize='trigram case_sensitive 1')",
    "CREATE TRIGGER item_words_added AFTER INSERT ON item_words BEGIN "
    "INSERT INTO item_index(rowid, words, codes, region) "
    "VALUES (new.position, new.words, new.codes, new.region); END",
    "CREATE TRIGGER item_words_removed AFTER DELETE ON item_words BEGIN "
    "INSERT INTO item_index(item_index, rowid, words, codes, region) "
    "VALUES ('delete', old.position, old.words, old.codes, old.region); END",
)
"""The index follows its table by itself, so that no writer can forget it."""

_DDL: Callable[[str], ExecutableDDLElement] = DDL  # the class has no types of its own
for _definition in DEFINITIONS:
    event.listen(item_words, "after_create", _DDL(_definition).execute_if(dialect="sqlite"))

_INDEX_ALONE: Final = (
    "SELECT i.rowid AS place FROM item_index i WHERE item_index MATCH ? AND i.rowid > ?"
)
_INDEX_AND_WORDS: Final = (
    "SELECT i.rowid AS place FROM item_index i CROSS JOIN item_words w ON w.position = i.rowid "
    "WHERE item_index MATCH ? AND i.rowid > ?"
)
_WORDS_ALONE: Final = "SELECT w.position AS place FROM item_words w WHERE w.position > ?"
_WORDS_OF_REGION: Final = _WORDS_ALONE + " AND w.region = ?"
_HAS: Final = " AND instr(w.words, ?) > 0"
_IN_ORDER: Final = " ORDER BY place LIMIT ?"


def find_words(
    cursor: Cursor, words: Sequence[str], *, region: GatewayId | None, after: int, limit: int
) -> list[int]:
    """Return the positions of rows that have every word, above `after`, in order.

    `words` are as `rules.item_list.rows.query_words` gives them: none is empty.
    """
    short = [word for word in words if len(word) <= SHORT_WORD_CHARS_MAX]
    long = [word for word in words if len(word) > SHORT_WORD_CHARS_MAX]
    values: list[object] = []
    if long:
        source = _INDEX_AND_WORDS if short else _INDEX_ALONE
        values += [_match(long, region), after]
    else:
        source = _WORDS_ALONE if region is None else _WORDS_OF_REGION
        values += [after] if region is None else [after, region]
    text = source + _HAS * len(short) + _IN_ORDER
    cursor.execute(text, (*values, *short, limit))
    return [row[0] for row in cursor.fetchall()]


def _match(words: Sequence[str], region: GatewayId | None) -> str:
    """Write words as FTS5 phrases: between quotes nothing is an operator, a quote is doubled."""
    phrases = " AND ".join(_quoted(word) for word in words)
    anywhere = f"{{words codes}} : ({phrases})"
    return anywhere if region is None else f"{anywhere} AND region : {_quoted(region)}"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
