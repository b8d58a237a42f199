"""The scenario `assisted`: a partner that has no system decides a case, carried by three people.

The window in Jiuquan takes the application; one operator prints the sheet, reads it to Jinchang by
telephone and types what Jinchang answers; another reads the answer again. Nobody confirms himself.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from hashlib import sha256
from pathlib import Path
from typing import Final

from gateway.app.demo.documents import sample_pdf
from gateway.app.demo.office import Office, open_office
from gateway.app.demo.state import config_of
from gateway.app.demo.story import Act, DemoFailed, Stage, View
from gateway.app.provision import Site, adopt
from gateway.app.shipped import partners_root
from gateway.kernel.instants import to_iso

PARTNER: Final = "620300"
ITEM: Final = "00013112700604"
FOLDER: Final = "jinchang"
_DESK: Final = ("assisted:type", "assisted:confirm")
_POLL_S: Final = 0.02
_SHEET: Final = "协办单.html"


def prepare_assisted(site: Site, now_ms: int) -> None:
    """Give a gateway its partner without a system, unless it has it; before the gateway runs.

    Raises:
        OSError, ValueError: the sample partner is not there.
    """
    if not (site.root / "partners" / FOLDER).exists():
        adopt(site, partners_root() / FOLDER, now_ms)


async def play_assisted(site: Site, stage: Stage, folder: Path) -> View:
    """Bring one case from the application to the licence; return it as the window sees it.

    The gateway of `site` runs already. The printed sheet is left in `folder`.

    Raises:
        DemoFailed: anything did not happen.
        aiohttp.ClientError, TimeoutError: the gateway did not answer.
    """
    config = config_of(site)
    async with AsyncExitStack() as stack:

        async def person(subject: str, *scopes: str) -> Office:
            office = open_office(site.identity, config, stage, scopes, subject)
            return await stack.enter_async_context(office)

        people = _People(
            await person("window-demo", "cases:read", "cases:write"),
            await person("operator-a-demo", *_DESK),
            await person("operator-b-demo", *_DESK),
            stage,
        )
        return await people.run(folder)


class _People:
    """A window and two operators at one gateway."""

    def __init__(self, window: Office, typist: Office, reader: Office, stage: Stage) -> None:
        self._window = window
        self._typist = typist
        self._reader = reader
        self._stage = stage
        self._work = ""
        self._case_number = ""

    async def run(self, folder: Path) -> View:
        case_id = await self._submit()
        await self._carry(case_id, folder)
        licence = _vector("decided")
        on = to_iso(self._stage.clock.now_ms())[:10]
        face = licence["licence"]
        await self._refuse_own_confirmation()
        await self._confirm("acknowledged", "金市监收〔示例〕1 号", {})
        await self._answer("accepted", "金市监受〔示例〕1 号", {"accepted_on": on}, accepted_on=on)
        await self._answer(
            "decided",
            "金市监登〔示例〕1 号",
            licence,
            result=str(licence["result"]),
            licence_id=str(face["licence_id"]),
        )
        view = await self._window.case_at(case_id, "decided")
        strengths = [m["strength"] for m in view["history"] if m["direction"] == "in"]
        if view["result"] != "approved" or strengths != ["assisted"] * 3:
            raise DemoFailed(f"办结 the answers came as {strengths}, result {view['result']}")
        return view

    async def _submit(self) -> str:
        content = sample_pdf(["变更登记申请书（示例）", "示例 SAMPLE"], sealed=False)
        declared: View = {
            "material_code": "01",
            "name": "01_变更登记申请书_示例.pdf",
            "media_type": "application/pdf",
            "size": len(content),
            "sha256": sha256(content).hexdigest(),
        }
        wish: View = {
            "region": PARTNER,
            "item_code": ITEM,
            "mode": "online",
            "purpose": "individual-business-registration",
            "form": _vector("submitted")["form"],
            "materials": [declared],
        }
        async with self._stage.turn():
            began = self._began()
            view = await self._window.post("/v1/cases", wish)
            case_id, self._case_number = view["case_id"], view["case_numbers"]["applicant"]
            path = f"/v1/cases/{case_id}/materials?material=01"
            await self._window.upload(path, content, "application/pdf")
            self._tell("收件，列入人工协办清单", f"opens case …{str(case_id)[-8:]}", began)
        return str(case_id)

    async def _carry(self, case_id: str, folder: Path) -> None:
        """Print the sheet, read it to the partner, and note that it was told."""
        item = await self._listed(case_id)
        self._work = f"/v1/assisted/work/{item['work_id']}"
        async with self._stage.turn():
            began = self._began()
            page = await self._typist.raw("GET", f"{self._work}/sheet")
            path = folder / _SHEET
            await asyncio.to_thread(path.write_bytes, page)
            path.chmod(0o600)
            self._tell("打印协办单", f"prints the sheet: {path}", began)
        async with self._stage.turn():
            began = self._began()
            told: View = {"method": "phone", "received_by": "企业登记窗口（示例）"}
            await self._typist.post(f"{self._work}/handed-over", told)
            self._tell(
                "电话转交金昌，登记转交情况",
                "tells Jinchang by telephone; receipt: assisted",
                began,
            )

    async def _listed(self, case_id: str) -> View:
        while True:
            work = (await self._typist.get("/v1/assisted/work"))["work"]
            for item in work:
                if item["case_id"] == case_id:
                    found: View = item
                    return found
            await asyncio.sleep(_POLL_S)

    async def _refuse_own_confirmation(self) -> None:
        """Type the first answer, and see that its typist cannot confirm it."""
        kind, number = "acknowledged", "金市监收〔示例〕1 号"
        await self._type(kind, number, {})
        async with self._stage.turn():
            began = self._began()
            try:
                await self._typist.post(f"{self._work}/confirm", _fields(kind, number))
            except DemoFailed as refused:
                if "assisted.same_person" not in str(refused):
                    raise
                self._tell("录入人自行复核：拒绝", "confirms his own typing: refused", began)
            else:
                raise DemoFailed("录入人复核了自己的录入 one person was enough")

    async def _answer(self, kind: str, number: str, content: View, **fields: str) -> None:
        await self._type(kind, number, content)
        await self._confirm(kind, number, fields)

    async def _type(self, kind: str, number: str, content: View) -> None:
        async with self._stage.turn():
            began = self._began()
            typed: View = {
                "region": PARTNER,
                "case_number": self._case_number,
                "kind": kind,
                "number": number,
                "content": content,
            }
            await self._typist.post(f"{self._work}/outcome", typed)
            self._tell(f"录入对方答复：{kind}", f"types Jinchang's answer {kind}", began)

    async def _confirm(self, kind: str, number: str, fields: View) -> None:
        async with self._stage.turn():
            began = self._began()
            given = _fields(kind, number, fields)
            await self._reader.post(f"{self._work}/confirm", given)
            self._tell(f"另一人复核：{kind}", f"another person confirms {kind}: taken in", began)

    def _began(self) -> int:
        return self._stage.clock.monotonic_ms()

    def _tell(self, zh: str, en: str, began_ms: int) -> None:
        ms = self._stage.clock.monotonic_ms() - began_ms
        self._stage.teller.act(Act(self._window.id, zh, en, ms))


def _fields(kind: str, number: str, more: View | None = None) -> View:
    return {"fields": {"kind": kind, "number": number, **(more or {})}}


def _vector(name: str) -> View:
    path = partners_root() / FOLDER / "vectors" / "individual_business" / f"{name}.json"
    found: View = json.loads(path.read_bytes())
    return found
