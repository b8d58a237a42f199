"""Offices at work: portals and business systems that try again as real ones do.

They keep every acknowledgement they got, so that it can be held against what is on disk.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from gateway.adapters.system.clock import SystemClock
from gateway.app.provision import Site
from gateway.app.tokens import SCOPES, issue_token
from tests.support.world import (
    BRANCH,
    PDF,
    QUERY,
    branch_case,
    config_of,
    sample_answer,
    sample_form,
)

PATIENCE_S: Final = 120.0
PAUSE_S: Final = 0.04  # between two tries of a client

PLANS: Final[Mapping[str, tuple[str, ...]]] = {
    "corrected": ("acknowledge", "request-materials", "supply", "accept", "decide", "delivered"),
    "plain": ("acknowledge", "accept", "decide", "delivered"),
    "not_accepted": ("acknowledge", "not-accept"),
    "sent_back": ("not-accept",),
    "withdrawn": ("acknowledge", "withdraw"),
    "crossed": ("acknowledge", "accept", "cross"),
    "asked": ("acknowledge", "accept", "decide", "deliver"),
}
ENDS: Final = {
    "corrected": {"delivered"},
    "plain": {"delivered"},
    "not_accepted": {"not_accepted"},
    "sent_back": {"refused_at_intake"},
    "withdrawn": {"withdrawn"},
    "crossed": {"decided", "withdrawn"},
    "asked": {"delivered"},
}
ACTS: Final = {
    "acknowledge": "acknowledged",
    "request-materials": "materials_requested",
    "accept": "accepted",
    "not-accept": "not_accepted",
    "decide": "decided",
    "deliver": "delivered",
}
"""What the deciding side does -> the kind of message that follows."""


class Refusal(Exception):
    """An answer that trying again would not change."""


@dataclass
class Office:
    """One side's portal and business system: an HTTP client that does not give up."""

    site: Site
    http: aiohttp.ClientSession
    under_way: int = 0
    """Changing requests sent and not answered."""
    broken: int = 0
    """Requests that were sent and whose answer was lost."""
    revisions: dict[str, int] = field(default_factory=dict)
    busy: asyncio.Event = field(default_factory=asyncio.Event)
    _token: str = ""

    @property
    def id(self) -> str:
        return self.site.identity.gateway_id

    def _headers(self) -> dict[str, str]:
        if not self._token:
            self._token = issue_token(
                config_of(self.site),
                unit=self.site.identity.unit,
                subject="staff-7",
                scopes=SCOPES,
                now_s=SystemClock().now_ms() // 1000,
                life_s=36_000,
            )
        return {"Authorization": f"Bearer {self._token}"}

    async def once(
        self, method: str, path: str, *, body: object = None, data: bytes | None = None, **head: str
    ) -> tuple[int, dict[str, Any]]:
        """Send a request once. Raises what a broken connection raises."""
        headers = {**self._headers(), **{k.replace("_", "-"): v for k, v in head.items()}}
        changing = method != "GET"
        self.under_way += changing
        if changing:
            self.busy.set()
        try:
            async with self.http.request(
                method, f"http://{self.site.portal}{path}", json=body, data=data, headers=headers
            ) as answer:
                return answer.status, json.loads(await answer.read())
        except aiohttp.ClientConnectorError:
            raise  # nothing was sent
        except (aiohttp.ClientError, OSError, TimeoutError):
            self.broken += 1
            raise
        finally:
            self.under_way -= changing
            if not self.under_way:
                self.busy.clear()

    async def _again(self, send: Callable[[], Awaitable[tuple[int, Any]]]) -> tuple[int, Any]:
        """Repeat until there is an answer that is not "try again"."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    status, view = await send()
                except (aiohttp.ClientError, OSError, TimeoutError):
                    status = 503
                if status != 503:
                    return status, view
                await asyncio.sleep(PAUSE_S)

    async def get(self, path: str) -> dict[str, Any] | None:
        """Return a view; None if it is not found."""
        status, view = await self._again(lambda: self.once("GET", path))
        if status == 404:
            return None
        assert status == 200, (path, status, view)
        if "revision" in view:
            # What was once shown must never be unsaid, whatever was killed since.
            before = self.revisions.get(path, 0)
            assert view["revision"] >= before, f"{path} went back from {before}: {view}"
            self.revisions[path] = view["revision"]
        found: dict[str, Any] = view
        return found

    async def post(self, path: str, body: object, key: str) -> dict[str, Any]:
        """Do something once, however often it has to be sent.

        Raises:
            Refusal: the answer was a refusal.
        """
        status, view = await self._again(
            lambda: self.once("POST", path, body=body, Idempotency_Key=key)
        )
        if status not in (200, 201):
            raise Refusal(f"{path}: {status} {view}")
        done: dict[str, Any] = view
        return done

    async def until(self, path: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Look again until the view is as wanted."""
        view: dict[str, Any] | None = None
        try:
            async with asyncio.timeout(PATIENCE_S):
                while view is None or not wanted(view):
                    if view is not None:
                        await asyncio.sleep(PAUSE_S)
                    view = await self.get(path)
                    if view is None:
                        await asyncio.sleep(PAUSE_S)
        except TimeoutError:
            raise AssertionError(f"{self.id} {path}: not as wanted: {view}") from None
        return view


@dataclass(frozen=True)
class Ack:
    """An answer that said: done."""

    office: Office
    path: str
    body: object
    key: str
    view: dict[str, Any]
    case_id: str
    kind: str
    """Kind of the message it promises; empty if it promises none by itself."""


