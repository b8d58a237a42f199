"""`kuayu items diff`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

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
from gateway.app.cli.item_files import (
    IgnoreOption,
    RegionOption,
    end_of_day,
    read_list,
    region_of,
)

DIFF: Final = (
    "kuayu items diff list.csv",
    "kuayu items diff --since 2026-01-01",
    "kuayu items diff --since 2026-01-01 --until 2026-06-30 --json",
)


def diff(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="compare this")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    region: RegionOption = "",
    since: Annotated[str, typer.Option(metavar="DAY", help="compare the list of that day")] = "",
    until: Annotated[str, typer.Option(metavar="DAY", help="with that day's; else now's")] = "",
    ignore: IgnoreOption = None,
    json: JsonOption = False,
) -> None:
    """比较 Show row by row what FILE would change, or what changed between the ends of two days."""
    if (file is None) == (not since) or (until and not since):
        raise Stop(ExitCode.USAGE, "give FILE, or --since DAY with or without --until DAY")
    settings = read_config(config)
    of = region_of(settings, region)
    rows = None if file is None else read_list(file, ignore, json=json).rows

    from gateway.adapters.sql.sqlite import open_sqlite_reader
    from gateway.app.cli.item_differences import difference, difference_table
    from gateway.flow.item_list import rows_at

    with open_sqlite_reader(settings.journal.path) as snapshot:
        before = rows_at(snapshot.item_list, of, end_of_day(since) if since else None)
        if rows is None:
            rows = rows_at(snapshot.item_list, of, end_of_day(until) if until else None)
    found = difference(before, rows)
    if json:
        show_json({"region": of, **found})
    else:
        show(*difference_table(found))
