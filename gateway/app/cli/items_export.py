"""`kuayu items export`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from enum import StrEnum
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
from gateway.app.cli.item_files import OnOption, RegionOption, end_of_day, region_of

EXPORT: Final = (
    "kuayu items export list.csv",
    "kuayu items export list.csv --encoding gb18030 --region 620200 --force",
    "kuayu items export - --encoding utf-8 --on 2026-05-27 > list.csv",
)
_STDOUT: Final = Path("-")


class Encoding(StrEnum):
    """What a file can be written in; the first is what spreadsheets open rightly."""

    UTF_8_BOM = "utf-8-bom"
    UTF_8 = "utf-8"
    GB18030 = "gb18030"


_CODECS: Final = {Encoding.UTF_8_BOM: "utf-8-sig"}


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="to be written; - for the output")],
    config: ConfigOption = DEFAULT_CONFIG,
    region: RegionOption = "",
    on: OnOption = "",
    encoding: Annotated[Encoding, typer.Option()] = Encoding.UTF_8_BOM,
    force: Annotated[bool, typer.Option("--force", help="overwrite FILE")] = False,
    json: JsonOption = False,
) -> None:
    """导出 Write a region's list as CSV under the platform's column names.

    What a spreadsheet would run as a formula gets an apostrophe before it.
    """
    at_ms = end_of_day(on) if on else None
    if file == _STDOUT and json:
        raise Stop(ExitCode.USAGE, "--json tells of a file that was written; give FILE")
    if file != _STDOUT and file.exists() and not force:
        raise Stop(ExitCode.CONFIG, f"{file} is there already; --force overwrites it")
    settings = read_config(config)
    of = region_of(settings, region)

    from gateway.adapters.sql.sqlite import open_sqlite_reader
    from gateway.flow.item_list import rows_at
    from gateway.rules.item_list.writing import write_csv

    with open_sqlite_reader(settings.journal.path) as snapshot:
        rows = rows_at(snapshot.item_list, of, at_ms)
    if not rows:
        raise Stop(ExitCode.NO, f"the list of {of} has no rows" + (f" on {on}" if on else ""))
    _write(file, write_csv(rows), _CODECS.get(encoding, encoding.value))
    if json:
        show_json({"file": str(file), "region": of, "rows": len(rows), "encoding": encoding.value})
    elif file != _STDOUT:
        show(f"已导出 {len(rows)} 行 rows written to {file} ({encoding.value})")


def _write(file: Path, pieces: Iterable[str], codec: str) -> None:
    """Write whole or not at all: beside the file first, then in its place."""
    if file == _STDOUT:
        sys.stdout.flush()
        for raw in _encoded(pieces, codec):
            sys.stdout.buffer.write(raw)
        sys.stdout.buffer.flush()
        return
    beside = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        with beside.open("xb") as out:
            for raw in _encoded(pieces, codec):
                out.write(raw)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _encoded(pieces: Iterable[str], codec: str) -> Iterable[bytes]:
    from codecs import getincrementalencoder

    encoder = getincrementalencoder(codec)()  # one BOM, before the first piece only
    return (encoder.encode(piece) for piece in pieces)
