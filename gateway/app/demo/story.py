"""What happens in the demo, told step by step, and whose turn it is to tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple, Protocol

from gateway.app.provision import Identity
from gateway.kernel.identifiers import GatewayId
from gateway.ports.clock import Clock

View = dict[str, Any]
"""An answer of a gateway, parsed from JSON."""

Until = Callable[[Coroutine[Any, Any, None], Coroutine[Any, Any, None]], Awaitable[None]]
"""Waits for the first of two while the second works beside it."""

JIUQUAN: Final = Identity(
    GatewayId("620900"), "jiuquan", "酒泉市（示例）", "Jiuquan (sample)", "11620900MB00000000"
)
JIAYUGUAN: Final = Identity(
    GatewayId("620200"), "jiayuguan", "嘉峪关市（示例）", "Jiayuguan (sample)", "11620200MB0000000U"
)
ZHANGJIAGANG: Final = Identity(
    GatewayId("320582"),
    "zhangjiagang",
    "张家港市（示例）",
    "Zhangjiagang (sample)",
    "11320582MB00000013",
)
BAOSHAN: Final = Identity(
    GatewayId("310113"), "baoshan", "上海市宝山区（示例）", "Baoshan (sample)", "11310113MB0000001C"
)
SHORT_ZH: Final = {
    "620900": "酒泉",
    "620200": "嘉峪关",
    "620300": "金昌",
    "320582": "张家港",
    "310113": "宝山",
    "620700": "张掖",
    "620600": "武威",
    "320500": "苏州",
    "620000": "甘肃",
}
ITEM: Final = "00013112700402"
"""内资企业及分支机构设立登记（分公司）."""


class Federation(NamedTuple):
    """The regions of a story, each with a gateway of its own, and who agreed with whom."""

    regions: tuple[Identity, ...]
    """The applicant's side first, then the deciding one."""
    agreements: tuple[tuple[Identity, Identity, str], ...]
    """Pairs, and the file among the shipped `partners/` that both accept."""


HEXI: Final = Federation((JIUQUAN, JIAYUGUAN), ((JIUQUAN, JIAYUGUAN, "jiayuguan/agreement.toml"),))
"""Two cities of the Hexi corridor (河西): where most stories play."""


class DemoFailed(Exception):
    """Something that should have happened did not; the text is for the person at the terminal."""


class Act(NamedTuple):
    """Something an office did at its own gateway."""

    side: GatewayId
    zh: str
    en: str
    ms: int


class Transfer(NamedTuple):
    """A file that a gateway took in; `digest` is its SHA-256 in hex."""

    side: GatewayId
    code: str
    name: str
    size: int
    digest: str
    ms: int


class Crossing(NamedTuple):
    """A message that crossed between the gateways and the receipt it met; `ms` until it was back.

    `held_by` is the gateway whose side the case lies with afterwards, empty once it is closed.
    """

    case_id: str
    kind: str
    sender: GatewayId
    recipient: GatewayId
    message_id: str
    sequence: int
    outcome: str
    ms: int
    held_by: str


class Call(NamedTuple):
    """An HTTP call to a gateway."""

    side: GatewayId
    method: str
    path: str
    status: int
    ms: int


class Teller(Protocol):
    """Hears what happens, in order."""

    def act(self, act: Act) -> None:
        """Hear of an act."""
        ...

    def transfer(self, transfer: Transfer) -> None:
        """Hear of a file."""
        ...

    def crossing(self, crossing: Crossing) -> None:
        """Hear of a message and its receipt."""
        ...

    def call(self, call: Call) -> None:
        """Hear of an HTTP call."""
        ...


class Quiet:
    """A teller that tells nobody."""

    def act(self, act: Act) -> None:
        """See `Teller`."""

    def transfer(self, transfer: Transfer) -> None:
        """See `Teller`."""

    def crossing(self, crossing: Crossing) -> None:
        """See `Teller`."""

    def call(self, call: Call) -> None:
        """See `Teller`."""


class Stage:
    """Both offices work at the same time; this lets one finish telling before the other begins.

    After each turn there is a pause of `pace_s` for human eyes; pauses move the deadline and are
    not counted as time the case took.
    """

    def __init__(self, teller: Teller, clock: Clock, pace_s: float) -> None:
        self.teller = teller
        self.clock = clock
        self.paused_ms = 0
        self.with_whom = ""
        """Whose answer the story waits for, where it is one of several partners."""
        self._pace_ms = round(pace_s * 1000)
        self._lock = asyncio.Lock()
        self._deadline: asyncio.Timeout | None = None

    @asynccontextmanager
    async def limited(self, seconds: float) -> AsyncIterator[None]:
        """Give everything inside `seconds`, pauses not counted.

        Raises:
            DemoFailed: it took longer.
        """
        deadline = self._deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                yield
        except TimeoutError as late:
            if not deadline.expired():
                raise
            told = (
                f"办件未在 {seconds:g} 秒内办结送达 the case was not delivered within {seconds:g} s"
            )
            raise DemoFailed(f"{self.with_whom}: {told}" if self.with_whom else told) from late
        finally:
            self._deadline = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold the turn; pause at its end."""
        async with self._lock:
            yield
            if self._pace_ms:
                await self._pause()

    async def _pause(self) -> None:
        self.paused_ms += self._pace_ms
        if self._deadline is not None and (when := self._deadline.when()) is not None:
            self._deadline.reschedule(when + self._pace_ms / 1000)
        await self.clock.sleep_ms(self._pace_ms)
