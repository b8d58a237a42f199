from functools import partial

from gateway.kernel.assisted import TypingEvent, TypingStatus, WorkStatus
from gateway.kernel.faults import FaultCode as F
from gateway.rules.assisted import (
    require_handed_over,
    require_match,
    require_other_person,
    require_same_case,
    step,
)
from tests.unit.rules.samples.sample import Sample

SHEET = ("620300", "示例办件编号一")
SAMPLES = {
    F.ASSISTED_WRONG_CASE: Sample(
        partial(require_same_case, SHEET, SHEET),
        partial(require_same_case, ("620300", "示例办件编号二"), SHEET),
    ),
    F.ASSISTED_NOT_HANDED_OVER: Sample(
        partial(require_handed_over, WorkStatus.HANDED_OVER),
        partial(require_handed_over, WorkStatus.LISTED),
    ),
    F.ASSISTED_AWAITS_CONFIRMATION: Sample(
        partial(step, TypingStatus.MISMATCHED, TypingEvent.TYPE),
        partial(step, TypingStatus.CONFIRMED, TypingEvent.TYPE),
    ),
    F.ASSISTED_NOTHING_TYPED: Sample(
        partial(step, TypingStatus.TYPED, TypingEvent.CONFIRM),
        partial(step, None, TypingEvent.CONFIRM),
    ),
    F.ASSISTED_SAME_PERSON: Sample(
        partial(require_other_person, "desk-1", "desk-2"),
        partial(require_other_person, "desk-1", "Desk-1"),
    ),
    F.ASSISTED_MISMATCH: Sample(
        partial(require_match, {"number": "示例 1（甲）"}, {"number": "示例1(甲)"}),
        partial(require_match, {"result": "approved"}, {"result": "refused"}),
    ),
}
