"""Two item lists side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.table import Table

from gateway.rules.item_list.changes import changed_columns
from gateway.rules.item_list.rows import ItemRow

_SHOWN_MAX: Final = 200
_CELL_CHARS_MAX: Final = 40


def difference(before: Sequence[ItemRow], after: Sequence[ItemRow]) -> dict[str, Any]:
    """Compare two lists row by row and cell by cell, for JSON."""
    old = {row.code: row for row in before}
    new = {row.code: row for row in after}
    both = [(old[code], row) for code, row in sorted(new.items()) if code in old]
    return {
        "added": [_brief(row) for code, row in sorted(new.items()) if code not in old],
        "changed": [
            {
                **_brief(b),
                "columns": {
                    name: {"before": getattr(a, name), "after": getattr(b, name)}
                    for name in changed_columns(a, b)
                },
            }
            for a, b in both
            if a != b
        ],
        "ended": [_brief(row) for code, row in sorted(old.items()) if code not in new],
        "unchanged": sum(a == b for a, b in both),
    }


def _brief(row: ItemRow) -> dict[str, str]:
    return {"code": row.code, "task_name": row.task_name, "task_version": row.task_version}


def difference_table(found: Mapping[str, Any]) -> Iterator[Table | str]:
    """Show a comparison, its first rows, and the sums."""
    table = Table("", "编码 code", "事项 item", "版本 version", "变更 changes")
    table.columns[1].no_wrap = True
    for sign, kind in (("+ 新增", "added"), ("~ 变更", "changed"), ("- 取消", "ended")):
        for row in found[kind][:_SHOWN_MAX]:
            cells = [
                f"{name}: {_cut(pair['before'])} → {_cut(pair['after'])}"
                for name, pair in row.get("columns", {}).items()
            ]
            shown = (row["code"], row["task_name"], row["task_version"], "\n".join(cells))
            table.add_row(f"{sign} {kind}", *shown)
    if table.row_count:
        yield table
    names = {"新增 added": "added", "变更 changed": "changed", "取消 ended": "ended"}
    sums = ", ".join(f"{label} {len(found[kind])}" for label, kind in names.items())
    yield f"{sums}, 不变 unchanged {found['unchanged']}"
    if any(len(found[kind]) > _SHOWN_MAX for kind in ("added", "changed", "ended")):
        yield f"只显示前 {_SHOWN_MAX} 项 only the first {_SHOWN_MAX} of each; --json has them all"


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _CELL_CHARS_MAX else flat[: _CELL_CHARS_MAX - 1] + "…"
