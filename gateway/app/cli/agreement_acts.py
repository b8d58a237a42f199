"""`kuayu agreement`: this gateway's verdicts, over the wire or as files handed over."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.app.cli.agreement import app as app
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
from gateway.app.cli.exits import ExitCode, Stop
from gateway.app.cli.words import listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.app.config import Config

_PROPOSE = ("kuayu agreement propose agreement.toml", "kuayu agreement propose new.toml --json")
_ACCEPT = ("kuayu agreement accept 153fd3", "kuayu agreement accept partners/jiayuguan --json")
_REJECT = ('kuayu agreement reject 153fd3 --reason "条款待商"',)
_REVOKE = ('kuayu agreement revoke 153fd3 --open-cases continue --reason "机构调整"',)
_REASON = typer.Option(help="a line for the other parties; no personal data")
_DIGEST = typer.Argument(metavar="DIGEST", help="its first six digits or more")


class OpenCasesOption(StrEnum):
    """What becomes of cases that are open."""

    CONTINUE = "continue"
    STOP = "stop"


@app.command(epilog=examples(*_PROPOSE))
def propose(
    file: Annotated[Path, typer.Argument(help="the agreement as TOML; its bytes are its address")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """提出协议 Send FILE to its other parties, signed. To propose is to accept."""
    settings = read_config(config)
    try:
        content = file.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as problem:
        raise Stop(ExitCode.CONFIG, f"{file} cannot be read as UTF-8: {problem}") from problem
    _give(settings, "agreement-propose", {"content": content}, json=json)


@app.command(epilog=examples(*_ACCEPT))
def accept(
    agreement: Annotated[
        str,
        typer.Argument(metavar="DIGEST|FOLDER", help="what was proposed; or a partner's folder"),
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """接受协议 Accept what a partner proposed, and tell it so.

    With a FOLDER that holds agreement.toml, sign this gateway's acceptance into FOLDER/acts/: for
    a first agreement, before the two gateways can speak. It is in force once both parties' acts
    lie in both parties' folders and the gateways were started anew.
    """
    settings = read_config(config)
    from gateway.app.onboarding.folders import folder_named

    folder = folder_named(settings.partners_dir, agreement)
    if folder.is_dir():
        from gateway.app.cli.agreement_file import sign_file

        sign_file(settings, folder, json=json)
        return
    known = find(read_book(settings), agreement)
    _give(settings, "agreement-accept", {"agreement": known.digest.hex()}, json=json)


@app.command(epilog=examples(*_REJECT))
def reject(
    agreement: Annotated[str, _DIGEST],
    reason: Annotated[str, _REASON] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """拒绝协议 Reject what a partner proposed, and tell it so. This is final."""
    settings = read_config(config)
    address = find(read_book(settings), agreement).digest.hex()
    _give(settings, "agreement-reject", {"agreement": address, "reason": reason}, json=json)


@app.command(epilog=examples(*_REVOKE))
def revoke(
    agreement: Annotated[str, _DIGEST],
    open_cases: Annotated[
        OpenCasesOption, typer.Option(help="continue: to their end; stop: closing steps only")
    ],
    reason: Annotated[str, _REASON] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """撤销协议 Revoke what this gateway accepted, and tell the other parties. This is final."""
    settings = read_config(config)
    address = find(read_book(settings), agreement).digest.hex()
    said = {"agreement": address, "reason": reason, "open_cases": open_cases.value}
    _give(settings, "agreement-revoke", said, json=json)


def _give(config: Config, command: str, said: Mapping[str, object], *, json: bool) -> None:
    from gateway.app.cli.acting import act

    view = act(config, command, said, json=json)
    if json:
        show_json(view)
        return
    show(f"协议 agreement {view['agreement']}", f"表态 verdict {view['verdict']}")
    told = listed(view["told"])
    if not view["changed"]:
        show("此前已表态 this was said before; nothing was sent again")
    elif view["running"]:
        show(f"已发往 sent to {told}")
    else:
        show(f"网关未运行，启动后发出 the gateway is not running; will be sent to {told}")
