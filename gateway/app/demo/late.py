"""The scenario of a withdrawal that crosses the decision on its way (撤回与办结交叉).

The deciding gateway stands still from the moment it has decided, before its message has left. So
the window does not know yet, and asks for the case back; once the deciding gateway goes on, it has
decided already and refuses the withdrawal by a signed receipt. Now and then the decision is faster
than the hand that holds it: then that case is handed over, and the next one is tried.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from gateway.app.demo.office import Office
from gateway.app.demo.portal import Portal
from gateway.app.demo.registrar import Registrar, make_licence
from gateway.app.demo.story import DemoFailed

TOO_LATE: Final = "case.already_decided"
_TRIES: Final = 5


class Crossroads:
    """Where the two offices meet: the deciding gateway is held until the withdrawal is said."""

    def __init__(self, hold: Callable[[], AbstractContextManager[None]]) -> None:
        self.hold = hold
        self.decided = asyncio.Event()
        self.asked = asyncio.Event()


class HeldRegistrar(Registrar):
    """Decides, and has its gateway stand still before the decision leaves."""

    def __init__(self, office: Office, since_ms: int, crossing: Crossroads) -> None:
        super().__init__(office, since_ms)
        self._crossing = crossing
        office.bears = TOO_LATE

    async def _decide(self, task_id: str) -> None:
        task = await self._office.get(f"/v1/tasks/{task_id}")
        licence = make_licence(task["form"], task["case_numbers"]["handling"], self._today())
        body = {**self._approval(task), "licence": licence}
        await self._office.post(f"/v1/tasks/{task_id}/decide", body)
        with self._crossing.hold():
            self._crossing.decided.set()
            await self._crossing.asked.wait()
            self._crossing.asked.clear()
        async with self._stage.turn():
            await self._office.crossed(task["case_id"], "decided")


class LatePortal(Portal):
    """Asks for the case back while the decision is on its way; the decision stands."""

    def __init__(self, office: Office, papers: Path, crossing: Crossroads) -> None:
        super().__init__(office, papers)
        self._crossing = crossing
        office.bears = TOO_LATE

    async def run(self) -> None:
        """Bring one case to the handed-over licence, with a withdrawal that changes nothing.

        Raises:
            DemoFailed: anything did not happen, or the withdrawal was let through.
        """
        for _ in range(_TRIES):
            await self._submit(await self._look_up())
            await self._correct()
            if await self._withdrawn():
                await self._told_no()
                await self._hand_over()
                return
            await self._hand_over()
        raise DemoFailed(f"撤回未能与办结交叉 no withdrawal crossed a decision in {_TRIES} cases")

    async def _withdrawn(self) -> bool:
        """Ask for the case back while its decision is held; tell whether it went on its way."""
        await self._crossing.decided.wait()
        self._crossing.decided.clear()
        try:
            async with self._stage.turn():
                began = self._stage.clock.monotonic_ms()
                path = f"/v1/cases/{self.case_id}/withdraw"
                rule = await self._office.refused(path, {"reason": "不再需要（示例）"})
                if rule not in ("", TOO_LATE):
                    raise DemoFailed(f"撤回 the withdrawal met {rule}")
                if not rule:
                    self._tell("申请撤回，撤回在途", "asks for it back, not knowing yet", began)
                return not rule
        finally:
            self._crossing.asked.set()

    async def _told_no(self) -> None:
        await self._office.case_at(self.case_id, "decided")
        async with self._stage.turn():
            began = self._stage.clock.monotonic_ms()
            view = await self._office.crossed(self.case_id, "withdrawn")
            (said,) = [m for m in view["history"] if m["kind"] == "withdrawn"]
            if said["receipt"]["rule"] != TOO_LATE:
                raise DemoFailed("撤回 the withdrawal was let through")
            self._tell("撤回被拒：已办结", f"the decision stands: {TOO_LATE}", began)
