"""The scenario `correction` (更正): a result that was handed over is put right by a new one."""

from __future__ import annotations

import asyncio

from gateway.app.demo.office import Office
from gateway.app.demo.portal import Portal
from gateway.app.demo.registrar import Registrar, make_licence
from gateway.app.demo.story import DemoFailed, View

_REASON = "经营范围误录一字，更正后重新发照（示例）。"
_WORD, _SLIP = "太阳能", "太阴能"


class CorrectingRegistrar(Registrar):
    """Issues a licence with a slip of the pen, and corrects it once it was handed over."""

    def __init__(self, office: Office, since_ms: int) -> None:
        super().__init__(office, since_ms)
        self._correcting = asyncio.Event()

    async def run(self) -> None:
        """Handle tasks until cancelled; the correction is said beside them.

        Raises:
            DemoFailed: see `Registrar.run`.
        """
        await asyncio.gather(super().run(), self._correct())

    async def _decide(self, task_id: str) -> None:
        task = await self._office.get(f"/v1/tasks/{task_id}")
        licence = make_licence(task["form"], task["case_numbers"]["handling"], self._today())
        slip = {**licence, "opscope": licence["opscope"].replace(_WORD, _SLIP, 1)}
        await self._say(task, "decide", "decided", {**self._approval(task), "licence": slip})
        self._task_id = task_id
        self._correcting.set()

    async def _correct(self) -> None:
        await self._correcting.wait()
        await self._office.case_at(self._task_id, "delivered")
        task = await self._office.get(f"/v1/tasks/{self._task_id}")
        licence = make_licence(task["form"], task["case_numbers"]["handling"], self._today())
        body: View = {
            **self._approval(task),
            "licence": licence,
            "corrects": task["decision"],
            "correction_reason_zh": _REASON,
        }
        await self._say(task, "correct", "decided", body)
        await asyncio.Event().wait()  # the portal ends the story


class CorrectedPortal(Portal):
    """Hands the licence over, then the corrected one in its place."""

    async def run(self) -> None:
        """Bring one case to the corrected licence.

        Raises:
            DemoFailed: anything did not happen, or the slip is still there.
        """
        await super().run()
        view = await self._office.case_at(self.case_id, "decided")
        decisions = [m for m in view["history"] if m["kind"] == "decided"]
        if len(decisions) != 2 or _SLIP in view["licence"]["opscope"]:
            raise DemoFailed("更正 the corrected decision is the old one")
        await self._hand_over()
