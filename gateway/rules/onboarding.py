"""A partner's way from draft to retired (接入), as one step at a time."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import assert_never

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.partner_state import PartnerState as S


class PartnerEvent(StrEnum):
    """What an operator decides of a partner."""

    TEST = "test"  # 转入测试
    ACTIVATE = "activate"  # 启用
    SUSPEND = "suspend"  # 暂停
    RETIRE = "retire"  # 停用


def step(state: S, event: PartnerEvent) -> S:
    """Return where a partner stands after `event`. Retired is final; its keys stay for proofs.

    Raises:
        Fault: `partner.state`.
    """
    match event:
        case PartnerEvent.TEST:
            return _from(state, (S.DRAFT, S.SUSPENDED), S.TESTING)
        case PartnerEvent.ACTIVATE:
            return _from(state, (S.TESTING, S.SUSPENDED), S.ACTIVE)
        case PartnerEvent.SUSPEND:
            return _from(state, (S.TESTING, S.ACTIVE), S.SUSPENDED)
        case PartnerEvent.RETIRE:
            return _from(state, (S.TESTING, S.ACTIVE, S.SUSPENDED), S.RETIRED)
        case _ as never:
            assert_never(never)


def _from(state: S, needed: Sequence[S], after: S) -> S:
    if state not in needed:
        raise Fault(FaultCode.PARTNER_STATE, f"{state.value} -> {after.value}")
    return after


def require_conformant(reasons: Sequence[str]) -> None:
    """Check that nothing stands against a fresh pass.

    Raises:
        Fault: `partner.not_conformant`, with the first reason.
    """
    if reasons:
        raise Fault(FaultCode.PARTNER_NOT_CONFORMANT, reasons[0])


def require_vacant(state: S | None, *, over_draft: bool) -> None:
    """Check that an entry may be written: there is none, or a draft where that may give way.

    Raises:
        Fault: `partner.entry_taken`.
    """
    if state is not None and not (over_draft and state is S.DRAFT):
        raise Fault(FaultCode.PARTNER_ENTRY_TAKEN, state.value if state else "")


def require_usable(problems: Sequence[str]) -> None:
    """Check that a partner's folder could be read.

    Raises:
        Fault: `partner.entry_invalid`, with the first problem.
    """
    if problems:
        raise Fault(FaultCode.PARTNER_ENTRY_INVALID, problems[0])
