"""`kuayu items import|diff`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    now_ms,
    read_config,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop
from gateway.app.cli.item_files import (
    IgnoreOption,
    RegionOption,
    end_of_day,
    progress,
    read_list,
    region_of,
)

if TYPE_CHECKING:
    from gateway.flow.item_list import Imported, ImportWish

IMPORT: Final = (
    "kuayu items import list.csv --dry-run",
    "kuayu items import list.csv",
    "kuayu items import jiayuguan.csv --region 620200 --ignore ROW_GUID --json",
)
DIFF: Final = (
    "kuayu items diff list.csv",
    "kuayu items diff --since 2026-01-01",
    "kuayu items diff --since 2026-01-01 --until 2026-06-30 --json",
)
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="CSV, the platform's columns")]


def import_(
    file: FileArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    region: RegionOption = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="check and compare only")] = False,
    ignore: IgnoreOption = None,
    end_most: Annotated[
        bool, typer.Option("--end-most", help="let more than half of the list end")
    ] = False,
    json: JsonOption = False,
) -> None:
    """导入 Make FILE the list of a region: every row of it, or nothing if one is wrong.

    UTF-8, with or without BOM, or GB18030. What FILE no longer has ends; every version stays
    readable with --on and `history`. The gateway is stopped; --dry-run works beside it.
    """
    settings = read_config(config)
    of = region_of(settings, region)
    read = read_list(file, ignore, json=json)

    from gateway.app.cli.item_views import imported_view, plan_lines
    from gateway.flow.item_list import Imported, ImportWish, plan_import

    if dry_run:
        from gateway.adapters.sql.sqlite import open_sqlite_reader

        with open_sqlite_reader(settings.journal.path) as snapshot:
            done = Imported(plan_import(snapshot.item_list, of, read.rows), None)
    else:
        wish = ImportWish(of, read.rows, read.source, end_most)
        done = asyncio.run(_import(settings.journal.path, wish))
    if json:
        view = imported_view(done, of, len(read.rows))
        show_json({**view, "encoding": read.encoding, "dry_run": dry_run})
    else:
        show(f"{file}: {read.encoding}, {len(read.rows)} 行 rows", *plan_lines(done, of))
        if dry_run:
            show("试运行，未写入 dry run: nothing was written")


async def _import(path: Path, wish: ImportWish) -> Imported:
    from gateway.adapters.sql.sqlite import open_sqlite
    from gateway.flow.item_list import import_items
    from gateway.kernel.faults import Fault
    from gateway.ports.journal import JournalHeld
    from gateway.wire.fault_table import entry, texts

    try:
        journal = await open_sqlite(path)
    except JournalHeld as problem:
        raise Stop(
            ExitCode.UNAVAILABLE,
            f"{problem}: a list is imported while the gateway is stopped. Stop it (`systemctl stop "
            "kuayu` or Ctrl-C), import, and start it again. --dry-run, diff, list, search and "
            "export work while it runs",
        ) from problem
    try:
        with progress("写入 writing", len(wish.rows)) as told:
            return await import_items(journal, wish, now_ms=now_ms(), progress=told)
    except Fault as fault:
        told_zh, told_en = texts(fault.code, fault.detail)
        advice = entry(fault.code)
        told_all = f"{fault.code.value} {told_zh} {told_en}", advice.advice_zh, advice.advice_en
        raise Stop(ExitCode.DATA, *told_all) from fault
    finally:
        await journal.close()


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
