"""Rules for what arrives from partners' own platforms: its steps, its names, its proof."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import Final, assert_never

from gateway.kernel.arrivals import ArrivalEvent, ArrivalStatus
from gateway.kernel.assisted import ADAPTER as ASSISTED
from gateway.kernel.envelope import Kind, Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseId, GatewayId, MessageId, uuid7
from gateway.kernel.translations import Verdict
from gateway.kernel.trees import Tree

DIALECTS: Final[Mapping[str, Strength]] = {
    "rest": Strength.SIGNED,
    "soap": Strength.AUTHENTICATED,
    "staging_table": Strength.AUTHENTICATED,
    "file_drop": Strength.AUTHENTICATED,
}
"""Outlet kinds whose partners do not sign as gateways do: the most their adapter can prove."""
PROVABLE: Final[Mapping[str, Strength]] = {ASSISTED: Strength.ASSISTED, **DIALECTS}
"""The same, with partners whose messages people carry."""
ATTESTED: Final = frozenset(PROVABLE)
"""Outlet kinds of partners without keys: our own adapter key attests what they said."""


def step(status: ArrivalStatus, event: ArrivalEvent) -> ArrivalStatus:
    """Return what becomes of something that arrived.

    Raises:
        Fault: `partner.arrival_settled` if the event finds it in no state for it.
    """
    match event:
        case ArrivalEvent.TAKE_IN:
            return _from(status, ArrivalStatus.RECEIVED, ArrivalStatus.TAKEN_IN)
        case ArrivalEvent.REFUSE:
            return _from(status, ArrivalStatus.RECEIVED, ArrivalStatus.REFUSED)
        case ArrivalEvent.QUARANTINE:
            return _from(status, ArrivalStatus.RECEIVED, ArrivalStatus.QUARANTINED)
        case ArrivalEvent.REPLAY:
            return _from(status, ArrivalStatus.QUARANTINED, ArrivalStatus.RECEIVED)
        case ArrivalEvent.DROP:
            return _from(status, ArrivalStatus.QUARANTINED, ArrivalStatus.DROPPED)
        case ArrivalEvent.SUPERSEDE:
            return _from(status, ArrivalStatus.RECEIVED, ArrivalStatus.DROPPED)
        case _ as never:
            assert_never(never)


def _from(status: ArrivalStatus, needed: ArrivalStatus, after: ArrivalStatus) -> ArrivalStatus:
    if status is not needed:
        raise Fault(FaultCode.PARTNER_ARRIVAL_SETTLED, status.value)
    return after


def natural_key(kind: Kind, number: str) -> str:
    """Return the partner's own key of a message: the number it gave, and the kind."""
    return f"{number}/{kind.name.lower()}"


def raw_key(operation: str, raw_digest: bytes) -> str:
    """Return the key of what has no number: its bytes are its name."""
    return f"raw/{operation}/{raw_digest.hex()}"


def content_digest(kind: Kind, tree: Tree) -> bytes:
    """Return SHA-256 over what a message says, so that a resent one is known by its content.

    When it was sent again, and the platform's envelope around it, do not count.
    """
    message = {k: v for k, v in _object(tree.get("message")).items() if k != "sent_at"}
    said = {**tree, "message": message}
    encoded = json.dumps(said, ensure_ascii=True, sort_keys=True, default=_plain)
    return sha256(f"{kind.name}\0{encoded}".encode()).digest()


def _object(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, dict) else {}


def _plain(value: object) -> str:
    return sha256(value).hexdigest() if isinstance(value, bytes) else str(value)


def attested_id(adapter: str, partner: GatewayId, natural: str, at_ms: int) -> MessageId:
    """Return the message id of (adapter, partner, natural key), with `at_ms` as its time.

    The random part of the UUIDv7 is a digest: what is tried again is the same message.
    """
    return MessageId(_drawn(at_ms, f"kuayu {adapter} message", partner, natural))


def case_id(adapter: str, partner: GatewayId, number: str, at_ms: int) -> CaseId:
    """Return the id of a case that a partner's platform opens under its own `number`."""
    return CaseId(_drawn(at_ms, f"kuayu {adapter} case", partner, number))


def _drawn(at_ms: int, *parts: str) -> bytes:
    return uuid7(at_ms, sha256("\0".join(parts).encode()).digest()[:10])


def require_provable(adapter: str, strength: Strength) -> None:
    """Check that an adapter of this kind can prove as much as it claims.

    Raises:
        Fault: `trust.attestation_invalid`.
    """
    most = PROVABLE.get(adapter)
    if most is None or strength > most:
        raise Fault(FaultCode.TRUST_ATTESTATION_INVALID, "strength")


def require_unused(used: bool) -> None:
    """Check that a nonce was not used before.

    Raises:
        Fault: `partner.nonce_replayed`.
    """
    if used:
        raise Fault(FaultCode.PARTNER_NONCE_REPLAYED)


def require_same_content(standing: Collection[bytes], content: bytes) -> None:
    """Check that nothing else stands under the number of what came.

    `standing` are the content digests of what was taken in, or waits, under the same number.

    Raises:
        Fault: `partner.number_reused`.
    """
    if standing and content not in standing:
        raise Fault(FaultCode.PARTNER_NUMBER_REUSED, "/message/number")


def require_in_turn(early: bool) -> None:
    """Check that what came does not belong after a step that is not here yet.

    Raises:
        Fault: `partner.out_of_order`.
    """
    if early:
        raise Fault(FaultCode.PARTNER_OUT_OF_ORDER)


def require_named(named: bool) -> None:
    """Check that what came names a case that we have with its partner.

    Raises:
        Fault: `partner.case_unnamed`.
    """
    if not named:
        raise Fault(FaultCode.PARTNER_CASE_UNNAMED, "/case")


def require_accepted(verdict: Verdict) -> None:
    """Check that a partner's answer means yes.

    Raises:
        Fault: the rule that its refusal stands for; `partner.refused` if it stands for none.
    """
    if verdict.ok:
        return
    try:
        code = FaultCode(verdict.rule)
    except ValueError:
        code = FaultCode.PARTNER_REFUSED
    raise Fault(code, verdict.text)
