"""`kuayu assisted`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    examples,
    group,
    now_ms,
    read_book,
    read_config,
    read_id,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop
from gateway.kernel.limits import PAGE_DEFAULT, PAGE_MAX

_LIST = ("kuayu assisted list", "kuayu assisted list --done --json")
_SHEET = ("kuayu assisted sheet 0190a2b4-3c5d-7e6f-8a9b-0c1d2e3f4a5b --out sheet.html",)
_ACCEPT = ("kuayu assisted accept partners/jinchang",)
app = group("人工协办 Partners without a system: what people carry.", *_LIST, *_SHEET, *_ACCEPT)


@app.command(name="list", epilog=examples(*_LIST))
def list_(
    config: ConfigOption = DEFAULT_CONFIG,
    unit: Annotated[str, typer.Option(help="only this unit's, by credit code")] = "",
    done: Annotated[bool, typer.Option("--done", help="what is done, not what is to do")] = False,
    limit: Annotated[int, typer.Option(min=1, max=PAGE_MAX)] = PAGE_DEFAULT,
    after: Annotated[
        str, typer.Option(metavar="ID", help="only later ones: the last id of the page before")
    ] = "",
    json: JsonOption = False,
) -> None:
    """列表 List what is to be told to partners, or waits for their answer; oldest first."""
    above = read_id(after) if after else b""
    settings = read_config(config)

    from gateway.adapters.sql.sqlite import open_sqlite_reader
    from gateway.flow.assisted_views import work_view

    with open_sqlite_reader(settings.journal.path) as snapshot:
        items = snapshot.work_items(unit or None, done=done, limit=limit, after=above)
        cases = snapshot.cases([i.case_key for i in items])
        views = [
            work_view(i, cases[i.case_key], snapshot.typings_of_case(i.case_key)) for i in items
        ]
    if json:
        show_json({"gateway": settings.gateway_id, "work": views})
    elif views:
        from gateway.app.cli.tables import work_table

        show(work_table(views))
    else:
        show("没有待办 there is nothing to carry")


@app.command(epilog=examples(*_SHEET))
def sheet(
    id: Annotated[str, typer.Argument(metavar="ID", help="id of the work item")],
    config: ConfigOption = DEFAULT_CONFIG,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="write it there, readable by you alone")
    ] = None,
    json: JsonOption = False,
) -> None:
    """协办单 Write the sheet as one HTML page to print. It holds the applicant's data."""
    raw_id = read_id(id)
    settings = read_config(config)

    from gateway.adapters.sql.sqlite import open_sqlite_reader
    from gateway.edge.portal_http.sheet import render_sheet
    from gateway.flow.assisted_lookup import sheet_of

    book = read_book(settings)
    with open_sqlite_reader(settings.journal.path) as snapshot:
        item = snapshot.work_item(raw_id)
        view = None if item is None else sheet_of(snapshot, book, item)
    if view is None:
        raise Stop(ExitCode.NO, f"{id} stands on no list; ask `kuayu assisted list`")
    if out is not None:
        try:
            out.touch(mode=0o600, exist_ok=False)
            out.write_text(render_sheet(view), encoding="utf-8")
        except OSError as problem:
            raise Stop(ExitCode.CONFIG, f"{out} cannot be written: {problem.strerror}") from problem
        show(f"协办单 the sheet is in {out}")
    elif json:
        show_json(view)
    else:
        print(render_sheet(view))


@app.command(epilog=examples(*_ACCEPT))
def accept(
    partner: Annotated[
        str, typer.Argument(metavar="PARTNER", help="folder or id of a partner that does not sign")
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """纸质协议 Attest with the adapter key that a partner accepted its agreement.toml on paper.

    Keep the paper: the attestation says no more than that this gateway saw it.
    """
    settings = read_config(config)

    from gateway.app.onboarding.folders import folder_named
    from gateway.app.provision import attest_acceptance

    folder = folder_named(settings.partners_dir, partner)
    try:
        act, address = attest_acceptance(settings, folder, now_ms())
    except OSError as problem:
        told = f"{problem.filename}: {problem.strerror}"
        raise Stop(ExitCode.CONFIG, f"{told}; is {folder} a partner's folder?") from problem
    except ValueError as problem:
        raise Stop(ExitCode.CONFIG, str(problem)) from problem
    if json:
        show_json({"agreement": address.hex(), "act": str(act)})
    else:
        show(f"协议 agreement {address.hex()}", f"见证 attested in {act}")
