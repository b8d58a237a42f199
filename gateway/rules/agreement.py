"""Agreements of mutual recognition (互认协议): what is allowed, deny by default."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

from gateway.kernel.envelope import Kind, Mode, Right, Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId


class Verdict(IntEnum):
    """What a party says of an agreement. Numbers are those of the wire."""

    ACCEPT = 1
    REJECT = 2
    REVOKE = 3


class OpenCases(IntEnum):
    """What a revocation says of cases that are open. Numbers are those of the wire."""

    UNSAID = 0
    CONTINUE = 1
    STOP = 2


@dataclass(frozen=True, slots=True)
class Act:
    """A party's verified verdict. `signed` is the encoded SignedAgreementAct.

    `acted_at_ms` is the party's own word. `recorded_at_ms` is ours, of when the verdict was kept
    here; 0 for one that an operator laid into a partner's folder.
    """

    party: GatewayId
    verdict: Verdict
    acted_at_ms: int
    signed: bytes = b""
    open_cases: OpenCases = OpenCases.UNSAID
    recorded_at_ms: int = 0

    @property
    def counts_from_ms(self) -> int:
        """Since when it counts here, for looking back: no later act changes an earlier day.

        Acceptance counts from the later of both times, so that dating it back or ahead gains
        nothing; rejection and revocation from their recording, whatever their party's clock says.
        """
        match self.verdict:
            case Verdict.ACCEPT:
                return max(self.acted_at_ms, self.recorded_at_ms)
            case Verdict.REJECT | Verdict.REVOKE:
                return self.recorded_at_ms or self.acted_at_ms


@dataclass(frozen=True, slots=True)
class Onward:
    """What the deciding place may pass on to third regions in joint cases. Empty: nothing."""

    to: frozenset[GatewayId]
    form_fields: frozenset[str]
    """JSON pointers into the form; each stands for everything below it."""
    materials: frozenset[str]
    """Material codes."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one paragraph of an agreement allows. An empty set allows nothing."""

    items: Mapping[str, frozenset[str]]
    """Item code to versions."""
    origins: frozenset[GatewayId]
    """Who may take the application."""
    deciding: frozenset[GatewayId]
    """Who decides."""
    modes: frozenset[Mode]
    rights: frozenset[Right]
    licence_types: frozenset[str]
    purposes: frozenset[str]
    participating: frozenset[GatewayId] = frozenset()
    """Who may be asked by a deciding place to take part (协办地), in mode joint."""
    onward: Onward | None = None
    """What of an application may be passed on in a joint task; None: nothing."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Content, addressed by its digest, and the verified acts of its parties."""

    digest: bytes
    name: str
    parties: frozenset[GatewayId]
    not_before_ms: int
    not_after_ms: int
    grants: tuple[Grant, ...]
    required_suites: tuple[str, ...]
    strength_min: Strength
    confidentiality: str = ""
    onward_sharing: bool = False
    acts: tuple[Act, ...] = ()
    grants_of: Mapping[tuple[GatewayId, GatewayId, str], tuple[Grant, ...]] = field(
        default_factory=dict
    )
    """(origin, deciding, item code) to grants; built by `index`."""
    tasks_of: Mapping[tuple[GatewayId, GatewayId, str], tuple[Grant, ...]] = field(
        default_factory=dict
    )
    """(deciding, participating, item code) to grants; built by `index`."""


