"""An office's program at its own gateway: HTTP with a bearer token, as a real system would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from gateway.adapters.system.clock import SystemEntropy
from gateway.app.config import Config
from gateway.app.demo.story import Call, Crossing, DemoFailed, Stage, View
from gateway.app.provision import Identity
from gateway.app.tokens import issue_token
from gateway.kernel.identifiers import GatewayId

_POLL_S: Final = 0.02
_CALL_S: Final = 45.0
LONG_POLL_S: Final = 20
_JSON: Final[View] = {"Content-Type": "application/json"}


class Office:
    """Calls one gateway. Knows nothing of the other."""

    def __init__(
        self,
        identity: Identity,
        url: str,
        issue: Callable[[], str],
        http: aiohttp.ClientSession,
        stage: Stage,
    ) -> None:
        self.identity = identity
        self.url = url
        self.stage = stage
        self._http = http
        self._issue = issue
        self.bears = ""
        """The rule by which a message of the story is refused without its failing."""
        self.renew()

    def renew(self) -> None:
        """Get a new token, of this moment."""
        self._authorization = {"Authorization": f"Bearer {self._issue()}"}

    @property
    def id(self) -> GatewayId:
        """The id of its gateway."""
        return self.identity.gateway_id

    async def get(self, path: str) -> View:
        """GET a JSON object."""
        return _object(await self.raw("GET", path))

    async def overdue(self) -> list[View]:
        """List overdue cases; none while the gateway's clock has not come to our token's day."""
        status, content = await self._call("GET", "/v1/overdue", None, {})
        if status == 401:
            return []
        found: list[View] = _object(content)["overdue"]
        return found

    async def post(self, path: str, body: View) -> View:
        """POST a JSON object under a key of its own, so that a repetition would do no harm."""
        key = SystemEntropy().token(16).hex()
        data = json.dumps(body, ensure_ascii=False).encode()
        headers = {**_JSON, "Idempotency-Key": key}
        return _object(await self.raw("POST", path, data, headers))

    async def refused(self, path: str, body: View) -> str:
        """POST what the gateway will say no to; return the rule by which, empty if it did not."""
        data = json.dumps(body, ensure_ascii=False).encode()
        status, content = await self._call("POST", path, data, _JSON)
        return str(_object(content).get("rule", "")) if status >= 400 else ""

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
        status, content = await self._call(method, path, data, headers or {})
        if status >= 400:
            raise DemoFailed(self._refusal(method, path, status, content))
        return content

    async def _call(
        self, method: str, path: str, data: bytes | None, headers: View
    ) -> tuple[int, bytes]:
        clock = self.stage.clock
        began = clock.monotonic_ms()
        given = {**self._authorization, **headers}
        async with self._http.request(method, self.url + path, data=data, headers=given) as answer:
            content = await answer.read()
        ms = clock.monotonic_ms() - began
        self.stage.teller.call(Call(self.id, method, path, answer.status, ms))
        return answer.status, content

    def _refusal(self, method: str, path: str, status: int, content: bytes) -> str:
        try:
            said = _object(content)
        except ValueError:
            said = {}
        words = [str(said[k]) for k in ("rule", "title_zh", "title_en", "detail") if said.get(k)]
        where = f"{self.identity.name_zh} {method} {path.partition('?')[0]}"
        return f"{where} → {status} {' · '.join(words)}".rstrip()

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
        message = ours[-1]
        self.stage.teller.crossing(
            Crossing(
                case_id=case_id,
                kind=kind,
                sender=GatewayId(message["sender"]),
                recipient=GatewayId(message["recipient"]),
                message_id=message["message_id"],
                sequence=message["sequence"],
                outcome=message["receipt"]["outcome"],
                ms=message["waited_ms"],
                held_by=view["held_by"],
            )
        )
        return view

    def _require_well(self, view: View) -> None:
        refused = [
            m
            for m in view["history"]
            if m["receipt"]
            and m["receipt"]["outcome"] != "taken_in"
            and not (self.bears and m["receipt"]["rule"] == self.bears)
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

    def issue() -> str:
        return issue_token(
            config,
            unit=identity.unit,
            subject=subject,
            scopes=scopes,
            now_s=stage.clock.now_ms() // 1000,
        )

    timeout = aiohttp.ClientTimeout(total=_CALL_S)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        yield Office(identity, f"http://{config.portal.listen}", issue, http, stage)
