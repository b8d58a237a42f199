"""`kuayu mapping`."""

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
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop
from gateway.app.cli.mapping_folder import folder_of

_CHECK = (
    "kuayu mapping check 320582",
    "kuayu mapping check partners/zhangjiagang --documents 200 --seed 7",
    "kuayu mapping check zhangjiagang --json",
)
_SHOW = ("kuayu mapping show zhangjiagang", "kuayu mapping show 320582 --json")
_TRY = (
    "kuayu mapping try zhangjiagang their_push.json --in --operation pushStatus",
    "kuayu mapping try zhangjiagang ours.json --out",
)
app = group(
    "映射 Mapping: a partner's fields and ours, in one table for both directions.",
    *_CHECK, *_SHOW, *_TRY,
)  # fmt: skip
_Partner = Annotated[
    str, typer.Argument(metavar="PARTNER", help="gateway id, folder name, or path of a folder")
]
_DOCUMENTS_MAX = 10_000


@app.command(epilog=examples(*_CHECK))
def check(
    partner: _Partner,
    documents: Annotated[
        int, typer.Option(min=1, max=_DOCUMENTS_MAX, help="documents for each message and item")
    ] = 60,
    seed: Annotated[int, typer.Option(help="another seed makes other documents")] = 1,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """检查 Prove that ours → theirs → ours loses nothing, or name what it loses.

    Documents are made from the forms of every item agreed with the partner, from the least to the
    fullest. Ends with 1 if something is lost, refused or unread that mapping.toml does not accept
    under `losses` and `unread`; with 78 if the table itself is wrong.
    """
    from gateway.app.cli.mapping_reports import report_parts, working
    from gateway.app.mapping.report import check_mapping

    with working("检查映射 checking") as progress:
        report = check_mapping(
            folder_of(partner, config), documents=documents, seed=seed, progress=progress
        )
    if json:
        show_json(report.view())
    else:
        show(*report_parts(report))
    if not report.is_good:
        raise typer.Exit(ExitCode.NO)


@app.command(name="show", epilog=examples(*_SHOW))
def show_(
    partner: _Partner, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """显示 Show the table: each row with its codec, and each code table."""
    from gateway.app.cli.mapping_views import table_parts, table_view
    from gateway.app.mapping.loading import load_translation

    translation = load_translation(folder_of(partner, config))
    if json:
        show_json(table_view(translation))
    else:
        show(*table_parts(translation))


@app.command(name="try", epilog=examples(*_TRY))
def try_(
    partner: _Partner,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a document: .json or .xml")],
    inward: Annotated[
        bool | None, typer.Option("--in/--out", help="theirs to ours, or ours to theirs")
    ] = None,
    operation: Annotated[
        str, typer.Option(metavar="NAME", help="with --in: the operation they call")
    ] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """试转 Show what becomes of one document. Files in it are shown by size and digest.

    With --out the content of materials is base64 text. Ends with 1 if a rule refuses it.
    """
    from gateway.app.cli.mapping_views import refusal_lines, shown
    from gateway.app.mapping.loading import load_translation
    from gateway.app.mapping.trial import try_document
    from gateway.kernel.faults import Fault

    if inward is None or (inward and not operation):
        raise Stop(ExitCode.USAGE, "say --out, or --in with --operation NAME")
    translation = load_translation(folder_of(partner, config))
    try:
        name, tree = try_document(translation, file, operation if inward else None)
    except Fault as fault:
        raise Stop(ExitCode.NO, *refusal_lines(fault)) from None
    if not json:
        show(f"{'报文种类 kind' if inward else '操作 operation'}: {name}")
    show_json({"name": name, "tree": shown(tree)} if json else shown(tree))
