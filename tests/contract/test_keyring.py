"""What every signer and verifier of `ports.keyring` promises, over each suite."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.pki.key_files import load_signer, parse_key, write_key
from gateway.adapters.pki.suites import EDDSA, ES256, FileSigner, SuiteVerifier, generate_key
from gateway.ports.keyring import Signer, Verifier

SUITES = (ES256, EDDSA)
MESSAGE = "跨域通办：㛃 𬭊".encode()
SIGNERS = {suite: FileSigner(parse_key(generate_key(suite))) for suite in SUITES}
VERIFIER = SuiteVerifier()
BYTES = st.binary(max_size=200)


@pytest.fixture(params=SUITES)
def signer(request: pytest.FixtureRequest) -> FileSigner:
    return SIGNERS[request.param]


def test_the_adapters_keep_the_types_of_the_ports(signer: FileSigner) -> None:
    as_signer: Signer = signer
    as_verifier: Verifier = VERIFIER
    assert as_signer.suite in as_verifier.suites()


def test_a_signature_over_another_message_is_refused(signer: FileSigner) -> None:
    signature = signer.sign(MESSAGE)
    assert not VERIFIER.verify(signer.suite, signer.public_key, signature, MESSAGE + b"\0")
    assert not VERIFIER.verify(signer.suite, signer.public_key, signature, b"")


def test_a_signature_by_another_key_of_the_suite_is_refused(signer: FileSigner) -> None:
    other = FileSigner(parse_key(generate_key(signer.suite)))
    assert not VERIFIER.verify(signer.suite, other.public_key, signer.sign(MESSAGE), MESSAGE)


def test_every_flipped_bit_of_a_signature_is_refused(signer: FileSigner) -> None:
    signature = signer.sign(MESSAGE)
    for bit in range(len(signature) * 8):
        flipped = bytearray(signature)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not VERIFIER.verify(signer.suite, signer.public_key, bytes(flipped), MESSAGE)


def test_a_key_under_another_suites_name_is_refused(signer: FileSigner) -> None:
    for name in ("ES256", "EdDSA", "SM2-SM3", "none", ""):
        verified = VERIFIER.verify(name, signer.public_key, signer.sign(MESSAGE), MESSAGE)
        assert verified is (name == signer.suite)


@pytest.mark.parametrize("suite", SUITES)
@settings(max_examples=200, deadline=None)
@given(signature=BYTES)
def test_arbitrary_signature_bytes_are_refused_and_never_raise(
    suite: str, signature: bytes
) -> None:
    assert VERIFIER.verify(suite, SIGNERS[suite].public_key, signature, MESSAGE) is False


@pytest.mark.parametrize("suite", SUITES)
@settings(max_examples=200, deadline=None)
@given(before=st.integers(0, 80), removed=st.integers(0, 3), put=BYTES)
def test_a_signature_cut_or_grown_anywhere_is_refused(
    suite: str, before: int, removed: int, put: bytes
) -> None:
    genuine = SIGNERS[suite].sign(MESSAGE)
    changed = genuine[:before] + put + genuine[before + removed :]
    verified = VERIFIER.verify(suite, SIGNERS[suite].public_key, changed, MESSAGE)
    assert verified is (changed == genuine)


@pytest.mark.parametrize("suite", SUITES)
@settings(max_examples=200, deadline=None)
@given(key=BYTES)
def test_arbitrary_key_bytes_are_refused_and_never_raise(suite: str, key: bytes) -> None:
    assert VERIFIER.verify(suite, key, SIGNERS[suite].sign(MESSAGE), MESSAGE) is False


def test_what_was_signed_verifies_also_when_empty_or_large(signer: FileSigner) -> None:
    for message in (b"", MESSAGE, bytes(1_000_000)):
        assert VERIFIER.verify(signer.suite, signer.public_key, signer.sign(message), message)


def test_the_key_id_is_the_digest_of_the_public_key(signer: FileSigner) -> None:
    assert signer.key_id == sha256(signer.public_key).digest()


def test_a_signer_and_a_verifier_serve_several_threads(signer: FileSigner) -> None:
    verifier = SuiteVerifier()

    def exchange(i: int) -> bool:
        message = b"%d" % i
        return verifier.verify(signer.suite, signer.public_key, signer.sign(message), message)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(exchange, range(400)))


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def _openssl_digest_options(suite: str, action: str) -> list[str]:
    return (
        ["pkeyutl", f"-{action}", "-rawin", "-digest", "sha256"]
        if suite == ES256
        else ["pkeyutl", f"-{action}", "-rawin"]
    )


@pytest.mark.parametrize("suite", SUITES)
def test_the_openssl_command_verifies_what_is_signed_here(suite: str, tmp_path: Path) -> None:
    key, public, message, signature = (tmp_path / n for n in ("key", "public", "message", "sig"))
    write_key(key, generate_key(suite))
    message.write_bytes(MESSAGE)
    signature.write_bytes(load_signer(key).sign(MESSAGE))
    _openssl("pkey", "-in", str(key), "-pubout", "-out", str(public))
    check = [*_openssl_digest_options(suite, "verify"), "-pubin", "-inkey", str(public)]
    _openssl(*check, "-in", str(message), "-sigfile", str(signature))
    message.write_bytes(MESSAGE + b".")
    with pytest.raises(subprocess.CalledProcessError):
        _openssl(*check, "-in", str(message), "-sigfile", str(signature))


@pytest.mark.parametrize("suite", SUITES)
def test_what_the_openssl_command_signs_is_verified_here(suite: str, tmp_path: Path) -> None:
    key, message, signature = (tmp_path / n for n in ("key", "message", "sig"))
    kind = (
        ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        if suite == ES256
        else ["-algorithm", "ED25519"]
    )
    _openssl("genpkey", *kind, "-out", str(key))
    key.chmod(0o600)
    message.write_bytes(MESSAGE)
    sign = [*_openssl_digest_options(suite, "sign"), "-inkey", str(key)]
    _openssl(*sign, "-in", str(message), "-out", str(signature))
    signer = load_signer(key)
    assert signer.suite == suite
    assert VERIFIER.verify(suite, signer.public_key, signature.read_bytes(), MESSAGE)
