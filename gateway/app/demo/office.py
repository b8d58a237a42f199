"""An office's program at its own gateway: HTTP with a bearer token, as a real system would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from gateway.adapters.system.clock import SystemEntropy
from gateway.app.config import Config
from gateway.app.demo.story import Call, Crossing, DemoFailed, Refused, Stage, View
from gateway.app.provision import Identity
from gateway.app.tokens import issue_token
from gateway.kernel.identifiers import GatewayId

_POLL_S: Final = 0.02
_CALL_S: Final = 45.0
LONG_POLL_S: Final = 20


class Office:
    """Calls one gateway. Knows nothing of the other."""

    def __init__(
        self, identity: Identity, url: str, token: str, http: aiohttp.ClientSession, stage: Stage
    ) -> None:
        self.identity = identity
        self.url = url
        self.stage = stage
        self._http = http
        self._authorization = {"Authorization": f"Bearer {token}"}
        self.expected: frozenset[str] = frozenset()
        """Rules that a message of this story may be refused by."""

    @property
    def id(self) -> GatewayId:
        """The id of its gateway."""
        return self.identity.gateway_id

    async def get(self, path: str) -> View:
        """GET a JSON object."""
        return _object(await self.raw("GET", path))

    async def post(self, path: str, body: View) -> View:
        """POST a JSON object under a key of its own, so that a repetition would do no harm."""
        key = SystemEntropy().token(16).hex()
        data = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        return _object(await self.raw("POST", path, data, headers))

    async def upload(self, path: str, content: bytes, media_type: str) -> View:
        """POST a file."""
        return _object(await self.raw("POST", path, content, {"Content-Type": media_type}))

    async def raw(
        self, method: str, path: str, data: bytes | None = None, headers: View | None = None
    ) -> bytes:
        """Call and return the answer's body.

        Raises:
            DemoFailed: the gateway said no.
            aiohttp.ClientError, TimeoutError: there was no answer.
        """
        clock = self.stage.clock
        began = clock.monotonic_ms()
        given = {**self._authorization, **(headers or {})}
        async with self._http.request(method, self.url + path, data=data, headers=given) as answer:
            content = await answer.read()
        ms = clock.monotonic_ms() - began
        self.stage.teller.call(Call(self.id, method, path, answer.status, ms))
        if answer.status >= 400:
            raise self._refusal(method, path, answer.status, content)
        return content

    def _refusal(self, method: str, path: str, status: int, content: bytes) -> Refused:
        try:
            said = _object(content)
        except ValueError:
            said = {}
        words = [str(said[k]) for k in ("rule", "title_zh", "title_en", "detail") if said.get(k)]
        where = f"{self.identity.name_zh} {method} {path.partition('?')[0]}"
        return Refused(
            str(said.get("rule", "")), f"{where} → {status} {' · '.join(words)}".rstrip()
        )

    async def case_at(self, case_id: str, stage: str) -> View:
        """Wait until the case has come to `stage` at this gateway."""
        while True:
            view = await self.get(f"/v1/cases/{case_id}")
            self._require_well(view)
            if view["stage"] == stage:
                return view
            await asyncio.sleep(_POLL_S)

    async def crossed(self, case_id: str, kind: str) -> View:
        """Wait until our latest message of this kind has its receipt, and tell of it.

        Raises:
            DemoFailed: it was refused.
        """
        while True:
            view = await self.get(f"/v1/cases/{case_id}")
            self._require_well(view)
            ours = [m for m in view["history"] if m["direction"] == "out" and m["kind"] == kind]
            if ours and ours[-1]["receipt"] is not None:
                break
            await asyncio.sleep(_POLL_S)
        self._tell_crossing(case_id, ours[-1], view)
        return view

    async def refused(self, case_id: str, kind: str) -> str:
        """Wait until our latest message of this kind was refused; tell of it, return the rule."""
        while True:
            view = await self.get(f"/v1/cases/{case_id}")
            ours = [m for m in view["history"] if m["direction"] == "out" and m["kind"] == kind]
            if ours and ours[-1]["receipt"] is not None:
                break
            await asyncio.sleep(_POLL_S)
        self._tell_crossing(case_id, ours[-1], view)
        rule: str = ours[-1]["receipt"]["rule"]
        return rule

    def _tell_crossing(self, case_id: str, message: View, view: View) -> None:
        self.stage.teller.crossing(
            Crossing(
                case_id=case_id,
                kind=message["kind"],
                sender=GatewayId(message["sender"]),
                recipient=GatewayId(message["recipient"]),
                message_id=message["message_id"],
                sequence=message["sequence"],
                outcome=message["receipt"]["outcome"],
                ms=message["waited_ms"],
                held_by=view["held_by"],
            )
        )

    def _require_well(self, view: View) -> None:
        refused = [
            m
            for m in view["history"]
            if m["receipt"]
            and m["receipt"]["outcome"] != "taken_in"
            and m["receipt"]["rule"] not in self.expected
        ]
        for message in refused:
            receipt = message["receipt"]
            told = " · ".join(str(receipt[k]) for k in ("rule", "text_zh", "text_en") if receipt[k])
            raise DemoFailed(
                f"{self.identity.name_zh}: 消息未被接收 message {message['kind']}"
                f" {message['message_id']} was {receipt['outcome']}: {told}"
            )


def _object(content: bytes) -> View:
    found: View = json.loads(content)
    return found


@asynccontextmanager
async def open_office(
    identity: Identity, config: Config, stage: Stage, scopes: tuple[str, ...], subject: str
) -> AsyncIterator[Office]:
    """Open an office's line to its gateway, with a token for its unit."""
    token = issue_token(
        config,
        unit=identity.unit,
        subject=subject,
        scopes=scopes,
        now_s=stage.clock.now_ms() // 1000,
    )
    timeout = aiohttp.ClientTimeout(total=_CALL_S)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        yield Office(identity, f"http://{config.portal.listen}", token, http, stage)
