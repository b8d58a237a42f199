"""Item lists as portals and operators see them: JSON-ready, under the state platform's names."""

from __future__ import annotations

from gateway.flow.desk import View
from gateway.kernel.case import CaseRecord, CaseRole
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.instants import to_iso
from gateway.kernel.limits import PAGE_MAX
from gateway.ports.item_list import Change, Edition, ItemListReader, ListedRow
from gateway.rules.item_list.changes import changed_columns
from gateway.rules.item_list.rows import query_words


def row_view(listed: ListedRow) -> View:
    """Write a row for JSON, under the state platform's names."""
    until = listed.listed_until_ms
    return {
        "region": listed.region,
        "code": listed.row.code,
        "item_code": listed.row.item_code,
        **listed.row._asdict(),
        "listed_from": to_iso(listed.listed_from_ms),
        "listed_until": None if until is None else to_iso(until),
    }


def edition_view(edition: Edition) -> View:
    """Write an edition for JSON."""
    return {
        "region": edition.region,
        "number": edition.number,
        "imported_at": to_iso(edition.imported_at_ms),
        "source_sha256": edition.source.hex(),
        "rows": edition.rows,
        "added": edition.added,
        "changed": edition.changed,
        "ended": edition.ended,
        "told_as": edition.told or None,
    }


def change_view(change: Change) -> View | None:
    """Write what became of a row for JSON, cell by cell; None if it is what it was."""
    before, after = change.before, change.after
    shown = after or before
    if shown is None or (before is not None and after is not None and before.row == after.row):
        return None
    if before is None or after is None:
        return {"change": "ended" if after is None else "added", **row_view(shown)}
    columns = {
        name: {"before": getattr(before.row, name), "after": getattr(after.row, name)}
        for name in changed_columns(before.row, after.row)
    }
    return {"change": "changed", **row_view(after), "columns": columns}


def item_note(lists: ItemListReader, case: CaseRecord, home: GatewayId) -> View | None:
    """Say how the deciding region's list has the item now, beside the version the case keeps.

    None if that region's list is not here. A row is found by the code under which the item is
    exchanged; several offices of a region may have one each.
    """
    region = case.counterpart if case.role is CaseRole.ORIGIN else home
    last = lists.editions(region, limit=1)
    if not last:
        return None
    words = query_words(case.item_code)
    found = lists.search(words, region=region, after=0, limit=PAGE_MAX)
    rows = [one for one in found if one.row.item_code == case.item_code]
    changed = [one for one in rows if one.listed_from_ms > case.opened_at_ms]
    return {
        "region": region,
        "edition": last[0].number,
        "listed": bool(rows),
        "changed_since_opened": bool(changed),
        "codes": [one.row.code for one in rows],
    }
