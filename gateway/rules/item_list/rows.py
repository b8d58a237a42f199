"""A row of the item list, under the state platform's column names."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import ITEM_SEARCH_CHARS_MAX, ITEM_SEARCH_WORDS_MAX

HANDLE_DIGITS: Final = 2
"""What an item's handling (业务办理项) adds to the code."""


class ItemRow(NamedTuple):
    """One item as one office handles it. Every value is text as the platform stores it.

    Empty: not given. Dates are `2021-05-27`, numbers have no leading zero, code lists are those
    that `checks` names.
    """

    catalog_code: str
    """基本编码, 12 characters."""
    task_code: str
    """实施编码, 31 characters: authority, level, basic code."""
    task_handle_item: str
    """业务办理项编码: the implementation code and two digits; empty for an item without."""
    local_catalog_code: str
    local_task_code: str
    task_name: str
    task_type: str
    task_version: str
    task_state: str
    use_level: str
    dept_name: str
    dept_code: str
    project_type: str
    handle_type: str
    accept_condition: str
    anticipate_day: str
    """法定办结时限."""
    promise_day: str
    """承诺办结时限."""
    promise_day_type: str
    special_procedure: str
    is_fee: str
    plan_effective_date: str
    plan_cancel_date: str
    handle_area: str = ""
    """通办范围."""
    result_type: str = ""

    @property
    def code(self) -> str:
        """What names the row within a region's list: the handling's code, else the item's."""
        return self.task_handle_item or self.task_code

    @property
    def item_code(self) -> str:
        """The code by which an exchange names the item, as in `00013112700402`."""
        return self.catalog_code + self.task_handle_item[-HANDLE_DIGITS:]

    @property
    def version(self) -> int:
        """The version as a number."""
        return int(self.task_version)


SHORT_WORD_CHARS_MAX: Final = 2
"""Shorter than what indexes are made of; two digits of a code would find everything."""

COLUMNS: Final = ItemRow._fields
OPTIONAL_COLUMNS: Final = frozenset(ItemRow._field_defaults)
"""The cross-region columns: a file as the state platform writes it has none of them."""


def fingerprint(row: ItemRow) -> bytes:
    """Return 32 bytes that differ if any cell does."""
    cells = (cell.encode() for cell in row)
    return sha256(b"".join(b"%d:%b" % (len(cell), cell) for cell in cells)).digest()


def folded(text: str) -> str:
    """Return `text` as it is searched: width, case and compatibility forms do not matter."""
    return unicodedata.normalize("NFKC", text).casefold()


def words_text(row: ItemRow) -> str:
    """Return what a word of a query is looked for in: name and department."""
    return folded(f"{row.task_name}\n{row.dept_name}")


def codes_text(row: ItemRow) -> str:
    """Return what a code is looked for in, besides the words."""
    codes = (row.item_code, row.code, row.local_catalog_code, row.local_task_code)
    return folded("\n".join(code for code in codes if code))


def has_words(words_text: str, codes_text: str, words: Sequence[str]) -> bool:
    """Tell whether a row has every word of a query.

    A word is looked for anywhere in name and department; if it is longer than two characters,
    in the codes too.
    """
    return all(
        word in words_text or (len(word) > SHORT_WORD_CHARS_MAX and word in codes_text)
        for word in words
    )


def query_words(query: str) -> tuple[str, ...]:
    """Split a query at white space into words as they are searched; every word must be found.

    Control characters part words too.

    Raises:
        Fault: `portal.request_invalid` if it has none, too many, or is too long.
    """
    if len(query) > ITEM_SEARCH_CHARS_MAX:
        raise Fault(
            FaultCode.PORTAL_REQUEST_INVALID, f"a query has at most {ITEM_SEARCH_CHARS_MAX} chars"
        )
    plain = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in folded(query))
    words = tuple(dict.fromkeys(plain.split()))
    if not 0 < len(words) <= ITEM_SEARCH_WORDS_MAX:
        raise Fault(
            FaultCode.PORTAL_REQUEST_INVALID, f"a query has 1 to {ITEM_SEARCH_WORDS_MAX} words"
        )
    return words
