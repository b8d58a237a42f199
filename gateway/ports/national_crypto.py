"""National algorithms (国密) that some partners' platforms use inside their documents.

SM2 (GB/T 32918), SM3 (GB/T 32905), SM4 (GB/T 32907).
"""

from __future__ import annotations

from typing import Literal, Protocol

SignatureForm = Literal["der", "raw"]
"""DER, or r and s of 32 bytes each, one behind the other."""
CipherOrder = Literal["c1c3c2", "c1c2c3", "der"]
"""How an SM2 ciphertext is laid out: point, digest, text; the older order; or ASN.1."""


class Sm2Key(Protocol):
    """One SM2 key. Thread-safe; operations take about half a millisecond."""

    def sign(self, message: bytes, user_id: bytes, form: SignatureForm) -> bytes:
        """Sign with SM3 and Z of `user_id`.

        Raises:
            KeyProblem: there is no private half.
        """
        ...

    def verify(self, signature: bytes, message: bytes, user_id: bytes, form: SignatureForm) -> bool:
        """Tell whether a signature of any bytes is this key's over `message`."""
        ...

    def encrypt(self, content: bytes, order: CipherOrder) -> bytes:
        """Encrypt to this key."""
        ...

    def decrypt(self, content: bytes, order: CipherOrder) -> bytes | None:
        """Decrypt; None for anything that was not encrypted to this key."""
        ...


class NationalCrypto(Protocol):
    """Keys and ciphers."""

    def generate(self) -> tuple[bytes, bytes]:
        """Make a key; return its private half (PKCS8 PEM, not encrypted) and its public one."""
        ...

    def private_key(self, pem: bytes) -> Sm2Key:
        """Read a private key (PKCS8 or SEC1 PEM).

        Raises:
            KeyProblem: it is no SM2 key.
        """
        ...

    def public_key(self, pem: bytes) -> Sm2Key:
        """Read a public key (SubjectPublicKeyInfo PEM).

        Raises:
            KeyProblem: it is no SM2 key.
        """
        ...

    def sm3(self, content: bytes) -> bytes:
        """Return the SM3 digest."""
        ...

    def sm4_cbc_encrypt(self, key: bytes, iv: bytes, content: bytes) -> bytes:
        """Encrypt with PKCS7 padding; key and iv have 16 bytes."""
        ...

    def sm4_cbc_decrypt(self, key: bytes, iv: bytes, content: bytes) -> bytes | None:
        """Decrypt; None if it is no whole ciphertext, or its padding is wrong."""
        ...
