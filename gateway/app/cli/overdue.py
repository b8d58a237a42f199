"""`kuayu overdue`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    examples,
    now_ms,
    read_config,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop
from gateway.kernel.limits import PAGE_DEFAULT, PAGE_MAX

if TYPE_CHECKING:
    from rich.table import Table

EXAMPLES = examples(
    "kuayu overdue", "kuayu overdue --unit 11620200MB0000000U", "kuayu overdue --json"
)
View = Mapping[str, Any]


def overdue(
    config: ConfigOption = DEFAULT_CONFIG,
    unit: Annotated[str, typer.Option(help="only this unit's, by credit code")] = "",
    limit: Annotated[int, typer.Option(min=1, max=PAGE_MAX)] = PAGE_DEFAULT,
    after: Annotated[
        str, typer.Option(metavar="CURSOR", help="the next page: `next` of the page before")
    ] = "",
    json: JsonOption = False,
) -> None:
    """超期件 Cases past a deadline: which, by how many working days, and who holds them.

    The longest first. The gateway may be running.
    """
    settings = read_config(config)

    from gateway.adapters.sql.sqlite import open_sqlite_reader
    from gateway.app.calendar import load_calendar
    from gateway.flow.clock_views import cursor_of, cursor_text, overdue_views

    place = cursor_of(after)
    if place is None:
        raise Stop(ExitCode.USAGE, "--after is the `next` of the page before, copied whole")
    calendar = load_calendar(settings.calendar).current()
    home, at_ms = settings.gateway_id, now_ms()
    with open_sqlite_reader(settings.journal.path) as snapshot:
        views, following = overdue_views(
            snapshot, unit or None, home, calendar, at_ms, limit=limit, after=place
        )
    if json:
        show_json({"gateway": home, "overdue": views, "next": cursor_text(following) or None})
        return
    show(_table(views) if views else "没有超期件 no case is past a deadline")
    if following is not None:
        show(f"还有更多 more: kuayu overdue --after {cursor_text(following)}")


def _table(views: Sequence[View]) -> Table:
    from rich.table import Table

    table = Table(
        "案件 case", "阶段 stage", "在谁手里 held by", "时钟 clock", "到期 due", "超期 late"
    )
    for column in table.columns:
        column.overflow = "fold"
    table.columns[0].no_wrap = True  # to be copied into the next command
    for view in views:
        held = {h["gateway"]: h["since"] for h in view["held"] if h["since"]}
        clocks = view["clocks"]
        table.add_row(
            str(view["case_id"]),
            f"{view['stage_zh']} {view['stage']}",
            "\n".join(f"{who} 自 since {since[:10]}" for who, since in held.items()),
            "\n".join(f"{c['clock_zh']} {c['clock']} ({c['held_by']})" for c in clocks),
            "\n".join(str(c["due"]) for c in clocks),
            "\n".join(f"{c['late_days']} 个工作日 working days" for c in clocks),
        )
    return table
