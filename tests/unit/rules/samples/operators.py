from functools import partial

from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import GatewayId, KeyId, uuid7
from gateway.kernel.limits import OPERATORS_MAX
from gateway.kernel.operators import ActEvent, ActStatus, Operator, OperatorAct
from gateway.rules.operators import (
    require_addable,
    require_another,
    require_for_here_and_now,
    require_no_act,
    require_not_waiting,
    require_operator,
    require_removable,
    require_verified,
    step,
)
from tests.unit.rules.samples.sample import Sample

_NOW_MS = 1_780_000_000_000
_HOME = GatewayId("620900")
_ONE, _TWO = KeyId(b"1" * 32), KeyId(b"2" * 32)
_WANG = Operator("wang", _ONE, "EdDSA", b"key", _NOW_MS)
_LI = Operator("li", _TWO, "EdDSA", b"key", _NOW_MS)
_ACT = OperatorAct(uuid7(_NOW_MS, bytes(10)), _HOME, "partner-suspend", {}, _NOW_MS)
_OTHER = OperatorAct(_ACT.act_id, _HOME, "partner-suspend", {"partner": "620200"}, _NOW_MS)
_MANY = [Operator(f"p{n}", KeyId(n.to_bytes(32, "big")), "", b"", 0) for n in range(OPERATORS_MAX)]


def _verify(_suite: str, _key: bytes, signature: bytes, _message: bytes) -> bool:
    return signature == b"right"


SAMPLES = {
    F.OPERATOR_UNSIGNED: Sample(
        partial(require_no_act, "quarantine-list", {"quarantine-drop"}),
        partial(require_no_act, "quarantine-drop", {"quarantine-drop"}),
    ),
    F.OPERATOR_UNKNOWN: Sample(
        partial(require_operator, {_ONE: _WANG}, _ONE),
        partial(require_operator, {_ONE: _WANG}, _TWO),
    ),
    F.OPERATOR_SIGNATURE_INVALID: Sample(
        partial(require_verified, _WANG, _verify, b"right", b""),
        partial(require_verified, _WANG, _verify, b"wrong", b""),
    ),
    F.OPERATOR_ACT_STALE: Sample(
        partial(require_for_here_and_now, _ACT, _HOME, _NOW_MS),
        partial(require_for_here_and_now, _ACT, GatewayId("620200"), _NOW_MS),
    ),
    F.OPERATOR_ACT_SETTLED: Sample(
        partial(step, ActStatus.WAITING, ActEvent.APPROVE),
        partial(step, ActStatus.DONE, ActEvent.APPROVE),
    ),
    F.OPERATOR_ACT_WAITS: Sample(
        partial(require_not_waiting, _ACT, [_OTHER]),
        partial(require_not_waiting, _ACT, [_OTHER, _ACT]),
    ),
    F.OPERATOR_REQUEST_INVALID: Sample(
        partial(require_addable, [_WANG], "li", _TWO),
        partial(require_addable, [_WANG], "王", _TWO),
    ),
    F.OPERATOR_SAME_PERSON: Sample(
        partial(require_another, _ONE, _TWO), partial(require_another, _ONE, _ONE)
    ),
    F.OPERATOR_NAME_TAKEN: Sample(
        partial(require_addable, [_WANG], "li", _TWO),
        partial(require_addable, [_WANG], "wang", _TWO),
    ),
    F.OPERATOR_LAST: Sample(
        partial(require_removable, {_ONE: _WANG, _TWO: _LI}, "wang"),
        partial(require_removable, {_ONE: _WANG}, "wang"),
    ),
    F.OPERATOR_TOO_MANY: Sample(
        partial(require_addable, _MANY[1:], "wang", _ONE),
        partial(require_addable, _MANY, "wang", _ONE),
    ),
}
