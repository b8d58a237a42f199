"""The stories that the demo can play, by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from typing import Final, NamedTuple

from gateway.app.demo.outcome import Ending
from gateway.app.demo.portal import Portal
from gateway.app.demo.registrar import Registrar
from gateway.app.demo.story import DemoFailed, Refused, View

Hold = Callable[[], AbstractContextManager[None]]
"""Holds the deciding gateway's process still while the block runs."""

TOO_LATE: Final = "case.already_decided"


class Scenario(NamedTuple):
    """A story: who works in it, how it is told, how it must end at both sides."""

    name: str
    zh: str
    en: str
    ending: Ending
    portal: type[Portal] = Portal
    registrar: type[Registrar] = Registrar
    beside: Callable[[Portal, Registrar, Hold], Awaitable[None]] | None = None
    """What happens while both offices work; the story is over when it and the portal are done."""


class _StrictRegistrar(Registrar):
    """Decides against the application, and says why (行政许可法 art. 38)."""

    async def _decide(self, task_id: str) -> None:
        task = await self._office.get(f"/v1/tasks/{task_id}")
        reason = "经营范围中的项目须先取得前置许可，申请人未提交许可文件（示例）。"
        body = {**self._approval(task), "result": "refused", "reason_zh": reason}
        await self._say(task, "decide", "decided", body)


class _PortalOfARefusal(Portal):
    """Hands the refusal over, as it would a licence."""

    _handed_over = (
        "向申请人送达不予登记通知，告知救济途径",
        "serves the refusal and tells the applicant what remedies there are",
    )

    def _require_expected(self, view: View) -> None:
        if view["result"] != "refused" or view["licence"] or not view["reason"]:
            raise DemoFailed("办结 the refusal brings no reason, or brings a licence")


async def _withdraw_too_late(portal: Portal, registrar: Registrar, hold: Hold) -> None:
    """Withdraw when the decision stands but has not arrived: the decision is adopted.

    The deciding gateway is held still for a moment, as a slow line would hold its message.
    """
    await registrar.decided.wait()
    try:
        with hold():
            await portal.ask_to_withdraw()
        await portal.see_withdrawal_refused()
    except Refused as refused:  # the decision was quicker: our own gateway knows it already
        if refused.rule != TOO_LATE:
            raise


SCENARIOS: Final[Mapping[str, Scenario]] = {
    s.name: s
    for s in (
        Scenario(
            "founding-case",
            "酒泉企业在嘉峪关设立分公司，一次补正，就近领取跨市通办营业执照",
            "a branch next door: one correction, and the licence is collected at home",
            Ending("approved"),
        ),
        Scenario(
            "refused",
            "审查后不予登记，说明理由，申请地送达",
            "refused at the decision, with reasons, served at home",
            Ending("refused"),
            _PortalOfARefusal,
            _StrictRegistrar,
        ),
        Scenario(
            "withdrawn-too-late",
            "撤回申请与办结决定交错：以办理地次序为准，照常领证",
            "a withdrawal crosses the decision; the deciding side's order is the case's order",
            Ending("approved", frozenset({TOO_LATE})),
            beside=_withdraw_too_late,
        ),
    )
}
"""Every scenario, the first by default."""
DEFAULT: Final = next(iter(SCENARIOS))
