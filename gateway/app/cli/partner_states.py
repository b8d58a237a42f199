"""`kuayu partner test|activate|suspend|retire`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    examples,
    read_config,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop

TEST_EXAMPLES = examples("kuayu partner test 620600")
ACTIVATE_EXAMPLES = examples(
    "kuayu partner activate 620600",
    "kuayu partner activate 620600 --override --reason 汛期应急，已电话核实",
)
SUSPEND_EXAMPLES = examples("kuayu partner suspend 620600 --reason 对方系统维护")
RETIRE_EXAMPLES = examples("kuayu partner retire 620600 --reason 平台已下线")
_Partner = Annotated[str, typer.Argument(metavar="PARTNER", help="gateway id or folder")]
_Reason = Annotated[str, typer.Option("--reason", help="kept on record with who did it")]


def begin_test(
    partner: _Partner, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """转入测试 Begin to test a partner: messages go to and fro, no resident's case begins."""
    _change(config, "partner-test", partner, "", json=json)


def activate(
    partner: _Partner,
    override: Annotated[
        bool, typer.Option("--override", help="without a fresh pass; a second operator agrees")
    ] = False,
    reason: _Reason = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """启用 Let residents' cases begin with a partner. A fresh conformance pass is needed."""
    if override and not reason:
        raise Stop(ExitCode.USAGE, "--override needs --reason: it is kept on record")
    command = "partner-override" if override else "partner-activate"
    _change(config, command, partner, reason, json=json)


def suspend(
    partner: _Partner,
    reason: _Reason,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """暂停 Take nothing in and send nothing; open cases wait. `activate` goes on."""
    _change(config, "partner-suspend", partner, reason, json=json)


def retire(
    partner: _Partner,
    reason: _Reason,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """停用 End with a partner for good; its keys stay, for old proofs. A second operator agrees."""
    _change(config, "partner-retire", partner, reason, json=json)


def _change(config: Path, command: str, partner: str, reason: str, *, json: bool) -> None:
    from gateway.app.cli.acting import act

    said = {"partner": partner, "reason": reason}
    view: dict[str, Any] = act(read_config(config), command, said, json=json)
    if json:
        show_json(view)
        return
    when = "即时生效 at once" if view["running"] else "启动时生效 from the next start"
    show(f"{view['partner']} {view['name_zh']}: {view['before']} → {view['state']}（{when}）")
    broken = view.get("problems", ())
    if broken:
        show(
            "登记仍有问题，启用前须改正 its entry is broken, to be mended before it goes on:",
            *broken,
        )
