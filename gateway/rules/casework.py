"""A case's course (办件流程): which stage follows which message, and who may send what."""

from __future__ import annotations

from typing import Final, assert_never

from gateway.kernel.case import CLOSED, CaseRole, Stage
from gateway.kernel.envelope import Kind, Right
from gateway.kernel.faults import Fault, FaultCode

_SERVED = frozenset(
    {
        Kind.SUBMITTED,
        Kind.ACKNOWLEDGED,
        Kind.MATERIALS_REQUESTED,
        Kind.MATERIALS_SUPPLIED,
        Kind.ACCEPTED,
        Kind.NOT_ACCEPTED,
        Kind.CLOCK_SUSPENDED,
        Kind.CLOCK_RESUMED,
        Kind.DECIDED,
        Kind.WITHDRAWN,
        Kind.DELIVERED,
        Kind.ARCHIVED,
        Kind.REVIEWED,
        Kind.JOINT_TASK,
        Kind.JOINT_ANSWER,
    }
)
_NOTED_WHEN_WITHDRAWN: Final = (
    Kind.ACKNOWLEDGED,
    Kind.MATERIALS_REQUESTED,
    Kind.ACCEPTED,
    Kind.CLOCK_SUSPENDED,
    Kind.CLOCK_RESUMED,
)
ABOUT_THE_RESULT: Final = frozenset({Kind.DELIVERED, Kind.ARCHIVED, Kind.REVIEWED})
"""Kinds that speak of a result: once it was corrected, they say of which one."""


def _next(stage: Stage, kind: Kind) -> Stage | None:
    """Return the stage after `kind`; None if it does not follow."""
    match stage:
        case Stage.RECEIVING:
            # A withdrawal here never leaves the origin: the other side knows nothing yet.
            after = {
                Kind.SUBMITTED: Stage.SUBMITTED,
                Kind.WITHDRAWN: Stage.WITHDRAWN,
                Kind.JOINT_TASK: Stage.ASKED,
            }
        case Stage.SUBMITTED:
            after = {
                Kind.ACKNOWLEDGED: Stage.ACKNOWLEDGED,
                Kind.NOT_ACCEPTED: Stage.REFUSED_AT_INTAKE,
                Kind.WITHDRAWN: Stage.WITHDRAWN,
            }
        case Stage.ACKNOWLEDGED | Stage.MATERIALS_SUPPLIED:
            after = {
                Kind.MATERIALS_REQUESTED: Stage.MATERIALS_REQUESTED,
                Kind.ACCEPTED: Stage.ACCEPTED,
                Kind.NOT_ACCEPTED: Stage.NOT_ACCEPTED,
                Kind.WITHDRAWN: Stage.WITHDRAWN,
            }
        case Stage.MATERIALS_REQUESTED:
            after = {
                Kind.MATERIALS_SUPPLIED: Stage.MATERIALS_SUPPLIED,
                Kind.NOT_ACCEPTED: Stage.NOT_ACCEPTED,
                Kind.WITHDRAWN: Stage.WITHDRAWN,
            }
        case Stage.ACCEPTED:
            after = {
                Kind.CLOCK_SUSPENDED: Stage.SUSPENDED,
                Kind.DECIDED: Stage.DECIDED,
                Kind.WITHDRAWN: Stage.WITHDRAWN,
            }
        case Stage.SUSPENDED:
            # 行政许可法 article 45: its time is outside the limit; who applied may still withdraw.
            after = {Kind.CLOCK_RESUMED: Stage.ACCEPTED, Kind.WITHDRAWN: Stage.WITHDRAWN}
        case Stage.DECIDED:
            # A corrected result takes the place of the one before and is delivered anew.
            after = {Kind.DECIDED: Stage.DECIDED, Kind.DELIVERED: Stage.DELIVERED}
        case Stage.DELIVERED:
            after = {
                Kind.DECIDED: Stage.DECIDED,
                Kind.REVIEWED: Stage.DELIVERED,
                Kind.ARCHIVED: Stage.ARCHIVED,
            }
        case Stage.ARCHIVED:
            # Each side says what it keeps, and people may still speak of the service.
            after = {Kind.REVIEWED: Stage.ARCHIVED, Kind.ARCHIVED: Stage.ARCHIVED}
        case Stage.WITHDRAWN:
            # What the deciding side sent before it saw the withdrawal is taken note of.
            after = dict.fromkeys(_NOTED_WHEN_WITHDRAWN, Stage.WITHDRAWN)
        case Stage.ASKED:
            after = {Kind.JOINT_ANSWER: Stage.ANSWERED, Kind.WITHDRAWN: Stage.WITHDRAWN}
        case Stage.REFUSED_AT_INTAKE | Stage.NOT_ACCEPTED | Stage.ANSWERED:
            after = {}
        case _ as never:
            assert_never(never)
    return after.get(kind)


