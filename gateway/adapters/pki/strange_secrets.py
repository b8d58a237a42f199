"""Secrets of the same shape that nobody knows: what a stranger would come with."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from gateway.adapters.pki.sm2 import SystemNationalCrypto


def strange(secret: bytes) -> bytes:
    """Return another secret: a key of the same algorithm (PEM), or other text as long.

    Raises:
        NoNationalCrypto: an SM2 key is asked for, and the system makes none.
    """
    if secret.lstrip().startswith(b"-----BEGIN OPENSSH"):
        return _another(load_ssh_private_key(secret, None), PrivateFormat.OpenSSH)
    if secret.lstrip().startswith(b"-----BEGIN"):
        try:
            key = load_pem_private_key(secret, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            return SystemNationalCrypto().generate()[0]
        return _another(key, PrivateFormat.PKCS8)
    digest = sha256(b"strange" + secret).hexdigest().encode()
    return (digest * (len(secret) // len(digest) + 1))[: len(secret)]


def _another(key: Any, form: PrivateFormat) -> bytes:
    made: Any
    if isinstance(key, ec.EllipticCurvePrivateKey):
        made = ec.generate_private_key(key.curve)
    elif isinstance(key, rsa.RSAPrivateKey):
        made = rsa.generate_private_key(65_537, key.key_size)
    else:
        made = ed25519.Ed25519PrivateKey.generate()
    pem: bytes = made.private_bytes(Encoding.PEM, form, NoEncryption())
    return pem
