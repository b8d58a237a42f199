"""Reading certificates, and refusing examples."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.adapters.pki.certificates import (
    GATEWAY_URN,
    CertificateProblem,
    fingerprint,
    first_of,
    gateway_of,
    is_marked,
    load_certificates,
    read_signing_certificate,
    refuse_examples,
    spki_of,
    transport_pin,
)
from gateway.adapters.pki.examples import MARKER_OID, MARKER_TEXT
from gateway.adapters.pki.issuing import Authority, Issued, issue_signing, issue_transport
from gateway.adapters.pki.key_files import parse_key
from gateway.adapters.pki.suites import EDDSA, ES256, KeyProblem, spki
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import CERTIFICATE_BYTES_MAX
from tests.unit.adapters.pki_forge import END_MS, START_MS, Change, authority, reissue

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "certs_example"
JIUQUAN = GatewayId("620900")


def _signing(issuer: Authority, suite: str = ES256) -> Issued:
    return issue_signing(
        issuer,
        JIUQUAN,
        suite,
        common_name="酒泉签名(示例)",
        not_before_ms=START_MS,
        not_after_ms=END_MS,
    )


def _with_uris(*uris: str) -> bytes:
    issuer = authority()
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(u) for u in uris])
    change = Change(drop=[x509.SubjectAlternativeName], add=[(names, False)])
    return reissue(_signing(issuer).certificate, issuer, change)


@pytest.mark.parametrize(
    ("uris", "why"),
    [
        ((), "no URI"),
        (("https://620900.example",), "no URI"),
        ((GATEWAY_URN + "620900", GATEWAY_URN + "620200"), "more than one"),
        ((GATEWAY_URN + "620900", GATEWAY_URN + "620900"), "more than one"),
        ((GATEWAY_URN + "620900", "URN:KuaYu:gateway:620200"), "more than one"),
        (("URN:KUAYU:GATEWAY:620900",), "not a gateway URI"),
        ((GATEWAY_URN,), "not a gateway URI"),
        ((GATEWAY_URN + "62090",), "not a gateway URI"),
        ((GATEWAY_URN + "620900/x",), "not a gateway URI"),
        ((GATEWAY_URN + "620900\n",), "not a gateway URI"),
        ((GATEWAY_URN + "020900",), "not a gateway URI"),
    ],
)
def test_a_certificate_that_does_not_name_one_gateway_is_refused(
    uris: tuple[str, ...], why: str
) -> None:
    pem = _with_uris(*uris)
    for read in (gateway_of, read_signing_certificate):
        with pytest.raises(CertificateProblem, match=why):
            read(pem)


def test_a_certificate_without_alternative_names_is_refused() -> None:
    issuer = authority()
    change = Change(drop=[x509.SubjectAlternativeName])
    pem = reissue(_signing(issuer).certificate, issuer, change)
    with pytest.raises(CertificateProblem, match="no subject alternative name"):
        gateway_of(pem)


def test_other_uris_beside_the_gateways_do_not_matter() -> None:
    assert gateway_of(_with_uris("https://620200.example", GATEWAY_URN + "620900")) == JIUQUAN


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP384R1()), ed448.Ed448PrivateKey.generate()]
)
def test_a_signing_certificate_with_a_key_of_no_suite_is_refused(
    key: ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey,
) -> None:
    issuer = authority()
    pem = reissue(_signing(issuer).certificate, issuer, Change(key=key))
    with pytest.raises(KeyProblem, match="no suite"):
        read_signing_certificate(pem)


def test_bytes_that_hold_no_certificate_are_refused() -> None:
    good = _signing(authority()).certificate
    for pem in (b"", b"text", good[:200], good.replace(b"CERTIFICATE", b"CERTIFICATES")):
        with pytest.raises(CertificateProblem, match="not a readable PEM certificate"):
            load_certificates(pem)
    with pytest.raises(CertificateProblem, match="larger than"):
        load_certificates(good + b"\n" * CERTIFICATE_BYTES_MAX)


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 2000), put=st.binary(min_size=1, max_size=8))
@example(at=48, put=b"/")  # a serial number below one
def test_a_damaged_certificate_is_read_or_refused_but_nothing_else(at: int, put: bytes) -> None:
    good = (EXAMPLES / "620900/signing_es256.pem").read_bytes()
    at %= len(good)
    damaged = good[:at] + put + good[at + len(put) :]
    try:
        read_signing_certificate(damaged)
        refuse_examples(damaged, demo=False)
    except (CertificateProblem, KeyProblem):
        return
    pytest.fail("an example certificate, damaged or not, was accepted")


@pytest.mark.parametrize("suite", [ES256, EDDSA])
def test_a_signing_certificate_tells_gateway_suite_key_and_validity(suite: str) -> None:
    issued = _signing(authority(), suite)
    read = read_signing_certificate(issued.certificate)
    raw = spki(parse_key(issued.key).public_key())
    assert (read.gateway_id, read.suite, read.public_key) == (JIUQUAN, suite, raw)
    assert read.key_id == sha256(raw).digest()
    assert (read.not_before_ms, read.not_after_ms) == (START_MS, END_MS)
    assert read.fingerprint == fingerprint(issued.certificate)
    registered = read.registered()
    assert registered.certificate == issued.certificate
    assert (registered.key_id, registered.suite) == (read.key_id, suite)


def test_a_transport_pin_survives_a_renewal_and_a_fingerprint_does_not() -> None:
    issuer = authority()
    pem = _signing(issuer).certificate
    renewed = reissue(pem, issuer, Change(shift=timedelta(days=365)))
    assert transport_pin(pem) == transport_pin(renewed) == sha256(spki_of(first_of(pem))).digest()
    assert fingerprint(pem) != fingerprint(renewed)


# --- examples -----------------------------------------------------------------------------------


def _example_authority() -> Authority:
    return Authority(
        (EXAMPLES / "authority.pem").read_bytes(), (EXAMPLES / "authority.key.pem").read_bytes()
    )


def _refused(pem: bytes, why: str) -> None:
    with pytest.raises(CertificateProblem, match=f"{why}.*demo mode only"):
        refuse_examples(pem, demo=False)
    refuse_examples(pem, demo=True)


def test_what_a_demo_authority_made_is_refused_by_its_marker() -> None:
    issuer = authority(demo=True)
    transport = issue_transport(
        issuer,
        JIUQUAN,
        common_name="酒泉传输(示例)",
        not_before_ms=START_MS,
        not_after_ms=END_MS,
        dns_names=["localhost"],
    )
    for pem in (issuer.certificate, _signing(issuer).certificate, transport.certificate):
        _refused(pem, "marker")


def test_the_marker_says_what_it_is_and_is_not_critical() -> None:
    found = [
        e
        for e in first_of(_signing(authority(demo=True)).certificate).extensions
        if e.oid.dotted_string == MARKER_OID
    ]
    assert len(found) == 1
    assert not found[0].critical
    assert isinstance(found[0].value, x509.UnrecognizedExtension)
    assert found[0].value.value[2:].decode() == MARKER_TEXT == "KUAYU EXAMPLE ONLY 示例"


def test_every_committed_example_is_refused() -> None:
    certificates = [p for p in EXAMPLES.rglob("*.pem") if not p.name.endswith(".key.pem")]
    assert len(certificates) == 7
    for path in certificates:
        _refused(path.read_bytes(), "marker")


def test_an_unmarked_certificate_that_names_the_example_authority_is_refused() -> None:
    issuer = _example_authority()
    change = Change(drop_oids=[MARKER_OID])
    _refused(reissue(_signing(issuer).certificate, issuer, change), "issuer key identifier")


@pytest.mark.parametrize("digest", [SHA256(), SHA384(), SHA512()], ids=lambda d: d.name)
def test_an_unmarked_unnamed_certificate_signed_by_the_example_authority_is_refused(
    digest: SHA256 | SHA384 | SHA512,
) -> None:
    issuer = _example_authority()
    change = Change(drop=[x509.AuthorityKeyIdentifier], drop_oids=[MARKER_OID], digest=digest)
    pem = reissue(_signing(issuer).certificate, issuer, change)
    assert not is_marked(first_of(pem))
    _refused(pem, "the example authority signed it")


def test_a_published_key_under_a_genuine_authority_is_refused() -> None:
    genuine = authority()
    key = parse_key((EXAMPLES / "620900/signing_es256.key.pem").read_bytes())
    pem = reissue(_signing(genuine).certificate, genuine, Change(key=key))
    _refused(pem, "private key is published")


def test_an_example_behind_a_genuine_leaf_is_refused() -> None:
    genuine = _signing(authority()).certificate
    refuse_examples(genuine, demo=False)
    _refused(genuine + _example_authority().certificate, "marker")


def test_genuine_certificates_of_each_suite_pass_outside_demo_mode() -> None:
    issuer = authority()
    for pem in (issuer.certificate, *(_signing(issuer, s).certificate for s in (ES256, EDDSA))):
        refuse_examples(pem, demo=False)
