"""Whatever the network and the people do, both sides end up holding the same, once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from enum import Enum
from random import Random
from typing import Any, NamedTuple, TypeVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.flow import settling
from gateway.flow.desk import TaskAct
from gateway.flow.outbound import expected_stage
from gateway.kernel.case import Stage
from gateway.kernel.envelope import Kind, NotTakenIn, Outcome
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseId, CaseKey
from gateway.rules.casework import may_say
from tests.flow.judge import require_allowed_stages, require_converged
from tests.flow.link import Answer, Tamper, Trouble
from tests.flow.sites import Setup, provision
from tests.flow.stillness import StillLoop, rest
from tests.flow.world import (
    FORMS,
    QUERY_FORM,
    REGISTRAR,
    WINDOW,
    Side,
    World,
    actor,
    as_json,
    id_of,
    query_wish,
)
from tests.property.effort import LONG, effort

T = TypeVar("T")

UNITS = (WINDOW, REGISTRAR)
MINUTE = 60_000
WAITS_MS = (1, 700, 3_000, 31_000, 31_000, 400_000, 400_000, 3_600_000)
CORRECTIONS_MS = (-MINUTE, -1, MINUTE, 1)
MOVES = 70
CASES = 4
SAYINGS = (*FORMS, Kind.MATERIALS_REQUESTED, Kind.ACCEPTED, Kind.MATERIALS_REQUESTED)
"""What a deciding office says; cases that go on for long meet more troubles."""


GRADED = [TaskAct(Kind.REVIEWED, as_json({"grade": g})) for g in ("satisfied", "dissatisfied")]
ANSWER = {"outcome": "rectified", "measures_zh": "示例"}
FILED = TaskAct(Kind.ARCHIVED, as_json(FORMS[Kind.ARCHIVED]))


class What(Enum):
    """What happens next."""

    EXCHANGE = "each lane does a round, one after the other"
    TURN = "a lane does a round, alone"
    DECIDE = "the deciding office says something"
    APPLY = "the applicant's side says something"
    OPEN = "a case is opened"
    RELEASE = "a call that was held goes on"
    ARRIVE_LATE = "a call that was lost arrives after all"
    WAIT = "time passes"
    CORRECT = "the time of day is corrected"
    LOSE_COMMIT = "a commit fails"
    SIGNER_DOWN = "the signer is out of order for a round"
    CRASH = "a gateway dies and starts again"


OFTEN = {
    What.DECIDE: 12,
    What.TURN: 7,
    What.EXCHANGE: 3,
    What.APPLY: 8,
    What.RELEASE: 4,
    What.WAIT: 9,
    What.ARRIVE_LATE: 2,
}


class Move(NamedTuple):
    """One thing that happens; what the numbers choose among depends on it."""

    what: What
    side: int
    choice: int
    trouble: Trouble
    spoilt: bool


WEIGHTED = [w for w in What for _ in range(OFTEN.get(w, 1))]
TROUBLES = [Trouble.NONE] * 12 + list(Trouble)
MOVE = st.builds(
    Move,
    what=st.sampled_from(WEIGHTED),
    side=st.integers(0, 1),
    choice=st.integers(0, 23),
    trouble=st.sampled_from(TROUBLES),
    spoilt=st.sampled_from([False] * 7 + [True]),
)


def spoil(answers: list[Answer]) -> list[Answer]:
    """Flip a bit of each receipt, and give each message the answer of another."""
    bad = [a if isinstance(a, NotTakenIn) else a[:-1] + bytes([a[-1] ^ 1]) for a in answers[:1]]
    return answers[1:] + bad


class Federation:
    """Two gateways, their people, and everything that can go wrong between them."""

    def __init__(self, setups: tuple[Setup, Setup]) -> None:
        self.loop = StillLoop()
        self.opened: list[tuple[int, bytes]] = []
        self.said: Counter[tuple[bytes, Kind]] = Counter()
        self.turns: tuple[list[asyncio.Task[bool]], list[asyncio.Task[bool]]] = ([], [])
        self.keys = 0
        self.corrected_ms = 0

        async def make() -> World:
            return World(setups)

        self.world = self.run(make())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        async def until_rest() -> T:
            result = await work
            await rest()
            return result

        return self.loop.run_until_complete(until_rest())

    def play(self, move: Move) -> None:
        acts: dict[What, Callable[[Move], None]] = {
            What.EXCHANGE: self.exchange,
            What.TURN: self.turn,
            What.DECIDE: self.decide,
            What.APPLY: self.apply,
            What.OPEN: self.open_case,
            What.RELEASE: self.release,
            What.ARRIVE_LATE: self.arrive_late,
            What.WAIT: self.wait,
            What.CORRECT: self.correct,
            What.LOSE_COMMIT: self.lose_commit,
            What.SIGNER_DOWN: self.signer_down,
            What.CRASH: self.crash,
        }
        acts[move.what](move)
        for side in self.world.sides:
            require_allowed_stages(side)

    # --- people -----------------------------------------------------------------------------

    def say(
        self, case_id: bytes, kind: Kind, ask: Callable[[str], Coroutine[Any, Any, Any]]
    ) -> bytes:
        """Ask twice under one key; count it once, unless it was refused."""
        self.keys += 1
        key = f"k{self.keys}"
        try:
            view = self.run(ask(key))
        except Fault as fault:
            # An answer to a review may wait unsealed behind another, and is in no view then.
            twice = kind is Kind.REVIEWED and fault.code is FaultCode.CASE_REVIEW_ANSWERED
            assert twice or fault.code.value.startswith("delivery."), fault
            return b""
        assert self.run(ask(key)) == view
        case_id = case_id or id_of(view)
        self.said[case_id, kind] += 1
        return case_id

    def open_case(self, move: Move) -> None:
        if len(self.opened) == CASES:
            return
        here, there = self.world.sides[move.side], self.world.sides[1 - move.side]
        who, wish = actor(UNITS[move.side]), query_wish(region=there.id)
        case_id = self.say(b"", Kind.SUBMITTED, lambda key: here.desk.open_case(who, wish, key))
        if case_id:
            self.opened.append((move.side, case_id))

    def decide(self, move: Move) -> None:
        origin, case_id = self.opened[move.choice % len(self.opened)]
        side, who = self.world.sides[1 - origin], actor(UNITS[1 - origin])
        found = self.run(side.journal.read(lambda s: s.cases_by_id(case_id)))
        legal = [k for k in SAYINGS if found and may_say(found[0].stage, k)]
        forms = {**FORMS}
        if found and found[0].stage in (Stage.DECIDED, Stage.DELIVERED):
            named = self.run(side.tasks.task(who, case_id))["decision"]
            corrected = {"corrects": named, "correction_reason_zh": f"更正 {move.choice}"}
            forms[Kind.DECIDED] = {**FORMS[Kind.DECIDED], **corrected}
            legal = [k for k in legal if named or k is not Kind.DECIDED]
        if found and may_say(found[0].stage, Kind.REVIEWED):
            said = cast("list[dict[str, str]]", self.run(side.tasks.task(who, case_id))["reviews"])
            answered = {review.get("answers") for review in said}
            for review in said:
                if "grade" in review and review["digest"] not in answered:
                    legal.append(Kind.REVIEWED)
                    forms[Kind.REVIEWED] = {**ANSWER, "answers": review["digest"]}
        if not legal:
            self.turn(move._replace(side=origin))  # it waits for the other side's word
            return
        kind = legal[move.choice // len(self.opened) % len(legal)]
        act = TaskAct(kind, as_json(forms[kind]))
        self.say(case_id, kind, lambda key: side.tasks.act(who, case_id, act, None, key))

    def apply(self, move: Move) -> None:
        origin, case_id = self.opened[move.choice % len(self.opened)]
        side, who = self.world.sides[origin], actor(UNITS[origin])
        desk, form = side.desk, as_json(QUERY_FORM)
        asks: dict[Kind, Callable[[str], Coroutine[Any, Any, Any]]] = {
            Kind.MATERIALS_SUPPLIED: lambda key: desk.supplement(who, case_id, form, (), key),
            Kind.DELIVERED: lambda key: desk.confirm_delivered(who, case_id, "window", key),
            Kind.REVIEWED: lambda key: desk.act(who, case_id, GRADED[move.choice % 2], key),
            Kind.ARCHIVED: lambda key: desk.act(who, case_id, FILED, key),
            Kind.WITHDRAWN: lambda key: desk.withdraw(who, case_id, "示例", key),
        }
        stage = expected_stage(self.run(side.case(case_id)))
        legal = [k for k in asks if may_say(stage, k)]
        if not legal or (legal[0] is Kind.WITHDRAWN and move.choice % 8):
            self.turn(move._replace(side=1 - origin))
            return
        kind = legal[0 if move.choice % 8 else -1]  # mostly what goes on with the case
        self.say(case_id, kind, asks[kind])

    # --- machines ---------------------------------------------------------------------------

    def turn(self, move: Move) -> None:
        """Let a lane do a round; its call, if it makes one, meets the trouble."""
        link = self.world.sides[move.side].link
        how: Tamper | None = spoil if move.spoilt else None

        async def begin() -> None:
            link.next.append(move.trouble)
            link.tamper = how
            self.turns[move.side].append(self.world.begin_turn(self.world.sides[move.side]))

        self.run(begin())
        link.next.clear()
        link.tamper = None

    def exchange(self, move: Move) -> None:
        for side in (move.side, 1 - move.side):
            self.turn(move._replace(side=side))

    def release(self, move: Move) -> None:
        link = self.world.sides[move.side].link
        if not link.held:
            self.turn(move)
            return
        link.release(move.choice % link.held)
        self.run(rest())

    def arrive_late(self, move: Move) -> None:
        link = self.world.sides[move.side].link
        if not link.late:
            self.turn(move)
            return
        self.run(link.bring_late())

    def wait(self, move: Move) -> None:
        self.world.clock.advance(WAITS_MS[move.choice % len(WAITS_MS)])
        self.run(rest())

    def correct(self, move: Move) -> None:
        ms = CORRECTIONS_MS[move.choice % len(CORRECTIONS_MS)]
        if abs(self.corrected_ms + ms) <= 2 * MINUTE:  # within the skew that is allowed
            self.corrected_ms += ms
            self.world.clock.step(ms)

    def lose_commit(self, move: Move) -> None:
        journal = self.world.sides[move.choice % 2].journal
        journal.lost_commits = 1 + move.choice // 2 % 2
        self.turn(move)
        journal.lost_commits = 0

    def signer_down(self, move: Move) -> None:
        pen = self.world.sides[move.choice % 2].pen
        pen.down = True
        self.turn(move)
        pen.down = False

    def crash(self, move: Move) -> None:
        async def die() -> None:
            await self.end_turns(move.side)
            await self.world.sides[move.side].crash()

        self.run(die())

    # --- what must hold ---------------------------------------------------------------------

    async def heal(self) -> None:
        """Let everything under way come to its end."""
        for side in self.world.sides:
            while side.link.held:
                side.link.release()
                await rest()
        await asyncio.gather(*self.turns[0], *self.turns[1])

    async def end_turns(self, side: int) -> None:
        for turn in self.turns[side]:
            turn.cancel()
        await asyncio.gather(*self.turns[side], return_exceptions=True)
        self.turns[side].clear()

    def judge(self) -> None:
        self.run(self.heal())
        self.run(self.world.drain())
        self.run(require_converged(self.world))
        for origin, case_id in self.opened:
            self.run(self.require_said(self.world.sides[origin], case_id))

    async def require_said(self, origin: Side, case_id: bytes) -> None:
        """Assert that nothing took effect oftener than it was said."""
        key = CaseKey(origin.id, CaseId(case_id))
        history = await origin.journal.read(lambda s: s.history(key))
        taken = Counter(m.kind for m in history if m.outcome is Outcome.TAKEN_IN)
        assert taken[Kind.SUBMITTED] == 1
        for kind, times in taken.items():
            assert kind is not None
            assert times <= self.said[case_id, kind], (kind, times)

    def close(self) -> None:
        async def stop() -> None:
            for number, side in enumerate(self.world.sides):
                await self.end_turns(number)
                await side.owner.close()

        self.run(stop())
        self.loop.close()


@pytest.fixture(scope="module")
def setups(tmp_path_factory: pytest.TempPathFactory) -> tuple[Setup, Setup]:
    return provision(tmp_path_factory.mktemp("sites"))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up soon, so that messages are often unknown and burnt."""
    monkeypatch.setattr(settling, "ATTEMPTS_MAX", 2)


