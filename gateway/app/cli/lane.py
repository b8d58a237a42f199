"""`kuayu lane`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

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

if TYPE_CHECKING:
    from rich.table import Table

_LIST = ("kuayu lane list", "kuayu lane list --json")
_PAUSE = ("kuayu lane pause 620700 --reason 对方今晚升级",)
_RESUME = ("kuayu lane resume 620700", "kuayu lane resume 620700 --reason 对方已恢复")
app = group(
    "发送通道 Lanes: what waits for each partner, why, and holding it back.",
    *_LIST, *_PAUSE, *_RESUME,
)  # fmt: skip
_Partner = Annotated[str, typer.Argument(metavar="PARTNER", help="folder or id, as in 620200")]
_STATES: Final = {
    "running": "发送中",
    "paused": "已暂停发送",
    "collected": "等对方领取",
    "stopped": "网关未运行",
    "gone": "已无此伙伴",
    "draft": "草稿",
    "testing": "测试",
    "suspended": "暂停",
    "retired": "停用",
}
_BREAKERS: Final = {"closed": "闭合", "open": "断开", "half_open": "试探"}


def _act(config: Path, command: str, *, json: bool, **arguments: str) -> dict[str, Any]:
    from gateway.app.cli.acting import act

    return act(read_config(config), f"lane-{command}", arguments, json=json)


@app.command("list", epilog=examples(*_LIST))
def list_(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """列表 List every partner's lane: what waits, since when, and what it waits for."""
    from gateway.app.cli.operate import operate

    view: dict[str, Any] = operate(read_config(config), "lane-list", {})
    if json:
        show_json(view)
    elif view["lanes"]:
        show(_table(view["lanes"]))
    else:
        show("没有伙伴 there are no partners")


@app.command(epilog=examples(*_PAUSE))
def pause(
    partner: _Partner,
    reason: Annotated[str, typer.Option("--reason", help="kept with who did it, and shown")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """暂停发送 Send a partner nothing more until it is resumed, restarts included.

    Calls under way end by themselves; what waits stays in the journal. What the partner sends is
    taken in as before.
    """
    view = _act(config, "pause", json=json, partner=partner, reason=reason)
    if json:
        show_json(view)
        return
    lane = view["lane"]
    show(
        f"已暂停 paused {partner} ({lane['queued']} 件等待 wait)"
        if view["changed"]
        else f"{partner} 自 {lane['paused_at']} 已暂停 is paused since then: {lane['pause_reason']}"
    )


@app.command(epilog=examples(*_RESUME))
def resume(
    partner: _Partner,
    reason: Annotated[str, typer.Option("--reason", help="of the record")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """恢复发送 Send again: what waits is due at once, and one message tries whether it is back.

    Also for a partner that was not paused but left alone, after somebody there said it is back.
    """
    view = _act(config, "resume", json=json, partner=partner, reason=reason)
    if json:
        show_json(view)
        return
    when = "现在发送 now" if view["running"] else "启动时发送 at the next start"
    show(f"已恢复 resumed {partner}: {view['lane']['queued']} 件 messages, {when}")


def _table(lanes: list[dict[str, Any]]) -> Table:
    from rich.table import Table

    table = Table()
    for heading in ("伙伴 partner", "状态 state", "等待 queued", "最早 oldest", "下次 next try",
                    "熔断 breaker", "上次成功 last success", "上次错误 last error"):  # fmt: skip
        table.add_column(heading, overflow="fold")
    for lane in lanes:
        table.add_row(
            f"{lane['partner']} {lane['name_zh']}",
            _state(lane),
            str(lane["queued"]),
            _age(lane["oldest_age_s"]),
            lane["next_try_at"] or "—",
            _breaker(lane),
            lane["last_success_at"] or "从未 never",
            lane["last_error"] or "—",
        )
    return table


def _state(lane: Mapping[str, Any]) -> str:
    text = f"{_STATES.get(lane['state'], '')} {lane['state']}"
    if not lane["paused_at"]:
        return text
    return f"{text}\n自 since {lane['paused_at']}\n{lane['paused_by']}: {lane['pause_reason']}"


def _breaker(lane: Mapping[str, Any]) -> str:
    if lane["breaker"] is None:
        return "—"
    failed = f" ({lane['calls_failed']})" if lane["calls_failed"] else ""
    return f"{_BREAKERS[lane['breaker']]} {lane['breaker']}{failed}"


def _age(seconds: int | None) -> str:
    if seconds is None:
        return "—"
    days, rest = divmod(seconds, 86_400)
    hours, minutes = divmod(rest // 60, 60)
    return f"{days} 天 d {hours}:{minutes:02}" if days else f"{hours}:{minutes:02}"
