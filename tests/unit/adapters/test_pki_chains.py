"""Chains: who issued it, for what, and when."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA224
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from gateway.adapters.pki.certificates import CertificateProblem, load_certificates
from gateway.adapters.pki.chains import Purpose, verify_chain
from gateway.adapters.pki.issuing import Authority, Issued, issue_signing, issue_transport
from gateway.adapters.pki.suites import EDDSA, ES256, to_pem
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import CERTIFICATE_CHAIN_MAX
from tests.unit.adapters.pki_forge import END_MS, START_MS, WITHIN_MS, Change, authority, reissue

JIUQUAN = GatewayId("620900")
TRANSPORT = (Purpose.CLIENT, Purpose.SERVER)
AUTHORITY = authority()
_UNBOUNDED = Change(
    drop=[x509.BasicConstraints], add=[(x509.BasicConstraints(ca=True, path_length=None), True)]
)


def _transport(issuer: Authority = AUTHORITY) -> Issued:
    return issue_transport(
        issuer,
        JIUQUAN,
        common_name="酒泉传输(示例)",
        not_before_ms=START_MS,
        not_after_ms=END_MS,
        dns_names=["localhost"],
        ip_addresses=["127.0.0.1", "::1"],
    )


def _signing(suite: str = ES256, issuer: Authority = AUTHORITY) -> Issued:
    return issue_signing(
        issuer,
        JIUQUAN,
        suite,
        common_name="酒泉签名(示例)",
        not_before_ms=START_MS,
        not_after_ms=END_MS,
    )


def _leaf(purpose: Purpose) -> bytes:
    return (_signing() if purpose is Purpose.SIGNING else _transport()).certificate


def _refused(
    leaf: bytes, purpose: Purpose, why: str, by: bytes = b"", at_ms: int = WITHIN_MS
) -> None:
    with pytest.raises(CertificateProblem, match=why):
        verify_chain(leaf, by or AUTHORITY.certificate, at_ms, purpose)


def _usage(*, sign: bool, issue: bool) -> tuple[x509.ExtensionType, bool]:
    return x509.KeyUsage(sign, not sign, False, False, False, issue, False, False, False), True


@pytest.mark.parametrize("purpose", Purpose)
def test_a_certificate_of_another_authority_is_refused(purpose: Purpose) -> None:
    same_name = authority()
    why = "no trusted chain|not issued directly"
    _refused(_leaf(purpose), purpose, why, by=same_name.certificate)
    _refused(_leaf(purpose), purpose, why, by=authority(name="另一机构(示例)").certificate)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_certificate_is_refused_before_and_after_its_validity(purpose: Purpose) -> None:
    leaf = _leaf(purpose)
    _refused(leaf, purpose, r"valid only from 2021-05-27", at_ms=START_MS - 1)
    _refused(leaf, purpose, r"expired at 2036-05-26", at_ms=END_MS + 1)
    for at_ms in (START_MS, END_MS):
        assert verify_chain(leaf, AUTHORITY.certificate, at_ms, purpose)


@pytest.mark.parametrize("purpose", Purpose)
def test_an_expired_authority_vouches_for_nothing(purpose: Purpose) -> None:
    late = WITHIN_MS
    expired = _short_lived(AUTHORITY)
    _refused(_leaf(purpose), purpose, "authority expired|no trusted chain", by=expired, at_ms=late)
    assert verify_chain(_leaf(purpose), expired, START_MS + 1000, purpose)


def _short_lived(issuer: Authority) -> bytes:
    old = load_certificates(issuer.certificate)[0]
    length = old.not_valid_after_utc - old.not_valid_before_utc
    # The same key and name, valid so much earlier that it ends within the leaf's validity.
    return reissue(issuer.certificate, issuer, Change(shift=-length * 9 / 10))


@pytest.mark.parametrize("purpose", Purpose)
def test_an_issuer_that_is_no_authority_is_refused(purpose: Purpose) -> None:
    not_a_ca = Authority(*_pair(_signing()))
    key_usage = Change(
        drop=[x509.BasicConstraints],
        add=[(x509.BasicConstraints(ca=False, path_length=None), True)],
    )
    forged = reissue(AUTHORITY.certificate, AUTHORITY, key_usage)
    _refused(_leaf(purpose), purpose, "CA:FALSE|no trusted chain", by=forged)
    leaf = reissue(_leaf(purpose), not_a_ca, Change(drop=[x509.AuthorityKeyIdentifier]))
    _refused(leaf, purpose, "CA:FALSE|no trusted chain", by=not_a_ca.certificate)


def _pair(issued: Issued) -> tuple[bytes, bytes]:
    return issued.certificate, issued.key


@pytest.mark.parametrize("purpose", Purpose)
def test_an_authority_that_may_not_sign_certificates_is_refused(purpose: Purpose) -> None:
    change = Change(drop=[x509.KeyUsage], add=[_usage(sign=True, issue=False)])
    forged = reissue(AUTHORITY.certificate, AUTHORITY, change)
    _refused(_leaf(purpose), purpose, "keyCertSign|no trusted chain", by=forged)


@pytest.mark.parametrize("purpose", Purpose)
def test_an_authority_cannot_be_a_gateways_own_certificate(purpose: Purpose) -> None:
    change = Change(
        drop=[x509.BasicConstraints], add=[(x509.BasicConstraints(ca=True, path_length=0), True)]
    )
    _refused(reissue(_leaf(purpose), AUTHORITY, change), purpose, "cannot be a gateway's own")


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize(("sign", "issue"), [(False, False), (True, True)])
def test_a_wrong_key_usage_is_refused(purpose: Purpose, sign: bool, issue: bool) -> None:
    change = Change(drop=[x509.KeyUsage], add=[_usage(sign=sign, issue=issue)])
    _refused(reissue(_leaf(purpose), AUTHORITY, change), purpose, "digitalSignature")
    bare = reissue(_leaf(purpose), AUTHORITY, Change(drop=[x509.KeyUsage]))
    _refused(bare, purpose, "digitalSignature")


@pytest.mark.parametrize(
    ("purpose", "uses"),
    [
        (Purpose.CLIENT, [Eku.SERVER_AUTH]),
        (Purpose.SERVER, [Eku.CLIENT_AUTH]),
        (Purpose.CLIENT, [Eku.CODE_SIGNING]),
        (Purpose.SERVER, []),
        (Purpose.CLIENT, []),
        (Purpose.SIGNING, [Eku.CLIENT_AUTH]),
        (Purpose.SIGNING, [Eku.SERVER_AUTH]),
        (Purpose.SIGNING, [Eku.ANY_EXTENDED_KEY_USAGE]),
    ],
)
def test_a_wrong_extended_key_usage_is_refused(
    purpose: Purpose, uses: Sequence[x509.ObjectIdentifier]
) -> None:
    add = [(x509.ExtendedKeyUsage(uses), False)] if uses else []
    leaf = reissue(_leaf(purpose), AUTHORITY, Change(drop=[x509.ExtendedKeyUsage], add=add))
    _refused(leaf, purpose, "extended key usage must hold|must not be usable for TLS")


def test_a_transport_certificate_does_not_sign_and_a_signing_one_does_not_carry() -> None:
    _refused(_transport().certificate, Purpose.SIGNING, "must not be usable for TLS")
    for purpose in TRANSPORT:
        _refused(_signing().certificate, purpose, "extended key usage must hold")


@pytest.mark.parametrize("purpose", Purpose)
def test_a_leaf_without_its_gateway_uri_or_with_two_is_refused(purpose: Purpose) -> None:
    uri = x509.UniformResourceIdentifier
    for names, why in (
        ([x509.DNSName("localhost")], "no URI"),
        ([uri("urn:kuayu:gateway:620900"), uri("urn:kuayu:gateway:620200")], "more than one"),
    ):
        san = x509.SubjectAlternativeName(names)
        change = Change(drop=[x509.SubjectAlternativeName], add=[(san, False)])
        _refused(reissue(_leaf(purpose), AUTHORITY, change), purpose, why)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_critical_extension_that_is_not_understood_is_refused(purpose: Purpose) -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.1"), b"\x05\x00")
    leaf = reissue(_leaf(purpose), AUTHORITY, Change(add=[(unknown, True)]))
    _refused(leaf, purpose, "2.25.1, not understood|no trusted chain")
    harmless = reissue(_leaf(purpose), AUTHORITY, Change(add=[(unknown, False)]))
    assert verify_chain(harmless, AUTHORITY.certificate, WITHIN_MS, purpose)


@pytest.mark.parametrize("purpose", TRANSPORT)
def test_a_transport_key_that_grpc_cannot_use_is_refused(purpose: Purpose) -> None:
    for key in (ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1())):
        leaf = reissue(_transport().certificate, AUTHORITY, Change(key=key))
        _refused(leaf, purpose, "P-256 or RSA")
    weak = rsa.generate_private_key(65537, 1024)
    leaf = reissue(_transport().certificate, AUTHORITY, Change(key=weak))
    _refused(leaf, purpose, "RSA of 2048 bits")
    strong = rsa.generate_private_key(65537, 2048)
    leaf = reissue(_transport().certificate, AUTHORITY, Change(key=strong))
    assert verify_chain(leaf, AUTHORITY.certificate, WITHIN_MS, purpose)


def test_a_server_certificate_without_a_name_or_with_a_wildcard_is_refused() -> None:
    uri = x509.UniformResourceIdentifier("urn:kuayu:gateway:620900")
    for names in ([uri], [uri, x509.DNSName("*.620900.example")]):
        san = x509.SubjectAlternativeName(names)
        change = Change(drop=[x509.SubjectAlternativeName], add=[(san, False)])
        leaf = reissue(_transport().certificate, AUTHORITY, change)
        _refused(leaf, Purpose.SERVER, "no wildcard")


def test_a_signing_key_of_no_suite_is_refused() -> None:
    change = Change(key=ec.generate_private_key(ec.SECP384R1()))
    leaf = reissue(_signing().certificate, AUTHORITY, change)
    _refused(leaf, Purpose.SIGNING, "no suite uses the curve secp384r1")


def test_a_signing_certificate_signed_over_a_short_digest_is_refused() -> None:
    leaf = reissue(_signing().certificate, AUTHORITY, Change(digest=SHA224()))
    _refused(leaf, Purpose.SIGNING, "signed over sha224")


def _below(issuer: Authority, name: str) -> Authority:
    """Make an authority that another one vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = authority(name=name)
    known = load_certificates(issuer.certificate)[0].extensions
    identifier = known.get_extension_for_class(x509.SubjectKeyIdentifier).value
    named = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    change = Change(
        key=key,
        drop=[x509.SubjectKeyIdentifier, x509.BasicConstraints],
        add=[
            (own, False),
            (named, False),
            (x509.BasicConstraints(ca=True, path_length=None), True),
        ],
    )
    return Authority(reissue(made.certificate, issuer, change), to_pem(key))


