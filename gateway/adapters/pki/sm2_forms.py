"""How SM2 signatures and ciphertexts are written: DER, and the raw forms platforms use."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from gateway.ports.national_crypto import CipherOrder, SignatureForm

_WORD: Final = 32
_DIGEST: Final = 32


@asn1.sequence
class _Ciphertext:
    """`SM2Cipher` of GM/T 0009."""

    x: int
    y: int
    digest: bytes
    text: bytes


def signature_from_der(der: bytes, form: SignatureForm) -> bytes:
    """Write a DER signature in a form."""
    if form == "der":
        return der
    r, s = decode_dss_signature(der)
    return r.to_bytes(_WORD, "big") + s.to_bytes(_WORD, "big")


def signature_to_der(signature: bytes, form: SignatureForm) -> bytes | None:
    """Read a signature of a form; None if it is not of it."""
    if form == "der":
        return signature
    if len(signature) != 2 * _WORD:
        return None
    r, s = (int.from_bytes(half, "big") for half in (signature[:_WORD], signature[_WORD:]))
    return encode_dss_signature(r, s)


def cipher_from_der(der: bytes, order: CipherOrder) -> bytes:
    """Write an ASN.1 ciphertext in an order."""
    if order == "der":
        return der
    found = asn1.decode_der(_Ciphertext, der)
    point = b"\x04" + found.x.to_bytes(_WORD, "big") + found.y.to_bytes(_WORD, "big")
    parts = (found.digest, found.text) if order == "c1c3c2" else (found.text, found.digest)
    return point + b"".join(parts)


def cipher_to_der(content: bytes, order: CipherOrder) -> bytes | None:
    """Read a ciphertext of an order; None if it is not of it. It begins with 04, as C1 does."""
    if order == "der":
        return content
    if content[:1] != b"\x04":
        return None
    point, rest = content[1 : 1 + 2 * _WORD], content[1 + 2 * _WORD :]
    if len(point) != 2 * _WORD or len(rest) <= _DIGEST:
        return None
    if order == "c1c3c2":
        digest, text = rest[:_DIGEST], rest[_DIGEST:]
    else:
        text, digest = rest[:-_DIGEST], rest[-_DIGEST:]
    x, y = (int.from_bytes(half, "big") for half in (point[:_WORD], point[_WORD:]))
    return asn1.encode_der(_Ciphertext(x=x, y=y, digest=digest, text=text))
