"""Who may be believed: peers, senders, keys, suites (可信)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network
from typing import Final

from gateway.kernel.digests import TYPE_BATCH_HEAD, pae
from gateway.kernel.envelope import Signature
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, KeyId
from gateway.kernel.limits import (
    BATCH_LEAVES_MAX,
    BATCH_PATH_MAX,
    DELIVER_TIMEOUT_S,
    LANE_CALLS_MAX,
    PARTNER_CALLS_MAX,
    PARTNER_MESSAGES_BURST,
    PARTNER_MESSAGES_PER_S,
    PARTNER_UPLOADS_MAX,
    SIGNATURES_PER_ENVELOPE_MAX,
)
from gateway.kernel.merkle import leaf_hash, root_of_path
from gateway.kernel.partner_state import PartnerState as PartnerState
from gateway.kernel.platforms import Platform

Check = tuple[str, bytes, bytes, bytes]
"""(suite, public key as SPKI DER, signature, signed message): one verification to be done."""


EXCHANGING: Final = frozenset({PartnerState.TESTING, PartnerState.ACTIVE})
"""Messages go to and fro. While it is tested, nobody here applies to a partner."""


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """A signing key of a gateway, with its own validity. `certificate` is PEM, for the record."""

    key_id: KeyId
    suite: str
    public_key: bytes
    not_before_ms: int
    not_after_ms: int
    certificate: bytes = b""


@dataclass(frozen=True, slots=True)
class Partner:
    """A gateway's directory entry."""

    gateway_id: GatewayId
    name_zh: str
    name_en: str
    unit: str
    """Credit code (统一社会信用代码) of the office that answers for the gateway."""
    state: PartnerState
    address: str
    """`host:port` of its Exchange service."""
    transport_pins: frozenset[bytes]
    """SHA-256 of the SubjectPublicKeyInfo of each transport certificate it may use."""
    keys: Mapping[KeyId, RegisteredKey]
    relays: frozenset[GatewayId] = frozenset()
    """Gateways that may deliver this one's messages."""
    authorities: bytes = b""
    """PEM of the authorities its transport certificates chain to."""
    server_name: str = ""
    """Name in its server certificate, if not the host of `address`."""
    digest: bytes = b""
    """Digest of the entry as a document."""
    simulated: bool = False
    calls_max: int = PARTNER_CALLS_MAX
    """Calls of this partner answered at a time."""
    uploads_max: int = PARTNER_UPLOADS_MAX
    """Attachments of this partner received at a time."""
    outlet: str = "grpc"
    """How it is reached: `grpc`, or by an adapter of ours; then it has no address and no keys."""
    platform: Platform | None = None
    """What its adapter is opened with, where it runs a platform of its own."""
    messages_per_s: int = PARTNER_MESSAGES_PER_S
    """Messages of this partner heard in the long run; a call without messages counts as one."""
    messages_burst: int = PARTNER_MESSAGES_BURST
    """Messages of this partner heard at once after it was silent."""
    lane_calls_max: int = LANE_CALLS_MAX
    """Our own calls to it under way at a time."""
    answer_s_max: float = DELIVER_TIMEOUT_S
    """How long it may take to answer one."""
    callers: tuple[str, ...] = ()
    """Networks its platform calls us back from, as `203.0.113.0/24`; empty: any."""
    collects: bool = False
    """It can only call out: it fetches its messages, and is never dialled."""
    adapter_keys: Mapping[KeyId, RegisteredKey] = field(default_factory=dict)
    """With these its adapters attest what partners without keys said; never messages of its own."""


def adapter_of(gateway: Partner) -> Partner:
    """Return a gateway as its adapters speak: known by its adapter keys, and by no others."""
    return replace(gateway, keys=gateway.adapter_keys)


def require_peer(partner: Partner | None) -> Partner:
    """Return the partner behind a transport certificate.

    Raises:
        Fault: `trust.peer_unknown`, `trust.partner_not_active`.
    """
    if partner is None:
        raise Fault(FaultCode.TRUST_PEER_UNKNOWN)
    if partner.state not in EXCHANGING:
        raise Fault(FaultCode.TRUST_PARTNER_NOT_ACTIVE, partner.state.value)
    return partner


def require_caller(partner: Partner, address: str) -> None:
    """Check that a platform calls from where it said it would (IP 白名单).

    Before anything is counted: whoever calls from elsewhere uses up nothing of the partner's rate.
    Behind a proxy of our own `address` is the proxy's, and the proxy has to check.

    Raises:
        Fault: `trust.peer_unknown`.
    """
    if not partner.callers:
        return
    try:
        caller = ip_address(address)
    except ValueError:
        raise Fault(FaultCode.TRUST_PEER_UNKNOWN, "address") from None
    known = getattr(caller, "ipv4_mapped", None) or caller
    if not any(known in ip_network(network) for network in partner.callers):
        raise Fault(FaultCode.TRUST_PEER_UNKNOWN, "address")


