"""`kuayu case`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    examples,
    group,
    read_config,
    read_id,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop
from gateway.app.cli.explain import look_up
from gateway.kernel.case import CaseRole
from gateway.kernel.limits import PAGE_DEFAULT, PAGE_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table

_LIST = ("kuayu case list", "kuayu case list --role deciding --limit 10 --json")
_SHOW = ("kuayu case show 0190a2b4-3c5d-7e6f-8a9b-0c1d2e3f4a5b",)
_PRIVATE: Final = ("licence", "reason")
app = group("案件 Cases as this gateway sees them.", *_LIST, *_SHOW)


@app.command(name="list", epilog=examples(*_LIST))
def list_(
    config: ConfigOption = DEFAULT_CONFIG,
    unit: Annotated[str, typer.Option(help="only this unit's, by credit code")] = "",
    role: Annotated[CaseRole | None, typer.Option(help="what this gateway is in them")] = None,
    limit: Annotated[int, typer.Option(min=1, max=PAGE_MAX)] = PAGE_DEFAULT,
    before: Annotated[
        str, typer.Option(metavar="ID", help="only older ones: the last id of the page before")
    ] = "",
    json: JsonOption = False,
) -> None:
    """列表 List cases, latest first. Forms and licences are left out."""
    below = read_id(before) if before else b""
    settings = read_config(config)

    from gateway.adapters.sql.sqlite import open_sqlite_reader
    from gateway.flow.views import case_view

    with open_sqlite_reader(settings.journal.path) as snapshot:
        found = snapshot.cases_of(unit or None, role=role, limit=limit, before=below)
    views = [case_view(case, settings.gateway_id) for case in found]
    for view in views:
        for private in _PRIVATE:
            view.pop(private)
    if json:
        show_json({"gateway": settings.gateway_id, "cases": views})
    elif views:
        show(_table(views))
    else:
        show("没有案件 there are no cases here")


@app.command(name="show", epilog=examples(*_SHOW))
def show_(
    id: Annotated[str, typer.Argument(metavar="ID", help="id of the case")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """详情 Show one case with its messages, receipts and what it waits for."""
    known = look_up(config, id)
    if not known["cases"]:
        raise Stop(ExitCode.NO, f"{id} is a message, no case; ask `kuayu explain {id}`")
    if json:
        show_json({"gateway": known["gateway"], "cases": known["cases"]})
        return

    from gateway.app.cli.trees import case_tree

    show(*(case_tree(case, str(known["gateway"])) for case in known["cases"]))


def _table(views: Sequence[Mapping[str, object]]) -> Table:
    from rich.table import Table

    from gateway.app.cli.words import both

    table = Table(
        "案件 case", "阶段 stage", "在谁手里 held by", "去向 route", "情况 notes", "变更 changed"
    )
    for column in table.columns:
        column.overflow = "fold"
    table.columns[0].no_wrap = True  # to be copied into the next command
    for view in views:
        unconfirmed = view["unconfirmed"]
        assert isinstance(unconfirmed, list)
        notes = [f"待回执 unconfirmed: {both(kind)}" for kind in unconfirmed]
        if view["attention"]:
            notes.append(f"需处理 attention: {view['attention']}")
        table.add_row(
            str(view["case_id"]),
            f"{view['stage_zh']} {view['stage']}",
            str(view["held_by"] or "已结 closed"),
            f"{view['origin']}→{view.get('participating') or view['deciding']}",
            "\n".join(notes) or "—",
            str(view["changed_at"]),
        )
    return table
