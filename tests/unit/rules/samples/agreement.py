from collections.abc import Callable
from dataclasses import replace
from functools import partial

from gateway.app.agreements import read_agreement
from gateway.kernel.envelope import Mode, Right, Strength
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import GatewayId
from gateway.rules.agreement import (
    Act,
    Agreement,
    Exchange,
    Grant,
    Onward,
    Verdict,
    index,
    require_in_force,
    require_next_act,
    require_onward,
    require_party,
    require_permitted,
    require_proof,
)
from tests.support.world import agreement_bytes
from tests.unit.rules.samples.sample import Sample

JIUQUAN, JIAYUGUAN, STRANGER = GatewayId("620900"), GatewayId("620200"), GatewayId("620600")
BEGIN_MS, END_MS = 1_622_044_800_000, 2_095_430_399_999
NOON_MS = (BEGIN_MS + END_MS) // 2
CODE, LICENCE, PURPOSE = "00013112700402", "11100000MB0143028R001", "branch-registration"

GRANT = Grant(
    items={CODE: frozenset({"2"})},
    origins=frozenset({JIUQUAN}),
    deciding=frozenset({JIAYUGUAN}),
    modes=frozenset({Mode.COLLECT_ON_BEHALF}),
    rights=frozenset({Right.VERIFY_ORIGINALS, Right.DELIVER_RESULT}),
    licence_types=frozenset({LICENCE}),
    purposes=frozenset({PURPOSE}),
)
ACCEPTED = (
    Act(JIUQUAN, Verdict.ACCEPT, BEGIN_MS - 2),
    Act(JIAYUGUAN, Verdict.ACCEPT, BEGIN_MS - 1),
)
AGREEMENT = index(
    Agreement(
        digest=bytes(32),
        name="示例",
        parties=frozenset({JIUQUAN, JIAYUGUAN}),
        not_before_ms=BEGIN_MS,
        not_after_ms=END_MS,
        grants=(GRANT,),
        required_suites=("ES256",),
        strength_min=Strength.SIGNED,
        acts=ACCEPTED,
    )
)
WISH = Exchange(
    JIUQUAN,
    JIAYUGUAN,
    CODE,
    "2",
    Mode.COLLECT_ON_BEHALF,
    PURPOSE,
    Right.VERIFY_ORIGINALS,
    LICENCE,
)


def with_acts(*acts: Act) -> Agreement:
    return replace(AGREEMENT, acts=acts)


def in_force(agreement: Agreement = AGREEMENT, at_ms: int = NOON_MS) -> Callable[[], object]:
    return partial(require_in_force, agreement, at_ms)


def permitted(**wish: object) -> Callable[[], object]:
    return partial(require_permitted, AGREEMENT, replace(WISH, **wish))  # type: ignore[arg-type]


def proven(strength: Strength | None, *suites: str) -> Callable[[], object]:
    return partial(require_proof, AGREEMENT, strength, suites)


THIRD = GatewayId("310113")
JOINT = index(
    replace(
        AGREEMENT,
        onward_sharing=True,
        grants=(
            replace(
                GRANT,
                modes=frozenset({Mode.JOINT}),
                participating=frozenset({JIUQUAN}),
                onward=Onward(frozenset({THIRD}), frozenset({"/mover"}), frozenset({"03"})),
            ),
        ),
    )
)
JOINT_WISH = replace(WISH, mode=Mode.JOINT)


def passes_on(
    region: GatewayId = THIRD,
    fields: tuple[str, ...] = ("/mover/name",),
    materials: tuple[str, ...] = ("03",),
    agreement: Agreement = JOINT,
) -> Callable[[], object]:
    return partial(require_onward, agreement, JOINT_WISH, region, fields, materials)


REVOKED = Act(JIAYUGUAN, Verdict.REVOKE, NOON_MS)

SAMPLES = {
    F.AGREEMENT_NOT_PARTY: Sample(
        partial(require_party, AGREEMENT, JIUQUAN, JIAYUGUAN),
        partial(require_party, AGREEMENT, JIUQUAN, STRANGER),
    ),
    F.AGREEMENT_NOT_ACCEPTED: Sample(in_force(), in_force(with_acts(ACCEPTED[0]))),
    F.AGREEMENT_REVOKED: Sample(
        in_force(with_acts(*ACCEPTED, REVOKED), NOON_MS - 1),
        in_force(with_acts(*ACCEPTED, REVOKED), NOON_MS),
    ),
    F.AGREEMENT_ENDED: Sample(in_force(at_ms=END_MS), in_force(at_ms=END_MS + 1)),
    F.AGREEMENT_NOT_YET: Sample(in_force(at_ms=BEGIN_MS), in_force(at_ms=BEGIN_MS - 1)),
    F.AGREEMENT_ITEM_UNLISTED: Sample(permitted(), permitted(item_code="00013112700403")),
    F.AGREEMENT_VERSION_UNLISTED: Sample(permitted(), permitted(item_version="3")),
    F.AGREEMENT_DIRECTION: Sample(permitted(), permitted(origin=JIAYUGUAN, deciding=JIUQUAN)),
    F.AGREEMENT_MODE_UNLISTED: Sample(permitted(), permitted(mode=Mode.JOINT)),
    F.AGREEMENT_RIGHT_NOT_DELEGATED: Sample(permitted(), permitted(right=Right.ACCEPT)),
    F.AGREEMENT_PURPOSE_UNLISTED: Sample(permitted(), permitted(purpose="")),
    F.AGREEMENT_ONWARD_REFUSED: Sample(passes_on(), passes_on(STRANGER)),
    F.AGREEMENT_ONWARD_UNLISTED: Sample(passes_on(), passes_on(fields=("/mover_id",))),
    F.AGREEMENT_STRENGTH_TOO_WEAK: Sample(
        proven(Strength.SIGNED, "ES256"), proven(Strength.AUTHENTICATED, "ES256")
    ),
    F.AGREEMENT_SUITES_DIFFER: Sample(
        proven(Strength.SIGNED, "ES256"), proven(Strength.SIGNED, "EdDSA")
    ),
    F.AGREEMENT_ACT_OUT_OF_ORDER: Sample(
        partial(require_next_act, AGREEMENT, Act(JIUQUAN, Verdict.REVOKE, NOON_MS)),
        partial(require_next_act, AGREEMENT, Act(JIUQUAN, Verdict.REJECT, NOON_MS)),
    ),
    F.AGREEMENT_CONTENT_INVALID: Sample(
        partial(read_agreement, agreement_bytes()),
        partial(read_agreement, agreement_bytes().replace(b"version = 1", b"version = 2", 1)),
    ),
}
