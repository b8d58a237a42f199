"""Tables that are too long for their command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from gateway.app.cli.words import both


def work_table(views: Sequence[Mapping[str, object]]) -> Table:
    """Show work items: to whom, what, and how far each has come."""
    table = Table(
        "协办单 work", "伙伴 to", "内容 what", "办件编号 case number", "状态 status", "录入 typed"
    )
    for column in table.columns:
        column.overflow = "fold"
    table.columns[0].no_wrap = True  # to be copied into the next command
    for view in views:
        typed = view["typed"]
        assert isinstance(typed, list)
        table.add_row(
            str(view["work_id"]),
            str(view["region"]),
            both(view["kind"]),
            str(view["case_number"]),
            both(view["status"]),
            "\n".join(f"{both(t['kind'])}: {both(t['status'])}" for t in typed) or "—",
        )
    return table
