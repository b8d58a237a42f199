"""What the commands on item lists share: options, reading a file, progress, days."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from gateway.app.cli.common import show_json
from gateway.app.cli.exits import ExitCode, Stop

if TYPE_CHECKING:
    from gateway.app.config import Config
    from gateway.kernel.faults import FaultCode
    from gateway.kernel.identifiers import GatewayId
    from gateway.rules.item_list.problems import Problem
    from gateway.rules.item_list.rows import ItemRow

RegionOption = Annotated[
    str, typer.Option(metavar="CODE", help="whose list, six digits; this gateway's own if left out")
]
OnOption = Annotated[
    str, typer.Option("--on", metavar="DAY", help="as the list stood at the end of that day")
]
IgnoreOption = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN", help="a column of the file to pass over; may be repeated"),
]
_TOLD_MAX: Final = 50


class ListFile(NamedTuple):
    """A file of the item list without problems."""

    rows: Sequence[ItemRow]
    source: bytes
    encoding: str


def region_of(settings: Config, region: str) -> GatewayId:
    """Return the region that was asked for.

    Raises:
        Stop: it is no region's code.
    """
    from gateway.kernel.identifiers import GatewayId, is_gateway_id

    if region and not is_gateway_id(region):
        raise Stop(ExitCode.USAGE, f"--region {region}: not a region's code of six digits")
    return GatewayId(region or settings.gateway_id)


def end_of_day(text: str) -> int:
    """Return the last millisecond of a civil day in China, written as 2021-05-27.

    Raises:
        Stop: it is no day.
    """
    from datetime import datetime, timedelta

    from gateway.kernel.instants import CHINA_STANDARD_TIME, from_datetime

    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=CHINA_STANDARD_TIME)
    except ValueError:
        raise Stop(ExitCode.USAGE, f"{text}: not a day; days look like 2021-05-27") from None
    return from_datetime(day + timedelta(days=1)) - 1


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error, if that is a terminal, while the block runs."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)
        bar.update(task, completed=total)


def read_list(path: Path, ignore: Sequence[str] | None, *, json: bool) -> ListFile:
    """Read a file; if anything in it is wrong, say every place and stop.

    Raises:
        Stop: it has problems. OSError: it cannot be read.
    """
    from gateway.kernel.digests import digest
    from gateway.kernel.limits import ITEM_FILE_BYTES_MAX
    from gateway.rules.item_list.reading import read_csv

    with path.open("rb") as file:
        raw = file.read(ITEM_FILE_BYTES_MAX + 1)
    with progress("读取 reading", raw.count(b"\n")) as told:
        found = read_csv(raw, ignored=ignore or (), progress=told)
    if not found.problems:
        return ListFile(found.rows, digest(raw), found.encoding)
    if json:
        show_json(
            {
                "file": str(path),
                "encoding": found.encoding or None,
                "read_whole": found.read_whole,
                "problems": [_view(problem) for problem in found.problems],
            }
        )
    lines = [f"{path}:{p.line}: {_told(p)}" for p in found.problems[:_TOLD_MAX]]
    if len(found.problems) > _TOLD_MAX:
        lines.append(f"… and {len(found.problems) - _TOLD_MAX} more; --json tells them all")
    if not found.read_whole:
        lines.append("reading ended early: there may be more beyond")
    raise Stop(ExitCode.DATA, *lines, "nothing was imported 未导入任何内容")


def _told(problem: Problem) -> str:
    where = f"{problem.column}: " if problem.column else ""
    zh, en = _titles(problem.rule)
    return f"{where}{problem.rule.value} {zh} {en}: {problem.detail}"


def _titles(rule: FaultCode) -> tuple[str, str]:
    from gateway.wire.fault_table import texts

    return texts(rule, "")


def _view(problem: Problem) -> dict[str, object]:
    zh, en = _titles(problem.rule)
    return {
        "line": problem.line,
        "column": problem.column or None,
        "rule": problem.rule.value,
        "title_zh": zh,
        "title_en": en,
        "detail": problem.detail,
    }
