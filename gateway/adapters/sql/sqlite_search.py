"""Text search in SQLite: an FTS5 index of trigrams over `item_words`.

A trigram is any three characters in a row, so Chinese needs no splitting into words. A word of one
or two characters is in no trigram by itself: it is looked up among the terms of the index as the
beginning of trigrams; that every such word begins one is what `schema.WORDS_END` is for.
Only a word that begins very many trigrams is looked for row by row, in `item_words`, which is
narrow for that reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from sqlalchemy import DDL, event
from sqlalchemy.schema import ExecutableDDLElement

from gateway.adapters.sql.item_list_schema import item_words
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
    "CREATE VIRTUAL TABLE item_index_terms USING fts5vocab('item_index', 'row')",
)
"""The index follows its table by itself, so that no writer can forget it."""

_DDL: Callable[[str], ExecutableDDLElement] = DDL  # the class has no types of its own
for _definition in DEFINITIONS:
    event.listen(item_words, "after_create", _DDL(_definition).execute_if(dialect="sqlite"))

_TERMS_MAX: Final = 128  # a word that begins more is in so many rows that a page is soon full
_BEYOND_ALL: Final = "\U0010ffff" * 2
_TERMS: Final = "SELECT term FROM item_index_terms WHERE term >= ? AND term <= ? LIMIT ?"
_INDEX_ALONE: Final = (
    "SELECT i.rowid AS place FROM item_index i WHERE item_index MATCH ? AND i.rowid > ?"
)
_INDEX_AND_WORDS: Final = (
    "SELECT i.rowid AS place FROM item_index i CROSS JOIN item_words w ON w.position = i.rowid "
    "WHERE item_index MATCH ? AND i.rowid > ?"
)
_WORDS_ALONE: Final = "SELECT w.position AS place FROM item_words w WHERE w.position > ?"
_HAS: Final = " AND instr(w.words, ?) > 0"
_LISTED: Final = (
    " AND EXISTS (SELECT 1 FROM item_list r WHERE r.position = place AND "
    "(SELECT e.imported_at_ms FROM item_editions e WHERE e.region = r.region "
    "ORDER BY e.number DESC LIMIT 1) BETWEEN r.listed_from_ms AND r.listed_until_ms - 1)"
)
"""Staged rows have words already, and ended ones for a moment still."""
_IN_ORDER: Final = " ORDER BY place LIMIT ?"


def find_words(
    cursor: Cursor, words: Sequence[str], *, region: GatewayId | None, after: int, limit: int
) -> list[int]:
    """Return the positions of rows that have every word, above `after`, in order.

    `words` are as `rules.item_list.rows.query_words` gives them: none is empty.
    """
    matches, wide = [], []
    for word in words:
        if len(word) > SHORT_WORD_CHARS_MAX:
            matches.append(f"{{words codes}} : {_quoted(word)}")
            continue
        terms = _terms(cursor, word)
        if not terms:
            return []
        if len(terms) > _TERMS_MAX:
            wide.append(word)
        else:
            matches.append(f"words : ({' OR '.join(map(_quoted, terms))})")
    if region is not None:
        matches.append(f"region : {_quoted(region)}")
    return _found(cursor, matches, wide, after, limit)


def _terms(cursor: Cursor, word: str) -> list[str]:
    """Return the trigrams that a short word begins: one more than `_TERMS_MAX` at most."""
    cursor.execute(_TERMS, (word, word + _BEYOND_ALL, _TERMS_MAX + 1))
    return [row[0] for row in cursor.fetchall()]


def _found(
    cursor: Cursor, matches: Sequence[str], wide: Sequence[str], after: int, limit: int
) -> list[int]:
    values: list[object] = [after]
    if matches:
        source = _INDEX_AND_WORDS if wide else _INDEX_ALONE
        values = [" AND ".join(matches), after]
    else:
        source = _WORDS_ALONE
    cursor.execute(source + _HAS * len(wide) + _LISTED + _IN_ORDER, (*values, *wide, limit))
    return [row[0] for row in cursor.fetchall()]


def _quoted(text: str) -> str:
    """Write text as an FTS5 phrase: between quotes nothing is an operator, a quote is doubled."""
    return '"' + text.replace('"', '""') + '"'