def index(agreement: Agreement) -> Agreement:
    """Return the agreement with its grants indexed, so that a decision costs one look-up."""
    found: dict[tuple[GatewayId, GatewayId, str], list[Grant]] = {}
    tasks: dict[tuple[GatewayId, GatewayId, str], list[Grant]] = {}
    for grant in agreement.grants:
        for origin in grant.origins & agreement.parties:
            for deciding in grant.deciding & agreement.parties - {origin}:
                for code in grant.items:
                    found.setdefault((origin, deciding, code), []).append(grant)
        for deciding in grant.deciding & agreement.parties:
            for participating in grant.participating & agreement.parties - {deciding}:
                for code in grant.items:
                    tasks.setdefault((deciding, participating, code), []).append(grant)
    return replace(
        agreement,
        grants_of={key: tuple(grants) for key, grants in found.items()},
        tasks_of={key: tuple(grants) for key, grants in tasks.items()},
    )


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a message wants to do under an agreement."""

    origin: GatewayId
    deciding: GatewayId
    item_code: str
    item_version: str
    mode: Mode
    purpose: str
    right: Right = Right.NONE
    licence_type: str = ""


def require_party(agreement: Agreement, one: GatewayId, other: GatewayId) -> None:
    """Check that both gateways are parties.

    Raises:
        Fault: `agreement.not_party`.
    """
    if one not in agreement.parties or other not in agreement.parties:
        raise Fault(FaultCode.AGREEMENT_NOT_PARTY)


def require_in_force(agreement: Agreement, at_ms: int) -> None:
    """Check that every party accepted, none revoked or rejected, and `at_ms` lies inside.

    What was recorded here of a rejection or revocation holds at once; see `as_of` for looking back.

    Raises:
        Fault: `agreement.not_accepted`, `agreement.revoked`, `agreement.not_yet`,
            `agreement.ended`.
    """
    accepted = set()
    for act in agreement.acts:
        if act.verdict is Verdict.ACCEPT:
            if act.acted_at_ms <= at_ms:
                accepted.add(act.party)
        elif act.recorded_at_ms or act.acted_at_ms <= at_ms:
            raise Fault(FaultCode.AGREEMENT_REVOKED, act.party)
    if len(agreement.parties) < 2 or not agreement.parties <= accepted:
        raise Fault(FaultCode.AGREEMENT_NOT_ACCEPTED)
    if at_ms < agreement.not_before_ms:
        raise Fault(FaultCode.AGREEMENT_NOT_YET)
    if at_ms > agreement.not_after_ms:
        raise Fault(FaultCode.AGREEMENT_ENDED)


def as_of(agreement: Agreement, at_ms: int) -> Agreement:
    """Return the agreement with the verdicts that counted here at `at_ms`, for looking back."""
    return replace(agreement, acts=tuple(a for a in agreement.acts if a.counts_from_ms <= at_ms))


def require_next_act(agreement: Agreement, act: Act) -> None:
    """Check that a party may give this verdict now: once, and revoke only what it accepted.

    Giving the same verdict again is allowed and changes nothing.

    Raises:
        Fault: `agreement.not_party`, `agreement.act_out_of_order`.
    """
    if act.party not in agreement.parties:
        raise Fault(FaultCode.AGREEMENT_NOT_PARTY, act.party)
    given = {a.verdict for a in agreement.acts if a.party == act.party}
    if act.verdict in given:
        return
    match act.verdict:
        case Verdict.ACCEPT | Verdict.REJECT:
            allowed = not given
        case Verdict.REVOKE:
            allowed = given == {Verdict.ACCEPT}
    if not allowed:
        before = ", ".join(sorted(v.name.lower() for v in given)) or "none"
        raise Fault(FaultCode.AGREEMENT_ACT_OUT_OF_ORDER, f"{act.verdict.name.lower()}: {before}")


_CLOSING = frozenset({Kind.WITHDRAWN, Kind.NOT_ACCEPTED, Kind.DELIVERED})


def require_open_case_goes_on(agreement: Agreement, kind: Kind) -> None:
    """Check that a revocation, if there is one, lets a case go on that was open before it.

    Expiry never strands an open case, so validity is *not* checked.

    Raises:
        Fault: `agreement.revoked`.
    """
    for act in agreement.acts:
        if act.open_cases is OpenCases.STOP and kind not in _CLOSING:
            raise Fault(FaultCode.AGREEMENT_REVOKED, act.party)


def require_permitted(agreement: Agreement, wish: Exchange) -> None:
    """Check that one grant allows the whole of `wish`. The agreement being in force is *not*.

    Raises:
        Fault: the first rule that no grant satisfies, in the order item, version, mode, purpose,
            right, licence type.
    """
    grants = agreement.grants_of.get((wish.origin, wish.deciding, wish.item_code), ())
    if not grants:
        listed = any(wish.item_code in g.items for g in agreement.grants)
        raise Fault(
            FaultCode.AGREEMENT_DIRECTION if listed else FaultCode.AGREEMENT_ITEM_UNLISTED,
            wish.item_code,
        )
    grants = tuple(g for g in grants if wish.item_version in g.items[wish.item_code])
    if not grants:
        raise Fault(FaultCode.AGREEMENT_VERSION_UNLISTED, wish.item_version)
    grants = tuple(g for g in grants if wish.mode in g.modes)
    if not grants:
        raise Fault(FaultCode.AGREEMENT_MODE_UNLISTED, wish.mode.name.lower())
    grants = tuple(g for g in grants if wish.purpose in g.purposes)
    if not grants:
        raise Fault(FaultCode.AGREEMENT_PURPOSE_UNLISTED, wish.purpose)
    if wish.right is not Right.NONE:
        grants = tuple(g for g in grants if wish.right in g.rights)
    if not grants:
        raise Fault(FaultCode.AGREEMENT_RIGHT_NOT_DELEGATED, wish.right.name.lower())
    if wish.licence_type and not any(wish.licence_type in g.licence_types for g in grants):
        raise Fault(FaultCode.AGREEMENT_ITEM_UNLISTED, "licence type " + wish.licence_type)


@dataclass(frozen=True, slots=True)
class JointWish:
    """What a joint task wants to do under the agreement with the participating region."""

    deciding: GatewayId
    participating: GatewayId
    item_code: str
    item_version: str
    mode: Mode
    purpose: str


def require_task_permitted(agreement: Agreement, wish: JointWish) -> None:
    """Check that one grant lets the deciding side ask the participating one. In force is *not*.

    Raises:
        Fault: the first rule that no grant satisfies, in the order item, version, mode, purpose.
    """
    grants = agreement.tasks_of.get((wish.deciding, wish.participating, wish.item_code), ())
    if not grants:
        listed = any(wish.item_code in g.items for g in agreement.grants)
        raise Fault(
            FaultCode.AGREEMENT_DIRECTION if listed else FaultCode.AGREEMENT_ITEM_UNLISTED,
            f"{wish.item_code}: participating",
        )
    grants = tuple(g for g in grants if wish.item_version in g.items[wish.item_code])
    if not grants:
        raise Fault(FaultCode.AGREEMENT_VERSION_UNLISTED, wish.item_version)
    if wish.mode is not Mode.JOINT or not any(Mode.JOINT in g.modes for g in grants):
        raise Fault(FaultCode.AGREEMENT_MODE_UNLISTED, wish.mode.name.lower())
    grants = tuple(g for g in grants if Mode.JOINT in g.modes)
    if not any(wish.purpose in g.purposes for g in grants):
        raise Fault(FaultCode.AGREEMENT_PURPOSE_UNLISTED, wish.purpose)


def require_onward(
    agreement: Agreement,
    wish: Exchange,
    region: GatewayId,
    form_fields: Collection[str],
    materials: Collection[str],
) -> None:
    """Check that the agreement of a case lets these parts of it be passed on to a third region.

    Passing on nothing needs no permission. One grant of the case's own must allow all of it.

    Raises:
        Fault: `agreement.onward_refused`, `agreement.onward_unlisted` naming what is not listed.
    """
    if not form_fields and not materials:
        return
    grants = agreement.grants_of.get((wish.origin, wish.deciding, wish.item_code), ())
    allowed = [
        g.onward
        for g in grants
        if agreement.onward_sharing
        and g.onward is not None
        and region in g.onward.to
        and wish.item_version in g.items[wish.item_code]
        and wish.mode in g.modes
        and wish.purpose in g.purposes
    ]
    if not allowed:
        raise Fault(FaultCode.AGREEMENT_ONWARD_REFUSED, region)
    least = min((_unlisted(onward, form_fields, materials) for onward in allowed), key=len)
    if least:
        raise Fault(FaultCode.AGREEMENT_ONWARD_UNLISTED, ",".join(least))


def _unlisted(
    onward: Onward, form_fields: Collection[str], materials: Collection[str]
) -> list[str]:
    wrong = [
        pointer
        for pointer in form_fields
        if not any(pointer == p or pointer.startswith(p + "/") for p in onward.form_fields)
    ]
    return wrong + [code for code in materials if code not in onward.materials]


def require_proof(agreement: Agreement, strength: Strength | None, suites: tuple[str, ...]) -> None:
    """Check strength of proof and that the header names exactly the suites the agreement demands.

    Raises:
        Fault: `agreement.strength_too_weak`, `agreement.suites_differ`.
    """
    if strength is None or strength < agreement.strength_min:
        raise Fault(FaultCode.AGREEMENT_STRENGTH_TOO_WEAK)
    if suites != agreement.required_suites:
        raise Fault(FaultCode.AGREEMENT_SUITES_DIFFER, ",".join(agreement.required_suites))
