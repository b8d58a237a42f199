"""`kuayu partner reload`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.app.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    read_config,
    show,
    show_json,
)
from gateway.app.cli.exits import ExitCode, Stop

RELOAD = ("kuayu partner reload", "kuayu partner reload --json", "kill -HUP PID")
_HEADS: Final = {
    "added": "新增 added",
    "changed": "变更 changed",
    "activated": "启用 activated",
    "suspended": "暂停 suspended",
    "gone": "移除 gone",
}


def reload(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """重新读取 Have the running gateway read the partners' folders again; no restart is needed.

    What is under way ends as it began. A partner whose folder cannot be used keeps the entry it
    had. Ends with 1 if anything could not be read; if our own folder is wrong, nothing changes.
    """
    settings = read_config(config)

    from gateway.app.cli.acting import act

    view = act(settings, "partner-reload", {}, json=json)
    if json:
        show_json(view)
    else:
        _show(view)
    if view["problems"] or view["broken"]:
        raise Stop(ExitCode.NO, *_wrong(view))


def _show(view: Mapping[str, Any]) -> None:
    if not view["taken"]:
        return
    if not view["running"]:
        show("未运行，启动时生效 not running: read at the next start")
        return
    told = [f"{head}: {', '.join(view[name])}" for name, head in _HEADS.items() if view[name]]
    if view["own_changed"]:
        told.append("本网关的登记已变更 this gateway's own entry or items changed")
    show("已生效 taken", *(told or ["没有变化 nothing changed"]))


def _wrong(view: Mapping[str, Any]) -> list[str]:
    """Say what could not be read, and what holds instead."""
    lines = list(view["problems"])
    if lines:
        lines.append("全部沿用 everything stays as it was: correct our own folder, then reload")
    for broken in view["broken"]:
        who = broken["gateway_id"] or broken["folder"]
        lines += [f"{who}: {problem}" for problem in broken["problems"]]
        kept = "沿用原登记 keeps the entry it had" if broken["kept"] else "不予启用 is not served"
        lines.append(f"{who}: {kept}")
    return lines