def step(stage: Stage, kind: Kind) -> Stage:
    """Return the stage of a case after a message of `kind` counts.

    Raises:
        Fault: `case.kind_not_served`, `case.already_decided` (a withdrawal that crossed a
            decision), `case.already_answered` (one that crossed the answer to a joint task),
            `case.suspended` (a decision before the special procedure's end), `case.closed`,
            `case.stage`.
    """
    if kind not in _SERVED:
        raise Fault(FaultCode.CASE_KIND_NOT_SERVED, kind.name.lower())
    after = _next(stage, kind)
    if after is not None:
        return after
    if kind is Kind.WITHDRAWN and stage in (Stage.DECIDED, Stage.DELIVERED, Stage.ARCHIVED):
        raise Fault(FaultCode.CASE_ALREADY_DECIDED)
    if kind is Kind.WITHDRAWN and stage is Stage.ANSWERED:
        raise Fault(FaultCode.CASE_ALREADY_ANSWERED)
    if kind is Kind.DECIDED and stage is Stage.SUSPENDED:
        raise Fault(FaultCode.CASE_SUSPENDED)
    if stage in CLOSED:
        raise Fault(FaultCode.CASE_CLOSED, stage.value)
    raise Fault(FaultCode.CASE_STAGE, f"{kind.name.lower()} in {stage.value}")


def can_step(stage: Stage, kind: Kind) -> bool:
    """Tell whether `step` would succeed."""
    return kind in _SERVED and _next(stage, kind) is not None


def may_say(stage: Stage, kind: Kind) -> bool:
    """Tell whether a side that knows the case to be in `stage` may say `kind` in it.

    That is `can_step`, but for a withdrawn case: it takes note of what was said before the
    withdrawal was known, and nobody adds to it knowingly.
    """
    return stage is not Stage.WITHDRAWN and can_step(stage, kind)


def require_correction(stage: Stage, corrects: str, standing: str) -> None:
    """Check that a decision is the first, or names the one that it takes the place of.

    `corrects` and `standing` are header digests in hex; empty for none. Source: an uploaded final
    result cannot be silently withdrawn.

    Raises:
        Fault: `case.correction_unnamed`, `case.decision_differs`.
    """
    decided = stage in (Stage.DECIDED, Stage.DELIVERED)
    if decided and not corrects:
        raise Fault(FaultCode.CASE_CORRECTION_UNNAMED)
    if decided or corrects:
        require_same_decision(corrects, standing if decided else "")


def require_same_decision(named: str, standing: str) -> None:
    """Check that a message names the decision that stands, by its header digest in hex.

    Raises:
        Fault: `case.decision_differs`.
    """
    if not standing or named != standing:
        known = "another stands" if standing else "none is settled between both sides"
        raise Fault(FaultCode.CASE_DECISION_DIFFERS, known)


def right_needed(sender: CaseRole, kind: Kind) -> Right | None:
    """Return the delegated right `sender` must exercise to send `kind`; None if it never may.

    `Right.NONE` means the kind is the sender's own. Source: the four delegable rights of
    国办发〔2020〕35号.
    """
    match sender:
        case CaseRole.ORIGIN:
            return {
                Kind.SUBMITTED: Right.NONE,
                Kind.MATERIALS_SUPPLIED: Right.NONE,
                Kind.WITHDRAWN: Right.NONE,
                Kind.DELIVERED: Right.DELIVER_RESULT,
                Kind.ACCEPTED: Right.ACCEPT,
                Kind.NOT_ACCEPTED: Right.ACCEPT,
                Kind.MATERIALS_REQUESTED: Right.NOTIFY_ONCE,
                Kind.ARCHIVED: Right.NONE,
                Kind.REVIEWED: Right.NONE,
            }.get(kind)
        case CaseRole.DECIDING:
            return {
                Kind.ACKNOWLEDGED: Right.NONE,
                Kind.MATERIALS_REQUESTED: Right.NONE,
                Kind.ACCEPTED: Right.NONE,
                Kind.NOT_ACCEPTED: Right.NONE,
                Kind.CLOCK_SUSPENDED: Right.NONE,
                Kind.CLOCK_RESUMED: Right.NONE,
                Kind.DECIDED: Right.NONE,
                Kind.DELIVERED: Right.NONE,
                Kind.ARCHIVED: Right.NONE,
                Kind.REVIEWED: Right.NONE,  # the answer to a review
            }.get(kind)
        case CaseRole.ASKING:
            return {Kind.JOINT_TASK: Right.NONE, Kind.WITHDRAWN: Right.NONE}.get(kind)
        case CaseRole.PARTICIPATING:
            return {Kind.JOINT_ANSWER: Right.NONE}.get(kind)
        case _ as never:
            assert_never(never)


def require_role(sender: CaseRole, kind: Kind, right: Right) -> None:
    """Check that a side may send `kind` with the delegated right it names.

    Material may be sent with `verify_originals`, which says that originals were seen. Whether the
    agreement delegates a right is *not* checked here.

    Raises:
        Fault: `case.role`, `case.right_required`.
    """
    if kind not in _SERVED:
        raise Fault(FaultCode.CASE_KIND_NOT_SERVED, kind.name.lower())
    needed = right_needed(sender, kind)
    if needed is None:
        raise Fault(FaultCode.CASE_ROLE, f"{sender.value} sends {kind.name.lower()}")
    if needed is not Right.NONE and right is not needed:
        raise Fault(FaultCode.CASE_RIGHT_REQUIRED, needed.name.lower())
    if needed is Right.NONE and right is not Right.NONE:
        material = kind in (Kind.SUBMITTED, Kind.MATERIALS_SUPPLIED)
        if not (material and right is Right.VERIFY_ORIGINALS):
            raise Fault(FaultCode.CASE_ROLE, f"{right.name.lower()} with {kind.name.lower()}")
