"""The scenarios of the demo: who does what until one case has come to its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.app.demo.assisted import play_assisted
from gateway.app.demo.correcting import CorrectedPortal, CorrectingRegistrar
from gateway.app.demo.individual import IndividualPortal
from gateway.app.demo.joint import MOVING, LeavingDesk, MoveDesk, MovePortal, both
from gateway.app.demo.late import TOO_LATE, Crossroads, HeldRegistrar, LatePortal
from gateway.app.demo.moved_clock import MovedClock
from gateway.app.demo.office import Office
from gateway.app.demo.overdue import LatePapers, WatchfulPortal
from gateway.app.demo.platforms.everyone import STORIES, every_platform
from gateway.app.demo.platforms.window import PlatformWindow
from gateway.app.demo.portal import Portal, RefusedPortal
from gateway.app.demo.registrar import RefusingRegistrar, Registrar
from gateway.app.demo.state import State
from gateway.app.demo.story import (
    BAOSHAN,
    HEXI,
    JIAYUGUAN,
    JIUQUAN,
    ZHANGJIAGANG,
    Federation,
    Stage,
    Until,
    View,
)
from gateway.app.provision import Identity, Site
from gateway.kernel.identifiers import GatewayId


@dataclass(frozen=True)
class Cast:
    """An office at each gateway of the federation, and the folder of the sample papers."""

    offices: Mapping[GatewayId, Office]
    papers: Path
    site: Site
    """Of the applicant's gateway."""
    also: list[View]
    """What came of further cases, beside the one that `run` returns."""
    holds: Mapping[GatewayId, Callable[[], AbstractContextManager[None]]]
    """Each has a gateway stand still while the block lasts."""

    def office(self, who: Identity) -> Office:
        """Return a region's office."""
        return self.offices[who.gateway_id]

    @property
    def jiuquan(self) -> Office:
        """The applicant's office."""
        return self.office(JIUQUAN)

    @property
    def jiayuguan(self) -> Office:
        """The deciding office of most stories."""
        return self.office(JIAYUGUAN)


Run = Callable[[Cast, Until], Awaitable[str]]


@dataclass(frozen=True)
class Scenario:
    """A story the demo can play.

    `run` works beside nothing else until the case is closed at the applicant's side, and returns
    the case's id. `result` is how the case is decided; an approval brings a licence. `stage` is
    where it ends. Where the deciding side has no gateway (`assisted`), the attested word of one
    side is all there is.
    """

    name: str
    zh: str
    en: str
    result: str
    run: Run
    stage: str = "delivered"
    assisted: bool = False
    moved: bool = False
    """The clock of all gateways can be moved."""
    federation: Federation = HEXI
    around: Callable[[State, Stage], AbstractAsyncContextManager[None]] | None = None
    """What runs beside the gateways: partners' simulated platforms."""
    crossing: str = ""
    """The rule by which one message is refused, because it crossed another."""

    @property
    def deciding(self) -> Identity:
        """The region that decides."""
        return self.federation.regions[1]


def _between(portal: type[Portal], registrar: type[Registrar]) -> Run:
    """Return the story of a window in Jiuquan and an office in Jiayuguan, each by its program."""

    async def run(cast: Cast, until: Until) -> str:
        window = portal(cast.jiuquan, cast.papers)
        office = registrar(cast.jiayuguan, cast.jiayuguan.stage.clock.now_ms())
        await until(window.run(), office.run())
        return window.case_id

    return run


async def _late(cast: Cast, until: Until) -> str:
    crossing = Crossroads(cast.holds[JIAYUGUAN.gateway_id])
    portal = LatePortal(cast.jiuquan, cast.papers, crossing)
    now_ms = cast.jiayuguan.stage.clock.now_ms()
    await until(portal.run(), HeldRegistrar(cast.jiayuguan, now_ms, crossing).run())
    return portal.case_id


async def _instant(cast: Cast, until: Until) -> str:
    portal = IndividualPortal(cast.jiuquan, cast.jiayuguan, cast.papers)
    await portal.run()  # the registrar's office has nothing to do
    return portal.case_id


