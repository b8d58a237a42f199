"""Reading X.509 certificates: whose they are, what their keys are, whether they are examples."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from cryptography.utils import CryptographyDeprecationWarning

from gateway.adapters.pki.examples import (
    EXAMPLE_AUTHORITY_SPKI,
    MARKER_OID,
    is_example_key,
)
from gateway.adapters.pki.suites import key_id, spki, suite_of
from gateway.kernel.identifiers import GatewayId, KeyId, is_gateway_id
from gateway.kernel.instants import InstantMs, from_datetime
from gateway.kernel.limits import CERTIFICATE_BYTES_MAX
from gateway.rules.trust import RegisteredKey

GATEWAY_URN: Final = "urn:kuayu:gateway:"
"""A gateway's certificate names it by one URI of this beginning and the gateway id."""

_MARKER = x509.ObjectIdentifier(MARKER_OID)


class CertificateProblem(ValueError):
    """A certificate that cannot be read, or is not what it has to be."""


@dataclass(frozen=True, slots=True)
class SigningCertificate:
    """What a signing certificate says. Nothing here is checked against an authority or a time."""

    gateway_id: GatewayId
    suite: str
    public_key: bytes
    """SubjectPublicKeyInfo (DER)."""
    key_id: KeyId
    not_before_ms: InstantMs
    not_after_ms: InstantMs
    certificate: bytes = field(repr=False)
    """PEM, this certificate only."""
    fingerprint: bytes
    """SHA-256 of the certificate (DER)."""

    def registered(self) -> RegisteredKey:
        """Return it as a key of a directory entry."""
        return RegisteredKey(
            self.key_id,
            self.suite,
            self.public_key,
            self.not_before_ms,
            self.not_after_ms,
            self.certificate,
        )


def load_certificates(pem: bytes) -> list[x509.Certificate]:
    """Read one or more PEM certificates, in their order; text around them is passed over.

    Extensions and public keys are read too, so that later use of them does not fail.

    Raises:
        CertificateProblem: none there, too many bytes, or one of them is malformed.
    """
    if len(pem) > CERTIFICATE_BYTES_MAX:
        raise CertificateProblem(f"certificates larger than {CERTIFICATE_BYTES_MAX} bytes")
    try:
        with warnings.catch_warnings():
            # What the library only warns of today (a serial number below one) is malformed.
            warnings.simplefilter("error", CryptographyDeprecationWarning)
            found = x509.load_pem_x509_certificates(pem)
            for certificate in found:
                _ = certificate.extensions, certificate.public_key(), certificate.serial_number
    except (ValueError, x509.DuplicateExtension, x509.InvalidVersion) as problem:
        raise CertificateProblem(f"not a readable PEM certificate: {problem}") from None
    except CryptographyDeprecationWarning as problem:
        raise CertificateProblem(f"a certificate against RFC 5280: {problem}") from None
    except (UnsupportedAlgorithm, x509.UnsupportedGeneralNameType) as problem:
        raise CertificateProblem(f"a certificate of an unknown kind: {problem}") from None
    return found


def first_of(pem: bytes) -> x509.Certificate:
    """Read the first certificate of a PEM, the leaf of a chain.

    Raises:
        CertificateProblem: those of `load_certificates`.
    """
    return load_certificates(pem)[0]


def spki_of(certificate: x509.Certificate) -> bytes:
    """Return a certificate's SubjectPublicKeyInfo (DER)."""
    return spki(_public_key(certificate))


def _public_key(certificate: x509.Certificate) -> CertificatePublicKeyTypes:
    return certificate.public_key()


def transport_pin(pem: bytes) -> bytes:
    """Return SHA-256 of the first certificate's SubjectPublicKeyInfo; survives a renewal.

    Raises:
        CertificateProblem: those of `load_certificates`.
    """
    return sha256(spki_of(first_of(pem))).digest()


def fingerprint(pem: bytes) -> bytes:
    """Return SHA-256 of the first certificate (DER): the key under which to keep a verdict.

    Raises:
        CertificateProblem: those of `load_certificates`.
    """
    return sha256(first_of(pem).public_bytes(Encoding.DER)).digest()


