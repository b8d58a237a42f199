"""Two gateways made of the real flow, in one process, without sockets, threads or waiting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256

from gateway.adapters.calendars.published import PublishedCalendar
from gateway.adapters.memory.calendar import HeldCalendar
from gateway.adapters.memory.directory import HeldDirectory
from gateway.adapters.pki.suites import SuiteVerifier
from gateway.app.agreements import read_agreement
from gateway.app.announced import key_reader
from gateway.flow.accords import Accords
from gateway.flow.agreement_desk import AgreementDesk
from gateway.flow.announced import AnnouncementDesk
from gateway.flow.authenticity import Authenticity
from gateway.flow.clockwork import Clockwork
from gateway.flow.committer import Committer
from gateway.flow.desk import Actor, DeclaredMaterial, OpenCase, SideAct, TaskAct, View
from gateway.flow.dispatch import Dispatcher, Lane
from gateway.flow.handling import ChangeBell, Handling
from gateway.flow.housekeeping import Housekeeping
from gateway.flow.intake import Intake
from gateway.flow.item_press import Press
from gateway.flow.joint import JointTasks
from gateway.flow.list_keeper import ListKeeper
from gateway.flow.sealing import Sealer
from gateway.flow.submission import Submission
from gateway.flow.tasks import TaskOwner
from gateway.flow.timekeeper import Timekeeper
from gateway.flow.uploads import AttachmentIntake
from gateway.kernel.case import CaseRecord
from gateway.kernel.envelope import Kind, Mode
from gateway.kernel.identifiers import CaseId, CaseKey, GatewayId, parse_uuid7
from gateway.ports.journal import Direction, OutboxEntry, OutboxStatus, Snapshot, StoredMessage
from tests.fakes.clock import SeededEntropy
from tests.fakes.telemetry import HeardEvents
from tests.flow.link import Link
from tests.flow.parts import Pen, TroubledJournal, TroubledVault
from tests.flow.sites import Setup
from tests.flow.stillness import rest, still_loop
from tests.support.world import BRANCH, QUERY, sample_answer, sample_files, sample_form

WINDOW = "11620900MB00000000"
REGISTRAR = "11620200MB0000000U"
FORMS: dict[Kind, dict[str, object]] = {
    Kind.ACKNOWLEDGED: {},
    Kind.MATERIALS_REQUESTED: sample_answer("materials_requested"),
    Kind.ACCEPTED: {"accepted_on": "2026-06-01"},
    Kind.NOT_ACCEPTED: {"reason_code": "X1", "reason_zh": "不属于本机关职权范围（示例）"},
    Kind.CLOCK_SUSPENDED: {"procedure": "hearing", "reason_zh": "申请听证（示例）"},
    Kind.CLOCK_RESUMED: {},
    Kind.DECIDED: {"result": "approved", "answer_zh": "登记状态：存续（示例）"},
    Kind.DELIVERED: {"method": "online", "delivered_on": "2026-06-01"},
    Kind.ARCHIVED: {
        "archived_on": "2026-06-30",
        "materials": [
            {
                "code": "result",
                "holder": {"region": "620200", "unit": "11620200MB0000000U"},
                "kept_as": "original",
                "retention": "permanent",
            }
        ],
    },
}
REFUSED = {"result": "refused", "reason_zh": "材料不实（示例）"}
LICENCE = sample_answer("decided")


def actor(unit: str) -> Actor:
    return Actor(unit, "staff-7", "window", frozenset())


class Side:
    """One gateway: what outlives a crash, and the flow over it."""

    def __init__(self, setup: Setup, seed: int) -> None:
        self.setup = setup
        self.id = setup.gateway_id
        self.clock = still_loop().clock
        self.entropy = SeededEntropy(seed)
        self.log = HeardEvents()
        self.journal = TroubledJournal()
        self.vault = TroubledVault(self.clock)
        self.directory = HeldDirectory(setup.book)
        self.calendar = HeldCalendar(PublishedCalendar().current().years.values())
        self.pen = Pen(setup.signers[0])
        self.link: Link
        """The way to the partner."""

    def start(self) -> None:
        """Build the flow, as the composition root does, over journal and vault as they are."""
        clock, verifier = self.clock, SuiteVerifier()
        self.owner = TaskOwner(self.log)
        sealer = Sealer([self.pen])
        self.committer = Committer(self.journal, sealer, clock, self.entropy, self.log)
        self.owner.start("committer", self.committer.run())
        self.committer.accompany(Clockwork(self.directory, self.calendar).keep)
        self.timekeeper = Timekeeper(self.committer, self.calendar, clock, self.log)
        authenticity = Authenticity(verifier)
        read_key = key_reader(demo=True)
        self.accords = Accords(
            self.journal, self.directory, authenticity, read_agreement, self.log, read_key
        )
        self.announcements = AnnouncementDesk(
            self.committer, self.directory, self.accords.refresh, read_key, self.log
        )
        self.intake = Intake(
            self.committer,
            self.journal,
            self.vault,
            self.directory,
            authenticity,
            self.accords,
            clock,
        )
        self.press = Press(self.journal)
        self.lists = ListKeeper(
            self.committer, self.journal, self.directory, clock, self.log, self.press
        )
        self.agreements = AgreementDesk(self.committer, sealer, self.directory, self.accords, clock)
        self.uploads = AttachmentIntake(self.vault, self.journal, self.directory, clock)
        self.housekeeping = Housekeeping(
            self.vault, self.journal, self.directory, self.uploads, clock, self.log
        )
        bell = ChangeBell()
        self.committer.listen(bell.ring)
        self.desk = Submission(
            self.committer, self.journal, self.vault, self.directory, clock, self.entropy
        )
        self.tasks = Handling(self.committer, self.journal, self.vault, self.directory, bell)
        self.joint = JointTasks(
            self.committer,
            self.journal,
            self.vault,
            self.directory,
            self.calendar,
            clock,
            self.entropy,
        )
        self.dispatcher = Dispatcher(
            self.committer,
            self.vault,
            self.directory,
            authenticity,
            clock,
            self.entropy,
            self.log,
            self.link_to,
        )
        self.open_lanes()

    def link_to(self, _partner: GatewayId) -> Link:
        """Return the way to a partner."""
        return self.link

    def open_lanes(self) -> None:
        """Open a lane to each partner."""
        (partner,) = self.directory.current().partners
        self.lane = Lane(self.dispatcher, partner, self.link)

    async def crash(self) -> None:
        """Lose everything but journal and vault, and start again as `open_core` does."""
        await self.owner.close()
        await self.journal.write(lambda tx: tx.release_leases())
        self.start()

    async def case(self, case_id: bytes) -> CaseRecord:
        found = await self.journal.read(lambda s: s.cases_by_id(case_id))
        assert len(found) == 1
        return found[0]

    async def history(self, case_id: bytes) -> Sequence[StoredMessage]:
        key = CaseKey(GatewayId("620900"), CaseId(case_id))
        return await self.journal.read(lambda s: s.history(key))

    async def said(self, case_id: bytes) -> list[StoredMessage]:
        """Return our own messages of a case, oldest first."""
        return [m for m in await self.history(case_id) if m.direction is Direction.OUT]

    async def outbox(self) -> list[OutboxEntry]:
        """Return everything that waits to be receipted."""
        cases = await self.journal.read(lambda s: s.cases_of(None, limit=1_000))
        waiting: list[OutboxEntry] = []
        for case in cases:
            waiting += await self.journal.read(partial(_outbox_of, case.key))
        return [e for e in waiting if e.status is not OutboxStatus.PREPARING]


def _outbox_of(key: CaseKey, snapshot: Snapshot) -> Sequence[OutboxEntry]:
    return snapshot.outbox(key)


class World:
    """Jiuquan's window (`jq`) and Jiayuguan's registrar (`jyg`)."""

    def __init__(self, setups: tuple[Setup, Setup]) -> None:
        self.clock = still_loop().clock
        self.jq, self.jyg = (Side(setup, seed) for seed, setup in enumerate(setups))
        self.sides = (self.jq, self.jyg)
        for here, there in ((self.jq, self.jyg), (self.jyg, self.jq)):
            here.link = Link(here.id, there)
        for side in self.sides:
            side.start()

    # --- people -----------------------------------------------------------------------------

    async def open_query(self, idempotency: str | None = None, unit: str = WINDOW) -> bytes:
        """Open a case that needs no files; its submission waits to be sent."""
        view = await self.jq.desk.open_case(actor(unit), query_wish(), idempotency)
        return id_of(view)

    async def open_branch(self, *, upload: bool = True) -> bytes:
        """Open the founding case, with its files."""
        files = sample_files(("01", "02", "03", "04", "05"))
        case_id = id_of(await self.jq.desk.open_case(actor(WINDOW), branch_wish(files), None))
        if upload:
            for code, content in files.items():
                await self.upload(case_id, code, content)
        return case_id

    async def upload(self, case_id: bytes, code: str, content: bytes) -> View:
        return await self.jq.desk.add_material(
            actor(WINDOW), case_id, code, "application/pdf", len(content), chunks(content)
        )

    async def act(
        self, case_id: bytes, *kinds: Kind, form: Mapping[str, object] | None = None
    ) -> None:
        """Have the registrar say these, one after another."""
        for kind in kinds:
            act = TaskAct(kind, as_json(FORMS[kind] if form is None else form))
            await self.jyg.tasks.act(actor(REGISTRAR), case_id, act, None, None)

    async def withdraw(self, case_id: bytes) -> None:
        await self.jq.desk.withdraw(actor(WINDOW), case_id, "不再需要（示例）", None)

    async def supply(self, case_id: bytes) -> None:
        form = as_json(QUERY_FORM)
        await self.jq.desk.supplement(actor(WINDOW), case_id, form, (), None)

    async def hand_over(self, case_id: bytes) -> None:
        await self.jq.desk.confirm_delivered(actor(WINDOW), case_id, "window", None)

    async def say(self, case_id: bytes, kind: Kind, form: Mapping[str, object]) -> None:
        """Have the window say what needs no files."""
        await self.jq.desk.act(actor(WINDOW), case_id, SideAct(kind, as_json(form)), None)

    async def correct(self, case_id: bytes, corrects: object, **changes: object) -> None:
        """Have the registrar replace its decision."""
        form = {**FORMS[Kind.DECIDED], "corrects": corrects, "correction_reason_zh": "笔误（示例）"}
        await self.act(case_id, Kind.DECIDED, form={**form, **changes})

    async def standing(self, case_id: bytes) -> object:
        """Return the name of the decision that stands, as the registrar sees it."""
        return (await self.jyg.tasks.task(actor(REGISTRAR), case_id))["decision"]

    # --- machines ---------------------------------------------------------------------------

    def begin_turn(self, side: Side) -> asyncio.Task[bool]:
        """Start one round of a side's lane; a held call leaves it under way."""
        return asyncio.ensure_future(side.lane.turn())

    async def exchange(self) -> None:
        """Let both lanes do rounds until neither has anything to do at this moment."""
        for _ in range(100):
            moved = [await side.lane.turn() for side in self.sides]
            if not any(moved):
                return
        raise AssertionError("the lanes never come to rest")

    async def drain(self, steps: int = 60) -> None:
        """Let time pass until everything said has met its receipt."""
        for _ in range(steps):
            await self.exchange()
            if not any([await side.outbox() for side in self.sides]):
                return
            self.clock.advance(400_000)  # longer than the longest wait
        raise AssertionError([await side.outbox() for side in self.sides])


