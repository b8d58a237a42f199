"""The demo on a terminal: each step as it happens, then everything on one screen."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.box import ROUNDED
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from gateway.app.cli.words import WORDS
from gateway.app.demo.outcome import Outcome
from gateway.app.demo.scenarios import Scenario
from gateway.app.demo.state import State
from gateway.app.demo.story import (
    BAOSHAN,
    JIAYUGUAN,
    JIUQUAN,
    SHORT_ZH,
    ZHANGJIAGANG,
    Act,
    Call,
    Crossing,
    Transfer,
    View,
)
from gateway.kernel.identifiers import GatewayId

_COLOURS: Final = {
    JIUQUAN.gateway_id: "cyan",
    JIAYUGUAN.gateway_id: "magenta",
    ZHANGJIAGANG.gateway_id: "green",
    BAOSHAN.gateway_id: "blue",
}
_SIDE_WIDTH: Final = 8
_MS_WIDTH: Final = 8
_PIPED_COLUMNS: Final = 100
SIMULATED: Final = (
    "示例演示：机构、人员、端点均为模拟，证照无效。",
    "Sample: offices, people and endpoints are simulated; the licence is not valid.",
)

FACE: Final = (
    ("uniscid", "统一社会信用代码", "credit code"),
    ("entname", "名称", "name"),
    ("enttypeCn", "类型", "type"),
    ("name", "负责人", "in charge"),
    ("opscope", "经营范围", "scope"),
    ("dom", "营业场所", "premises"),
    ("estdate", "成立日期", "established"),
    ("opfrom", "营业期限自", "term from"),
    ("regorgCn", "登记机关", "registrar"),
    ("apprdate", "发照日期", "issued"),
    ("licence_id", "电子证照标识", "e-licence id"),
)
"""The business licence's face: interface name, Chinese, English."""


def side(gateway: GatewayId) -> Text:
    """Write a gateway's city in its colour."""
    return Text(SHORT_ZH[gateway], style=f"bold {_COLOURS.get(gateway, 'yellow')}")


class Screen:
    """Implements `story.Teller` for a person at a terminal."""

    def __init__(self, *, verbose: bool) -> None:
        width = None if sys.stdout.isatty() else _PIPED_COLUMNS
        self._console = Console(width=width, highlight=False, markup=False)
        self._verbose = verbose

    def opening(self, state: State, scenario: Scenario) -> None:
        """Say what this is, before anything happens."""
        title = Text(f"跨域 Kuayu · {scenario.zh}\n{scenario.en}\n", style="bold")
        title.append("\n".join(SIMULATED), style="not bold yellow")
        made = "新建 made" if state.fresh else "沿用 continued"
        title.append(f"\n{made}: {state.folder}", style="not bold dim")
        self._console.print(Panel(title, box=ROUNDED, expand=False))

    def act(self, act: Act) -> None:
        """Show what an office did."""
        self._line(side(act.side), Text.assemble(act.zh, "  ", (act.en, "dim")), act.ms)

    def transfer(self, transfer: Transfer) -> None:
        """Show a file."""
        told = f"↑ {transfer.name}  {transfer.size} B  sha256 {transfer.digest[:12]}…"
        self._line(Text(), Text(told, "dim"), transfer.ms)

    def crossing(self, crossing: Crossing) -> None:
        """Show a message on its way, its receipt, and who holds the case now."""
        way = Text.assemble(side(crossing.sender), " ━▶ ", side(crossing.recipient), "  ")
        way.append(f"{WORDS.get(crossing.kind, '')} {crossing.kind}", "bold")
        way.append(f"  #{crossing.sequence} …{crossing.message_id[-8:]}", "dim")
        self._line(Text("报文", style="bold"), way, crossing.ms)
        taken = crossing.outcome == "taken_in"
        receipt = f"回执 receipt {WORDS.get(crossing.outcome, '')} {crossing.outcome}"
        below = Text("└ ").append(f"{'✓' if taken else '✗'} {receipt}", "green" if taken else "red")
        below.append("   ").append_text(_holder(crossing.held_by))
        self._line(Text(), below, None)

    def call(self, call: Call) -> None:
        """Show an HTTP call, if every detail is wanted."""
        if self._verbose:
            where = call.path.partition("?")[0]
            self._line(Text(), Text(f"· {call.method} {where} {call.status}", "dim"), call.ms)

    def _line(self, who: Text, what: Text, ms: int | None) -> None:
        row = Table.grid(expand=True, padding=(0, 1))
        row.add_column(width=_SIDE_WIDTH, no_wrap=True)
        row.add_column(ratio=1)
        row.add_column(width=_MS_WIDTH, justify="right", no_wrap=True)
        row.add_row(who, what, Text("" if ms is None else f"{ms} ms", style="dim"))
        self._console.print(row)

    def closing(self, outcome: Outcome, state: State, *, staying: bool) -> None:
        """Show everything on one screen."""
        self._console.print()
        self._console.print(Panel(_summary(outcome, state), title=_title(outcome), box=ROUNDED))
        for command, meaning in _commands(outcome):
            self._console.print(Text.assemble(("$ ", "dim"), command), soft_wrap=True)
            self._console.print(Text(f"  {meaning}", "dim"))
        if staying:
            words = "网关继续运行，按 Ctrl-C 停止  the gateways stay up; Ctrl-C stops them"
            self._console.print(Text(words, "bold"))

    def stopped(self) -> None:
        """Say that nothing runs any more."""
        self._console.print(Text("网关已停止  the gateways have stopped", "dim"))


