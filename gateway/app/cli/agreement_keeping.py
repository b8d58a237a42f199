"""`kuayu agreement`: what became of notices sent, and of proposals kept."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.app.cli.agreement_acts import app as app
from gateway.app.cli.agreement_find import find
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
from gateway.app.cli.words import listed

_DROP = ("kuayu agreement drop 153fd3", "kuayu agreement drop 153fd3 --json")
_SEND = ("kuayu agreement send 153fd3", "kuayu agreement send 153fd3 620200 --json")
_DIGEST = typer.Argument(metavar="DIGEST", help="its first six digits or more")


@app.command(epilog=examples(*_SEND))
def send(
    agreement: Annotated[str, _DIGEST],
    partner: Annotated[
        str, typer.Argument(metavar="[PARTNER]", help="this party only, as in 620200")
    ] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """再次发送 Send again what a party refused to hear; what is on its way goes on by itself."""
    settings = read_config(config)
    address = find(read_book(settings), agreement).digest.hex()

    from gateway.app.cli.acting import act

    said = {"agreement": address, "partner": partner}
    view = act(settings, "agreement-send", said, json=json)
    if json:
        show_json(view)
    elif not view["changed"]:
        show("没有被拒的表态 no verdict was refused; nothing was sent again")
    else:
        show(f"协议 agreement {address}", f"已再次发出 sent again to {listed(view['told'])}")


@app.command(epilog=examples(*_DROP))
def drop(
    agreement: Annotated[str, _DIGEST],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """删除提案 Let go of a proposal that was never accepted here; verdicts on it stay on record."""
    settings = read_config(config)
    address = find(read_book(settings), agreement).digest.hex()

    from gateway.app.cli.acting import act

    view = act(settings, "agreement-drop", {"agreement": address}, json=json)
    if json:
        show_json(view)
    else:
        show(f"已删除提案 let go of the proposal {address}")
