"""`kuayu conformance verify` and `status`: reports that were signed and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    examples,
    now_ms,
    read_book,
    read_config,
    show,
    show_json,
)
from gateway.app.cli.conformance import TargetArgument, app
from gateway.app.cli.exits import ExitCode, Stop

_VERIFY = ("kuayu conformance verify report.json", "kuayu conformance verify report.json --json")
_STATUS = ("kuayu conformance status jiayuguan", "kuayu conformance status 620200 --json")
__all__ = ["app"]


@app.command(epilog=examples(*_VERIFY))
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    config: ConfigOption = DEFAULT_CONFIG,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="its signer's certificate, if not known")
    ] = None,
    json: JsonOption = False,
) -> None:
    """验证 Prove offline that a report is its signer's and unchanged."""
    from gateway.app.cli.conformance_views import verified, view_lines

    document = verified(file, config, certificate)
    expired = now_ms() > document["expires_at_ms"]
    if json:
        show_json({"verified": True, "expired": expired, "report": document})
    else:
        show("签名有效 the signature holds", *view_lines(document))
    if expired:
        raise Stop(ExitCode.NO, f"the report has expired ({document['expires_at']})")


@app.command(epilog=examples(*_STATUS))
def status(
    target: TargetArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """状态 Say whether a fresh pass is kept for a partner as it is set up now."""
    from gateway.app.conformance import freshness

    settings = read_config(config)
    found = freshness(settings, read_book(settings, drafts=True), target, now_ms())
    view: dict[str, Any] = {"passed": found.passed, "reasons": list(found.reasons)}
    view["report"] = None if found.path is None else str(found.path)
    if json:
        show_json(view)
    elif found.passed:
        show(f"有效 a fresh pass: {found.path}")
    if not found.passed:
        raise Stop(ExitCode.NO, *found.reasons)
