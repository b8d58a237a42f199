"""SM2 by the system's libcrypto: beside the `openssl` command, and under hostile bytes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gateway.adapters.pki.sm2 import DEFAULT_USER_ID, SystemNationalCrypto, sm3
from gateway.adapters.pki.suites import KeyProblem
from gateway.ports.national_crypto import CipherOrder, SignatureForm

TEXT = "示例㛃𬭊".encode() * 40
FORMS: tuple[SignatureForm, ...] = ("der", "raw")
ORDERS: tuple[CipherOrder, ...] = ("c1c3c2", "c1c2c3", "der")


def openssl(*arguments: str | Path) -> bytes:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout


class Pair:
    """A key that the `openssl` command made."""

    def __init__(self, folder: Path, crypto: SystemNationalCrypto) -> None:
        self.file, self.public_file = folder / "key.pem", folder / "public.pem"
        openssl("genpkey", "-algorithm", "SM2", "-out", self.file)
        openssl("pkey", "-in", self.file, "-pubout", "-out", self.public_file)
        self.key = crypto.private_key(self.file.read_bytes())
        self.public = crypto.public_key(self.public_file.read_bytes())


@pytest.fixture(scope="module")
def crypto() -> SystemNationalCrypto:
    return SystemNationalCrypto()


@pytest.fixture
def pair(tmp_path: Path, crypto: SystemNationalCrypto) -> Pair:
    return Pair(tmp_path, crypto)


@pytest.mark.parametrize("form", FORMS)
def test_a_signature_of_other_bytes_user_or_key_does_not_verify(
    pair: Pair, crypto: SystemNationalCrypto, tmp_path: Path, form: SignatureForm
) -> None:
    (tmp_path / "other").mkdir()
    other = Pair(tmp_path / "other", crypto)
    made = pair.key.sign(TEXT, b"user", form)
    assert pair.public.verify(made, TEXT, b"user", form)
    assert not pair.public.verify(made, TEXT + b" ", b"user", form)
    assert not pair.public.verify(made, TEXT, b"another", form)
    assert not other.public.verify(made, TEXT, b"user", form)
    for at in range(0, len(made), 7):
        changed = made[:at] + bytes([made[at] ^ 1]) + made[at + 1 :]
        assert not pair.public.verify(changed, TEXT, b"user", form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "garbage", [b"", b"\0", b"\x30\x80", b"\xff" * 64, bytes(64), b"0" * 4_096]
)
def test_garbage_is_no_signature(pair: Pair, form: SignatureForm, garbage: bytes) -> None:
    assert not pair.public.verify(garbage, TEXT, b"user", form)


def test_the_openssl_command_verifies_what_we_sign_and_we_what_it_signs(
    pair: Pair, tmp_path: Path
) -> None:
    text, signature = tmp_path / "text", tmp_path / "signature"
    text.write_bytes(TEXT)
    signature.write_bytes(pair.key.sign(TEXT, DEFAULT_USER_ID, "der"))
    named = ("-sigopt", f"distid:{DEFAULT_USER_ID.decode()}")
    told = openssl(
        "dgst", "-sm3", "-verify", pair.public_file, *named, "-signature", signature, text
    )
    assert told == b"Verified OK\n"
    openssl("dgst", "-sm3", "-sign", pair.file, *named, "-out", signature, text)
    assert pair.public.verify(signature.read_bytes(), TEXT, DEFAULT_USER_ID, "der")


def test_each_reads_what_the_other_encrypted(pair: Pair, tmp_path: Path) -> None:
    text, sealed = tmp_path / "text", tmp_path / "sealed"
    text.write_bytes(TEXT)
    openssl(
        "pkeyutl", "-encrypt", "-pubin", "-inkey", pair.public_file, "-in", text, "-out", sealed
    )
    assert pair.key.decrypt(sealed.read_bytes(), "der") == TEXT
    sealed.write_bytes(pair.public.encrypt(TEXT, "der"))
    assert openssl("pkeyutl", "-decrypt", "-inkey", pair.file, "-in", sealed) == TEXT


@pytest.mark.parametrize("order", ORDERS)
def test_a_ciphertext_in_any_order_opens_whole_or_not_at_all(
    pair: Pair, order: CipherOrder
) -> None:
    sealed = pair.public.encrypt(TEXT, order)
    assert pair.key.decrypt(sealed, order) == TEXT
    assert pair.public.decrypt(sealed, order) is None, "a public key opens nothing"
    for at in (1, 40, len(sealed) // 2, len(sealed) - 1):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        assert pair.key.decrypt(changed, order) is None
    for garbage in (b"", b"\x04", sealed[:90], b"\x04" + bytes(200)):
        assert pair.key.decrypt(garbage, order) is None


def test_a_key_of_another_algorithm_or_none_is_told(
    tmp_path: Path, crypto: SystemNationalCrypto, pair: Pair
) -> None:
    file = tmp_path / "p256.pem"
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file)
    for pem in (file.read_bytes(), b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n", b"x" * 100_000):
        with pytest.raises(KeyProblem):
            crypto.private_key(pem)
    with pytest.raises(KeyProblem):
        crypto.public_key(pair.file.read_bytes())
    with pytest.raises(KeyProblem):
        pair.public.sign(TEXT, b"user", "raw")


def test_sm3_and_sm4_keep_the_standards_examples(crypto: SystemNationalCrypto) -> None:
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    # GB/T 32907-2016, annex A: one block under its own key; CBC with an IV of zeros begins so.
    sealed = crypto.sm4_cbc_encrypt(key, bytes(16), key)
    assert sealed[:16].hex() == "681edf34d206965e86b3e94f536e4246"
    assert crypto.sm4_cbc_decrypt(key, bytes(16), sealed) == key
    for broken in (b"", sealed[:-1], sealed[:16], sealed[:-1] + b"\0", bytes(16)):
        assert crypto.sm4_cbc_decrypt(key, bytes(16), broken) is None


def test_a_key_that_was_made_here_is_read_here_and_by_openssl(tmp_path: Path) -> None:
    crypto = SystemNationalCrypto()
    private, public = crypto.generate()
    (tmp_path / "own.pem").write_bytes(private)
    assert openssl("pkey", "-in", str(tmp_path / "own.pem"), "-pubout") == public
    signed = crypto.private_key(private).sign(b"message", DEFAULT_USER_ID, "der")
    assert crypto.public_key(public).verify(signed, b"message", DEFAULT_USER_ID, "der")
    assert crypto.generate()[0] != private