def test_a_signing_certificate_through_an_intermediate_is_refused() -> None:
    below = _below(AUTHORITY, "下级机构(示例)")
    leaf = _signing(issuer=below).certificate + below.certificate
    _refused(leaf, Purpose.SIGNING, "not issued directly")


@pytest.mark.parametrize("purpose", TRANSPORT)
def test_an_authority_of_path_length_0_has_no_authority_below_it(purpose: Purpose) -> None:
    below = _below(AUTHORITY, "下级机构(示例)")
    leaf = _transport(below).certificate + below.certificate
    _refused(leaf, purpose, "no trusted chain")
    unbounded = reissue(AUTHORITY.certificate, AUTHORITY, _UNBOUNDED)
    assert len(load_certificates(verify_chain(leaf, unbounded, WITHIN_MS, purpose))) == 3


@pytest.mark.parametrize("purpose", TRANSPORT)
def test_a_transport_chain_has_at_most_two_intermediates(purpose: Purpose) -> None:
    root = reissue(AUTHORITY.certificate, AUTHORITY, _UNBOUNDED)
    issuer, between = AUTHORITY, b""
    for depth in (1, 2, 3):
        issuer = _below(issuer, f"{depth}级机构(示例)")
        between += issuer.certificate
        leaf = _transport(issuer).certificate + between
        if depth == 3:
            _refused(leaf, purpose, "no trusted chain")
        else:
            found = load_certificates(verify_chain(leaf, root, WITHIN_MS, purpose))
            assert len(found) == depth + 2 <= CERTIFICATE_CHAIN_MAX


