"""The portal of Jiuquan in the scenario of a withdrawal that comes too late."""

from __future__ import annotations

from typing import Final

from gateway.app.demo.portal import Portal
from gateway.app.demo.story import DemoFailed

_RULE: Final = "case.already_decided"


class LatePortal(Portal):
    """Asks for the case back once it is decided; the gateway says no, and the decision stands."""

    async def run(self) -> None:
        """Bring one case to the handed-over licence, with a withdrawal that changes nothing.

        Raises:
            DemoFailed: anything did not happen, or the withdrawal was let through.
        """
        await self._submit(await self._look_up())
        await self._correct()
        await self._office.case_at(self.case_id, "decided")
        await self._withdraw()
        await self._hand_over()

    async def _withdraw(self) -> None:
        async with self._stage.turn():
            began = self._stage.clock.monotonic_ms()
            path = f"/v1/cases/{self.case_id}/withdraw"
            rule = await self._office.refused(path, {"reason": "不再需要（示例）"})
            if rule != _RULE:
                raise DemoFailed(f"撤回 the withdrawal met {rule or 'no refusal'}, not {_RULE}")
            self._tell("申请撤回：已办结，不再受理", f"asks for it back: {rule}", began)
