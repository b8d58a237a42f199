"""Rows to CSV, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from gateway.rules.item_list.reading import begins_as_formula
from gateway.rules.item_list.rows import COLUMNS, ItemRow

_ROWS_A_CHUNK: Final = 1_000


def write_csv(rows: Iterable[ItemRow]) -> Iterator[str]:
    """Yield the text of a file, in pieces: the names of all columns, then the rows.

    A cell that a spreadsheet would run as a formula gets an apostrophe before it; read back, the
    apostrophe stays. Importing refuses such cells, so only lists from elsewhere can have them.
    """
    yield _lines([COLUMNS])
    held: list[ItemRow] = []
    for row in rows:
        held.append(row)
        if len(held) == _ROWS_A_CHUNK:
            yield _lines(held)
            held.clear()
    yield _lines(held)


def _lines(rows: Iterable[Iterable[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([_safe(cell) for cell in row] for row in rows)
    return out.getvalue()


def _safe(cell: str) -> str:
    return f"'{cell}" if begins_as_formula(cell) else cell
