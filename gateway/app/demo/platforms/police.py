"""Suzhou's police service (苏州公安, simulated 模拟): SOAP operations, and feedback calls at us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import aiohttp
from aiohttp import web

from gateway.adapters.outlets.soap.envelope import (
    CONTENT_TYPE,
    Call,
    read_call,
    read_inside,
    write_call,
    write_inside,
)
from gateway.app.demo.platforms.http import beside, called_back_at, insist, served
from gateway.app.demo.platforms.office import PlatformStory, Register, today, write_secret
from gateway.app.provision import Site
from gateway.kernel.trees import Tree, get, steps_of
from gateway.ports.clock import Clock

_SPACE: Final = "http://services.police.example/"
_HEAD: Final = "/PACKAGE/PACKAGEHEAD"
_OURS, _THEIRS = "demo-licence-kuayu", "demo-licence-police"


class PoliceService:
    """Implements `Platform`."""

    story = PlatformStory(
        "suzhou_police",
        "320500",
        "soap",
        "公安 SOAP 服务",
        "police SOAP service",
        "00200920100101",
        "household-certificate",
        "household_certificate",
    )

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        self.register = Register(self.story.items)

    @asynccontextmanager
    async def running(self, site: Site) -> AsyncIterator[str]:
        """See `Platform`."""
        folder = site.root / "partners" / self.story.folder
        write_secret(folder, "secrets/licence", _OURS.encode())
        write_secret(folder, "secrets/inbound_licence", _THEIRS.encode())
        back = called_back_at(site, self.story)
        async with served(self._called) as base, beside(self._work(back)):
            yield (
                f'url = "{base}/services"\nnamespace = "{_SPACE}"\n'
                'licence_file = "secrets/licence"\n'
                'inbound_licence_file = "secrets/inbound_licence"\n'
                'bare_number_at = "/RESULT/CODE"'
            )

    async def _called(self, request: web.Request) -> web.Response:
        call = read_call(await request.read())
        told: Tree = {"RESULT": {"CODE": "-1", "MESSAGE": "授权码错误（示例）"}}
        if call.parameters["licence"] == _OURS:
            told = self._taken(call.operation, read_inside(call.parameters["information"]))
        answer = Call(f"{call.operation}Response", {"return": write_inside(told)})
        return web.Response(body=write_call(_SPACE, answer), headers={"Content-Type": CONTENT_TYPE})

    def _taken(self, operation: str, document: Tree) -> Tree:
        """Take a word about a case in, once for each number."""
        number, case, item = (
            str(get(document, steps_of(at)))
            for at in (f"{_HEAD}/BWID", f"{_HEAD}/YWXTBH", "/PACKAGE/DATA/RECORD/SXBM")
        )
        if operation == "sendApply":
            if not self.register.lists(item):
                return {"RESULT": {"CODE": "-3", "MESSAGE": "没有该事项（示例）"}}
            if self.register.opened(number, case):
                self._waiting.put_nowait(case)
        elif not self.register.has(case):
            return {"RESULT": {"CODE": "-4", "MESSAGE": "没有该办件（示例）"}}
        elif operation == "sendWithdraw":
            self.register.withdraw(case)
        return {"RESULT": {"CODE": "0", "MESSAGE": "成功", "SLBH": self._number()}}

    async def _work(self, back: str) -> None:
        """Give feedback on each application, one word after another, until each is taken in."""
        async with aiohttp.ClientSession() as http:
            while True:
                case = await self._waiting.get()
                day = today(self._clock.now_ms())
                said: tuple[tuple[str, Tree], ...] = (
                    ("applyFeedback", {"FKLX": "1", "SLBH": self._number()}),
                    ("applyFeedback", {"FKLX": "2", "SLRQ": day}),
                    (
                        "resultFeedback",
                        {"JG": "1", "ZMBH": self._number(), "ZMNR": "亲属关系属实（示例）"},
                    ),
                )
                for at, (operation, record) in enumerate(said, start=1):
                    head: Tree = {"BWID": f"SZ-{case[-12:]}-{at}", "YWXTBH": case}
                    package: Tree = {"PACKAGEHEAD": head, "DATA": {"RECORD": record}}
                    said_once = partial(_accepted, http, back, operation, {"PACKAGE": package})
                    await insist(said_once, partial(self.register.goes_on, case))

    def _number(self) -> str:
        return f"苏公户〔示例〕{today(self._clock.now_ms())}"


async def _accepted(http: aiohttp.ClientSession, back: str, operation: str, document: Tree) -> bool:
    """Call the gateway back; tell whether it took over what was said."""
    parameters = {"licence": _THEIRS, "information": write_inside(document)}
    body = write_call(_SPACE, Call(operation, parameters))
    try:
        async with http.post(back, data=body, headers={"Content-Type": CONTENT_TYPE}) as answer:
            raw = await answer.read()
    except aiohttp.ClientError:
        return False
    if answer.status != 200:
        return False
    told = read_inside(next(iter(read_call(raw).parameters.values())))["RESULT"]
    return isinstance(told, dict) and told["CODE"] == "0"
