"""Issuing certificates, and that TLS and the `openssl` command take what is issued."""

from __future__ import annotations

import ssl
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.adapters.pki.certificates import (
    CertificateProblem,
    first_of,
    gateway_of,
    is_marked,
    transport_pin,
)
from gateway.adapters.pki.issuing import (
    Authority,
    Issued,
    Reproducible,
    create_authority,
    issue_signing,
    issue_transport,
)
from gateway.adapters.pki.key_files import parse_key, write_key
from gateway.adapters.pki.suites import EDDSA, ES256, KeyProblem, generate_key, spki, to_pem
from gateway.kernel.identifiers import GatewayId
from tests.unit.adapters.pki_forge import END_MS, START_MS, authority

JIUQUAN, JIAYUGUAN = GatewayId("620900"), GatewayId("620200")


def _transport(issuer: Authority, gateway: GatewayId = JIUQUAN) -> Issued:
    return issue_transport(
        issuer,
        gateway,
        common_name="传输(示例)",
        not_before_ms=START_MS,
        not_after_ms=END_MS,
        dns_names=["localhost"],
        ip_addresses=["127.0.0.1", "::1"],
    )


def _signing(issuer: Authority, suite: str, reproducible: Reproducible | None = None) -> Issued:
    return issue_signing(
        issuer,
        JIUQUAN,
        suite,
        common_name="签名(示例)",
        not_before_ms=START_MS,
        not_after_ms=END_MS,
        reproducible=reproducible,
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"dns_names": [], "ip_addresses": []}, "needs a DNS name"),
        ({"dns_names": ["酒泉.example"]}, "subject alternative name"),
        ({"ip_addresses": ["127.0.0.256"]}, "subject alternative name"),
        ({"common_name": "示" * 65}, "common name"),
        ({"common_name": ""}, "common name"),
        ({"not_after_ms": END_MS + 1000}, "outlive its authority"),
        ({"not_before_ms": START_MS - 1000}, "outlive its authority"),
        ({"not_after_ms": START_MS, "not_before_ms": END_MS}, "after|before|validity"),
    ],
)
def test_what_cannot_stand_in_a_certificate_is_refused(change: dict[str, object], why: str) -> None:
    good: dict[str, object] = {
        "common_name": "传输(示例)",
        "not_before_ms": START_MS,
        "not_after_ms": END_MS,
        "dns_names": ["localhost"],
    }
    with pytest.raises(CertificateProblem, match=why):
        issue_transport(authority(), JIUQUAN, **(good | change))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "62090", "0620900", "620900/..", "６２０９００"])
def test_a_text_that_is_no_gateway_id_gets_no_certificate(text: str) -> None:
    with pytest.raises(CertificateProblem, match="not a gateway id"):
        _transport(authority(), GatewayId(text))


def test_an_unknown_suite_and_a_key_of_another_suite_get_no_certificate() -> None:
    with pytest.raises(KeyProblem, match="unknown suite"):
        _signing(authority(), "RS256")
    fixed = Reproducible(1, generate_key(EDDSA))
    with pytest.raises(CertificateProblem, match="not one of suite ES256"):
        _signing(authority(), ES256, fixed)


def test_an_authority_with_a_key_that_is_not_p256_issues_nothing() -> None:
    other = Authority(authority().certificate, to_pem(rsa.generate_private_key(65537, 2048)))
    with pytest.raises(CertificateProblem, match="must be P-256"):
        _transport(other)


@pytest.mark.parametrize("demo", [True, False])
def test_the_marker_is_inherited_from_the_authority(demo: bool) -> None:
    issuer = authority(demo=demo)
    signing = _signing(issuer, EDDSA)
    for issued in (issuer, _transport(issuer), signing):
        assert is_marked(first_of(issued.certificate)) is demo


def test_each_certificate_has_its_own_key_and_serial() -> None:
    issuer = authority()
    made = [_transport(issuer) for _ in range(3)]
    assert len({transport_pin(i.certificate) for i in made}) == 3
    assert len({first_of(i.certificate).serial_number for i in made}) == 3
    for issued in made:
        key = parse_key(issued.key)
        assert spki(first_of(issued.certificate).public_key()) == spki(key.public_key())
        assert gateway_of(issued.certificate) == JIUQUAN


def test_private_keys_do_not_show_in_texts() -> None:
    issuer = authority()
    for value in (issuer, _transport(issuer), Reproducible(1, generate_key(ES256))):
        assert "PRIVATE" not in repr(value)


def test_validity_keeps_whole_seconds_rounded_down() -> None:
    made = create_authority("示例", START_MS + 999, END_MS + 999, demo=True)
    certificate = first_of(made.certificate)
    epoch = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    assert certificate.not_valid_before_utc - epoch == timedelta(milliseconds=START_MS)
    assert certificate.not_valid_after_utc - epoch == timedelta(milliseconds=END_MS)


def test_a_reproducible_certificate_is_the_same_twice() -> None:
    fixed = Reproducible(7, generate_key(ES256))
    made = [
        create_authority("示例", START_MS, END_MS, demo=True, reproducible=fixed) for _ in range(2)
    ]
    assert made[0].certificate == made[1].certificate
    assert first_of(made[0].certificate).serial_number == 7


def test_the_openssl_command_accepts_every_certificate_strictly(tmp_path: Path) -> None:
    issuer = authority(demo=True)
    issued = [_transport(issuer)]
    issued += [_signing(issuer, suite) for suite in (ES256, EDDSA)]
    root = tmp_path / "authority.pem"
    root.write_bytes(issuer.certificate)
    for i, one in enumerate(issued):
        leaf = tmp_path / f"{i}.pem"
        leaf.write_bytes(one.certificate)
        subprocess.run(
            ["openssl", "verify", "-x509_strict", "-CAfile", str(root), str(leaf)],
            check=True,
            capture_output=True,
        )


def _context(side: int, own: Issued, trusted: bytes, folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(side)
    context.load_verify_locations(cadata=trusted.decode())
    context.verify_mode = ssl.CERT_REQUIRED
    name = transport_pin(own.certificate).hex()
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key.pem"
    certificate.write_bytes(own.certificate)
    write_key(key, own.key)
    context.load_cert_chain(certificate, key)
    return context


def _handshake(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> tuple[bytes, bytes]:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    seen = [end.getpeercert(binary_form=True) for end in ends]
    assert seen[0] and seen[1]
    return seen[0], seen[1]


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_two_gateways_shake_hands_over_mutual_tls(tmp_path: Path, name: str) -> None:
    issuer = authority()
    ours, theirs = _transport(issuer, JIUQUAN), _transport(issuer, JIAYUGUAN)
    client = _context(ssl.PROTOCOL_TLS_CLIENT, ours, issuer.certificate, tmp_path)
    server = _context(ssl.PROTOCOL_TLS_SERVER, theirs, issuer.certificate, tmp_path)
    of_server, of_client = map(x509.load_der_x509_certificate, _handshake(client, server, name))
    assert of_server == first_of(theirs.certificate)
    assert of_client == first_of(ours.certificate)


def test_a_stranger_does_not_pass_the_handshake(tmp_path: Path) -> None:
    issuer, stranger = authority(), authority(name="陌生机构(示例)")
    client = _context(ssl.PROTOCOL_TLS_CLIENT, _transport(stranger), issuer.certificate, tmp_path)
    server = _context(ssl.PROTOCOL_TLS_SERVER, _transport(issuer), issuer.certificate, tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(client, server, "localhost")
