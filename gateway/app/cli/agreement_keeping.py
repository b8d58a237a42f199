"""`kuayu agreement`: what became of notices sent, and of proposals kept."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.app.cli.agreement import find
from gateway.app.cli.agreement_acts import app as app
from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    examples,
    read_book,
    read_config,
    show,
    show_json,
)

_DROP = ("kuayu agreement drop 153fd3", "kuayu agreement drop 153fd3 --json")
_DIGEST = typer.Argument(metavar="DIGEST", help="its first six digits or more")


@app.command(epilog=examples(*_DROP))
def drop(
    agreement: Annotated[str, _DIGEST],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """删除提案 Let go of a proposal that was never accepted here; verdicts on it stay on record."""
    settings = read_config(config)
    address = find(read_book(settings), agreement).digest.hex()

    from gateway.app.cli.operate import operate

    view = operate(settings, "agreement-drop", {"agreement": address})
    if json:
        show_json(view)
    else:
        show(f"已删除提案 let go of the proposal {address}")