def converge(setups: tuple[Setup, Setup], moves: list[Move]) -> None:
    """Play the moves, let everything heal, and assert what must hold."""
    federation = Federation(setups)
    try:
        federation.open_case(moves[0])
        for move in moves:
            federation.play(move)
        federation.judge()
    finally:
        federation.close()


@pytest.mark.usefixtures("impatient")
def test_two_gateways_converge_whatever_happens_between_them(
    setups: tuple[Setup, Setup],
) -> None:
    @effort(100)
    @given(moves=st.lists(MOVE, min_size=MOVES, max_size=MOVES))
    def run(moves: list[Move]) -> None:
        converge(setups, moves)

    run()


@pytest.mark.usefixtures("impatient")
def test_two_gateways_converge_through_long_troubles_drawn_at_random(
    setups: tuple[Setup, Setup],
) -> None:
    for seed in range(3_000 if LONG else 60):
        moves = drawn(seed, 3 * MOVES)
        try:
            converge(setups, moves)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {shortest(setups, moves)}") from error


def drawn(seed: int, count: int) -> list[Move]:
    """Return moves that a seed stands for: evenly spread, where Hypothesis likes extremes."""
    draw = Random(seed)
    return [
        Move(
            draw.choice(WEIGHTED),
            draw.randrange(2),
            draw.randrange(24),
            draw.choice(TROUBLES),
            draw.random() < 0.1,
        )
        for _ in range(count)
    ]


def shortest(setups: tuple[Setup, Setup], moves: list[Move]) -> list[Move]:
    """Return a part of the moves, in order, that still fails, found by leaving out ever less."""
    size = len(moves) // 2
    while size:
        for start in range(0, len(moves), size):
            fewer = moves[:start] + moves[start + size :]
            if fewer and fails(setups, fewer):
                moves = fewer
                break
        else:
            size //= 2
    return moves


def fails(setups: tuple[Setup, Setup], moves: list[Move]) -> bool:
    try:
        converge(setups, moves)
    except Exception:
        return True
    return False
