"""Whether a certificate is what its purpose needs and comes from an authority that is trusted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from gateway.adapters.pki.certificates import (
    CertificateProblem,
    gateway_named_in,
    load_certificates,
    refuse_example_certificates,
)
from gateway.adapters.pki.suites import KeyProblem, suite_of
from gateway.kernel.instants import from_datetime, to_iso
from gateway.kernel.limits import CERTIFICATE_CHAIN_MAX, RSA_BITS_MIN

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TRANSPORT_USES: Final = frozenset(
    {
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    }
)
_UNDERSTOOD: Final = frozenset(
    kind.oid
    for kind in (
        x509.BasicConstraints,
        x509.KeyUsage,
        x509.ExtendedKeyUsage,
        x509.SubjectAlternativeName,
    )
)


class Purpose(StrEnum):
    """What a certificate is to be used for."""

    CLIENT = "client"
    """Transport (传输证书), the calling side."""
    SERVER = "server"
    """Transport, the answering side. The name called is *not* checked: TLS does."""
    SIGNING = "signing"
    """Messages and receipts (签名证书)."""


def verify_chain(
    leaf_pem: bytes,
    authorities_pem: bytes,
    at_ms: int,
    purpose: Purpose,
    *,
    demo: bool = False,
) -> bytes:
    """Verify a gateway's certificate and return its chain (PEM, leaf first) for the record.

    `leaf_pem` is the leaf, then intermediates if any; `authorities_pem` what is trusted. A
    signing certificate must come straight from one of `authorities_pem`, since its issuer is
    registered with it. Costs about 0.3 ms: keep the answer under `fingerprint(leaf_pem)`. For a
    registered key whose own time is judged at use, pass its `not_before_ms`.

    *Not* checked: revocation; that the gateway named is the one expected; the server's name.

    Raises:
        CertificateProblem: malformed, an example outside demo mode, not of a gateway, outside its
            validity, of an unfit key or usage, or not issued by an authority.
    """
    leaf, *rest = load_certificates(leaf_pem)
    authorities = load_certificates(authorities_pem)
    refuse_example_certificates([leaf, *rest, *authorities], demo=demo)
    gateway_named_in(leaf)
    _require_valid(leaf, at_ms, "the certificate")
    require_usage(leaf, purpose)
    if purpose is Purpose.SIGNING:
        chain = _signing_chain(leaf, authorities, at_ms)
    else:
        chain = _transport_chain(leaf, rest, authorities, at_ms, purpose)
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain)


def _require_valid(certificate: x509.Certificate, at_ms: int, what: str) -> None:
    not_before_ms = from_datetime(certificate.not_valid_before_utc)
    not_after_ms = from_datetime(certificate.not_valid_after_utc)
    if at_ms < not_before_ms:
        raise CertificateProblem(f"{what} is valid only from {to_iso(not_before_ms)}")
    if at_ms > not_after_ms:
        raise CertificateProblem(f"{what} expired at {to_iso(not_after_ms)}")


def require_usage(leaf: x509.Certificate, purpose: Purpose) -> None:
    """Check that a leaf's key and usages are what its purpose needs, whoever issued it.

    Raises:
        CertificateProblem: they are not.
    """
    basic = _find(leaf, x509.BasicConstraints)
    if basic is not None and basic.ca:
        raise CertificateProblem("an authority's certificate cannot be a gateway's own")
    usage = _find(leaf, x509.KeyUsage)
    if usage is None or not usage.digital_signature or usage.key_cert_sign:
        raise CertificateProblem("key usage must hold digitalSignature and not keyCertSign")
    extended = _find(leaf, x509.ExtendedKeyUsage)
    uses = frozenset(extended or ())
    if purpose is Purpose.SIGNING:
        if uses & _TRANSPORT_USES:
            raise CertificateProblem("a signing certificate must not be usable for TLS")
        return
    wanted = (
        ExtendedKeyUsageOID.CLIENT_AUTH
        if purpose is Purpose.CLIENT
        else ExtendedKeyUsageOID.SERVER_AUTH
    )
    if wanted not in uses:
        raise CertificateProblem(f"extended key usage must hold {purpose.value}Auth")
    _require_transport_key(leaf)


def _require_transport_key(leaf: x509.Certificate) -> None:
    key = leaf.public_key()
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return
    if isinstance(key, RSAPublicKey) and key.key_size >= RSA_BITS_MIN:
        return
    raise CertificateProblem(f"a transport key must be P-256 or RSA of {RSA_BITS_MIN} bits or more")


def _transport_chain(
    leaf: x509.Certificate,
    rest: list[x509.Certificate],
    authorities: list[x509.Certificate],
    at_ms: int,
    purpose: Purpose,
) -> Sequence[x509.Certificate]:
    builder = (
        PolicyBuilder()
        .store(Store(authorities))
        .time(_EPOCH + timedelta(milliseconds=at_ms))
        .max_chain_depth(CERTIFICATE_CHAIN_MAX - 2)  # counts intermediates only
    )
    try:
        if purpose is Purpose.CLIENT:
            return builder.build_client_verifier().verify(leaf, rest).chain
        return builder.build_server_verifier(_own_name(leaf)).verify(leaf, rest)
    except VerificationError as problem:
        raise CertificateProblem(f"no trusted chain: {problem}") from None


def _own_name(leaf: x509.Certificate) -> x509.DNSName | x509.IPAddress:
    for name in _find(leaf, x509.SubjectAlternativeName) or ():
        if isinstance(name, x509.IPAddress):
            return name
        if isinstance(name, x509.DNSName) and "*" not in name.value:
            return name
    raise CertificateProblem("a server certificate needs a DNS name or an IP address, no wildcard")


def _signing_chain(
    leaf: x509.Certificate, authorities: list[x509.Certificate], at_ms: int
) -> Sequence[x509.Certificate]:
    # `cryptography.x509.verification` follows the web's profile: it knows no signing purpose and
    # takes no Ed25519, so the one step that is needed is done here.
    _require_suite(leaf)
    _require_sound(leaf, "the certificate")
    for authority in authorities:
        if not _issued(authority, leaf):
            continue
        _require_authority(authority)
        _require_valid(authority, at_ms, "its authority")
        return (leaf, authority)
    raise CertificateProblem("not issued directly by a registered authority")


def _require_suite(leaf: x509.Certificate) -> None:
    try:
        suite_of(leaf.public_key())
    except KeyProblem as problem:
        raise CertificateProblem(str(problem)) from None


def _issued(authority: x509.Certificate, leaf: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _require_authority(authority: x509.Certificate) -> None:
    basic = _find(authority, x509.BasicConstraints)
    if basic is None or not basic.ca:
        raise CertificateProblem("its issuer is not an authority (basicConstraints CA:FALSE)")
    usage = _find(authority, x509.KeyUsage)
    if usage is None or not usage.key_cert_sign:
        raise CertificateProblem("its issuer may not sign certificates (no keyCertSign)")
    key = authority.public_key()
    if isinstance(key, RSAPublicKey) and key.key_size < RSA_BITS_MIN:
        raise CertificateProblem(f"its issuer's RSA key has fewer than {RSA_BITS_MIN} bits")
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey):
        raise CertificateProblem("its issuer's key is of an unknown kind")
    _require_sound(authority, "its issuer")


def _require_sound(certificate: x509.Certificate, what: str) -> None:
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            oid = extension.oid.dotted_string
            raise CertificateProblem(f"{what} has the critical extension {oid}, not understood")
    hashed_with = certificate.signature_hash_algorithm
    if hashed_with is not None and not isinstance(hashed_with, SHA256 | SHA384 | SHA512):
        raise CertificateProblem(f"{what} is signed over {hashed_with.name}; SHA-256 or better")


def _find(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
