"""Changes of a list as partners tell them (清单变更): in parts, each one message."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple, cast

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.rules.item_list.changes import list_digest
from gateway.rules.item_list.checks import contradictions
from gateway.rules.item_list.problems import WrongCell
from gateway.rules.item_list.reading import checked
from gateway.rules.item_list.rows import COLUMNS, ItemRow, fingerprint


class ListPart(NamedTuple):
    """A part of an edition: what it adds, changes and removes."""

    region: GatewayId
    edition: int
    digest: bytes
    """`changes.list_digest` of the whole list as it will be."""
    rows: int
    """How many rows the list will have."""
    previous: bytes
    """Digest of the list that is changed; empty: the parts are the whole list, all of it added."""
    part: int
    """1, 2, 3 ..."""
    last: bool
    added: tuple[ItemRow, ...] = ()
    changed: tuple[ItemRow, ...] = ()
    removed: tuple[str, ...] = ()


def write_part(part: ListPart) -> dict[str, object]:
    """Write a part as a body's form; `read_part` reads it."""
    form: dict[str, object] = {
        "region": part.region,
        "edition": part.edition,
        "digest": part.digest.hex(),
        "rows": part.rows,
        "part": part.part,
        "last": part.last,
        "columns": list(COLUMNS),
        "added": [list(row) for row in part.added],
        "changed": [list(row) for row in part.changed],
        "removed": list(part.removed),
    }
    return {**form, "previous": part.previous.hex()} if part.previous else form


def read_part(document: object) -> ListPart:
    """Read a valid body of its kind, each cell by the rules of files.

    Raises:
        Fault: `catalogue.row_invalid`, naming the row, the column and the rule.
    """
    form = cast("Mapping[str, Any]", document)
    columns = form["columns"]
    if list(columns) != list(COLUMNS):
        raise Fault(FaultCode.CATALOGUE_ROW_INVALID, "columns: not those of the item list")
    part = ListPart(
        GatewayId(form["region"]),
        form["edition"],
        bytes.fromhex(form["digest"]),
        form["rows"],
        bytes.fromhex(form.get("previous", "")),
        form["part"],
        form["last"],
        tuple(read_row(cells, f"added {n}") for n, cells in enumerate(form["added"], 1)),
        tuple(read_row(cells, f"changed {n}") for n, cells in enumerate(form["changed"], 1)),
        tuple(form["removed"]),
    )
    if not part.previous and (part.changed or part.removed):
        raise Fault(FaultCode.CATALOGUE_ROW_INVALID, "a whole list only adds")
    codes = [*(row.code for row in (*part.added, *part.changed)), *part.removed]
    if len(set(codes)) < len(codes):
        told = f"a code stands twice: {FaultCode.ITEM_LIST_CODE_TWICE.value}"
        raise Fault(FaultCode.CATALOGUE_ROW_INVALID, told)
    return part


def read_row(cells: Sequence[str], where: str) -> ItemRow:
    """Read one row's cells, each as it is kept; `where` names it in what is said of it.

    Raises:
        Fault: `catalogue.row_invalid`.
    """
    if len(cells) != len(COLUMNS):
        rule = FaultCode.ITEM_LIST_ROW_LENGTH.value
        raise Fault(FaultCode.CATALOGUE_ROW_INVALID, f"{where}: {rule}: {len(cells)} cells")
    kept = []
    for name, cell in zip(COLUMNS, cells, strict=True):
        try:
            same = checked(name, cell) == cell
        except WrongCell as wrong:
            told = f"{where}, {name}: {wrong.rule.value}: {wrong}"
            raise Fault(FaultCode.CATALOGUE_ROW_INVALID, told) from wrong
        if not same:  # files may be loose about dates and spaces; who signs writes one form
            rule = FaultCode.ITEM_LIST_VALUE_INVALID.value
            raise Fault(FaultCode.CATALOGUE_ROW_INVALID, f"{where}, {name}: {rule}: not as kept")
        kept.append(cell)
    row = ItemRow(*kept)
    for column, detail in contradictions(row):
        rule = FaultCode.ITEM_LIST_CONTRADICTION.value
        raise Fault(FaultCode.CATALOGUE_ROW_INVALID, f"{where}, {column}: {rule}: {detail}")
    return row


def apply(held: MutableMapping[str, bytes], part: ListPart) -> None:
    """Change a list's fingerprints as a part says.

    Raises:
        Fault: `catalogue.list_differs`: it adds what is there, or changes or removes what is not.
    """
    for row in part.added:
        if held.setdefault(row.code, mark := fingerprint(row)) is not mark:
            raise Fault(FaultCode.CATALOGUE_LIST_DIFFERS, "adds a code that is listed")
    for row in part.changed:
        if row.code not in held:
            raise Fault(FaultCode.CATALOGUE_LIST_DIFFERS, "changes a code that is not listed")
        held[row.code] = fingerprint(row)
    for code in part.removed:
        if held.pop(code, None) is None:
            raise Fault(FaultCode.CATALOGUE_LIST_DIFFERS, "removes a code that is not listed")


def require_result(held: Mapping[str, bytes], part: ListPart) -> None:
    """Check that a list is what the sender signed that it would be.

    Raises:
        Fault: `catalogue.list_differs`.
    """
    if len(held) != part.rows or list_digest(held) != part.digest:
        raise Fault(FaultCode.CATALOGUE_LIST_DIFFERS, f"{len(held)} rows, told {part.rows}")
