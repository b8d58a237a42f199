"""Suites at their edges: encodings, key types, published vectors, key files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from gateway.adapters.pki.key_files import load_signer, parse_key, read_key_file, write_key
from gateway.adapters.pki.suites import (
    EDDSA,
    ES256,
    FileSigner,
    KeyProblem,
    SuiteVerifier,
    generate_key,
    key_id,
    spki,
    suite_of,
    to_pem,
)
from gateway.kernel.limits import KEY_FILE_BYTES_MAX

ROOT = Path(__file__).resolve().parents[3]
VECTORS = json.loads((ROOT / "tests/vectors/signatures.json").read_text())
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
MESSAGE = b"message"
VERIFIER = SuiteVerifier()
ED25519_PREFIX = bytes.fromhex("302a300506032b6570032100")


def _tlv(tag: int, content: bytes) -> bytes:
    return bytes([tag, len(content)]) + content


def _integer(value: int) -> bytes:
    return _tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _misencoded(r: int, s: int) -> dict[str, bytes]:
    good = _tlv(0x30, _integer(r) + _integer(s))
    padded = _tlv(2, b"\0" + _integer(r)[2:])
    return {
        "bytes after": good + b"\0",
        "bytes after s": _tlv(0x30, _integer(r) + _integer(s) + b"\5\0"),
        "padded integer": _tlv(0x30, padded + _integer(s)),
        "long form of a short length": b"\x30\x81" + good[1:],
        "long form in an integer": _tlv(0x30, b"\x02\x81" + _integer(r)[1:] + _integer(s)),
        "indefinite length": b"\x30\x80" + good[2:] + b"\0\0",
        "negative integer": _tlv(
            0x30, _tlv(2, (r - P256_ORDER).to_bytes(33, "big", signed=True)) + _integer(s)
        ),
        "r and s as 64 bytes": r.to_bytes(32, "big") + s.to_bytes(32, "big"),
        "a set": b"\x31" + good[1:],
        "one integer": _tlv(0x30, _integer(r)),
        "three integers": _tlv(0x30, _integer(r) + _integer(s) + _integer(s)),
        "s above the order": encode_dss_signature(r, s + P256_ORDER),
        "zeros": encode_dss_signature(0, 0),
        "r zero": encode_dss_signature(0, s),
        "s zero": encode_dss_signature(r, 0),
        "empty": b"",
    }


@pytest.mark.parametrize("case", sorted(_misencoded(1, 1)))
def test_an_es256_signature_in_any_other_encoding_is_refused(case: str) -> None:
    signer = FileSigner(ec.generate_private_key(ec.SECP256R1()))
    r, s = decode_dss_signature(signer.sign(MESSAGE))
    rebuilt = _tlv(0x30, _integer(r) + _integer(s))
    assert VERIFIER.verify(ES256, signer.public_key, rebuilt, MESSAGE)
    assert not VERIFIER.verify(ES256, signer.public_key, _misencoded(r, s)[case], MESSAGE)


def test_an_eddsa_signature_with_s_above_the_order_is_refused() -> None:
    signer = FileSigner(ed25519.Ed25519PrivateKey.generate())
    signature = signer.sign(MESSAGE)
    order = 2**252 + 27742317777372353535851937790883648493
    twin = int.from_bytes(signature[32:], "little") + order
    assert VERIFIER.verify(EDDSA, signer.public_key, signature, MESSAGE)
    forged = signature[:32] + twin.to_bytes(32, "little")
    assert not VERIFIER.verify(EDDSA, signer.public_key, forged, MESSAGE)


def _small_order_points() -> list[bytes]:
    p = 2**255 - 19
    texts = (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
    ys = [0, 1, p - 1, p, p + 1, *(int.from_bytes(bytes.fromhex(t), "little") for t in texts)]
    return [(y | sign << 255).to_bytes(32, "little") for y in ys for sign in (0, 1)]


def test_a_key_of_small_order_under_which_anyone_can_sign_is_refused() -> None:
    identity = (1).to_bytes(32, "little")
    forged_by_library = 0
    for point in _small_order_points():
        key = ed25519.Ed25519PublicKey.from_public_bytes(point)
        with pytest.raises(KeyProblem, match="small order"):
            suite_of(key)
        for i in range(64):
            signature, message = identity + bytes(32), b"%d" % i
            assert not VERIFIER.verify(EDDSA, ED25519_PREFIX + point, signature, message)
            try:
                key.verify(signature, message)
            except InvalidSignature:
                continue
            forged_by_library += 1
    assert forged_by_library > 0  # the danger is real: the library alone accepts them


def _wrong_keys() -> dict[str, tuple[PrivateKeyTypes, bytes]]:
    """Keys of no suite, each with its genuine signature over MESSAGE where it can make one."""
    p384 = ec.generate_private_key(ec.SECP384R1())
    koblitz = ec.generate_private_key(ec.SECP256K1())
    rsa_key = rsa.generate_private_key(65537, 2048)
    goldilocks = ed448.Ed448PrivateKey.generate()
    return {
        "P-384": (p384, p384.sign(MESSAGE, ec.ECDSA(SHA256()))),
        "secp256k1": (koblitz, koblitz.sign(MESSAGE, ec.ECDSA(SHA256()))),
        "RSA": (rsa_key, rsa_key.sign(MESSAGE, PKCS1v15(), SHA256())),
        "Ed448": (goldilocks, goldilocks.sign(MESSAGE)),
        "X25519": (x25519.X25519PrivateKey.generate(), bytes(64)),
    }


@pytest.mark.parametrize("kind", ["P-384", "secp256k1", "RSA", "Ed448", "X25519"])
def test_a_key_of_no_suite_neither_signs_nor_verifies(kind: str) -> None:
    key, genuine = _wrong_keys()[kind]
    with pytest.raises(KeyProblem, match="no suite"):
        FileSigner(key)
    for suite in (ES256, EDDSA):
        assert not VERIFIER.verify(suite, spki(key.public_key()), genuine, MESSAGE)


def test_a_public_key_has_one_encoding() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    signer = FileSigner(key)
    signature = signer.sign(MESSAGE)
    point = signer.public_key[-65:]
    compressed = bytes([2 + (point[-1] & 1)]) + point[1:33]
    algorithm = bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107")
    other = _tlv(0x30, algorithm + _tlv(3, b"\0" + compressed))
    assert VERIFIER.verify(ES256, signer.public_key, signature, MESSAGE)
    for encoding in (other, signer.public_key + b"\0", point, b"\x30\x81" + signer.public_key[1:]):
        assert not VERIFIER.verify(ES256, encoding, signature, MESSAGE)


def test_no_more_keys_are_kept_than_the_bound() -> None:
    verifier = SuiteVerifier(keys_cached_max=2)
    signers = [FileSigner(parse_key(generate_key(EDDSA))) for _ in range(4)]
    for signer in signers * 2:
        assert verifier.verify(EDDSA, signer.public_key, signer.sign(MESSAGE), MESSAGE)
    assert verifier.keys_cached() == 2


def test_an_unknown_suite_makes_no_key() -> None:
    with pytest.raises(KeyProblem, match="unknown suite 'HS256'"):
        generate_key("HS256")


@pytest.mark.parametrize("case", VECTORS["rfc6979"], ids=lambda c: c["message"])
def test_the_signatures_of_rfc_6979_verify(case: dict[str, str]) -> None:
    key = ec.derive_private_key(int(case["private"], 16), ec.SECP256R1())
    signature = encode_dss_signature(int(case["r"], 16), int(case["s"], 16))
    message = bytes.fromhex(case["message"])
    assert VERIFIER.verify(ES256, spki(key.public_key()), signature, message)
    assert not VERIFIER.verify(ES256, spki(key.public_key()), signature, message + b"x")


@pytest.mark.parametrize("case", VECTORS["rfc8032"], ids=lambda c: c["message"] or "empty")
def test_the_signatures_of_rfc_8032_are_made_and_verify(case: dict[str, str]) -> None:
    private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(case["private"]))
    message, signature = bytes.fromhex(case["message"]), bytes.fromhex(case["signature"])
    signer = FileSigner(private)
    assert signer.public_key == ED25519_PREFIX + bytes.fromhex(case["public"])
    assert signer.sign(message) == signature
    assert VERIFIER.verify(EDDSA, signer.public_key, signature, message)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o601])
def test_a_key_file_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "signing.key.pem"
    write_key(path, generate_key(ES256))
    path.chmod(mode)
    with pytest.raises(KeyProblem, match=rf"mode {mode:04o} .*chmod 600 .*signing\.key\.pem"):
        load_signer(path)
    assert load_signer(path, allow_public=True).suite == ES256


def test_a_published_example_key_is_refused_even_when_hidden_away(tmp_path: Path) -> None:
    for source in sorted((ROOT / "certs_example").rglob("*.key.pem")):
        hidden = tmp_path / f"{source.parent.name}-{source.name}"
        write_key(hidden, source.read_bytes())
        with pytest.raises(KeyProblem, match="published example key"):
            load_signer(hidden)
        assert load_signer(hidden, allow_public=True).sign(MESSAGE)


@pytest.mark.parametrize("kind", ["encrypted", "SEC1", "text", "empty", "damaged", "public"])
def test_a_file_that_is_not_a_plain_pkcs8_key_is_refused(tmp_path: Path, kind: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    contents = {
        "encrypted": key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
        ),
        "SEC1": key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        "text": b"not a key",
        "empty": b"",
        "damaged": to_pem(key)[:60] + b"\n-----END PRIVATE KEY-----\n",
        "public": b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
    }
    path = tmp_path / "key"
    write_key(path, contents[kind])
    with pytest.raises(KeyProblem, match=r"PKCS8|readable private key") as raised:
        load_signer(path)
    assert str(path) in str(raised.value)


def test_a_huge_file_a_folder_and_a_pipe_are_refused_as_keys(tmp_path: Path) -> None:
    huge, pipe = tmp_path / "huge", tmp_path / "pipe"
    write_key(huge, bytes(KEY_FILE_BYTES_MAX + 1))
    os.mkfifo(pipe, 0o600)
    with pytest.raises(KeyProblem, match="larger than"):
        load_signer(huge)
    with pytest.raises(KeyProblem, match="not a regular file"):
        load_signer(pipe)
    with pytest.raises((KeyProblem, OSError)):
        load_signer(tmp_path)
    with pytest.raises(FileNotFoundError):
        load_signer(tmp_path / "none")


def test_a_key_of_no_suite_may_serve_transport_but_not_sign(tmp_path: Path) -> None:
    path = tmp_path / "rsa.key.pem"
    pem = to_pem(rsa.generate_private_key(65537, 2048))
    write_key(path, pem)
    assert read_key_file(path) == pem
    with pytest.raises(KeyProblem, match="no suite"):
        load_signer(path)


def test_a_written_key_is_its_owners_only_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key"
    pem = generate_key(EDDSA)
    write_key(path, pem)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_key(path, generate_key(EDDSA))
    assert path.read_bytes() == pem
    signer = load_signer(path)
    assert signer.key_id == key_id(spki(parse_key(pem).public_key()))
