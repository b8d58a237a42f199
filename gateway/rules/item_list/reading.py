"""CSV to rows. Every bad row is told by line and column; a file with one is not for import."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final, NamedTuple

from gateway.kernel.faults import Fault
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.limits import ITEM_PROBLEMS_MAX, ITEM_ROWS_MAX
from gateway.rules.item_list.checks import CHECKS, NEEDED, contradictions
from gateway.rules.item_list.decoding import decode
from gateway.rules.item_list.problems import Problem, WrongCell
from gateway.rules.item_list.rows import COLUMNS, OPTIONAL_COLUMNS, ItemRow

PROGRESS_EVERY: Final = 1_000
_NAMES_SHOWN_CHARS_MAX: Final = 40
_SHARED_CHARS_MAX: Final = 64

# Spreadsheets run a cell that begins with one of these; some take the full-width forms too.
_FORMULA: Final = re.compile(r"[ \u3000\n]*[=+\-@\t\r＝＋－＠]")
_CONTROL: Final = re.compile(
    r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)


class Reading(NamedTuple):
    """What a file holds. `rows` are for import only if there are no `problems`."""

    rows: tuple[ItemRow, ...]
    problems: tuple[Problem, ...]
    encoding: str
    read_whole: bool = True
    """False: reading ended early, because there were too many problems or rows."""


class _Table(NamedTuple):
    """Where each column stands in the file."""

    places: dict[str, int]
    width: int


def read_csv(
    raw: bytes,
    *,
    ignored: Collection[str] = (),
    progress: Callable[[int], None] = lambda rows: None,
) -> Reading:
    """Read a file of the item list; columns named in `ignored` are passed over.

    `progress` is told the number of rows read, every thousand. Nothing is looked up: that an
    authority or an item exists is *not* checked.
    """
    try:
        text, encoding = decode(raw)
    except Fault as fault:
        return Reading((), (Problem(0, "", fault.code, fault.detail),), "")
    found = _Rows(progress)
    try:
        found.read(_records(text), {name.strip().casefold() for name in ignored})
    except _BrokenRecord as broken:
        found.problems.append(Problem(broken.line, "", F.ITEM_LIST_NOT_CSV, str(broken)))
        found.read_whole = False
    if not found.rows and not found.problems:
        found.problems.append(Problem(0, "", F.ITEM_LIST_EMPTY, "nothing below the first line"))
    return Reading(tuple(found.rows), tuple(found.problems), encoding, found.read_whole)


class _BrokenRecord(Exception):
    """A record that is no CSV; where the next one begins cannot be told."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that has any content, with the line it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        for record in reader:
            if any(cell and not cell.isspace() for cell in record):
                yield begins, record
            begins = reader.line_num + 1
    except csv.Error as error:
        raise _BrokenRecord(begins, str(error)) from error


class _Rows:
    """The rows and problems of one file, as they are found."""

    def __init__(self, progress: Callable[[int], None]) -> None:
        self.rows: list[ItemRow] = []
        self.problems: list[Problem] = []
        self.line = 1
        self.read_whole = True
        self._progress = progress
        self._lines: dict[str, int] = {}
        self._shared: dict[str, str] = {}

    def read(self, records: Iterator[tuple[int, list[str]]], ignored: Collection[str]) -> None:
        """Read the first line as names and the others as rows.

        Raises:
            _BrokenRecord: what came before it stands.
        """
        self.line, names = next(records, (1, []))
        table = self._head(names, ignored)
        if table is None:
            return
        for number, (line, record) in enumerate(records, 1):
            self.line = line
            if number > ITEM_ROWS_MAX:
                self._wrong("", F.ITEM_LIST_FILE_SIZE, f"more than {ITEM_ROWS_MAX} rows")
                self.read_whole = False
                return
            self._row(record, table)
            if len(self.problems) > ITEM_PROBLEMS_MAX:
                self.read_whole = False
                return
            if number % PROGRESS_EVERY == 0:
                self._progress(number)

    def _wrong(self, column: str, rule: F, detail: str) -> None:
        self.problems.append(Problem(self.line, column, rule, detail))

    def _head(self, names: Sequence[str], ignored: Collection[str]) -> _Table | None:
        if len(names) == 1 and ("\t" in names[0] or ";" in names[0]):
            self._wrong("", F.ITEM_LIST_NOT_CSV, "cells are parted by tabs or semicolons")
            return None
        places: dict[str, int] = {}
        for place, name in enumerate(name.strip().casefold() for name in names):
            if name in ignored and name not in COLUMNS:
                continue
            shown = "".join(c if c.isprintable() else "?" for c in name[:_NAMES_SHOWN_CHARS_MAX])
            if name not in COLUMNS:
                self._wrong(shown, F.ITEM_LIST_COLUMN_UNKNOWN, f"column {place + 1}")
            elif name in places:
                self._wrong(
                    name, F.ITEM_LIST_COLUMN_TWICE, f"columns {places[name] + 1}, {place + 1}"
                )
            else:
                places[name] = place
        for name in COLUMNS:
            if name not in places and name not in OPTIONAL_COLUMNS:
                self._wrong(name, F.ITEM_LIST_COLUMN_MISSING, "is not in the first line")
        return None if self.problems else _Table(places, len(names))

    def _row(self, record: list[str], table: _Table) -> None:
        before = len(self.problems)
        if len(record) != table.width:
            told = f"{len(record)} cells, the first line has {table.width}"
            self._wrong("", F.ITEM_LIST_ROW_LENGTH, told)
            return
        cells = {name: self._cell(name, record[place]) for name, place in table.places.items()}
        if len(self.problems) > before:
            return
        row = ItemRow(**cells)
        for column, detail in contradictions(row):
            self._wrong(column, F.ITEM_LIST_CONTRADICTION, detail)
        first = self._lines.setdefault(row.code, self.line)
        if first != self.line:
            column = "task_handle_item" if row.task_handle_item else "task_code"
            self._wrong(column, F.ITEM_LIST_CODE_TWICE, f"stands on line {first} already")
        if len(self.problems) == before:
            self.rows.append(row)

    def _cell(self, name: str, cell: str) -> str:
        """Return a cell as it is kept; note what is wrong with it."""
        try:
            return self._share(checked(name, cell))
        except WrongCell as wrong:
            self._wrong(name, wrong.rule, wrong.detail)
            return ""

    def _share(self, text: str) -> str:
        """Keep equal short texts once: most cells of a list repeat."""
        return self._shared.setdefault(text, text) if len(text) <= _SHARED_CHARS_MAX else text


def checked(name: str, cell: str) -> str:
    """Return a cell as it is kept.

    Raises:
        WrongCell: the rule it breaks.
    """
    if begins_as_formula(cell):
        raise WrongCell(F.ITEM_LIST_CELL_FORMULA, "begins as a formula does")
    if _CONTROL.search(cell):
        raise WrongCell(F.ITEM_LIST_CELL_CHARACTER, "has a control or direction character")
    text = cell.strip()
    if text:
        return CHECKS[name](text)
    if name in NEEDED:
        raise WrongCell(F.ITEM_LIST_VALUE_MISSING, "is empty")
    return ""


def begins_as_formula(cell: str) -> bool:
    """Tell whether a spreadsheet could run `cell`: `=`, `+`, `-`, `@`, tab or return comes first.

    White space before it does not help, nor does full width.
    """
    return _FORMULA.match(cell) is not None
