"""The course of a case: closed over stages and kinds, and agreed by both sides in any order."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.kernel.case import CLOSED, CaseRole, Stage
from gateway.kernel.envelope import Kind, Right
from gateway.kernel.faults import Fault, FaultCode
from gateway.rules.casework import (
    ABOUT_THE_RESULT,
    can_step,
    may_say,
    require_correction,
    require_role,
    require_same_decision,
    right_needed,
    step,
)

EXPECTED = {
    FaultCode.CASE_STAGE,
    FaultCode.CASE_CLOSED,
    FaultCode.CASE_SUSPENDED,
    FaultCode.CASE_ALREADY_DECIDED,
    FaultCode.CASE_ALREADY_ANSWERED,
}


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("kind", Kind)
def test_every_kind_in_every_stage_leads_to_a_stage_or_breaks_a_rule(
    stage: Stage, kind: Kind
) -> None:
    if can_step(stage, kind):
        assert step(stage, kind) in Stage
        return
    with pytest.raises(Fault) as raised:
        step(stage, kind)
    assert raised.value.code in EXPECTED | {FaultCode.CASE_KIND_NOT_SERVED}


@pytest.mark.parametrize("stage", sorted(CLOSED))
def test_nothing_but_a_corrected_result_reopens_a_closed_case(stage: Stage) -> None:
    after = {kind: step(stage, kind) for kind in Kind if can_step(stage, kind)}
    if stage is Stage.DELIVERED:
        assert after.pop(Kind.DECIDED) is Stage.DECIDED
    assert set(after.values()) <= {stage, Stage.ARCHIVED}


def test_nothing_leads_out_of_the_archive() -> None:
    for kind in Kind:
        if can_step(Stage.ARCHIVED, kind):
            assert step(Stage.ARCHIVED, kind) is Stage.ARCHIVED


def test_a_first_decision_corrects_nothing() -> None:
    require_correction(Stage.ACCEPTED, "", "")
    with pytest.raises(Fault) as raised:
        require_correction(Stage.ACCEPTED, "ab" * 32, "ab" * 32)
    assert raised.value.code is FaultCode.CASE_DECISION_DIFFERS


def test_no_decision_is_named_while_none_is_settled() -> None:
    with pytest.raises(Fault) as raised:
        require_same_decision("", "")
    assert raised.value.code is FaultCode.CASE_DECISION_DIFFERS


def test_every_stage_can_be_reached_and_every_open_one_can_be_closed() -> None:
    after = {s: {step(s, k) for k in Kind if can_step(s, k)} for s in Stage}
    reached, grown = {Stage.RECEIVING}, True
    while grown:
        more = set().union(*(after[s] for s in reached)) - reached
        reached |= more
        grown = bool(more)
    assert reached == set(Stage)
    closing, grown = set(CLOSED), True
    while grown:
        more = {s for s in Stage if after[s] & closing} - closing
        closing |= more
        grown = bool(more)
    assert closing == set(Stage)


def test_a_withdrawal_is_too_late_once_the_case_is_decided() -> None:
    for stage in (Stage.DECIDED, Stage.DELIVERED, Stage.ARCHIVED):
        with pytest.raises(Fault) as raised:
            step(stage, Kind.WITHDRAWN)
        assert raised.value.code is FaultCode.CASE_ALREADY_DECIDED


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("role", CaseRole)
@pytest.mark.parametrize("right", Right)
def test_every_role_kind_and_right_is_allowed_or_breaks_a_rule(
    role: CaseRole, kind: Kind, right: Right
) -> None:
    needed = right_needed(role, kind)
    material = kind in (Kind.SUBMITTED, Kind.MATERIALS_SUPPLIED)
    vouched = needed is Right.NONE and material and right is Right.VERIFY_ORIGINALS
    if needed is right or vouched:
        require_role(role, kind, right)
        return
    with pytest.raises(Fault) as raised:
        require_role(role, kind, right)
    assert raised.value.code in {
        FaultCode.CASE_ROLE,
        FaultCode.CASE_RIGHT_REQUIRED,
        FaultCode.CASE_KIND_NOT_SERVED,
    }


def test_the_origin_never_decides_and_the_deciding_side_never_applies() -> None:
    origin = {k for k in Kind if right_needed(CaseRole.ORIGIN, k) is not None}
    deciding = {k for k in Kind if right_needed(CaseRole.DECIDING, k) is not None}
    assert Kind.DECIDED not in origin
    assert not deciding & {Kind.SUBMITTED, Kind.MATERIALS_SUPPLIED, Kind.WITHDRAWN}


def test_a_participating_side_may_only_answer() -> None:
    said = {kind for kind in Kind if right_needed(CaseRole.PARTICIPATING, kind) is not None}
    assert said == {Kind.JOINT_ANSWER}


def test_originals_are_vouched_for_with_material_only() -> None:
    require_role(CaseRole.ORIGIN, Kind.SUBMITTED, Right.VERIFY_ORIGINALS)
    require_role(CaseRole.ORIGIN, Kind.MATERIALS_SUPPLIED, Right.VERIFY_ORIGINALS)
    with pytest.raises(Fault) as raised:
        require_role(CaseRole.ORIGIN, Kind.WITHDRAWN, Right.VERIFY_ORIGINALS)
    assert raised.value.code is FaultCode.CASE_ROLE


@dataclass
class Side:
    """One side of a case as the flow keeps it, without bytes: one message under way at most.

    The deciding side's own word counts at once, the origin's once it is known to be taken in.
    """

    role: CaseRole
    stage: Stage
    waiting: list[tuple[Kind, int]] = field(default_factory=list)
    """Kind, and which decision it speaks of: the first, second, ... that was known."""
    outstanding: tuple[int, Kind] | None = None
    decisions: int = 0
    sent: int = 0
    seen: int = 0
    on_its_way: tuple[int, Kind, int, int] | None = None
    """Number, kind, the number last seen when it was sealed, and the decision it speaks of."""
    receipt: tuple[int, bool] | None = None
    """For the other side: number, taken in."""
    history: list[list[object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begun = self.stage

    def may_say(self) -> list[Kind]:
        kinds = [
            k
            for k in Kind
            if right_needed(self.role, k) is not None
            and may_say(self.stage, k)
            and not (k is Kind.DECIDED and self.decides())
        ]
        if self.role is CaseRole.ORIGIN and (self.outstanding or self.waiting):
            return []
        return kinds

    def decides(self) -> bool:
        """Tell whether a decision of its own is still on its way: it cannot be named yet."""
        told = [self.outstanding[1]] if self.outstanding else []
        return Kind.DECIDED in (*told, *(kind for kind, _ in self.waiting))

    def say(self, kind: Kind) -> None:
        if self.role is CaseRole.DECIDING:
            self.stage = step(self.stage, kind)
            self.decisions += kind is Kind.DECIDED
        self.waiting.append((kind, self.decisions))
        self.seal()

    def seal(self) -> None:
        if self.outstanding is None and self.waiting:
            kind, about = self.waiting.pop(0)
            self.sent += 1
            self.outstanding = (self.sent, kind)
            self.on_its_way = (self.sent, kind, self.seen, about)
            self.history.append([kind, False])

    def count(self) -> None:
        assert self.outstanding is not None
        _, kind = self.outstanding
        self.outstanding = None
        self.history[self._own(kind)][1] = True
        if self.role is CaseRole.ORIGIN and can_step(self.stage, kind):
            self.stage = step(self.stage, kind)
        self.seal()

    def _own(self, kind: Kind) -> int:
        return max(i for i, (said, taken) in enumerate(self.history) if said is kind and not taken)

    def speaks_of_another(self, kind: Kind, about: int) -> bool:
        """Tell whether the origin's word is about a result that was corrected since."""
        corrected = self.role is CaseRole.DECIDING and self.decisions > 1
        differs = about != self.decisions or self.decides()
        return kind in ABOUT_THE_RESULT and corrected and differs

    def take(self, number: int, kind: Kind, seen: int, about: int) -> None:
        """Judge the other side's message."""
        if self.outstanding is not None and self.outstanding[0] == seen:
            self.count()
        if self.speaks_of_another(kind, about):
            self.receipt = (number, False)
            return
        if not can_step(self.stage, kind):
            # The deciding side's word is never refused, unless the origin, to which accepting is
            # delegated, closed the case at the same time.
            assert self.role is CaseRole.DECIDING or [Kind.NOT_ACCEPTED, True] in self.history
            self.receipt = (number, False)
            return
        self.stage = step(self.stage, kind)
        self.decisions += kind is Kind.DECIDED
        self.seen = number
        self.history.append([kind, True])
        self.receipt = (number, True)

    def settle(self, number: int, taken: bool) -> None:
        """Read the other side's receipt."""
        if self.outstanding is None or self.outstanding[0] != number:
            return
        if taken:
            self.count()
            return
        self.outstanding = None
        if self.role is CaseRole.DECIDING:  # back to what both sides hold
            self.waiting.clear()
            self.stage, self.decisions = self.begun, int(self.begun is Stage.DECIDED)
            for kind, counts in self.history:
                assert isinstance(kind, Kind)
                if counts and can_step(self.stage, kind):
                    self.stage = step(self.stage, kind)
                    self.decisions += kind is Kind.DECIDED
        self.seal()


