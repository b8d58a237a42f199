"""`kuayu quarantine`."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    examples,
    group,
    read_config,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop
from gateway.app.cli.quarantine_views import arrival_line, arrival_lines
from gateway.app.cli.words import both

_LIST = ("kuayu quarantine list", "kuayu quarantine list --status refused --json")
_SHOW = (
    "kuayu quarantine show 019e…",
    "kuayu quarantine show 019e… --raw arrival.xml",
)
_REPLAY = ("kuayu quarantine replay 019e… --reason 映射表已更正",)
_DROP = ("kuayu quarantine drop 019e… --reason 对方确认为测试数据",)
app = group(
    "隔离区 Quarantine: what partners' platforms sent that cannot be read or mapped.",
    *_LIST, *_SHOW, *_REPLAY, *_DROP,
)  # fmt: skip
_Arrival = Annotated[str, typer.Argument(metavar="ARRIVAL", help="its id, as `list` shows it")]
_Reason = Annotated[str, typer.Option("--reason", help="kept on record with who did it")]


def _act(config: Path, command: str, *, json: bool, **arguments: str) -> dict[str, Any]:
    from gateway.app.cli.acting import act

    return act(read_config(config), f"quarantine-{command}", arguments, json=json)


def _ask(config: Path, command: str, **arguments: str) -> dict[str, Any]:
    from gateway.app.cli.operate import operate

    return operate(read_config(config), f"quarantine-{command}", arguments)


@app.command("list", epilog=examples(*_LIST))
def list_(
    status: Annotated[
        str,
        typer.Option(help="quarantined, received, refused, taken_in or dropped"),
    ] = "quarantined",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """列出 List what waits, oldest first; nothing of what it says is shown."""
    view = _ask(config, "list", status=status)
    if json:
        show_json(view)
    elif not view["arrivals"]:
        show("没有来件 nothing waits")
    else:
        show(*[arrival_line(arrival) for arrival in view["arrivals"]])


@app.command("show", epilog=examples(*_SHOW))
def show_(
    arrival: _Arrival,
    raw: Annotated[
        Path | None,
        typer.Option(help="write the bytes as received to this new file, for its owner only"),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """显示 Show one: which rule it breaks, where, and what to do."""
    view = _ask(config, "show", arrival=arrival)
    content = base64.b64decode(view.pop("raw"))
    if raw is not None:
        _write(raw, content)
    if json:
        show_json(view)
        return
    show(*arrival_lines(view))
    if raw is not None:
        show(f"已写入 {len(content)} bytes written to {raw}; it holds personal data")


def _write(path: Path, content: bytes) -> None:
    """Write a new file that only its owner reads.

    Raises:
        Stop: it is there already, or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as problem:
        raise Stop(ExitCode.NO, f"{path}: {problem.strerror}; name a new file") from problem
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


@app.command(epilog=examples(*_REPLAY))
def replay(
    arrival: _Arrival,
    reason: _Reason = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """重新处理 Judge it by today's table, once the table or its case is there."""
    view = _act(config, "replay", json=json, arrival=arrival, reason=reason)
    if json:
        show_json(view)
    else:
        show(f"{both(view['status'])} {arrival}")
        if view["rule"]:
            place = f" {view['field']}" if view["field"] else ""
            show(f"{view['rule']}{place}", view["text_zh"], view["text_en"])
    if view["status"] == "quarantined":
        raise Stop(ExitCode.NO, "仍在隔离 still aside; a mended table needs: kuayu partner reload")
    if view["status"] != "taken_in":
        raise Stop(ExitCode.NO, "未收下 not taken in; the partner must say it in another message")


@app.command(epilog=examples(*_DROP))
def drop(
    arrival: _Arrival,
    reason: _Reason,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """弃置 Let go of it for good; its id is burnt by a signed void, its bytes stay on record."""
    view = _act(config, "drop", json=json, arrival=arrival, reason=reason)
    if json:
        show_json(view)
    else:
        show(f"已弃置 dropped {arrival}; 报文编号已作废 burnt: {view['message_id']}")
