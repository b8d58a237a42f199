"""Jiuquan's gateway, a partner without a system, and the people between them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from gateway.adapters.sql.sqlite import open_sqlite_reader
from gateway.adapters.system.clock import SystemClock
from gateway.app.provision import Site, adopt, make_site
from gateway.app.tokens import SCOPES, issue_token
from gateway.app.wiring import Seams
from gateway.flow.inquiry import explain
from tests.support.world import JIUQUAN, PARTNERS, PDF, Node, run_nodes, site_at

JINCHANG = "620300"
ITEM = "00013112700604"
VECTORS = PARTNERS / "jinchang" / "vectors" / "individual_business"
NUMBER = "金登字〔2026〕第 1 号（示例）"

View = dict[str, Any]


def sample(name: str) -> View:
    found: View = json.loads((VECTORS / f"{name}.json").read_bytes())
    return found


def make_assisted_site(root: Path, source: Path | None = None) -> Site:
    """Provision Jiuquan with Jinchang, which has no system, as an agreed partner."""
    site = site_at(root, JIUQUAN)
    now_ms = SystemClock().now_ms()
    make_site(site, now_ms, demo=True)
    adopt(site, source or PARTNERS / "jinchang", now_ms)
    return site


@dataclass
class Desk:
    """Everyone who works with one gateway."""

    node: Node

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        by: str = "typist-a",
        scopes: tuple[str, ...] = SCOPES,
        unit: str | None = None,
        raw: bytes | None = None,
    ) -> tuple[int, View]:
        """Call as a person; return status and JSON."""
        token = issue_token(
            self.node.config,
            unit=unit or self.node.site.identity.unit,
            subject=by,
            scopes=scopes,
            now_s=SystemClock().now_ms() // 1000,
        )
        data = raw if raw is not None else (None if body is None else json.dumps(body).encode())
        headers = {"Authorization": f"Bearer {token}"}
        if data is not None:
            headers["Content-Type"] = "application/json"
        url = self.node.url + path
        async with self.node.http.request(method, url, data=data, headers=headers) as answer:
            found: View = json.loads(await answer.read())
            return answer.status, found

    async def good(self, method: str, path: str, body: object = None, **more: Any) -> View:
        status, view = await self.call(method, path, body, **more)
        assert status in (200, 201), (status, view)
        return view

    async def refused(self, rule: str, method: str, path: str, body: object, **more: Any) -> View:
        status, view = await self.call(method, path, body, **more)
        assert status >= 400, view
        assert view["rule"] == rule, view
        return view

    async def open_case(self, **form: str) -> str:
        """Open a case with Jinchang and send it off; return its id."""
        content = PDF + b"% application\n"
        wish = {
            "region": JINCHANG,
            "item_code": ITEM,
            "mode": "online",
            "purpose": "individual-business-registration",
            "form": {**sample("submitted")["form"], **form},
            "materials": [
                {
                    "material_code": "01",
                    "name": "申请书.pdf",
                    "media_type": "application/pdf",
                    "size": len(content),
                    "sha256": sha256(content).hexdigest(),
                }
            ],
        }
        case_id = str((await self.good("POST", "/v1/cases", wish))["case_id"])
        await self.node.call(
            "POST",
            f"/v1/cases/{case_id}/materials?material=01",
            data=content,
            headers={"Content-Type": "application/pdf"},
            wanted=200,
        )
        return case_id

    async def case(self, case_id: str) -> View:
        return await self.good("GET", f"/v1/cases/{case_id}")

    async def listed(self, case_id: str, count: int = 1) -> View:
        """Wait until the case has `count` items on the list; return the latest."""
        async with asyncio.timeout(20):
            while True:
                work = (await self.good("GET", "/v1/assisted/work"))["work"]
                done = (await self.good("GET", "/v1/assisted/work?done=true"))["work"]
                mine = sorted(
                    (i for i in [*work, *done] if i["case_id"] == case_id),
                    key=lambda i: str(i["work_id"]),
                )
                if len(mine) >= count:
                    return dict(mine[-1])
                await asyncio.sleep(0.02)

    async def parked(self, case_id: str) -> None:
        """Wait until the lane has let go of the message."""
        async with asyncio.timeout(20):
            while True:
                if [e["status"] for e in (await self.case(case_id))["outbox"]] == ["listed"]:
                    return
                await asyncio.sleep(0.02)

    async def reaches(self, case_id: str, stage: str) -> None:
        """Wait until the case has come to `stage`."""
        async with asyncio.timeout(20):
            while True:
                if (await self.case(case_id))["stage"] == stage:
                    return
                await asyncio.sleep(0.02)

    async def hand_over(self, work_id: str, **more: Any) -> View:
        body = {"method": "phone", "received_by": "受理窗口（示例）"}
        return await self.good("POST", f"{item_path(work_id)}/handed-over", body, **more)

    async def told(self) -> tuple[str, View]:
        """Open a case and tell Jinchang of it; return case id and work item."""
        case_id = await self.open_case()
        item = await self.listed(case_id)
        return case_id, await self.hand_over(item["work_id"])

    async def type_and_confirm(
        self, item: View, kind: str, content: View, number: str = NUMBER, **fields: str
    ) -> View:
        """Have one person type an answer and another confirm it."""
        path = item_path(item["work_id"])
        await self.good("POST", f"{path}/outcome", typed(item, kind, content, number))
        given = {"fields": {"kind": kind, "number": number, **fields}}
        return await self.good("POST", f"{path}/confirm", given, by="reader-b")

    async def explained(self, message_id: str) -> View:
        """Read a message's evidence from the journal, as `kuayu explain` does."""
        with open_sqlite_reader(self.node.config.journal.path) as snapshot:
            found = explain(
                snapshot, bytes.fromhex(message_id.replace("-", "")), JIUQUAN.gateway_id
            )
        assert found is not None
        messages = found["messages"]
        assert isinstance(messages, list)
        return dict(messages[0])


def item_path(work_id: str) -> str:
    return f"/v1/assisted/work/{work_id}"


def typed(item: View, kind: str, content: View, number: str = NUMBER, **changes: object) -> View:
    """Return the body of `outcome` as an honest typist would send it."""
    return {
        "region": JINCHANG,
        "case_number": item["case_number"],
        "kind": kind,
        "number": number,
        "content": content,
        **changes,
    }


@asynccontextmanager
async def desk_at(site: Site, seams: Seams | None = None) -> AsyncIterator[Desk]:
    """Run the gateway of `site` while the block lasts."""
    async with run_nodes([site], seams) as (node,):
        yield Desk(node)
