"""`kuayu items import`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    progress,
    read_list,
    region_of,
)

if TYPE_CHECKING:
    from gateway.app.config import Config
    from gateway.flow.item_list import Imported, ImportWish

IMPORT: Final = (
    "kuayu items import list.csv --dry-run",
    "kuayu items import list.csv",
    "kuayu items import jiayuguan.csv --region 620200 --ignore ROW_GUID --json",
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
    readable with --on and `history`. A running gateway goes on serving while it takes FILE in.
    """
    settings = read_config(config)
    of = region_of(settings, region)
    read = read_list(file, ignore, json=json)

    from gateway.app.cli.item_views import imported_view, plan_lines
    from gateway.flow.item_list import Imported, ImportWish, plan_import
    from gateway.rules.item_list.changes import require_most_stay

    if dry_run:
        from gateway.adapters.sql.sqlite import open_sqlite_reader

        with open_sqlite_reader(settings.journal.path) as snapshot:
            done = Imported(plan_import(snapshot.item_list, of, read.rows), None)
        if not end_most:
            with _told():
                require_most_stay(done.plan.changes)
    else:
        wish = ImportWish(of, read.rows, read.source, end_most)
        done = _imported(settings, wish)
    if json:
        view = imported_view(done, of, len(read.rows))
        show_json({**view, "encoding": read.encoding, "dry_run": dry_run})
    else:
        show(f"{file}: {read.encoding}, {len(read.rows)} 行 rows", *plan_lines(done, of))
        if dry_run:
            show("试运行，未写入 dry run: nothing was written")


@contextmanager
def _told() -> Iterator[None]:
    """Say a broken rule in both languages, with what to do about it."""
    from gateway.kernel.faults import Fault
    from gateway.wire.fault_table import entry, texts

    try:
        yield
    except Fault as fault:
        zh, en = texts(fault.code, fault.detail)
        row = entry(fault.code)
        lines = f"{fault.code.value} {zh} {en}", row.advice_zh, row.advice_en
        raise Stop(ExitCode.DATA, *lines) from fault


def _imported(config: Config, wish: ImportWish) -> Imported:
    """Import through the gateway if one runs, else in its place."""
    from gateway.app.cli.items_stream import NotRunning, import_through

    with _told(), progress("写入 writing", len(wish.rows)) as told:
        try:
            return import_through(config, wish, told)
        except NotRunning:
            return asyncio.run(_import(config.journal.path, wish, told))


async def _import(path: Path, wish: ImportWish, told: Callable[[int], None]) -> Imported:
    from gateway.adapters.sql.sqlite import open_sqlite
    from gateway.flow.item_list import import_items
    from gateway.ports.journal import JournalHeld

    try:
        journal = await open_sqlite(path)
    except JournalHeld as problem:
        raise Stop(
            ExitCode.UNAVAILABLE,
            f"{problem}, and nobody listens on its socket: a gateway that is just starting or "
            "stopping, or another command. Try again in a moment",
        ) from problem
    try:
        return await import_items(journal, wish, now_ms=now_ms(), progress=told)
    finally:
        await journal.close()
