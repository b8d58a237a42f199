"""Reviews of a service (好差评): which are bad, and what answers them (整改反馈). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.kernel.case import CaseRole
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import REVIEWS_PER_CASE_MAX

BAD: Final = frozenset({"dissatisfied", "very_dissatisfied"})
"""Grades (不满意, 非常不满意) that must be put right."""

Said = Sequence[tuple[str, Mapping[str, Any]]]
"""Reviews and answers of a case that stand, in order: header digest in hex, and the body."""


def require_review(sender: CaseRole, document: Mapping[str, Any], said: Said) -> None:
    """Check a `reviewed` body: the origin reviews, the deciding side answers, each review once.

    `document` is a valid body, `said` what stands before it. Any review may be answered; only a
    bad one has a clock that waits for it.

    Raises:
        Fault: `case.role`, `case.reviews_full`, `case.review_unknown`, `case.review_answered`.
    """
    named = document.get("answers")
    if (named is not None) is not (sender is CaseRole.DECIDING):
        act = "reviews" if named is None else "answers a review"
        raise Fault(FaultCode.CASE_ROLE, f"{sender.value} {act}")
    if named is None:
        if sum("grade" in body for _, body in said) >= REVIEWS_PER_CASE_MAX:
            raise Fault(FaultCode.CASE_REVIEWS_FULL, str(REVIEWS_PER_CASE_MAX))
        return
    if not any(digest == named and "grade" in body for digest, body in said):
        raise Fault(FaultCode.CASE_REVIEW_UNKNOWN, named[:16])
    if any(body.get("answers") == named for _, body in said):
        raise Fault(FaultCode.CASE_REVIEW_ANSWERED, named[:16])


def to_rectify(document: Mapping[str, Any], said: Said) -> int:
    """Return what a `reviewed` body is to the clocks of its case.

    1 for a bad review; for the answer to a bad one which of them it answers, from 1; otherwise 0.
    """
    named = document.get("answers")
    if named is None:
        return int(document.get("grade") in BAD)
    bad = [digest for digest, body in said if body.get("grade") in BAD]
    return 1 + bad.index(named) if named in bad else 0
