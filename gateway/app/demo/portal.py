"""The portal of Jiuquan: takes the application, answers the correction, hands the licence over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from gateway.app.demo.documents import Paper, write_papers, write_sealed_premises
from gateway.app.demo.office import Office
from gateway.app.demo.story import ITEM, JIAYUGUAN, Act, DemoFailed, Transfer, View
from gateway.app.shipped import partners_root
from gateway.kernel.instants import to_iso


class Portal:
    """An HTTP client of Jiuquan's gateway."""

    region = JIAYUGUAN.gateway_id
    item = ITEM
    result = "approved"

    def __init__(self, office: Office, papers: Path) -> None:
        self._office = office
        self._stage = office.stage
        self._papers = papers
        self.case_id = ""

    async def run(self) -> None:
        """Bring one case from the application to the handed-over licence.

        Raises:
            DemoFailed: anything did not happen.
        """
        await self._submit(await self._look_up())
        await self._correct()
        await self._hand_over()

    async def _look_up(self) -> View:
        began = self._stage.clock.monotonic_ms()
        async with self._stage.turn():
            listed = (await self._office.get("/v1/items"))["items"]
            found = [
                i for i in listed if i["region"] == self.region and i["item_code"] == self.item
            ]
            if not found:
                raise DemoFailed(f"事项 item {self.item} 不在清单内 is not on the list")
            item: View = found[0]
            self._tell(
                f"查事项清单：{item['name_zh']}",
                f"v{item['version']}, {len(item['materials'])} materials",
                began,
            )
            return item

    async def _submit(self, item: View) -> None:
        papers = await asyncio.to_thread(write_papers, self._papers)
        body = {
            "region": self.region,
            "item_code": ITEM,
            "item_version": item["version"],
            "mode": "collect_on_behalf",
            "purpose": "branch-registration",
            "verified_originals": True,
            **sample_applicant(),
            "form": sample_form(to_iso(self._stage.clock.now_ms())[:10]),
        }
        await self._open(body, papers)

    async def _open(self, body: View, papers: Sequence[Paper]) -> None:
        """Open the case and send it on its way with its papers."""
        async with self._stage.turn():
            began = self._stage.clock.monotonic_ms()
            declared = [paper.declared() for paper in papers]
            view = await self._office.post("/v1/cases", {**body, "materials": declared})
            self.case_id = view["case_id"]
            seen = ", originals seen" if body.get("verified_originals") else ""
            self._tell("收件，建立办件", f"opens case …{self.case_id[-8:]}{seen}", began)
            await self._upload(papers)
            await self._office.crossed(self.case_id, "submitted")

    async def _upload(self, papers: Sequence[Paper]) -> None:
        clock = self._stage.clock
        for paper in papers:
            content, began = paper.read(), clock.monotonic_ms()
            path = f"/v1/cases/{self.case_id}/materials?material={paper.code}"
            await self._office.upload(path, content, paper.media_type)
            self._stage.teller.transfer(
                Transfer(
                    self._office.id,
                    paper.code,
                    paper.name,
                    len(content),
                    sha256(content).hexdigest(),
                    clock.monotonic_ms() - began,
                )
            )

    async def _correct(self) -> None:
        """Answer what the registrar asks for, once (补正)."""
        view = await self._office.case_at(self.case_id, "materials_requested")
        wanted = [m["code"] for m in view["request"]["materials"]]
        paper = await asyncio.to_thread(write_sealed_premises, self._papers)
        if wanted != [paper.code]:
            raise DemoFailed(f"补正 the registrar asks for {wanted}, which the demo does not have")
        async with self._stage.turn():
            began = self._stage.clock.monotonic_ms()
            body: View = {"materials": [paper.declared()]}
            await self._office.post(f"/v1/cases/{self.case_id}/supplement", body)
            self._tell(
                "通知申请人补正，收补交材料", f"supplies material {paper.code}, sealed", began
            )
            await self._upload([paper])
            await self._office.crossed(self.case_id, "materials_supplied")

    async def _hand_over(self) -> None:
        view = await self._office.case_at(self.case_id, "decided")
        if view["result"] != self.result or bool(view["licence"]) != (self.result == "approved"):
            raise DemoFailed(f"办结 the decision is not {self.result} as it should be")
        async with self._stage.turn():
            began = self._stage.clock.monotonic_ms()
            path = f"/v1/cases/{self.case_id}/delivered"
            await self._office.post(path, {"method": "window"})
            self._tell(*self._words(), began)
            await self._office.crossed(self.case_id, "delivered")
        await self._office.case_at(self.case_id, "delivered")

    def _words(self) -> tuple[str, str]:
        return "窗口打印并发放营业执照", "hands the licence over at the window"

    def _tell(self, zh: str, en: str, began_ms: int) -> None:
        ms = self._stage.clock.monotonic_ms() - began_ms
        self._stage.teller.act(Act(self._office.id, zh, en, ms))


class RefusedPortal(Portal):
    """Its application is refused; the applicant gets the written reasons."""

    result = "refused"

    async def run(self) -> None:
        """Bring one case from the application to the handed-over refusal.

        Raises:
            DemoFailed: anything did not happen.
        """
        await self._submit(await self._look_up())
        await self._hand_over()

    def _words(self) -> tuple[str, str]:
        return "窗口送达不予登记通知书", "hands the written refusal over at the window"


def sample_form(today: str) -> View:
    """Return the shipped sample's form, its business term beginning `today` (YYYY-MM-DD)."""
    return {**_sample()["form"], "business_term_from": today}


def sample_applicant() -> View:
    """Return how the shipped sample's applicant was identified, and its agent's authorisation."""
    sample = _sample()
    method = sample["identity"]["method"]  # who verified it and when is this window, now
    return {"identity": {"method": method}, "authorisation": sample["authorisation"]}


def _sample() -> View:
    path = partners_root() / "jiayuguan" / "vectors" / "branch_registration" / "submitted.json"
    sample: View = json.loads(path.read_bytes())
    return sample
