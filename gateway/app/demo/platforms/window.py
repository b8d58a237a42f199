"""The window in Jiuquan, at work with a partner that runs a platform of its own."""

from __future__ import annotations

from hashlib import sha256

from gateway.app.cli.words import WORDS
from gateway.app.demo.documents import sample_pdf
from gateway.app.demo.office import Office
from gateway.app.demo.platforms.office import PlatformStory
from gateway.app.demo.story import Act, DemoFailed, View


class PlatformWindow:
    """Brings one case through a partner's dialect and back."""

    def __init__(self, office: Office, story: PlatformStory) -> None:
        self._office = office
        self._stage = office.stage
        self._story = story

    async def run(self) -> View:
        """Return what came of the case, for the summary.

        Raises:
            DemoFailed: anything did not happen.
        """
        story, began = self._story, self._stage.clock.monotonic_ms()
        self._stage.with_whom = f"{story.zh} {story.en} ({story.region})"
        case_id = await self._submit()
        ours = story.mode == "collect_on_behalf"
        view = await self._office.case_at(case_id, "decided" if ours else story.ends)
        said = [m for m in view["history"] if m["direction"] == "in"]
        heard = sorted({m["strength"] for m in said})
        async with self._stage.turn():
            words = "、".join(WORDS[m["kind"]] for m in said)
            proven = " ".join(f"{WORDS[strength]} {strength}" for strength in heard)
            self._tell(f"收到{words}", f"hears of it: {proven}", began)
        if ours:
            await self._hand_over(case_id)
        view = await self._office.case_at(case_id, story.ends)
        if view["result"] != "approved":
            raise DemoFailed(f"{self._stage.with_whom}: 办结 the decision is {view['result']}")
        self._stage.with_whom = ""
        return {
            "partner": story.region,
            "dialect": story.dialect,
            "zh": story.zh,
            "en": story.en,
            "case_id": case_id,
            "stage": view["stage"],
            "result": view["result"],
            "answer": view["answer"],
            "licence_id": (view["licence"] or {}).get("licence_id"),
            "messages": len(view["history"]),
            "strength": heard,
            "ms": self._stage.clock.monotonic_ms() - began,
        }

    async def _hand_over(self, case_id: str) -> None:
        async with self._stage.turn():
            at = self._stage.clock.monotonic_ms()
            await self._office.post(f"/v1/cases/{case_id}/delivered", {"method": "window"})
            self._tell("窗口送达结果", "hands the result over", at)
            await self._office.crossed(case_id, "delivered")

    async def _submit(self) -> str:
        story, began = self._story, self._stage.clock.monotonic_ms()
        papers = {
            code: sample_pdf([f"材料 {code}（示例）"], sealed=False) for code in story.files()
        }
        declared = [
            {
                "material_code": code,
                "name": f"{code}_示例.pdf",
                "media_type": "application/pdf",
                "size": len(content),
                "sha256": sha256(content).hexdigest(),
            }
            for code, content in papers.items()
        ]
        wish: View = {
            "region": story.region,
            "item_code": story.item,
            "mode": story.mode,
            "purpose": story.purpose,
            "identity": {"method": "in_person_id_card"},
            "form": story.form(),
            "materials": declared,
        }
        async with self._stage.turn():
            case_id = str((await self._office.post("/v1/cases", wish))["case_id"])
            self._tell(f"收件：{story.zh}", f"opens a case for {story.en}", began)
            for code, content in papers.items():
                path = f"/v1/cases/{case_id}/materials?material={code}"
                await self._office.upload(path, content, "application/pdf")
            await self._office.crossed(case_id, "submitted")
        return case_id

    def _tell(self, zh: str, en: str, began_ms: int) -> None:
        ms = self._stage.clock.monotonic_ms() - began_ms
        self._stage.teller.act(Act(self._office.id, zh, en, ms))
