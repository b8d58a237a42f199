"""Who may act on a gateway, what needs two persons, and how far an act has come.

Operators are what the kept acts say: each was added, or removed, by an act that an operator signed.
The first adds itself, since nobody is there to do it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final, assert_never

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, KeyId, uuid7_unix_ms, uuid_text
from gateway.kernel.limits import OPERATOR_ACT_AGE_MS_MAX, OPERATORS_MAX
from gateway.kernel.operators import (
    ADD,
    APPROVE,
    DECLINE,
    REMOVE,
    ActEvent,
    ActStatus,
    Operator,
    OperatorAct,
)

_NAME: Final = re.compile(r"[a-z][a-z0-9.-]{1,31}")

DANGEROUS: Final = frozenset(
    {
        ADD,
        REMOVE,
        "agreement-revoke",
        "quarantine-drop",
        "partner-override",
        "partner-retire",
        "key-confirm",
    }
)
"""Acts that cannot be taken back, or that let somebody in: a second operator must agree."""


def step(status: ActStatus, event: ActEvent) -> ActStatus:
    """Return what becomes of an act.

    Raises:
        Fault: `operator.act_settled` if the event finds it in no state for it.
    """
    match event:
        case ActEvent.APPROVE:
            return _from(status, ActStatus.WAITING, ActStatus.BEGUN)
        case ActEvent.DECLINE:
            return _from(status, ActStatus.WAITING, ActStatus.DECLINED)
        case ActEvent.EXPIRE:
            return _from(status, ActStatus.WAITING, ActStatus.EXPIRED)
        case ActEvent.FINISH:
            return _from(status, ActStatus.BEGUN, ActStatus.DONE)
        case ActEvent.REFUSE:
            return _from(status, ActStatus.BEGUN, ActStatus.REFUSED)
        case _ as never:
            assert_never(never)


def _from(status: ActStatus, needed: ActStatus, after: ActStatus) -> ActStatus:
    if status is not needed:
        raise Fault(FaultCode.OPERATOR_ACT_SETTLED, status.value)
    return after


def operators_of(changes: Iterable[tuple[OperatorAct, int]]) -> list[Operator]:
    """Return everybody who ever could act, from the acts that were done, in their order.

    Each comes with when it was done, in milliseconds. Until then, not until it was asked for, a
    removed operator could act: it may be the one who agreed to go.

    Raises:
        Fault: those of `added_by`.
    """
    known: dict[str, Operator] = {}
    for act, done_at_ms in changes:
        if act.command == ADD:
            added = added_by(act)
            known[added.name] = added
        else:
            gone = known[text_of(act, "name")]
            known[gone.name] = replace(gone, until_ms=done_at_ms)
    return list(known.values())


def added_by(act: OperatorAct) -> Operator:
    """Return whom an act adds. That the key is one of the suite is *not* checked.

    Raises:
        Fault: `operator.request_invalid`.
    """
    try:
        public_key = bytes.fromhex(text_of(act, "public_key"))
    except ValueError:
        raise Fault(FaultCode.OPERATOR_REQUEST_INVALID, "public_key") from None
    key_id = KeyId(sha256(public_key).digest())
    return Operator(
        text_of(act, "name"), key_id, text_of(act, "suite"), public_key, act.acted_at_ms
    )


def text_of(act: OperatorAct, name: str) -> str:
    """Return an argument that is text.

    Raises:
        Fault: `operator.request_invalid`.
    """
    value = act.arguments.get(name)
    if not isinstance(value, str):
        raise Fault(FaultCode.OPERATOR_REQUEST_INVALID, name)
    return value


_SUBJECTS: Final = ("partner", "agreement", "arrival", "name", "act", "key")


def subject_of(act: OperatorAct) -> str:
    """Return what an act is about, in at most 100 characters; empty if nothing names it."""
    found = (act.arguments.get(name) for name in _SUBJECTS)
    return next((f[:100] for f in found if isinstance(f, str) and f), "")


def acting(operators: Iterable[Operator]) -> dict[KeyId, Operator]:
    """Return who may act now, by key."""
    return {o.key_id: o for o in operators if not o.until_ms}


def could_act(operator: Operator, acted_at_ms: int) -> bool:
    """Whether an act signed at `acted_at_ms` can have been let in: clocks may differ by its age."""
    since_ms = operator.since_ms - OPERATOR_ACT_AGE_MS_MAX
    until_ms = operator.until_ms + OPERATOR_ACT_AGE_MS_MAX
    return since_ms <= acted_at_ms and (not operator.until_ms or acted_at_ms <= until_ms)


def require_operator(operators: Mapping[KeyId, Operator], key_id: KeyId) -> Operator:
    """Return whose key it is.

    Raises:
        Fault: `operator.unknown`.
    """
    found = operators.get(key_id)
    if found is None:
        raise Fault(FaultCode.OPERATOR_UNKNOWN, key_id.hex()[:16])
    return found


def require_verified(
    operator: Operator,
    verify: Callable[[str, bytes, bytes, bytes], bool],
    signature: bytes,
    message: bytes,
) -> None:
    """Check that an operator signed `message`.

    Raises:
        Fault: `operator.signature_invalid`.
    """
    if not verify(operator.suite, operator.public_key, signature, message):
        raise Fault(FaultCode.OPERATOR_SIGNATURE_INVALID)


def require_no_act(command: str, acts: Collection[str]) -> None:
    """Check that a command changes nothing, so that nobody need sign it.

    Raises:
        Fault: `operator.unsigned`.
    """
    if command in acts or command in (ADD, REMOVE, APPROVE, DECLINE):
        raise Fault(FaultCode.OPERATOR_UNSIGNED, command)


def require_for_here_and_now(act: OperatorAct, home: GatewayId, now_ms: int) -> None:
    """Check that an act is for this gateway, and was signed just now.

    Raises:
        Fault: `operator.act_stale`.
    """
    if act.gateway_id != home:
        raise Fault(FaultCode.OPERATOR_ACT_STALE, f"for gateway {act.gateway_id[:6]}")
    if uuid7_unix_ms(act.act_id) != act.acted_at_ms:
        raise Fault(FaultCode.OPERATOR_ACT_STALE, "its id is of another time")
    if abs(now_ms - act.acted_at_ms) > OPERATOR_ACT_AGE_MS_MAX:
        raise Fault(FaultCode.OPERATOR_ACT_STALE, "signed at another time; compare the clocks")


def require_addable(everyone: Sequence[Operator], name: str, key_id: KeyId) -> None:
    """Check that somebody new may be called so. A name or key is used once: acts are judged by it.

    Raises:
        Fault: `operator.name_taken`; `operator.request_invalid` for a name that is none;
            `operator.too_many`.
    """
    if _NAME.fullmatch(name) is None:
        raise Fault(
            FaultCode.OPERATOR_REQUEST_INVALID,
            "name: 2 to 32 of a-z 0-9 . -, beginning with a letter",
        )
    if any(name == o.name or key_id == o.key_id for o in everyone):
        raise Fault(FaultCode.OPERATOR_NAME_TAKEN)
    if len(everyone) >= OPERATORS_MAX:
        raise Fault(FaultCode.OPERATOR_TOO_MANY, str(OPERATORS_MAX))


def require_removable(now: Mapping[KeyId, Operator], name: str) -> Operator:
    """Return who is to go; somebody must be left.

    Raises:
        Fault: `operator.unknown`, `operator.last`.
    """
    found = next((o for o in now.values() if o.name == name), None)
    if found is None:
        raise Fault(FaultCode.OPERATOR_UNKNOWN, "no operator of that name may act")
    if len(now) == 1:
        raise Fault(FaultCode.OPERATOR_LAST)
    return found


def needs_second(act: OperatorAct, now: Mapping[KeyId, Operator]) -> bool:
    """Tell whether a second operator must agree.

    The only operator adds the second alone: there is nobody else.
    """
    return act.command in DANGEROUS and not (act.command == ADD and len(now) < 2)


def require_not_waiting(act: OperatorAct, waiting: Iterable[OperatorAct]) -> None:
    """Check that the same was not asked for already, whatever the reason given.

    Raises:
        Fault: `operator.act_waits`, with the id of the act that waits.
    """
    for other in waiting:
        if other.command == act.command and _without_reason(other) == _without_reason(act):
            raise Fault(FaultCode.OPERATOR_ACT_WAITS, uuid_text(other.act_id))


def _without_reason(act: OperatorAct) -> Mapping[str, object]:
    return {name: value for name, value in act.arguments.items() if name != "reason"}


def require_another(first: KeyId, second: KeyId) -> None:
    """Check that who agrees is somebody else.

    Raises:
        Fault: `operator.same_person`.
    """
    if first == second:
        raise Fault(FaultCode.OPERATOR_SAME_PERSON)
