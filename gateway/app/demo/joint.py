"""The scenario `joint-move` (户口迁移): one place accepts, one decides, one that is left agrees."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Final

from gateway.app.demo.documents import Paper, sample_pdf
from gateway.app.demo.portal import Portal
from gateway.app.demo.registrar import Registrar
from gateway.app.demo.story import BAOSHAN, JIUQUAN, ZHANGJIAGANG, Federation, View
from gateway.app.shipped import partners_root

MOVE: Final = "00070920200301"
"""户口迁移（夫妻投靠）."""
MOVING: Final = Federation(
    (JIUQUAN, ZHANGJIAGANG, BAOSHAN),
    (
        (JIUQUAN, ZHANGJIAGANG, "zhangjiagang/native/agreement.toml"),
        (ZHANGJIAGANG, BAOSHAN, "zhangjiagang/native/agreement_baoshan.toml"),
    ),
)
"""Jiuquan and Baoshan have no agreement and never speak."""
TASK: Final[View] = {
    "region": BAOSHAN.gateway_id,
    "asked": {
        "zh": "请核验迁移人户口，同意迁出的开具户口迁移证。",
        "en": "Verify the mover's registration; if it may leave, issue the certificate.",
    },
    "form_fields": ["/mover/name", "/mover/citizen_id", "/from_address", "/accompanying"],
    "materials": ["01"],
}
ANSWER: Final = "准予迁入，已办理户口登记（示例）"


class MovePortal(Portal):
    """The window in Jiuquan: takes the application, and hears the decision."""

    item = MOVE
    region = ZHANGJIAGANG.gateway_id

    async def run(self) -> None:
        """Bring one case from the application to the delivered decision.

        Raises:
            DemoFailed: anything did not happen.
        """
        item = await self._look_up()
        paper = await asyncio.to_thread(_write_application, self._papers)
        await self._open(_application(item), [paper])
        view = await self._office.case_at(self.case_id, "delivered")
        async with self._stage.turn():
            began = self._stage.clock.monotonic_ms()
            named = view["joint"][0]
            zh = f"收到决定：依据 {named['region']} 的同意答复 …{named['answer'][-8:]}"
            en = f"the decision names the answer of {named['region']}: {named['verdict']}"
            self._tell(zh, en, began)


class MoveDesk(Registrar):
    """The deciding office in Zhangjiagang: asks the place that is left, and waits for its word."""

    async def _review(self, task_id: str) -> None:
        task = await self._office.get(f"/v1/tasks/{task_id}")
        async with self._stage.turn():
            began = self._stage.clock.monotonic_ms()
            for material in task["materials"]:
                await self._download(task_id, material)
            self._tell("审查申请和材料，摘要相符", "digests match", began)
        await self._say(task, "accept", "accepted", {"accepted_on": self._today()})
        await self._decide(task_id)

    async def _decide(self, task_id: str) -> None:
        task = await self._office.get(f"/v1/tasks/{task_id}")
        asked = task["joint_tasks"]
        if not asked:
            await self._ask(task)
        elif all(one["state"] == "agreed" for one in asked):
            await self._see(asked[0])
            await self._say(task, "decide", "decided", {"result": "approved", "answer_zh": ANSWER})
            told = {"method": "online", "delivered_on": self._today()}
            await self._say(task, "deliver", "delivered", told)

    async def _ask(self, task: View) -> None:
        """Try to pass on more than the agreement allows, see that refused, and ask properly."""
        path = f"/v1/tasks/{task['task_id']}/joint-tasks"
        async with self._stage.turn():
            began = self._stage.clock.monotonic_ms()
            rule = await self._office.refused(path, {**TASK, "form_fields": ["/spouse"]})
            self._tell(
                f"误转交被投靠人信息，网关拒绝：{rule}", "more than agreed is refused", began
            )
            began = self._stage.clock.monotonic_ms()
            view = await self._office.post(path, TASK)
            zh = f"请协办：只转交 {len(TASK['form_fields'])} 项和申请表，{view['due_on']} 前答复"
            self._tell(zh, f"asks Baoshan for an answer by {view['due_on']}", began)
            await self._office.crossed(view["case_id"], "joint_task")

    async def _see(self, one: View) -> None:
        async with self._stage.turn():
            began = self._stage.clock.monotonic_ms()
            number = one["certificate"]["number"]
            zh = f"协办答复：{one['state_zh']}，{one['certificate']['name_zh']} {number}"
            self._tell(zh, f"the answer came: {one['verdict']}", began)


class LeavingDesk(Registrar):
    """The participating office in Baoshan: verifies, and issues what the mover leaves with."""

    async def _handle(self, task_id: str) -> None:
        task = await self._office.get(f"/v1/tasks/{task_id}")
        if task["stage"] != "asked":
            return
        async with self._stage.turn():
            began = self._stage.clock.monotonic_ms()
            for material in task["materials"]:
                await self._download(task_id, material)
            held = ", ".join(sorted(task["form"]))
            self._tell("核验迁出户口：在册，可以迁出", f"was shown {held} and nothing else", began)
        number = f"沪宝迁字第 {task['case_numbers']['handling'][-4:]} 号（示例）"
        certificate = {"name_zh": "户口迁移证", "number": number, "issued_on": self._today()}
        answer = {"verdict": "agree", "findings_zh": "户口在册（示例）", "certificate": certificate}
        await self._say(task, "answer", "joint_answer", answer)


async def both(one: Registrar, other: Registrar) -> None:
    """Have two offices handle their tasks until cancelled; the first failure is told."""
    await asyncio.gather(one.run(), other.run())


def _application(item: View) -> View:
    sample = partners_root() / "zhangjiagang" / "vectors" / "household_move_spouse"
    form = json.loads((sample / "submitted.json").read_bytes())["form"]
    leaves = {"from_region": BAOSHAN.gateway_id, "from_address": "上海市宝山区示例路 6 号（示例）"}
    return {
        "region": ZHANGJIAGANG.gateway_id,
        "item_code": MOVE,
        "item_version": item["version"],
        "mode": "joint",
        "purpose": "household-move",
        "verified_originals": True,
        "identity": {"method": "in_person_id_card"},
        "form": {**form, **leaves},
    }


def _write_application(folder: Path) -> Paper:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "01_户口迁移申请表_示例.pdf"
    lines = ["户口迁移申请表（示例）", "Application for the move (SAMPLE)", "", "示例 SAMPLE"]
    path.write_bytes(sample_pdf(lines, sealed=False))
    return Paper("01", path, "application/pdf")
