from collections.abc import Callable
from dataclasses import replace
from functools import partial

from gateway.kernel.digests import TYPE_BATCH_HEAD, pae
from gateway.kernel.envelope import BatchHead, BatchProof, Signature
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import GatewayId, KeyId
from gateway.kernel.merkle import leaf_hash, tree
from gateway.rules.announced import require_its_own
from gateway.rules.trust import (
    Partner,
    PartnerState,
    RegisteredKey,
    checks_for,
    require_peer,
    require_speaks_for,
    require_suites,
    run_checks,
)
from tests.unit.rules.samples.sample import Sample

BEGIN_MS, END_MS, NOW_MS = 1_000, 3_000, 2_000
KEY, OTHER, STRANGE = KeyId(b"k" * 32), KeyId(b"o" * 32), KeyId(b"s" * 32)
SIGNED = b"what was signed"
KNOWN = frozenset({"ES256", "EdDSA"})

PARTNER = Partner(
    gateway_id=GatewayId("620900"),
    name_zh="酒泉市（示例）",
    name_en="Jiuquan (sample)",
    unit="11620900MB00000000",
    state=PartnerState.ACTIVE,
    address="127.0.0.1:1",
    transport_pins=frozenset(),
    keys={
        KEY: RegisteredKey(KEY, "ES256", b"spki", BEGIN_MS, END_MS),
        OTHER: RegisteredKey(OTHER, "EdDSA", b"spki", BEGIN_MS, END_MS),
    },
    relays=frozenset({GatewayId("620000")}),
)
SUSPENDED = replace(PARTNER, state=PartnerState.SUSPENDED)


def right_signature(suite: str, public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Stand for a suite: the signature of a message is the message reversed."""
    return signature == message[::-1]


def sign(message: bytes = SIGNED, key_id: KeyId = KEY) -> Signature:
    return Signature(key_id, message[::-1])


def sign_batch(leaf: int = 1, suite: str = "ES256", key_id: KeyId = KEY) -> Signature:
    """Sign a batch of three in which `SIGNED` is at 1, and claim that it is at `leaf`."""
    root, paths = tree([leaf_hash(b"a"), leaf_hash(SIGNED), leaf_hash(b"c")])
    head = BatchHead(root, 3, suite, key_id)
    proof = BatchProof(b"head", head, leaf, paths[1])
    return Signature(KEY, pae(TYPE_BATCH_HEAD, b"head")[::-1], proof)


def verify(*signatures: Signature, at_ms: int = NOW_MS) -> Callable[[], object]:
    def run() -> None:
        run_checks(checks_for(PARTNER, signatures, SIGNED, at_ms), right_signature)

    return run


def suites(*required: str) -> Callable[[], object]:
    return partial(require_suites, PARTNER, [sign()], required, KNOWN)


SAMPLES = {
    F.KEY_ANNOUNCEMENT_INVALID: Sample(
        partial(require_its_own, "620900", "620900", 2, 1),
        partial(require_its_own, "620200", "620900", 2, 1),
    ),
    F.TRUST_PEER_UNKNOWN: Sample(partial(require_peer, PARTNER), partial(require_peer, None)),
    F.TRUST_PARTNER_NOT_ACTIVE: Sample(
        partial(require_peer, PARTNER), partial(require_peer, SUSPENDED)
    ),
    F.TRUST_PEER_NOT_SENDER: Sample(
        partial(require_speaks_for, GatewayId("620000"), PARTNER),
        partial(require_speaks_for, GatewayId("620600"), PARTNER),
    ),
    F.TRUST_UNSIGNED: Sample(verify(sign()), verify()),
    F.TRUST_KEY_UNKNOWN: Sample(verify(sign()), verify(sign(key_id=STRANGE))),
    F.TRUST_KEY_EXPIRED: Sample(verify(sign(), at_ms=END_MS), verify(sign(), at_ms=END_MS + 1)),
    F.TRUST_KEY_NOT_YET_VALID: Sample(
        verify(sign(), at_ms=BEGIN_MS), verify(sign(), at_ms=BEGIN_MS - 1)
    ),
    F.TRUST_SIGNATURE_INVALID: Sample(verify(sign()), verify(sign(b"something else"))),
    F.TRUST_BATCH_INVALID: Sample(verify(sign_batch()), verify(sign_batch(leaf=0))),
    F.TRUST_SUITE_MISMATCH: Sample(verify(sign_batch()), verify(sign_batch(suite="EdDSA"))),
    F.TRUST_SUITE_UNKNOWN: Sample(suites("ES256"), suites("ES256", "ROT13")),
    F.TRUST_SUITE_MISSING: Sample(suites("ES256"), suites("ES256", "EdDSA")),
}
