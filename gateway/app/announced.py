"""Reading announced certificates: what they say, and whether a chain proves them."""

from __future__ import annotations

from gateway.adapters.pki.certificates import (
    CertificateProblem,
    first_of,
    gateway_named_in,
    read_signing_certificate,
    refuse_examples,
    spki_of,
)
from gateway.adapters.pki.chains import Purpose, require_usage, verify_chain
from gateway.adapters.pki.suites import KeyProblem, key_id
from gateway.flow.announced import KeyReader
from gateway.kernel.announced import AnnouncedKey, KeyProof, KeyUse
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.instants import from_datetime
from gateway.rules.trust import Partner

_PURPOSES = {KeyUse.SIGNING: Purpose.SIGNING, KeyUse.TRANSPORT: Purpose.CLIENT}


def key_reader(*, demo: bool) -> KeyReader:
    """Return what reads announced certificates; examples are taken in demo mode only."""

    def read(
        partner: Partner, use: KeyUse, pem: bytes, now_ms: int
    ) -> tuple[AnnouncedKey, GatewayId]:
        try:
            refuse_examples(pem, demo=demo)
            key, named = _read(partner, use, pem, now_ms)
        except (CertificateProblem, KeyProblem, UnicodeError) as problem:
            raise Fault(FaultCode.KEY_ANNOUNCEMENT_INVALID, str(problem)[:120]) from None
        return _proven(partner, key, pem, demo=demo), named

    return read


def _read(partner: Partner, use: KeyUse, pem: bytes, now_ms: int) -> tuple[AnnouncedKey, GatewayId]:
    leaf = first_of(pem)
    require_usage(leaf, _PURPOSES[use])
    if use is KeyUse.SIGNING:
        found = read_signing_certificate(pem)
        suite, public_key, ident = found.suite, found.public_key, found.key_id
        begin_ms, end_ms, named = found.not_before_ms, found.not_after_ms, found.gateway_id
    else:
        public_key, named, suite = spki_of(leaf), gateway_named_in(leaf), "TLS"
        ident = key_id(public_key)
        begin_ms = from_datetime(leaf.not_valid_before_utc)
        end_ms = from_datetime(leaf.not_valid_after_utc)
    key = AnnouncedKey(
        partner.gateway_id, ident, use, suite, public_key, begin_ms, end_ms, pem, now_ms,
        KeyProof.NONE,
    )  # fmt: skip
    return key, named


def _proven(partner: Partner, key: AnnouncedKey, pem: bytes, *, demo: bool) -> AnnouncedKey:
    """Judge the chain as of the certificate's own beginning; without one the key does not count."""
    try:
        chain = verify_chain(
            pem, partner.authorities, key.not_before_ms, _PURPOSES[key.use], demo=demo
        )
    except CertificateProblem:
        return key
    return key._replace(proof=KeyProof.CHAIN, certificate=chain)
