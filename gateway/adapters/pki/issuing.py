"""Issuing X.509: an authority, transport and signing certificates, for `init` and the examples.

A real partner takes its certificates from its own authority; this is for gateways that have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.adapters.pki.certificates import GATEWAY_URN, CertificateProblem, first_of, is_marked
from gateway.adapters.pki.examples import MARKER_DER, MARKER_OID
from gateway.adapters.pki.key_files import parse_key
from gateway.adapters.pki.suites import ES256, generate_key, suite_of
from gateway.kernel.identifiers import GatewayId, is_gateway_id

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_Extension = tuple[x509.ExtensionType, bool]


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate (PEM) and its private key (PKCS8 PEM, not encrypted)."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Authority(Issued):
    """What issues. If its certificate carries the example marker, so does all it issues."""


@dataclass(frozen=True, slots=True)
class Reproducible:
    """Takes the place of the system's entropy where the same bytes must come out again."""

    serial: int
    key: bytes = field(repr=False)
    """PKCS8 PEM of the certificate's own key."""


@dataclass(frozen=True, slots=True)
class _Draft:
    subject: str
    issuer: x509.Name
    not_before_ms: int
    not_after_ms: int
    extensions: Sequence[_Extension]
    marked: bool


def create_authority(
    common_name: str,
    not_before_ms: int,
    not_after_ms: int,
    *,
    demo: bool,
    reproducible: Reproducible | None = None,
) -> Authority:
    """Make a self-signed P-256 authority that issues end certificates only (path length 0).

    `demo` puts the example marker into its certificate and into all it issues. Certificates keep
    whole seconds: times are rounded down.

    Raises:
        CertificateProblem: the common name or the times cannot stand in a certificate.
    """
    key_pem = reproducible.key if reproducible else generate_key(ES256)
    extensions: list[_Extension] = [
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (_key_usage(authority=True), True),
    ]
    draft = _Draft(
        common_name, _name(common_name), not_before_ms, not_after_ms, extensions, marked=demo
    )
    return Authority(_sign(draft, key_pem, _ec_key(key_pem), reproducible), key_pem)


def issue_transport(
    authority: Authority,
    gateway_id: GatewayId,
    *,
    common_name: str,
    not_before_ms: int,
    not_after_ms: int,
    dns_names: Sequence[str] = (),
    ip_addresses: Sequence[str] = (),
    reproducible: Reproducible | None = None,
) -> Issued:
    """Issue a P-256 transport certificate (传输证书) for both ends of a TLS connection.

    Raises:
        CertificateProblem: no name or address to be called by, or a bad one; a bad gateway id,
            common name or time; a time outside the authority's.
    """
    if not dns_names and not ip_addresses:
        raise CertificateProblem("a transport certificate needs a DNS name or an IP address")
    uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    extensions: list[_Extension] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(authority=False), True),
        (x509.ExtendedKeyUsage(uses), False),
        (_alternative_names(gateway_id, dns_names, ip_addresses), False),
    ]
    key_pem = reproducible.key if reproducible else generate_key(ES256)
    return _issue(
        authority, common_name, (not_before_ms, not_after_ms), extensions, key_pem, reproducible
    )


def issue_signing(
    authority: Authority,
    gateway_id: GatewayId,
    suite: str,
    *,
    common_name: str,
    not_before_ms: int,
    not_after_ms: int,
    reproducible: Reproducible | None = None,
) -> Issued:
    """Issue a signing certificate (签名证书) of a suite.

    Raises:
        CertificateProblem: a bad gateway id, common name or time; a time outside the authority's.
        KeyProblem: the suite is not known.
    """
    extensions: list[_Extension] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(authority=False), True),
        (_alternative_names(gateway_id, (), ()), False),
    ]
    key_pem = reproducible.key if reproducible else generate_key(suite)
    if suite_of(parse_key(key_pem).public_key()) != suite:
        raise CertificateProblem(f"the given key is not one of suite {suite}")
    return _issue(
        authority, common_name, (not_before_ms, not_after_ms), extensions, key_pem, reproducible
    )


def _issue(
    authority: Authority,
    common_name: str,
    lifetime_ms: tuple[int, int],
    extensions: list[_Extension],
    key_pem: bytes,
    reproducible: Reproducible | None,
) -> Issued:
    issuer = first_of(authority.certificate)
    not_before, not_after = map(_utc, lifetime_ms)
    if not_before < issuer.not_valid_before_utc or not_after > issuer.not_valid_after_utc:
        raise CertificateProblem("a certificate cannot outlive its authority, nor precede it")
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    named = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    draft = _Draft(
        common_name,
        issuer.subject,
        *lifetime_ms,
        extensions=[*extensions, (named, False)],
        marked=is_marked(issuer),
    )
    return Issued(_sign(draft, key_pem, _ec_key(authority.key), reproducible), key_pem)


def _sign(
    draft: _Draft,
    key_pem: bytes,
    issuer_key: EllipticCurvePrivateKey,
    reproducible: Reproducible | None,
) -> bytes:
    own = parse_key(key_pem).public_key()
    assert isinstance(own, EllipticCurvePublicKey | Ed25519PublicKey)
    try:
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(draft.subject))
            .issuer_name(draft.issuer)
            .not_valid_before(_utc(draft.not_before_ms))
            .not_valid_after(_utc(draft.not_after_ms))
            .serial_number(reproducible.serial if reproducible else x509.random_serial_number())
            .public_key(own)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(own), critical=False)
        )
        for value, critical in draft.extensions:
            builder = builder.add_extension(value, critical=critical)
    except ValueError as problem:
        raise CertificateProblem(str(problem)) from None
    if draft.marked:
        marker = x509.UnrecognizedExtension(x509.ObjectIdentifier(MARKER_OID), MARKER_DER)
        builder = builder.add_extension(marker, critical=False)
    # True asks for RFC 6979; None leaves the nonce to the library.
    deterministic = True if reproducible else None
    made = builder.sign(issuer_key, SHA256(), ecdsa_deterministic=deterministic)
    return made.public_bytes(Encoding.PEM)


def _ec_key(key_pem: bytes) -> EllipticCurvePrivateKey:
    key = parse_key(key_pem)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise CertificateProblem("an authority's key must be P-256")
    return key


def _utc(at_ms: int) -> datetime:
    return _EPOCH + timedelta(seconds=at_ms // 1000)


def _name(common_name: str) -> x509.Name:
    try:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
                x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            ]
        )
    except ValueError as problem:
        raise CertificateProblem(f"common name: {problem}") from None


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names(
    gateway_id: GatewayId, dns_names: Sequence[str], ip_addresses: Sequence[str]
) -> x509.SubjectAlternativeName:
    if not is_gateway_id(gateway_id):
        raise CertificateProblem("not a gateway id: six digits of GB/T 2260")
    try:
        return x509.SubjectAlternativeName(
            [
                *(x509.DNSName(name) for name in dns_names),
                *(x509.IPAddress(ip_address(text)) for text in ip_addresses),
                x509.UniformResourceIdentifier(GATEWAY_URN + gateway_id),
            ]
        )
    except ValueError as problem:
        raise CertificateProblem(f"subject alternative name: {problem}") from None