def require_active(partner: Partner | None) -> None:
    """Check that residents' cases may begin with a partner: it is not merely being tested.

    Raises:
        Fault: `trust.partner_not_active`.
    """
    if partner is not None and partner.state is PartnerState.TESTING:
        raise Fault(FaultCode.TRUST_PARTNER_NOT_ACTIVE, partner.state.value)


def require_speaks_for(peer: GatewayId, sender: Partner) -> None:
    """Check that the TLS peer is the sender or one of its relays.

    Raises:
        Fault: `trust.peer_not_sender`, `trust.partner_not_active`.
    """
    if sender.state not in EXCHANGING:
        raise Fault(FaultCode.TRUST_PARTNER_NOT_ACTIVE, sender.state.value)
    if peer != sender.gateway_id and peer not in sender.relays:
        raise Fault(FaultCode.TRUST_PEER_NOT_SENDER)


def key_of(partner: Partner, key_id: KeyId, at_ms: int) -> RegisteredKey:
    """Return the partner's key, valid at `at_ms`.

    Raises:
        Fault: `trust.key_unknown`, `trust.key_not_yet_valid`, `trust.key_expired`.
    """
    key = partner.keys.get(key_id)
    if key is None:
        raise Fault(FaultCode.TRUST_KEY_UNKNOWN, key_id.hex()[:16])
    if at_ms < key.not_before_ms:
        raise Fault(FaultCode.TRUST_KEY_NOT_YET_VALID, key_id.hex()[:16])
    if at_ms > key.not_after_ms:
        raise Fault(FaultCode.TRUST_KEY_EXPIRED, key_id.hex()[:16])
    return key


def checks_for(
    partner: Partner, signatures: Sequence[Signature], signed: bytes, at_ms: int
) -> list[Check]:
    """Return the verifications that would prove `signed` (a PAE) to be the partner's.

    Every signature present must verify: one that does not is never passed over. Batch proofs are
    walked here; the signature over each head is left to the caller, who may have verified that
    head before.

    Raises:
        Fault: `trust.unsigned`, `trust.signature_invalid` (too many, or one key twice), those of
            `key_of`, `trust.suite_mismatch`, `trust.suite_unknown`, `trust.batch_invalid`.
    """
    if not signatures:
        raise Fault(FaultCode.TRUST_UNSIGNED)
    if len(signatures) > SIGNATURES_PER_ENVELOPE_MAX:
        raise Fault(FaultCode.TRUST_SIGNATURE_INVALID, "too many signatures")
    if len(signatures) > 1 and len({s.key_id for s in signatures}) != len(signatures):
        raise Fault(FaultCode.TRUST_SIGNATURE_INVALID, "one key signed twice")
    checks: list[Check] = []
    for given in signatures:
        key = key_of(partner, given.key_id, at_ms)
        message = signed
        if given.batch is not None:
            message = _walk_batch(given, key, signed)
        checks.append((key.suite, key.public_key, given.signature, message))
    return checks


def _walk_batch(given: Signature, key: RegisteredKey, signed: bytes) -> bytes:
    assert given.batch is not None
    head, path = given.batch.head, given.batch.path
    if head.suite != key.suite:
        raise Fault(FaultCode.TRUST_SUITE_MISMATCH, "batch head")
    if head.key_id != given.key_id:
        raise Fault(FaultCode.TRUST_BATCH_INVALID, "key id")
    if not 1 <= head.size <= BATCH_LEAVES_MAX or len(path) > BATCH_PATH_MAX:
        raise Fault(FaultCode.TRUST_BATCH_INVALID, "size")
    root = root_of_path(leaf_hash(signed), given.batch.leaf_index, head.size, path)
    if root is None or root != head.root:
        raise Fault(FaultCode.TRUST_BATCH_INVALID, "path")
    return pae(TYPE_BATCH_HEAD, given.batch.head_bytes)


def run_checks(checks: Iterable[Check], verify: Callable[[str, bytes, bytes, bytes], bool]) -> None:
    """Do the verifications.

    Raises:
        Fault: `trust.signature_invalid`.
    """
    for check in checks:
        if not verify(*check):
            raise Fault(FaultCode.TRUST_SIGNATURE_INVALID)


def require_suites(
    partner: Partner,
    signatures: Sequence[Signature],
    required: Sequence[str],
    known: frozenset[str],
) -> None:
    """Check that each suite the header names is known and signed with.

    A signature of a required suite cannot be stripped unseen, because the header names it.

    Raises:
        Fault: `trust.suite_unknown`, `trust.suite_missing`.
    """
    made = {partner.keys[s.key_id].suite for s in signatures}
    for suite in required:
        if suite not in known:
            raise Fault(FaultCode.TRUST_SUITE_UNKNOWN, suite[:32])
        if suite not in made:
            raise Fault(FaultCode.TRUST_SUITE_MISSING, suite)
