"""Whatever happens between three gateways, a joint case ends the same everywhere, and lawfully."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from enum import Enum
from random import Random
from typing import Any, NamedTuple, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.flow import settling
from gateway.kernel.case import CaseRole, Stage
from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.rules.casework import may_say
from gateway.rules.joint import AGREE as AGREED
from tests.flow.judge import require_allowed_stages, require_same_case
from tests.flow.link import Trouble
from tests.flow.sites import Setup
from tests.flow.stillness import StillLoop, rest
from tests.flow.trio import ASK, BARE, Trio, TrioSide, provision
from tests.flow.world import WINDOW, actor
from tests.property.effort import LONG, effort
from tests.support.joint import AGREE, APPROVED, DISAGREE, REFUSED

T = TypeVar("T")
DAY_MS = 86_400_000
MOVES = 50
TASKS = 4
EXPECTED = {
    FaultCode.CASE_JOINT_OPEN,
    FaultCode.CASE_JOINT_UNASKED,
    FaultCode.CASE_JOINT_DISAGREED,
    FaultCode.CASE_ALREADY_ANSWERED,
    FaultCode.CASE_ALREADY_DECIDED,
    FaultCode.CASE_CLOSED,
    FaultCode.CASE_STAGE,
    FaultCode.CASE_CORRECTION_UNNAMED,
}


class What(Enum):
    """What happens next."""

    TURN = "a lane does a round, alone, and its call meets the trouble"
    ASK = "the deciding office asks"
    ANSWER = "the participating office answers, one way or the other"
    TAKE_BACK = "the deciding office takes a task back"
    DECIDE = "the deciding office tries to decide, one way or the other"
    WITHDRAW = "the applicant withdraws"
    RELEASE = "a call that was held goes on"
    ARRIVE_LATE = "a call that was lost arrives after all"
    WAIT = "time passes, sometimes days of it"
    CRASH = "a gateway dies and starts again"


class Move(NamedTuple):
    """One thing that happens; what the number chooses among depends on it."""

    what: What
    choice: int
    trouble: Trouble


OFTEN = {What.TURN: 14, What.ASK: 3, What.ANSWER: 4, What.TAKE_BACK: 2, What.DECIDE: 2}
WEIGHTED = [w for w in What for _ in range(OFTEN.get(w, 1))]
TROUBLES = [Trouble.NONE] * 14 + list(Trouble)
MOVE = st.builds(
    Move,
    what=st.sampled_from(WEIGHTED),
    choice=st.integers(0, 23),
    trouble=st.sampled_from(TROUBLES),
)


class Joint:
    """One joint case that was accepted, three gateways, and everything that can go wrong."""

    def __init__(self, setups: tuple[Setup, Setup, Setup]) -> None:
        self.loop = StillLoop()
        self.turns: list[asyncio.Task[bool]] = []
        self.tasks: list[bytes] = []

        async def make() -> Trio:
            return Trio(setups)

        self.trio = self.run(make())
        self.case_id = self.run(self.trio.accepted())
        self.ways = [(side, partner) for side in self.trio.sides for partner in side.links]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        async def until_rest() -> T:
            result = await work
            await rest()
            return result

        return self.loop.run_until_complete(until_rest())

    def say(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Have a person do something that may come too late."""
        try:
            return self.run(work)
        except Fault as fault:
            assert fault.code in EXPECTED, fault
            return None

    def play(self, move: Move) -> None:
        trio, case_id = self.trio, self.case_id
        task = self.tasks[move.choice % len(self.tasks)] if self.tasks else b""
        match move.what:
            case What.TURN:
                self.turn(move)
            case What.ASK if len(self.tasks) < TASKS:
                asked = self.say(trio.ask(case_id, ASK if move.choice % 2 else BARE))
                self.tasks += [asked] if asked else []
            case What.ANSWER if task:
                if self.run(_known(trio.bs, task)):
                    self.say(trio.answer(task, DISAGREE if move.choice % 5 == 0 else AGREE))
            case What.TAKE_BACK if task:
                self.say(trio.take_back(case_id, task))
            case What.DECIDE:
                self.decide(APPROVED if move.choice % 3 else REFUSED)
            case What.WITHDRAW if move.choice % 6 == 0:
                self.say(trio.withdraw(case_id))
            case What.RELEASE:
                self.release(move)
            case What.ARRIVE_LATE:
                side, partner = self.ways[move.choice % len(self.ways)]
                if side.links[partner].late:
                    self.run(side.links[partner].bring_late())
            case What.WAIT:
                trio.clock.advance(DAY_MS if move.choice % 3 == 0 else 31_000)
                self.run(rest())
            case What.CRASH:
                self.run(self.crash(trio.sides[move.choice % 3]))
            case _:
                self.turn(move)
        for side in trio.sides:
            require_allowed_stages(side)

    def decide(self, form: Mapping[str, object]) -> None:
        case = self.run(self.trio.zjg.case(self.case_id))
        if may_say(case.stage, Kind.DECIDED) and case.stage is Stage.ACCEPTED:
            self.say(self.trio.decide(self.case_id, form))

    def turn(self, move: Move) -> None:
        side, partner = self.ways[move.choice % len(self.ways)]

        async def begin() -> None:
            side.links[partner].next.append(move.trouble)
            self.turns.append(asyncio.ensure_future(side.lanes[partner].turn()))

        self.run(begin())
        side.links[partner].next.clear()

    def release(self, move: Move) -> None:
        side, partner = self.ways[move.choice % len(self.ways)]
        link = side.links[partner]
        if link.held:
            link.release(move.choice % link.held)
            self.run(rest())

    async def crash(self, side: TrioSide) -> None:
        await self.end_turns()
        await side.crash()

    async def end_turns(self) -> None:
        for turn in self.turns:
            turn.cancel()
        await asyncio.gather(*self.turns, return_exceptions=True)
        self.turns.clear()

    async def heal(self) -> None:
        for side, partner in self.ways:
            while side.links[partner].held:
                side.links[partner].release()
                await rest()
        await asyncio.gather(*self.turns)

    def judge(self) -> None:
        """Assert that all hold the same, and that what was decided was allowed."""
        self.run(self.heal())
        self.run(self.trio.drain())
        self.run(self.require_same())
        self.run(self.require_lawful())

    async def require_same(self) -> None:
        trio = self.trio
        for side in trio.sides:
            require_allowed_stages(side)
        main = await trio.jq.case(self.case_id)
        await require_same_case(trio.jq, trio.zjg, main)
        for task in self.tasks:
            ours = await trio.zjg.case(task)
            assert ours.role is CaseRole.ASKING
            await require_same_case(trio.zjg, trio.bs, ours)

    async def require_lawful(self) -> None:
        trio = self.trio
        main = await trio.zjg.case(self.case_id)
        records = [await trio.bs.case(task) for task in self.tasks]
        if main.stage in (Stage.DECIDED, Stage.WITHDRAWN):
            assert all(r.stage is not Stage.ASKED for r in records), "an open task outlived it"
        if main.result == "approved":
            verdicts = {r.result for r in records if r.stage is Stage.ANSWERED}
            assert verdicts == {AGREED}
            shown = (await trio.jq.desk.case(actor(WINDOW), self.case_id))["joint"]
            assert isinstance(shown, list)
            signed = {r.sent.digest.hex() for r in records if r.stage is Stage.ANSWERED}
            assert {a["answer"] for a in shown} == signed

    def close(self) -> None:
        async def stop() -> None:
            await self.end_turns()
            for side in self.trio.sides:
                await side.owner.close()

        self.run(stop())
        self.loop.close()