def gateway_of(pem: bytes) -> GatewayId:
    """Return the gateway that the first certificate names.

    Raises:
        CertificateProblem: those of `load_certificates` and `gateway_named_in`.
    """
    return gateway_named_in(first_of(pem))


def gateway_named_in(certificate: x509.Certificate) -> GatewayId:
    """Return the gateway id in a certificate's one gateway URI.

    Raises:
        CertificateProblem: no such URI, more than one, or not a gateway id behind it.
    """
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        raise CertificateProblem("no subject alternative name") from None
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    # URN schemes and namespaces ignore case: another spelling must not hide a second gateway.
    gateways = [uri for uri in uris if uri.lower().startswith(GATEWAY_URN)]
    if not gateways:
        raise CertificateProblem(f"no URI {GATEWAY_URN}<id> among the subject alternative names")
    if len(gateways) > 1:
        raise CertificateProblem("more than one gateway URI among the subject alternative names")
    text = gateways[0].removeprefix(GATEWAY_URN)
    if not is_gateway_id(text):
        raise CertificateProblem(f"not a gateway URI: {gateways[0][:64]!r}")
    return GatewayId(text)


def read_signing_certificate(pem: bytes) -> SigningCertificate:
    """Read the first certificate of a PEM as a signing certificate (签名证书).

    Issuer, key usage and time are *not* checked: see `chains.verify_chain`.

    Raises:
        CertificateProblem: those of `load_certificates` and `gateway_named_in`.
        KeyProblem: no suite signs with such a key.
    """
    certificate = first_of(pem)
    public_key = _public_key(certificate)
    raw = spki(public_key)
    return SigningCertificate(
        gateway_id=gateway_named_in(certificate),
        suite=suite_of(public_key),
        public_key=raw,
        key_id=key_id(raw),
        not_before_ms=from_datetime(certificate.not_valid_before_utc),
        not_after_ms=from_datetime(certificate.not_valid_after_utc),
        certificate=certificate.public_bytes(Encoding.PEM),
        fingerprint=sha256(certificate.public_bytes(Encoding.DER)).digest(),
    )


def is_marked(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate carries the example marker."""
    return any(extension.oid == _MARKER for extension in certificate.extensions)


def refuse_examples(pem: bytes, *, demo: bool) -> None:
    """Refuse example certificates outside demo mode; every certificate in `pem` is looked at.

    An example is one that carries the marker, was issued under the example authority's key
    (found by key identifier and by its signature), or has a published key.

    Raises:
        CertificateProblem: an example, and `demo` is false; those of `load_certificates`.
    """
    refuse_example_certificates(load_certificates(pem), demo=demo)


def refuse_example_certificates(certificates: Sequence[x509.Certificate], *, demo: bool) -> None:
    """Do the same with certificates already read.

    Raises:
        CertificateProblem: an example, and `demo` is false.
    """
    if demo:
        return
    for certificate in certificates:
        why = _example_because(certificate)
        if why:
            raise CertificateProblem(
                f"an example certificate ({why}): usable in demo mode only (示例证书，仅供演示)"
            )


def _example_because(certificate: x509.Certificate) -> str:
    if is_marked(certificate):
        return "it carries the example marker"
    if is_example_key(spki_of(certificate)):
        return "its private key is published"
    if _names_example_authority(certificate):
        return "its issuer key identifier is the example authority's"
    if _signed_by_example_authority(certificate):
        return "the example authority signed it"
    return ""


def _names_example_authority(certificate: x509.Certificate) -> bool:
    try:
        found = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    except x509.ExtensionNotFound:
        return False
    known = x509.SubjectKeyIdentifier.from_public_key(_example_authority_key()).digest
    return found.key_identifier == known


def _signed_by_example_authority(certificate: x509.Certificate) -> bool:
    try:
        hashed_with = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return False  # an algorithm (SM3 with SM2) that a P-256 key does not sign with
    if hashed_with is None:
        return False
    try:
        _example_authority_key().verify(
            certificate.signature, certificate.tbs_certificate_bytes, ECDSA(hashed_with)
        )
    except InvalidSignature:
        return False
    return True


def _example_authority_key() -> EllipticCurvePublicKey:
    key = load_der_public_key(EXAMPLE_AUTHORITY_SPKI)
    assert isinstance(key, EllipticCurvePublicKey)
    return key
