from collections.abc import Callable
from functools import partial

from gateway.kernel.case import CaseRole, Stage
from gateway.kernel.envelope import Kind, Mode, Right
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import GatewayId
from gateway.rules.applicant import require_identified
from gateway.rules.casework import require_correction, require_role, require_same_decision, step
from gateway.rules.instant import require_inputs
from gateway.rules.instant.judging import inputs_digest
from gateway.rules.joint import Standing, TaskState, require_answers_named, require_decidable
from gateway.rules.review import require_review
from tests.unit.rules.samples.sample import Sample

_BAOSHAN = GatewayId("310113")
_BAD_REVIEW = ("ab" * 32, {"grade": "dissatisfied"})
_REVIEW_ANSWER = {"answers": "ab" * 32}
_AGREED = {"region": "310113", "verdict": "agree", "answer": "ab" * 32}


def _decided(result: str, *states: TaskState, today: str = "2026-06-08") -> Callable[[], object]:
    tasks = [Standing(_BAOSHAN, state, "2026-06-08") for state in states]
    return partial(require_decidable, result, tasks, today)


_STATED = {"identity": {"method": "agent"}}
_AGENT = {**_STATED, "authorisation": {"material_code": "02", "valid_until": "2036-05-26"}}


def _identified(document: object, codes: tuple[str, ...], today: str) -> None:
    require_identified(Mode.COLLECT_ON_BEHALF, document, codes, today)


_INPUTS = {"inputs": ["/employees"], "inputs_digest": inputs_digest([("/employees", 3)]).hex()}
_BY_RULE = {"result": "approved", "instant": {"rule": "r", "version": "1", **_INPUTS}}

SAMPLES = {
    F.CASE_IDENTITY_REQUIRED: Sample(
        partial(_identified, {"identity": {"method": "e_id"}}, (), "2026-06-01"),
        partial(_identified, {}, (), "2026-06-01"),
    ),
    F.CASE_AUTHORISATION_MISSING: Sample(
        partial(_identified, _AGENT, ("01", "02"), "2026-06-01"),
        partial(_identified, _AGENT, ("01",), "2026-06-01"),
    ),
    F.CASE_AUTHORISATION_ENDED: Sample(
        partial(_identified, _AGENT, ("02",), "2036-05-26"),
        partial(_identified, _AGENT, ("02",), "2036-05-27"),
    ),
    F.CASE_ROLE: Sample(
        partial(require_role, CaseRole.DECIDING, Kind.DECIDED, Right.NONE),
        partial(require_role, CaseRole.ORIGIN, Kind.DECIDED, Right.NONE),
    ),
    F.CASE_STAGE: Sample(
        partial(step, Stage.ACCEPTED, Kind.DECIDED), partial(step, Stage.SUBMITTED, Kind.DECIDED)
    ),
    F.CASE_CLOSED: Sample(
        partial(step, Stage.ACKNOWLEDGED, Kind.ACCEPTED),
        partial(step, Stage.NOT_ACCEPTED, Kind.ACCEPTED),
    ),
    F.CASE_SUSPENDED: Sample(
        partial(step, Stage.ACCEPTED, Kind.DECIDED),
        partial(step, Stage.SUSPENDED, Kind.DECIDED),
    ),
    F.CASE_ALREADY_DECIDED: Sample(
        partial(step, Stage.ACCEPTED, Kind.WITHDRAWN), partial(step, Stage.DECIDED, Kind.WITHDRAWN)
    ),
    F.CASE_JOINT_UNASKED: Sample(
        _decided("approved", TaskState.AGREED), _decided("approved", TaskState.WITHDRAWN)
    ),
    F.CASE_JOINT_OPEN: Sample(
        _decided("refused", TaskState.OPEN, today="2026-06-09"),
        _decided("refused", TaskState.OPEN),
    ),
    F.CASE_JOINT_DISAGREED: Sample(
        _decided("refused", TaskState.AGREED, TaskState.DISAGREED),
        _decided("approved", TaskState.AGREED, TaskState.DISAGREED),
    ),
    F.CASE_JOINT_UNNAMED: Sample(
        partial(require_answers_named, Mode.JOINT, {"result": "approved", "joint": [_AGREED]}),
        partial(require_answers_named, Mode.JOINT, {"result": "approved"}),
    ),
    F.CASE_ALREADY_ANSWERED: Sample(
        partial(step, Stage.ASKED, Kind.WITHDRAWN), partial(step, Stage.ANSWERED, Kind.WITHDRAWN)
    ),
    F.CASE_REVIEW_UNKNOWN: Sample(
        partial(require_review, CaseRole.DECIDING, _REVIEW_ANSWER, [_BAD_REVIEW]),
        partial(require_review, CaseRole.DECIDING, _REVIEW_ANSWER, []),
    ),
    F.CASE_REVIEWS_FULL: Sample(
        partial(require_review, CaseRole.ORIGIN, _BAD_REVIEW[1], [_BAD_REVIEW] * 99),
        partial(require_review, CaseRole.ORIGIN, _BAD_REVIEW[1], [_BAD_REVIEW] * 100),
    ),
    F.CASE_REVIEW_ANSWERED: Sample(
        partial(require_review, CaseRole.DECIDING, _REVIEW_ANSWER, [_BAD_REVIEW]),
        partial(
            require_review,
            CaseRole.DECIDING,
            _REVIEW_ANSWER,
            [_BAD_REVIEW, ("cd" * 32, _REVIEW_ANSWER)],
        ),
    ),
    F.CASE_CORRECTION_UNNAMED: Sample(
        partial(require_correction, Stage.DELIVERED, "ab" * 32, "ab" * 32),
        partial(require_correction, Stage.DELIVERED, "", "ab" * 32),
    ),
    F.CASE_DECISION_DIFFERS: Sample(
        partial(require_same_decision, "ab" * 32, "ab" * 32),
        partial(require_same_decision, "ab" * 32, "cd" * 32),
    ),
    F.CASE_INSTANT_DIFFERS: Sample(
        partial(require_inputs, _BY_RULE, "rule", {"employees": 3}),
        partial(require_inputs, _BY_RULE, "rule", {"employees": 4}),
    ),
    F.CASE_KIND_NOT_SERVED: Sample(
        partial(step, Stage.DECIDED, Kind.DELIVERED),
        partial(step, Stage.DECIDED, Kind.PARCEL_MOVED),
    ),
    F.CASE_RIGHT_REQUIRED: Sample(
        partial(require_role, CaseRole.ORIGIN, Kind.DELIVERED, Right.DELIVER_RESULT),
        partial(require_role, CaseRole.ORIGIN, Kind.DELIVERED, Right.NONE),
    ),
}