def _holder(gateway: str) -> Text:
    if not gateway:
        return Text("办件完结 the case is closed", style="bold green")
    return Text.assemble("办件在 the case is with ", side(GatewayId(gateway)), f" {gateway}")


def _title(outcome: Outcome) -> Text:
    state = f"{WORDS[outcome.state]} {outcome.state}"
    return Text.assemble(("✓ ", "green"), (state, "bold green"), f" · {outcome.elapsed_ms} ms")


def _summary(outcome: Outcome, state: State) -> RenderableType:
    facts = _grid()
    facts.add_row("办件 case", outcome.case_id)
    numbers = outcome.case_numbers
    facts.add_row(
        "办件编号 case no.", Text.assemble(side(JIUQUAN.gateway_id), f" {numbers['applicant']}")
    )
    facts.add_row("", Text.assemble(side(outcome.deciding), f" {numbers['handling']}"))
    facts.add_row("报文 messages", _counts(outcome))
    for case in outcome.also:
        facts.add_row("又办 also", _also(case))
    facts.add_row("网关 gateways", Text("\n").join(_gateways(outcome, state)))
    facts.add_row("文件夹 folder", outcome.state_dir)
    if outcome.instant is not None:
        named = f"{outcome.instant['rule']}@{outcome.instant['version']}"
        facts.add_row("秒批 by rule", f"{named} · {outcome.decided_ms} ms")
    return Group(_paper(outcome), facts, Text("\n".join(SIMULATED), style="yellow"))


def _paper(outcome: Outcome) -> Panel:
    """Show what the applicant takes home: the licence, or why there is none."""
    face = _grid()
    if outcome.answer:
        face.add_row("答复 answer", outcome.answer)
        title = "办理结果（示例） result (sample)"
    elif outcome.licence is None:
        face.add_row("理由 reasons", outcome.reason or "")
        title = "不予登记通知书（示例） notice of refusal (sample)"
    else:
        for key, zh, en in FACE:
            face.add_row(f"{zh} {en}", str(outcome.licence[key]))
        title = "营业执照（示例） business licence (sample)"
    return Panel(face, title=Text(title, "bold red"), border_style="red")


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _also(case: View) -> Text:
    """Show a further case: with whom, in which dialect, how strongly proven."""
    proven = " ".join(f"{WORDS.get(s, '')} {s}".strip() for s in case["strength"])
    what = f"{case['dialect']} · {WORDS[case['stage']]} {case['stage']} · {proven}"
    return Text.assemble(side(GatewayId(case["partner"])), f" {case['zh']} {what}")


def _counts(outcome: Outcome) -> str:
    taken = sum(r["outcome"] == "taken_in" for r in outcome.receipts)
    return (
        f"{len(outcome.messages)} · 回执 receipts {len(outcome.receipts)}"
        f" (已接收 taken in {taken}) · 用时 elapsed {outcome.elapsed_ms} ms"
    )


def _gateways(outcome: Outcome, state: State) -> Iterator[Text]:
    for site in state.sites:
        gateway = site.identity.gateway_id
        told = f" {gateway} http://{site.portal} · 进程 process {outcome.gateways[gateway]}"
        yield Text.assemble(side(gateway), told)


def _commands(outcome: Outcome) -> list[tuple[str, str]]:
    """Return what to try next, as it can be pasted."""
    kuayu, config = _program(), Path(outcome.state_dir) / JIUQUAN.folder / "kuayu.toml"
    return [
        (
            f"{kuayu} explain {outcome.case_id} --config {config}",
            "每一步的来龙去脉 every step and why",
        ),
        (f"{kuayu} case list --config {config}", "全部办件 every case"),
        (
            f"{kuayu} demo --scenario {outcome.scenario} --state {outcome.state_dir}",
            "再办一件 another case, same gateways",
        ),
    ]


def _program() -> str:
    """Return how this person can call `kuayu`."""
    if shutil.which("kuayu"):
        return "kuayu"
    beside = Path(sys.executable).parent / "kuayu"
    near = os.path.relpath(beside)
    return near if len(near) < len(str(beside)) else str(beside)