@asynccontextmanager
async def world_of(setups: tuple[Setup, Setup]) -> AsyncIterator[World]:
    """Run two gateways; afterwards nothing of them is left running."""
    world = World(setups)
    try:
        yield world
    finally:
        for side in world.sides:
            await side.owner.close()


QUERY_FORM: dict[str, object] = {
    "uscc": "91620200MA0000000H",
    "query_purpose": "核对企业登记信息（示例）",
}


def query_wish(**changes: object) -> OpenCase:
    wish = {
        "region": GatewayId("620200"),
        "item_code": QUERY,
        "item_version": None,
        "mode": Mode.ONLINE,
        "purpose": "enterprise-information-query",
        "form": as_json(QUERY_FORM),
        "materials": (),
    }
    return OpenCase(**{**wish, **changes})  # type: ignore[arg-type]


def branch_wish(files: dict[str, bytes]) -> OpenCase:
    return OpenCase(
        GatewayId("620200"),
        BRANCH,
        None,
        Mode.COLLECT_ON_BEHALF,
        "branch-registration",
        as_json(sample_form()),
        tuple(declared(code, content) for code, content in files.items()),
        verified_originals=True,
        applicant=as_json({"identity": {"method": "in_person_id_card"}}),
    )


def declared(code: str, content: bytes) -> DeclaredMaterial:
    digest = sha256(content).digest()
    return DeclaredMaterial(code, f"{code}.pdf", "application/pdf", len(content), digest)


async def chunks(content: bytes) -> AsyncIterator[bytes]:
    yield content


def as_json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def id_of(view: View) -> bytes:
    raw = parse_uuid7(str(view["case_id"]))
    assert raw is not None
    return raw


async def settle() -> None:
    """Let everything that can happen now happen."""
    await rest()