def deliver(sender: Side, recipient: Side) -> None:
    assert sender.on_its_way is not None
    message, sender.on_its_way = sender.on_its_way, None
    recipient.take(*message)


def answer(recipient: Side, sender: Side) -> None:
    assert recipient.receipt is not None
    receipt, recipient.receipt = recipient.receipt, None
    sender.settle(*receipt)


def moves(origin: Side, deciding: Side) -> list[tuple[str, Side, Side]]:
    """Return which messages and receipts could arrive next."""
    pairs = ((origin, deciding), (deciding, origin))
    arrivals = [("message", a, b) for a, b in pairs if a.on_its_way is not None]
    return arrivals + [("receipt", b, a) for a, b in pairs if b.receipt is not None]


def move(what: str, one: Side, other: Side) -> None:
    (deliver if what == "message" else answer)(one, other)


@settings(max_examples=600, deadline=None)
@given(st.data())
@pytest.mark.parametrize("begun", [Stage.SUBMITTED, Stage.ACCEPTED, Stage.DECIDED])
def test_two_sides_agree_whatever_overtakes_what(begun: Stage, data: st.DataObject) -> None:
    decisions = int(begun is Stage.DECIDED)
    origin = Side(CaseRole.ORIGIN, begun, decisions=decisions)
    deciding = Side(CaseRole.DECIDING, begun, decisions=decisions)
    for _ in range(data.draw(st.integers(1, 40), "steps")):
        choices: list[tuple[object, ...]] = list(moves(origin, deciding))
        choices += [("say", s, k) for s in (origin, deciding) for k in s.may_say()]
        if not choices:
            break
        what, one, other = data.draw(st.sampled_from(choices), "move")
        assert isinstance(one, Side)
        if isinstance(other, Kind):
            one.say(other)
        else:
            assert isinstance(other, Side)
            move(str(what), one, other)
        assert origin.stage in Stage
        assert deciding.stage in Stage
    while open_moves := moves(origin, deciding):
        move(*data.draw(st.sampled_from(open_moves), "last moves"))
    assert origin.stage is deciding.stage
    assert origin.outstanding is None
    assert deciding.outstanding is None