async def _known(side: TrioSide, task: bytes) -> bool:
    return bool(await side.journal.read(lambda s: s.cases_by_id(task)))


@pytest.fixture(scope="module")
def setups(tmp_path_factory: pytest.TempPathFactory) -> tuple[Setup, Setup, Setup]:
    return provision(tmp_path_factory.mktemp("sites"))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up soon, so that messages are often unknown and burnt."""
    monkeypatch.setattr(settling, "ATTEMPTS_MAX", 2)


def settle(setups: tuple[Setup, Setup, Setup], moves: list[Move]) -> None:
    joint = Joint(setups)
    try:
        for move in moves:
            joint.play(move)
        joint.judge()
    finally:
        joint.close()


@pytest.mark.usefixtures("impatient")
def test_a_joint_case_ends_the_same_everywhere_whatever_happens(
    setups: tuple[Setup, Setup, Setup],
) -> None:
    @effort(40)
    @given(moves=st.lists(MOVE, min_size=MOVES, max_size=MOVES))
    def run(moves: list[Move]) -> None:
        settle(setups, moves)

    run()


@pytest.mark.usefixtures("impatient")
def test_a_joint_case_ends_the_same_everywhere_through_long_troubles(
    setups: tuple[Setup, Setup, Setup],
) -> None:
    for seed in range(1_000 if LONG else 60):
        draw = Random(seed)
        moves = [
            Move(draw.choice(WEIGHTED), draw.randrange(24), draw.choice(TROUBLES))
            for _ in range(3 * MOVES)
        ]
        try:
            settle(setups, moves)
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
