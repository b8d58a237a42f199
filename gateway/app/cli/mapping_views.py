"""A mapping as tables, and how trees are shown."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

from gateway.app.cli.words import both

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gateway.app.mapping.loading import PartnerTranslation
    from gateway.kernel.faults import Fault
    from gateway.kernel.trees import Value
    from gateway.rules.mapping.rows import RowView

ARROWS: Final = {"both": "↔", "out": "→", "in": "←"}


def plain_table(*heads: str, title: str = "") -> Table:
    """Make a table whose cells are folded rather than cut."""
    table = Table(*heads, title=title or None, title_justify="left")
    for column in table.columns:
        column.overflow = "fold"
    return table


def table_view(translation: PartnerTranslation) -> dict[str, Any]:
    """Return a table for programs."""
    table = translation.table
    return {
        "documents": table.documents,
        "messages": [
            {
                "kind": m.kind.name.lower(),
                "operation": m.operation,
                "direction": m.direction,
                "items": sorted(m.items),
                "when": [str(condition) for condition in m.when],
                "rows": [_row_view(row) for row in m.views],
            }
            for m in table.messages
        ],
        "tables": {
            name: [{"ours": o, "theirs": t, "ways": w} for o, t, w in one.pairs]
            for name, one in table.tables.items()
        },
        "losses": [{"ours": at, "because": why} for at, why in table.accepted],
        "unread": [{"theirs": at, "because": why} for at, why in table.unread],
        "translate": list(translation.hooks.modules) if any(translation.hooks[:2]) else None,
    }


def _row_view(row: RowView) -> dict[str, Any]:
    return {**row._asdict(), "rows": [_row_view(inner) for inner in row.rows]}


def table_parts(translation: PartnerTranslation) -> list[RenderableType]:
    """Return a table for people: one for each message, then the code tables."""
    parts: list[RenderableType] = []
    for message in translation.table.messages:
        asked = "".join(f", {condition}" for condition in message.when)
        items = f", {' '.join(sorted(message.items))}" if message.items else ""
        head = f"{both(message.kind.name.lower())} {ARROWS[message.direction]} "
        table = plain_table("我方 ours", "", "对方 theirs", "转换 as", "必填 needed", "备注 note",
                       title=f"{head}{message.operation}{items}{asked}")  # fmt: skip
        _add_rows(table, message.views, "")
        parts.append(table)
    for name, codes in translation.table.tables.items():
        table = plain_table("我方 ours", "", "对方 theirs", title=f"码表 table {name}")
        for ours, theirs, ways in codes.pairs:
            table.add_row(ours, ARROWS[ways], theirs)
        parts.append(table)
    if any(translation.hooks[:2]):
        parts.append("另有 translate.py: runs after the table outbound, before it inbound")
    return parts


def _add_rows(table: Table, rows: Sequence[RowView], indent: str) -> None:
    for row in rows:
        table.add_row(
            indent + (" + ".join(row.ours) or "—"),
            ARROWS[row.direction],
            indent + (" + ".join(row.theirs) or "—"),
            f"{row.codec} {row.about}".strip(),
            "—" if row.optional else "是 yes",
            row.note,
        )
        _add_rows(table, row.rows, indent + "  ")


def refusal_lines(fault: Fault) -> list[str]:
    """Return a line for each thing that is wrong with a document."""
    from gateway.app.cli.words import rule

    told = [f"{pointer or '/'}: {why}" for pointer, why in fault.errors] or [fault.detail]
    return [*told, rule(fault.code.value)]


def shown(value: Value) -> Any:
    """Return a tree as JSON can hold it; the content of a file by size and digest."""
    match value:
        case dict():
            return {name: shown(part) for name, part in value.items()}
        case list():
            return [shown(part) for part in value]
        case bytes():
            return f"<{len(value)} bytes, sha256 {sha256(value).hexdigest()}>"
        case Decimal():
            return str(value)
        case _:
            return value
