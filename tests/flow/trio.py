"""Three gateways of the real flow: where one applies, where it is decided, where one moves from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.adapters.pki.key_files import load_signer
from gateway.adapters.pki.suites import SuiteVerifier
from gateway.app.partners import load_book
from gateway.app.provision import Identity, Site
from gateway.flow.desk import JointAsk, OpenCase, TaskAct, View
from gateway.flow.dispatch import Lane
from gateway.kernel.case import CaseRecord
from gateway.kernel.envelope import Kind, Mode
from gateway.kernel.identifiers import GatewayId
from tests.flow.link import Link
from tests.flow.sites import Setup
from tests.flow.stillness import NOW_MS, still_loop
from tests.flow.world import (
    WINDOW,
    Side,
    actor,
    as_json,
    chunks,
    declared,
    id_of,
)
from tests.support.joint import (
    AGREE,
    APPLIED,
    APPROVED,
    BAOSHAN,
    MOVE,
    TASKED,
    ZHANGJIAGANG,
    make_trio,
    move_form,
)
from tests.support.world import sample_files

POLICE, VERIFIERS = ZHANGJIAGANG.unit, BAOSHAN.unit
FIELDS = ("/mover/name", "/mover/citizen_id", "/from_address")
ASK = JointAsk(BAOSHAN.gateway_id, "请核验迁出户口（示例）", "", "", FIELDS, ("01",))
BARE = JointAsk(BAOSHAN.gateway_id, "请核验迁出户口（示例）")


def provision(
    root: Path, applied: bytes = APPLIED, tasked: bytes = TASKED
) -> tuple[Setup, Setup, Setup]:
    """Return Jiuquan, Zhangjiagang and Baoshan; Jiuquan and Baoshan do not know each other."""

    def at(folder: Path, who: Identity) -> Site:
        return Site(folder / who.folder, who, "127.0.0.1:1", "127.0.0.1:2")

    sites = make_trio(root, NOW_MS, at, applied, tasked)
    first, second, third = map(_read, sites)
    return first, second, third


def _read(site: Site) -> Setup:
    home = site.identity.gateway_id
    book = load_book(site.root / "partners", home, SuiteVerifier(), demo=True)
    return Setup(site.identity, book, [load_signer(path) for path in site.signing_keys], site.root)


class TrioSide(Side):
    """A gateway with a lane to each of its partners."""

    def __init__(self, setup: Setup, seed: int) -> None:
        super().__init__(setup, seed)
        self.links: dict[GatewayId, Link] = {}
        self.lanes: dict[GatewayId, Lane] = {}

    def link_to(self, partner: GatewayId) -> Link:
        return self.links[partner]

    def open_lanes(self) -> None:
        self.lanes = {
            partner: Lane(self.dispatcher, partner, link) for partner, link in self.links.items()
        }

    async def case(self, case_id: bytes) -> CaseRecord:
        (found,) = await self.journal.read(lambda s: s.cases_by_id(case_id))
        return found


class Trio:
    """The window in Jiuquan (`jq`), the deciding office (`zjg`), the participating one (`bs`)."""

    def __init__(self, setups: tuple[Setup, Setup, Setup]) -> None:
        self.clock = still_loop().clock
        self.jq, self.zjg, self.bs = (TrioSide(s, seed) for seed, s in enumerate(setups))
        self.sides = (self.jq, self.zjg, self.bs)
        for one, other in ((self.jq, self.zjg), (self.zjg, self.bs)):
            one.links[other.id] = Link(one.id, other)
            other.links[one.id] = Link(other.id, one)
        for side in self.sides:
            side.start()

    # --- people -----------------------------------------------------------------------------

    async def open_move(self) -> bytes:
        """Open a case of 户口迁移 with its files."""
        files = sample_files(("01",))
        wish = OpenCase(
            ZHANGJIAGANG.gateway_id,
            MOVE,
            None,
            Mode.JOINT,
            "household-move",
            as_json(move_form()),
            tuple(declared(code, content) for code, content in files.items()),
            verified_originals=True,
        )
        case_id = id_of(await self.jq.desk.open_case(actor(WINDOW), wish, None))
        for code, content in files.items():
            await self.jq.desk.add_material(
                actor(WINDOW), case_id, code, "application/pdf", len(content), chunks(content)
            )
        return case_id

    async def accepted(self) -> bytes:
        """Bring such a case to where the deciding office asks others."""
        case_id = await self.open_move()
        await self.drain()
        await self.act(case_id, Kind.ACKNOWLEDGED, {})
        await self.act(case_id, Kind.ACCEPTED, {"accepted_on": "2026-06-01"})
        await self.drain()
        return case_id

    async def asked(self, wish: JointAsk = ASK) -> tuple[bytes, bytes]:
        """Bring it on to where the task lies with the participating office."""
        case_id = await self.accepted()
        task_id = await self.ask(case_id, wish)
        await self.drain()
        return case_id, task_id

    async def ask(self, case_id: bytes, wish: JointAsk = ASK, key: str | None = None) -> bytes:
        return id_of(await self.zjg.joint.ask(actor(POLICE), case_id, wish, key))

    async def act(self, case_id: bytes, kind: Kind, form: Mapping[str, object]) -> View:
        act = TaskAct(kind, as_json(form))
        return await self.zjg.tasks.act(actor(POLICE), case_id, act, None, None)

    async def decide(self, case_id: bytes, form: Mapping[str, object] = APPROVED) -> View:
        return await self.act(case_id, Kind.DECIDED, form)

    async def answer(self, task_id: bytes, form: Mapping[str, object] = AGREE) -> View:
        act = TaskAct(Kind.JOINT_ANSWER, as_json(form))
        return await self.bs.tasks.act(actor(VERIFIERS), task_id, act, None, None)

    async def take_back(self, case_id: bytes, task_id: bytes) -> View:
        reason = "改请他地核验（示例）"
        return await self.zjg.joint.withdraw(actor(POLICE), case_id, task_id, reason, None)

    async def withdraw(self, case_id: bytes) -> None:
        await self.jq.desk.withdraw(actor(WINDOW), case_id, "不再需要（示例）", None)

    async def joint(self, case_id: bytes) -> list[Any]:
        return list(await self.zjg.joint.tasks(actor(POLICE), case_id))

    # --- machines ---------------------------------------------------------------------------

    async def drain(self, steps: int = 60) -> None:
        """Let time pass until everything said has met its receipt."""
        for _ in range(steps):
            while any([await lane.turn() for side in self.sides for lane in side.lanes.values()]):
                pass
            if not any([await side.outbox() for side in self.sides]):
                return
            self.clock.advance(400_000)
        raise AssertionError([await side.outbox() for side in self.sides])


@asynccontextmanager
async def trio_of(setups: tuple[Setup, Setup, Setup]) -> AsyncIterator[Trio]:
    """Run three gateways; afterwards nothing of them is left running."""
    trio = Trio(setups)
    try:
        yield trio
    finally:
        for side in trio.sides:
            await side.owner.close()