@dataclass
class Course:
    """One case on its way through both offices."""

    plan: str
    origin: Office
    deciding: Office
    rng: random.Random
    acks: list[Ack] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    """Material code and batch -> content whose upload was acknowledged."""
    case_id: str = ""
    stage: str = ""
    """Where the case ended, as both offices saw it."""

    def _key(self) -> str:
        return f"{self.rng.getrandbits(96):x}"

    async def _do(self, office: Office, path: str, body: object, kind: str) -> dict[str, Any]:
        key = self._key()
        view = await office.post(path, body, key)
        case_id = self.case_id or str(view["case_id"])
        self.acks.append(Ack(office, path, body, key, view, case_id, kind))
        return view

    async def run(self) -> None:
        """Bring the case to its end."""
        await self.open()
        for step in PLANS[self.plan]:
            if step in ACTS:
                await self._act(step)
            elif step == "supply":
                await self._supply()
            elif step == "delivered":
                await self._at_origin("decided")
                body = {"method": "window"}
                path = f"/v1/cases/{self.case_id}/delivered"
                await self._do(self.origin, path, body, "delivered")
            elif step == "withdraw":
                await self._withdraw()
            else:
                await self._cross()
        await self._settled()

    async def open(self) -> None:
        """Open the case and upload its files."""
        region = self.deciding.id
        if self.plan == "asked":
            body: dict[str, Any] = {
                "region": region,
                "item_code": QUERY,
                "mode": "online",
                "purpose": "enterprise-information-query",
                "form": sample_form("enterprise_query"),
                "materials": [],
            }
            view = await self._do(self.origin, "/v1/cases", body, "submitted")
            self.case_id = str(view["case_id"])
            return
        files = {code: self._content(code) for code in ("01", "02", "03", "04", "05")}
        body = {**branch_case(files), "region": region, "item_code": BRANCH}
        view = await self._do(self.origin, "/v1/cases", body, "")
        self.case_id = str(view["case_id"])
        for code, content in files.items():
            await self._upload(code, content, 0)

    def _content(self, code: str) -> bytes:
        """Return a file; the first of a case takes several chunks at every stage."""
        size = self.rng.randrange(600_000, 900_000) if code == "01" else self.rng.randrange(4_000)
        return PDF + self.rng.randbytes(size)

    async def _upload(self, code: str, content: bytes, batch: int) -> None:
        """Upload a file, looking after each broken try whether it had got there."""
        path = f"/v1/cases/{self.case_id}"

        def is_there(view: Mapping[str, Any]) -> bool:
            return any(
                m["uploaded"]
                for m in view["materials"]
                if (m["material_code"], m["batch"]) == (code, batch)
            )

        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    status, view = await self.origin.once(
                        "POST",
                        f"{path}/materials?material={code}",
                        data=content,
                        Content_Type="application/pdf",
                    )
                    assert status in (200, 503), (status, view)
                    done = status == 200
                except (aiohttp.ClientError, OSError, TimeoutError):
                    await asyncio.sleep(PAUSE_S)
                    found = await self.origin.get(path)
                    assert found is not None, f"an acknowledged case is gone: {self.case_id}"
                    done = is_there(found)
                if done:
                    self.files[f"{code}/{batch}"] = content
                    return

    async def _at_origin(self, stage: str) -> None:
        await self.origin.until(f"/v1/cases/{self.case_id}", lambda v: v["stage"] == stage)

    async def _act(self, act: str) -> None:
        await self._may(act)
        await self._answer(act)

    async def _may(self, act: str) -> None:
        path = f"/v1/tasks/{self.case_id}"
        await self.deciding.until(path, lambda v: ACTS[act] in v["acts"])

    async def _answer(self, act: str) -> None:
        path = f"/v1/tasks/{self.case_id}/{act}"
        await self._do(self.deciding, path, self._form(act), ACTS[act])

    def _form(self, act: str) -> dict[str, object]:
        match act:
            case "acknowledge":
                return {}
            case "not-accept":
                return {"reason_code": "not-ours", "reason_zh": "不属于本机关职权范围（示例）"}
            case "decide" if self.plan == "asked":
                return sample_answer("decided", "enterprise_query")
            case "deliver":
                return sample_answer("delivered")
        form = sample_answer(ACTS[act])
        form.pop("handling_number", None)
        return form

    async def _supply(self) -> None:
        await self._at_origin("materials_requested")
        content = self._content("04")
        body = {"materials": branch_case({"04": content})["materials"]}
        await self._do(self.origin, f"/v1/cases/{self.case_id}/supplement", body, "")
        await self._upload("04", content, 1)

    async def _withdraw(self) -> None:
        path = f"/v1/cases/{self.case_id}/withdraw"
        await self._do(self.origin, path, {"reason": "申请人要求（示例）"}, "withdrawn")

    async def _cross(self) -> None:
        """Decide and withdraw at the same time; each may come too late."""
        await self._may("decide")
        done = await asyncio.gather(
            self._answer("decide"), self._withdraw(), return_exceptions=True
        )
        refused = [d for d in done if isinstance(d, BaseException)]
        if len(refused) == len(done) or any(not isinstance(r, Refusal) for r in refused):
            raise refused[0]

    async def _settled(self) -> None:
        """Wait until both offices see the same end, with nothing unconfirmed."""
        path = f"/v1/cases/{self.case_id}"

        def ended(view: Mapping[str, Any]) -> bool:
            return view["stage"] in ENDS[self.plan] and not view["unconfirmed"]

        async with asyncio.timeout(PATIENCE_S):
            while True:
                ours = await self.origin.until(path, ended)
                theirs = await self.deciding.until(path, ended)
                if ours["stage"] == theirs["stage"]:
                    self.stage = str(ours["stage"])
                    return