async def _assisted(cast: Cast, until: Until) -> str:
    cast.papers.mkdir(mode=0o700, parents=True, exist_ok=True)
    view = await play_assisted(cast.site, cast.jiuquan.stage, cast.papers)
    return str(view["case_id"])


async def _overdue(cast: Cast, until: Until) -> str:
    clock = cast.jiuquan.stage.clock
    assert isinstance(clock, MovedClock), "play moves the clock for this story"
    registrar = LatePapers(cast.jiayuguan, clock.now_ms())
    portal = WatchfulPortal(cast.jiuquan, cast.jiayuguan, registrar, cast.papers, clock)
    await until(portal.run(), registrar.run())
    return portal.case_id


async def _joint_move(cast: Cast, until: Until) -> str:
    now_ms = cast.jiuquan.stage.clock.now_ms()
    portal = MovePortal(cast.jiuquan, cast.papers)
    deciding = MoveDesk(cast.office(ZHANGJIAGANG), now_ms)
    leaving = LeavingDesk(cast.office(BAOSHAN), now_ms)
    await until(portal.run(), both(deciding, leaving))
    return portal.case_id


async def _all_partners(cast: Cast, until: Until) -> str:
    for story in STORIES:
        cast.also.append(await PlatformWindow(cast.jiuquan, story).run())
    cast.papers.mkdir(mode=0o700, parents=True, exist_ok=True)
    view = await play_assisted(cast.site, cast.jiuquan.stage, cast.papers)
    cast.also.append(
        {
            "partner": view["deciding"],
            "dialect": "assisted",
            "zh": "人工协办",
            "en": "people carry a printed sheet",
            "case_id": view["case_id"],
            "stage": view["stage"],
            "result": view["result"],
            "answer": view["answer"],
            "licence_id": view["licence"]["licence_id"],
            "messages": len(view["history"]),
            "strength": ["assisted"],
        }
    )
    return await _between(Portal, Registrar)(cast, until)


FOUNDING: Final = "founding-case"
SCENARIOS: Final[Mapping[str, Scenario]] = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            FOUNDING,
            "跨市通办营业执照：一次补正，准予登记",
            "one licence, two cities: material is asked for once, then approved",
            "approved",
            _between(Portal, Registrar),
        ),
        Scenario(
            "instant",
            "秒批：个体工商户设立登记，无需人工",
            "an individual business is registered by rule, with no one at the desk",
            "approved",
            _instant,
        ),
        Scenario(
            "refused",
            "不予登记：书面说明理由，送达申请人",
            "the application is refused with reasons, and the refusal handed over",
            "refused",
            _between(RefusedPortal, RefusingRegistrar),
        ),
        Scenario(
            "withdrawn-too-late",
            "撤回与办结在途中交叉：以办结为准",
            "a withdrawal crosses the decision on its way; the decision stands",
            "approved",
            _late,
            crossing=TOO_LATE,
        ),
        Scenario(
            "joint-move",
            "户口迁移：酒泉收件，张家港审批，宝山核验迁出，三地各有网关",
            "a household moves: one place accepts, one decides, the one it leaves agrees",
            "approved",
            _joint_move,
            federation=MOVING,
        ),
        Scenario(
            "correction",
            "更正：已送达的证照有误，以新的签名决定更正并重新送达",
            "a licence with a slip is replaced by a new signed decision that names the old one",
            "approved",
            _between(CorrectedPortal, CorrectingRegistrar),
        ),
        Scenario(
            "overdue",
            "超期：办理地搁置办件，时钟拨快，双方都看到责任在谁",
            "a case is left lying, the clock is moved, and both sides see with whom it lies",
            "approved",
            _overdue,
            moved=True,
        ),
        Scenario(
            "assisted",
            "无系统的伙伴：打印协办单、电话转交，一人录入、另一人复核",
            "a partner with no system: a printed sheet, one types its answers, another confirms",
            "approved",
            _assisted,
            stage="decided",
            assisted=True,
        ),
        Scenario(
            "all-partners",
            "所有伙伴：各说各的话，一件不落",
            "every partner in its own dialect: a case through each and back",
            "approved",
            _all_partners,
            around=every_platform,
        ),
    )
}
"""By name, in the order in which they are listed. Another scenario is another entry here."""