@pytest.mark.parametrize("purpose", TRANSPORT)
def test_a_transport_certificate_signed_with_ed25519_is_refused(purpose: Purpose) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    issuer = Authority(AUTHORITY.certificate, to_pem(key))
    root = reissue(AUTHORITY.certificate, issuer, Change(key=key, digest=None))
    leaf = reissue(_transport().certificate, issuer, Change(digest=None))
    _refused(leaf, purpose, "no trusted chain", by=root)


@pytest.mark.parametrize("purpose", Purpose)
def test_an_example_is_refused_outside_demo_mode(purpose: Purpose) -> None:
    demo = authority(demo=True)
    leaf = (_signing(issuer=demo) if purpose is Purpose.SIGNING else _transport(demo)).certificate
    _refused(leaf, purpose, "demo mode only", by=demo.certificate)
    assert verify_chain(leaf, demo.certificate, WITHIN_MS, purpose, demo=True)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_trusted_example_authority_is_refused_even_beside_a_genuine_one(purpose: Purpose) -> None:
    both = AUTHORITY.certificate + authority(demo=True).certificate
    _refused(_leaf(purpose), purpose, "demo mode only", by=both)


@pytest.mark.parametrize("suite", [ES256, EDDSA])
def test_a_signing_certificate_verifies_and_its_chain_is_returned(suite: str) -> None:
    leaf = _signing(suite).certificate
    both = authority(name="另一机构(示例)").certificate + AUTHORITY.certificate
    assert verify_chain(leaf, both, WITHIN_MS, Purpose.SIGNING) == leaf + AUTHORITY.certificate


@pytest.mark.parametrize("purpose", TRANSPORT)
def test_a_transport_certificate_verifies_and_its_chain_is_returned(purpose: Purpose) -> None:
    leaf = _transport().certificate
    chain = verify_chain(leaf, AUTHORITY.certificate, WITHIN_MS, purpose)
    assert chain == leaf + AUTHORITY.certificate
