"""Item lists for people: tables, and what an import or a comparison found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.table import Table

from gateway.flow.item_list import Imported
from gateway.flow.item_views import edition_view
from gateway.kernel.faults import FaultCode
from gateway.kernel.instants import to_iso
from gateway.ports.item_list import ListedRow
from gateway.rules.item_list.changes import changed_columns
from gateway.rules.item_list.checks import LEVELS, TYPES

_NOT_RAISED: Final = FaultCode.ITEM_LIST_VERSION_NOT_RAISED.value
_SHOWN_MAX: Final = 200
_CELL_CHARS_MAX: Final = 40


def imported_view(done: Imported, region: str, rows: int) -> dict[str, object]:
    """Write what an import did, or would do, for JSON."""
    changes = done.plan.changes
    return {
        "region": region,
        "rows": rows,
        "added": len(changes.added),
        "changed": len(changes.changed),
        "ended": len(changes.ended),
        "unchanged": changes.unchanged,
        "edition": None if done.edition is None else edition_view(done.edition),
        "warnings": [
            {"code": code, "rule": "item_list.version_not_raised"}
            for code in done.plan.not_raised()
        ],
    }


def plan_lines(done: Imported, region: str) -> Iterator[str]:
    """Say what an import did, or would do."""
    changes, edition = done.plan.changes, done.edition
    yield (
        f"{region}: 新增 added {len(changes.added)}, 变更 changed {len(changes.changed)}, "
        f"取消 ended {len(changes.ended)}, 不变 unchanged {changes.unchanged}"
    )
    late = done.plan.not_raised()
    if late:
        more = f" (+{len(late) - 3})" if len(late) > 3 else ""
        yield (
            f"注意 warning {_NOT_RAISED}: {len(late)} 项内容已变而版本号未升 "
            f"changed without a higher version: {', '.join(late[:3])}{more}"
        )
    if edition is not None:
        at = to_iso(edition.imported_at_ms)
        yield f"第 {edition.number} 版 edition {edition.number} is the list since {at}"
    elif not changes.any:
        yield "清单未变 the list is this already"


def row_table(rows: Sequence[ListedRow]) -> Table:
    """Show rows of lists."""
    table = Table(
        "地区 region", "编码 code", "事项 item", "类型 type", "层级 level", "部门 department"
    )
    for heading in ("版本 version", "时限 days", "通办范围 area"):
        table.add_column(heading)
    for column in table.columns:
        column.overflow = "fold"
    table.columns[1].no_wrap = True
    for listed in rows:
        row = listed.row
        table.add_row(
            listed.region,
            row.code,
            row.task_name,
            f"{TYPES[row.task_type]} {row.task_type}",
            f"{LEVELS[row.use_level]} {row.use_level}",
            row.dept_name,
            row.task_version,
            f"{row.promise_day or '—'} / {row.anticipate_day or '—'}",
            row.handle_area or "—",
        )
    return table


def edition_table(views: Sequence[Mapping[str, object]]) -> Table | str:
    """Show the imports that changed a list, latest first."""
    if not views:
        return "尚未导入 nothing was imported yet"
    names = ("number", "imported_at", "rows", "added", "changed", "ended", "source_sha256")
    heads = ("版 edition", "时间 at", "行 rows", "新增 added", "变更 changed", "取消 ended")
    table = Table(*heads, "文件 file (SHA-256)", "来源 from")
    for view in views:
        told = view["told_as"]
        came = "文件 file" if told is None else f"网关第 {told} 版 its gateway, edition {told}"
        table.add_row(*(str(view[name])[:19] for name in names), came)
    return table


def version_table(versions: Sequence[ListedRow]) -> Table:
    """Show the versions of one row, with what each changed."""
    table = Table("起 from", "止 until", "版本 version", "事项 item", "变更 changes")
    before: ListedRow | None = None
    for one in versions:
        until = one.listed_until_ms
        changed = () if before is None else changed_columns(before.row, one.row)
        table.add_row(
            to_iso(one.listed_from_ms)[:19],
            "现行 now" if until is None else to_iso(until)[:19],
            one.row.task_version,
            one.row.task_name,
            ", ".join(changed) or "—",
        )
        before = one
    return table
