"""`kuayu items list|search|history`: they read beside a gateway that runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    read_config,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop
from gateway.app.cli.item_files import OnOption, RegionOption, end_of_day, region_of
from gateway.kernel.limits import PAGE_DEFAULT, PAGE_MAX

if TYPE_CHECKING:
    from gateway.ports.item_list import ListedRow

LIST: Final = (
    "kuayu items list",
    "kuayu items list --on 2026-05-27 --region 620200 --limit 200 --json",
)
SEARCH: Final = (
    "kuayu items search 分支机构",
    "kuayu items search '户口 迁移' --everywhere --json",
)
HISTORY: Final = (
    "kuayu items history",
    "kuayu items history 11620200MB0000000U300013112700401",
)
LimitOption = Annotated[int, typer.Option(min=1, max=PAGE_MAX)]


def list_(
    config: ConfigOption = DEFAULT_CONFIG,
    region: RegionOption = "",
    on: OnOption = "",
    limit: LimitOption = PAGE_DEFAULT,
    after: Annotated[
        str, typer.Option(metavar="CODE", help="only beyond it: the last code of the page before")
    ] = "",
    json: JsonOption = False,
) -> None:
    """列表 List the rows of a region by code."""
    at_ms = end_of_day(on) if on else None
    settings = read_config(config)
    of = region_of(settings, region)

    from gateway.adapters.sql.sqlite import open_sqlite_reader

    with open_sqlite_reader(settings.journal.path) as snapshot:
        found = snapshot.item_list.page(of, after=after, limit=limit, at_ms=at_ms)
    following = found[-1].row.code if len(found) == limit else None
    _show(found, json=json, following=following, more=f"--after {following}")


def search(
    query: Annotated[str, typer.Argument(help="words or codes; every one must be found")],
    config: ConfigOption = DEFAULT_CONFIG,
    region: RegionOption = "",
    everywhere: Annotated[
        bool, typer.Option("--everywhere", help="in every region's list")
    ] = False,
    limit: LimitOption = PAGE_DEFAULT,
    after: Annotated[int, typer.Option(min=0, help="where the page before ended")] = 0,
    json: JsonOption = False,
) -> None:
    """查找 Find rows by words of the item's or the department's name, or by any of its codes."""
    settings = read_config(config)
    of = None if everywhere else region_of(settings, region)

    from gateway.adapters.sql.sqlite import open_sqlite_reader
    from gateway.kernel.faults import Fault
    from gateway.rules.item_list.rows import query_words

    try:
        words = query_words(query)
    except Fault as fault:
        raise Stop(ExitCode.USAGE, fault.detail) from fault
    with open_sqlite_reader(settings.journal.path) as snapshot:
        found = snapshot.item_list.search(words, region=of, after=after, limit=limit)
    following = found[-1].position if len(found) == limit else None
    _show(found, json=json, following=following, more=f"--after {following}")


def _show(
    found: Iterable[ListedRow], *, json: bool, following: str | int | None, more: str
) -> None:
    from gateway.app.cli.item_views import row_table
    from gateway.flow.item_views import row_view

    rows = list(found)
    if json:
        show_json({"items": [row_view(row) for row in rows], "next": following})
    elif rows:
        show(row_table(rows))
        if following is not None:
            show(f"还有更多 there may be more: {more}")
    else:
        show("没有事项 there are no items here")


def history(
    code: Annotated[str, typer.Argument(help="one row's versions; left out: the imports")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    region: RegionOption = "",
    json: JsonOption = False,
) -> None:
    """沿革 Show the imports that changed a list, or every version of one row."""
    settings = read_config(config)
    of = region_of(settings, region)

    from gateway.adapters.sql.sqlite import open_sqlite_reader
    from gateway.app.cli.item_views import edition_table, version_table
    from gateway.flow.item_views import edition_view, row_view

    with open_sqlite_reader(settings.journal.path) as snapshot:
        if not code:
            editions = snapshot.item_list.editions(of, limit=PAGE_MAX)
            views = [edition_view(edition) for edition in editions]
            show_json({"editions": views}) if json else show(edition_table(views))
            return
        versions = snapshot.item_list.versions(of, code.strip().upper())
    if not versions:
        raise Stop(ExitCode.NO, f"the list of {of} never had {code}")
    if json:
        show_json({"versions": [row_view(version) for version in versions]})
    else:
        show(version_table(versions))
