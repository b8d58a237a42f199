"""The scenario `overdue` (超期): a case is left lying, days pass, and everyone sees with whom."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from gateway.app.demo.moved_clock import MovedClock
from gateway.app.demo.office import Office
from gateway.app.demo.portal import Portal
from gateway.app.demo.registrar import Registrar
from gateway.app.demo.story import Act, DemoFailed, View

DAYS: Final = 21
"""Long enough for five working days to pass, whatever holidays lie between."""
_DAY_MS: Final = 86_400_000
_POLL_S: Final = 0.05


class LatePapers(Registrar):
    """Takes a case and leaves it lying until it is called; then it decides."""

    def __init__(self, office: Office, since_ms: int) -> None:
        super().__init__(office, since_ms)
        self.called = asyncio.Event()

    async def _review(self, task_id: str) -> None:
        await self.called.wait()
        task = await self._office.get(f"/v1/tasks/{task_id}")
        await self._say(task, "accept", "accepted", {"accepted_on": self._today()})
        await self._decide(task_id)


class WatchfulPortal(Portal):
    """Submits, lets days pass, sees who holds the case overdue, and hands the licence over."""

    def __init__(
        self,
        office: Office,
        deciding: Office,
        registrar: LatePapers,
        papers: Path,
        clock: MovedClock,
    ) -> None:
        super().__init__(office, papers)
        self._deciding = deciding
        self._registrar = registrar
        self._clock = clock

    async def run(self) -> None:
        """Bring one case, overdue on the way, to the handed-over licence.

        Raises:
            DemoFailed: anything did not happen, or the case is not overdue at either side.
        """
        await self._submit(await self._look_up())
        await self._office.case_at(self.case_id, "acknowledged")
        async with self._stage.turn():
            began = self._stage.clock.monotonic_ms()
            self._clock.move(DAYS * _DAY_MS)
            self._tell(f"时钟拨快 {DAYS} 天", f"the clock is moved by {DAYS} days", began)
        for office in (self._deciding, self._office):
            await self._see_overdue(office)
        self._registrar.called.set()
        await self._hand_over()

    async def _see_overdue(self, office: Office) -> None:
        async with self._stage.turn():
            began = self._stage.clock.monotonic_ms()
            late = await self._overdue_at(office)
            who, days = late["held_by"], late["late_days"]
            self._stage.teller.act(
                Act(
                    office.id,
                    f"超期件清单：{late['clock_zh']}超期 {days} 个工作日，责任在 {who}",
                    f"overdue: {late['clock']}, {days} working days, held by {who}",
                    self._stage.clock.monotonic_ms() - began,
                )
            )
            if who != self._deciding.id:
                raise DemoFailed(f"超期 the case is said to lie with {who}")

    async def _overdue_at(self, office: Office) -> View:
        """Wait until the gateway lives in the later day and lists our case; return its clock."""
        while True:
            office.renew()
            listed = await office.overdue()
            found = [c for c in listed if c["case_id"] == self.case_id]
            if found:
                late: View = max(found[0]["clocks"], key=lambda c: c["late_days"] or 0)
                return late
            await asyncio.sleep(_POLL_S)
