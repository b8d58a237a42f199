"""Signature suites over `cryptography`: ES256 (ECDSA P-256, SHA-256, DER) and EdDSA (Ed25519)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from gateway.kernel.identifiers import KeyId
from gateway.kernel.limits import VERIFY_KEYS_CACHED_MAX

ES256: Final = "ES256"
EDDSA: Final = "EdDSA"
SUITES: Final = frozenset({ES256, EDDSA})

_ECDSA_SHA256 = ECDSA(SHA256())

# Ed25519 points of order 1, 2, 4 and 8, by y: under such a "key" anyone can sign anything.
_ED25519_P = 2**255 - 19
_SMALL_ORDER_Y = frozenset(
    int.from_bytes(bytes.fromhex(text), "little")
    for text in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
    )
)


class KeyProblem(ValueError):
    """A key or key file that cannot be used. The text never holds key material."""


def spki(public_key: PublicKeyTypes) -> bytes:
    """Return the SubjectPublicKeyInfo (DER) of a public key."""
    return public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_id(spki_der: bytes) -> KeyId:
    """Return SHA-256 of a SubjectPublicKeyInfo (DER). The bytes are not parsed."""
    return KeyId(sha256(spki_der).digest())


def suite_of(public_key: PublicKeyTypes) -> str:
    """Return the one suite a public key signs with.

    Raises:
        KeyProblem: no suite uses a key of this type, curve or order.
    """
    if isinstance(public_key, EllipticCurvePublicKey):
        if isinstance(public_key.curve, SECP256R1):
            return ES256
        raise KeyProblem(f"no suite uses the curve {public_key.curve.name}; ES256 needs P-256")
    if isinstance(public_key, Ed25519PublicKey):
        _require_full_order(public_key.public_bytes_raw())
        return EDDSA
    raise KeyProblem(f"no suite uses a {type(public_key).__name__}; use P-256 or Ed25519")


def suite_of_public(der: bytes) -> str:
    """Return the one suite a public key (SubjectPublicKeyInfo, DER) signs with.

    Raises:
        KeyProblem: it is no such key, or not in its one encoding; no suite uses it.
    """
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyProblem("no public key") from None
    if spki(key) != der:
        raise KeyProblem("a public key in another encoding")
    return suite_of(key)


def _require_full_order(point: bytes) -> None:
    y = int.from_bytes(point, "little") & ((1 << 255) - 1)
    if y >= _ED25519_P or y in _SMALL_ORDER_Y:
        raise KeyProblem("an Ed25519 key of small order, or not in its one encoding")


def public_pem(der: bytes) -> bytes:
    """Write a public key (SubjectPublicKeyInfo, DER) as PEM."""
    form = PublicFormat.SubjectPublicKeyInfo
    return load_der_public_key(der).public_bytes(Encoding.PEM, form)


def read_public_pem(pem: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo (DER) of a public key's PEM.

    Raises:
        KeyProblem: it is no public key.
    """
    try:
        return spki(load_pem_public_key(pem))
    except (ValueError, UnsupportedAlgorithm):
        raise KeyProblem("not the PEM of a public key ('BEGIN PUBLIC KEY')") from None


def generate_key(suite: str) -> bytes:
    """Make a private key from the operating system's entropy: PKCS8 PEM, not encrypted.

    Raises:
        KeyProblem: the suite is not known.
    """
    if suite == ES256:
        return to_pem(generate_ec_key(SECP256R1()))
    if suite == EDDSA:
        return to_pem(Ed25519PrivateKey.generate())
    raise KeyProblem(f"unknown suite {suite[:32]!r}; known: {', '.join(sorted(SUITES))}")


def to_pem(private_key: PrivateKeyTypes) -> bytes:
    """Write a private key as PKCS8 PEM, not encrypted."""
    return private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class FileSigner:
    """Implements `ports.keyring.Signer` with a private key held in memory. Thread-safe."""

    def __init__(self, private_key: PrivateKeyTypes) -> None:
        """Take a P-256 or Ed25519 private key.

        Raises:
            KeyProblem: no suite signs with such a key.
        """
        public = private_key.public_key()
        self._suite = suite_of(public)
        self._public_key = spki(public)
        self._key_id = key_id(self._public_key)
        self._sign = _signing(private_key)

    @property
    def suite(self) -> str:
        """`ES256` or `EdDSA`."""
        return self._suite

    @property
    def key_id(self) -> KeyId:
        """SHA-256 of `public_key`."""
        return self._key_id

    @property
    def public_key(self) -> bytes:
        """The SubjectPublicKeyInfo (DER)."""
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """Sign `message`: DER for ES256, 64 bytes for EdDSA."""
        return self._sign(message)


def _signing(private_key: PrivateKeyTypes) -> Callable[[bytes], bytes]:
    if isinstance(private_key, EllipticCurvePrivateKey):
        ec_key = private_key
        return lambda message: ec_key.sign(message, _ECDSA_SHA256)
    if isinstance(private_key, Ed25519PrivateKey):
        return private_key.sign
    raise KeyProblem(f"no suite signs with a {type(private_key).__name__}")


class SuiteVerifier:
    """Implements `ports.keyring.Verifier`. Thread-safe; keeps the keys it has loaded.

    An ES256 signature has a twin (r, n-s) that verifies as well: signatures are not identifiers.
    """

    def __init__(self, keys_cached_max: int = VERIFY_KEYS_CACHED_MAX) -> None:
        self._load = lru_cache(maxsize=keys_cached_max)(_load_public_key)

    def suites(self) -> frozenset[str]:
        """Return the names of the suites that can be verified."""
        return SUITES

    def keys_cached(self) -> int:
        """Return how many keys are kept, unusable ones among them."""
        return self._load.cache_info().currsize

    def verify(self, suite: str, public_key: bytes, signature: bytes, message: bytes) -> bool:
        """Tell whether `signature` over `message` was made by `public_key` (SPKI, DER).

        False for any malformed signature or key and for a key of another suite. DER that is not
        minimal or has bytes after it is malformed. Validity of the key in time is *not* checked.
        """
        key = self._load(public_key)
        try:
            if suite == ES256 and isinstance(key, EllipticCurvePublicKey):
                key.verify(signature, message, _ECDSA_SHA256)
                return True
            if suite == EDDSA and isinstance(key, Ed25519PublicKey):
                key.verify(signature, message)
                return True
        except InvalidSignature:
            return False
        return False


def _load_public_key(raw: bytes) -> EllipticCurvePublicKey | Ed25519PublicKey | None:
    try:
        key = load_der_public_key(raw)
        suite_of(key)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, EllipticCurvePublicKey | Ed25519PublicKey):
        return None
    # One key, one encoding: key ids are digests of it.
    return key if spki(key) == raw else None
