"""Running the kit from the command line: progress, table, files."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.app.cli.common import now_ms, read_book, show
from gateway.app.cli.conformance_views import view_lines
from gateway.app.cli.exits import ExitCode, Stop
from gateway.app.config import Config
from gateway.conformance.bench import Bench, CallFailed, NoAnswer, Unreadable
from gateway.conformance.case_files import Case, applicable
from gateway.conformance.report import Document, Run, keep, sign_report
from gateway.conformance.running import Result, Status, run_cases

_MARKS = {Status.PASSED: "✓", Status.FAILED: "✗", Status.NOT_RUN: "–"}


@dataclass(frozen=True)
class Wish:
    """What a run is asked for."""

    target: str
    cases: Sequence[Case]
    selection: tuple[str, ...]
    json: Path | None
    junit: Path | None
    html: Path | None
    call_s: float
    listen: str
    days: int
    gateway_id: str
    authorities: Path | None
    server_name: str
    certificates: tuple[Path, ...]
    expired_key: Path | None
    future_key: Path | None


def chosen(cases: Sequence[Case], names: Sequence[str]) -> list[Case]:
    """Return the cases of these names or areas; all if none is named.

    Raises:
        Stop: a name fits no case.
    """
    lost = [n for n in names if not any(_fits(c, n) for c in cases)]
    if lost:
        known = ", ".join(sorted({c.id.partition(".")[0] for c in cases}))
        raise Stop(ExitCode.USAGE, f"no case or area {', '.join(lost)}; areas are: {known}")
    return [c for c in cases if not names or any(_fits(c, n) for n in names)]


def _fits(case: Case, name: str) -> bool:
    return name in (case.id, case.id.partition(".")[0])


def run_and_tell(config: Config, wish: Wish) -> None:
    """Run the cases, keep and show the signed report, write what else is asked for.

    Raises:
        Stop: the run did not pass.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    document, raw = asyncio.run(_judge(config, wish))
    from gateway.app.conformance import reports_folder
    from gateway.conformance.junit import junit_of
    from gateway.conformance.page import page_of

    path = keep(reports_folder(config), document, raw)
    if wish.junit is not None:
        wish.junit.write_bytes(junit_of(document))
    if wish.html is not None:
        wish.html.write_bytes(page_of(document))
    if str(wish.json) == "-":
        print(raw.decode(), end="")
    else:
        if wish.json is not None:
            wish.json.write_bytes(raw)
        show(*view_lines(document), f"已存 kept: {path}")
    if document["verdict"] == "failed":
        raise Stop(ExitCode.NO, f"{wish.target} did not pass")


async def _judge(config: Config, wish: Wish) -> tuple[Document, bytes]:
    from gateway.app import conformance as parts
    from gateway.app.cli.conformance_door import await_call
    from gateway.app.judged_collectors import CollectorLine
    from gateway.conformance.report import document_of

    at_ms, book = now_ms(), read_book(config, drafts=True)
    named = parts.Named(wish.gateway_id, wish.authorities, wish.server_name, wish.certificates)
    target = parts.find_target(config, book, wish.target, named, at_ms)
    sender = parts.sender_of(config, book, at_ms, wish.expired_key, wish.future_key)
    cases = applicable(wish.cases, target.judged_as)
    line = parts.line_for(config, book, target, wish.call_s)
    bench = parts.bench_of(sender, target, line)
    try:
        if isinstance(line, CollectorLine):
            await await_call(config, line, wish.target, wish.listen)
        pin = await _pin(bench)
        results = await _run(bench, cases, quiet=str(wish.json) == "-")
    finally:
        await line.close()
    run = Run(at_ms, wish.selection, pin, wish.days)
    document = document_of(bench, cases, results, run)
    return document, sign_report(document, sender.signers[0])


async def _pin(bench: Bench) -> bytes:
    """Return the pin of the certificate the target shows; empty if none is to be had."""
    try:
        return await bench.line.certificate_pin()
    except (NoAnswer, CallFailed, Unreadable):
        return b""  # the report says that none was seen, and the cases say why


async def _run(bench: Bench, cases: Sequence[Case], *, quiet: bool) -> list[Result]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    out = Console(stderr=True, highlight=False, markup=False)
    if quiet or not sys.stderr.isatty():
        return await run_cases(bench, cases, lambda _: None)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=out
    ) as bar:
        task = bar.add_task(f"{bench.target.name}", total=len(cases))
        done: set[str] = set()

        def tell(result: Result) -> None:
            done.add(result.case.id)
            mark = f"{_MARKS[result.status]} {result.id}"
            bar.update(task, completed=len(done), description=mark)

        return await run_cases(bench, cases, tell)
