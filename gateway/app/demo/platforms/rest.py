"""Platforms with REST interfaces (simulated 模拟), each with a signing scheme of its own."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import ClassVar, Final, NamedTuple

import aiohttp
from aiohttp import web

from gateway.adapters.outlets.documents import read_json, write_json
from gateway.adapters.outlets.rest.schemes.scheme import Call, Proof, Scheme
from gateway.app.demo.platforms.http import beside, called_back_at, insist, served
from gateway.app.demo.platforms.office import PlatformStory, Register, today
from gateway.app.provision import Site
from gateway.kernel.faults import Fault
from gateway.kernel.trees import Tree, Value, get, steps_of
from gateway.ports.clock import Clock

_JSON: Final = "application/json; charset=utf-8"
_NONCE_BYTES: Final = 16


class Equipment(NamedTuple):
    """How the platform proves itself in this run, and how ours is told so."""

    lines: str
    """Of `[outlet.rest]`, behind the URL."""
    scheme: Scheme


class Words(NamedTuple):
    """Where the platform's words stand."""

    base: str
    """Path that the gateway is told, below the host."""
    apply: str
    """The operation that hands an application in."""
    withdraw: str
    number_at: str
    """Where every word of ours holds its own number."""
    case_at: str
    """Where it holds the number that both sides know the case by."""
    item_at: str
    """Where an application holds its item's code."""
    taken_at: str
    """Where our answer to a call back says whether it was taken over."""
    taken: Value


class RestPlatform(ABC):
    """Implements `Platform`, for one scheme and one set of words."""

    story: ClassVar[PlatformStory]
    words: ClassVar[Words]

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._scheme: Scheme | None = None
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        self.register = Register(self.story.items)

    @abstractmethod
    def equipped(self, folder: Path) -> Equipment:
        """Write this run's secrets into the partner's folder."""

    @abstractmethod
    def answer(self, number: str) -> Tree:
        """Say that something was taken in, under the platform's number."""

    @abstractmethod
    def refusal(self, why: str) -> Tree:
        """Say that something was not taken in."""

    @abstractmethod
    def said(self, case: str, number: str, day: str) -> Sequence[tuple[str, Tree]]:
        """Return what becomes of an application: operations and documents, in order."""

    def opened(self, path: str, document: Tree) -> Tree | None:
        """Answer a call that is none about a case; None for all others."""
        return None

    def sealed(self, document: bytes) -> bytes:
        """Return an answer's bytes as they go out."""
        return document

    @asynccontextmanager
    async def running(self, site: Site) -> AsyncIterator[str]:
        """See `Platform`."""
        equipment = self.equipped(site.root / "partners" / self.story.folder)
        self._scheme = equipment.scheme
        back = called_back_at(site, self.story)
        async with served(self._called) as base, beside(self._work(back)):
            yield f'url = "{base}{self.words.base}"\n{equipment.lines}'

    def number(self) -> str:
        """Return a number as the platform's offices give them."""
        return f"{self.story.zh[:2]}〔示例〕{today(self._clock.now_ms())}"

    async def _called(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call("POST", str(request.url), "", headers, await request.read())
        try:
            proof = self.proven(call)
            document = read_json(proof.body)
        except Fault as fault:
            return web.json_response({"code": "401", "message": fault.code.value}, status=401)
        operation = proof.operation or request.path.rpartition("/")[2]
        told = self.opened(request.path, document)
        if told is None:
            told = self.taken(operation, document)
        return web.Response(body=self.sealed(write_json(told)), headers={"Content-Type": _JSON})

    def proven(self, call: Call) -> Proof:
        """Judge a call of ours.

        Raises:
            Fault: it does not prove that it is.
        """
        assert self._scheme is not None, "the door opens after the equipment came"
        return self._scheme.verify(call, self._clock.now_ms())

    def taken(self, operation: str, document: Tree) -> Tree:
        """Take a word about a case in, once for each number; what is said again is answered so."""
        w = self.words
        number, case, item = (
            str(get(document, steps_of(at))) for at in (w.number_at, w.case_at, w.item_at)
        )
        if operation == w.apply:
            if not self.register.lists(item):
                return self.refusal("没有该事项（示例）")
            if self.register.opened(number, case):
                self._waiting.put_nowait(case)
        elif not self.register.has(case):
            return self.refusal("没有该办件（示例）")
        elif operation == w.withdraw:
            self.register.withdraw(case)
        return self.answer(self.number())

    async def _work(self, back: str) -> None:
        """Call back about each application, one word after another, until each is taken over."""
        async with aiohttp.ClientSession() as http:
            while True:
                case = await self._waiting.get()
                day = today(self._clock.now_ms())
                for operation, document in self.said(case, self.number(), day):
                    said = partial(self._accepted, http, back, operation, document)
                    await insist(said, partial(self.register.goes_on, case))

    async def _accepted(
        self, http: aiohttp.ClientSession, back: str, operation: str, document: Tree
    ) -> bool:
        """Call the gateway back; tell whether it took over what was said."""
        assert self._scheme is not None, "the door opens after the equipment came"
        plain = Call("POST", back + operation, operation, {}, write_json(document))
        call = self._scheme.sign(plain, self._clock.now_ms(), token_hex(_NONCE_BYTES))
        headers = {"content-type": _JSON, **call.headers}
        try:
            async with http.post(call.url, data=call.body, headers=headers) as answer:
                told = read_json(await answer.read())
        except (aiohttp.ClientError, Fault):
            return False
        return answer.status == 200 and get(told, steps_of(self.words.taken_at)) == self.words.taken
