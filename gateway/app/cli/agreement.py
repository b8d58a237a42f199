"""`kuayu agreement`: looking at agreements, today and on any day. `agreement_acts` has the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.app.cli.agreement_find import find
from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    at_ms_of,
    examples,
    group,
    read_book,
    read_config,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode

_LIST = ("kuayu agreement list", "kuayu agreement list --on 2024-05-01 --json")
_SHOW = ("kuayu agreement show 153fd3", "kuayu agreement show 153fd399e97ce4a1 --json")
_MATRIX = ("kuayu agreement matrix", "kuayu agreement matrix --svg matrix.svg --on 2024-05-01")
_ALLOWED = (
    "kuayu agreement allowed 620900 620200 00013112700402 --version 2 --mode collect_on_behalf "
    "--purpose branch-registration --on 2024-05-01",
)
app = group("协议 Agreements of mutual recognition.", *_LIST, "kuayu agreement propose new.toml")

OnOption = Annotated[
    str,
    typer.Option("--on", metavar="DATE", help="as of the end of this day in China; now if none"),
]


@app.command(name="list", epilog=examples(*_LIST))
def list_(
    config: ConfigOption = DEFAULT_CONFIG, on: OnOption = "", json: JsonOption = False
) -> None:
    """列表 List agreements: who said what of them, and whether they are in force."""
    settings = read_config(config)
    at_ms, book = at_ms_of(on), read_book(settings)

    from gateway.app.cli.agreement_notices import notice_lines, notices_of
    from gateway.app.cli.agreement_views import agreement_table, history_view

    found = sorted(book.agreements.values(), key=lambda a: (a.not_before_ms, a.digest))
    sent = notices_of(settings)
    if json:
        views = [{**history_view(a, at_ms), "notices": sent.get(a.digest, [])} for a in found]
        show_json({"agreements": views})
    elif found:
        lines = (notice_lines(sent.get(a.digest, []), a.digest.hex()) for a in found)
        show(agreement_table(found, at_ms), *(line for part in lines for line in part))
    else:
        show("没有协议 there are no agreements here; see `kuayu agreement propose --help`")


@app.command(name="show", epilog=examples(*_SHOW))
def show_(
    digest: Annotated[str, typer.Argument(metavar="DIGEST", help="its first six digits or more")],
    config: ConfigOption = DEFAULT_CONFIG,
    on: OnOption = "",
    json: JsonOption = False,
) -> None:
    """详情 Show one agreement: content, verdicts, and why it is not in force, if it is not."""
    settings = read_config(config)
    at_ms, book = at_ms_of(on), read_book(settings)

    from gateway.app.cli.agreement_notices import notice_lines, notices_of
    from gateway.app.cli.agreement_views import agreement_tree, history_view

    agreement = find(book, digest)
    sent = notices_of(settings).get(agreement.digest, [])
    if json:
        content = book.documents[agreement.digest][1].decode()
        show_json({**history_view(agreement, at_ms), "notices": sent, "content": content})
    else:
        show(agreement_tree(agreement, at_ms), *notice_lines(sent, agreement.digest.hex()))


@app.command(epilog=examples(*_MATRIX))
def matrix(
    config: ConfigOption = DEFAULT_CONFIG,
    on: OnOption = "",
    svg: Annotated[Path | None, typer.Option(metavar="FILE", help="write a picture too")] = None,
    json: JsonOption = False,
) -> None:
    """矩阵 Show partners × items × modes × rights: all that is allowed."""
    settings = read_config(config)
    at_ms, book = at_ms_of(on), read_book(settings)

    from gateway.app.cli.agreement_views import matrix_table, permission_view
    from gateway.app.cli.matrix_svg import matrix_svg
    from gateway.flow.permissions import permissions

    found = permissions(book, at_ms)
    if svg is not None:
        svg.write_text(matrix_svg(book, found, at_ms), encoding="utf-8")
    if json:
        views = [permission_view(p) for p in found]
        show_json({"gateway": settings.gateway_id, "permissions": views})
    else:
        show(matrix_table(book, found))
        if svg is not None:
            show(f"图 picture: {svg}")


@app.command(epilog=examples(*_ALLOWED))
def allowed(
    origin: Annotated[str, typer.Argument(help="who takes the application, as in 620900")],
    deciding: Annotated[str, typer.Argument(help="who decides, as in 620200")],
    item: Annotated[str, typer.Argument(help="item code")],
    version: Annotated[str, typer.Option(help="item version")],
    mode: Annotated[str, typer.Option(help="online, collect_on_behalf or joint")],
    purpose: Annotated[str, typer.Option(help="purpose the agreement names")],
    right: Annotated[str, typer.Option(help="delegated right to be used")] = "none",
    config: ConfigOption = DEFAULT_CONFIG,
    on: OnOption = "",
    json: JsonOption = False,
) -> None:
    """允许否 Tell whether a new case was allowed on a day; exit code 1: no, by which rule."""
    settings = read_config(config)
    at_ms, book = at_ms_of(on), read_book(settings)

    from gateway.app.cli.agreement_views import judge

    view = judge(book, (origin, deciding, item, version, mode, purpose, right), at_ms)
    if json:
        show_json(view)
    else:
        show(f"{view['answer_zh']} {view['answer_en']}")
    if not view["allowed"]:
        raise typer.Exit(ExitCode.NO)
