"""Signing and verifying, behind which every suite and module stands."""

from __future__ import annotations

from typing import Protocol

from gateway.kernel.identifiers import KeyId


class SignerDown(Exception):
    """The key cannot be used now (a token pulled out, a module busy). Nothing was signed."""


class SuiteMissing(SignerDown):
    """There is no key of a suite that is asked for. Other things can still be signed."""


class Signer(Protocol):
    """One private key. `sign` blocks; it MAY be called from any thread, several at once."""

    @property
    def suite(self) -> str:
        """`ES256`, `EdDSA`, ..."""
        ...

    @property
    def key_id(self) -> KeyId:
        """SHA-256 of the public key's SubjectPublicKeyInfo."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Sign `message` as it is (the suite does its own hashing).

        ES256 signatures are DER (RFC 3279), EdDSA ones 64 bytes (RFC 8032).

        Raises:
            SignerDown: see there.
        """
        ...


class Verifier(Protocol):
    """Checks signatures of every suite the gateway knows. Thread-safe."""

    def suites(self) -> frozenset[str]:
        """Names of the suites that can be verified."""
        ...

    def verify(self, suite: str, public_key: bytes, signature: bytes, message: bytes) -> bool:
        """Tell whether `signature` over `message` was made by `public_key` (SPKI, DER).

        MUST return False, never raise, for a signature of any bytes, and for a key whose type is
        not the suite's. Validity of the key in time is *not* checked.
        """
        ...
