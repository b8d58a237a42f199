"""What is public and must never be trusted outside demo mode (示例)."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

MARKER_OID: Final = "2.25.126758902714174262486389410335794211965"
"""Made from a UUID (X.667), so that no registered arc is used; non-critical in a certificate."""

MARKER_TEXT: Final = "KUAYU EXAMPLE ONLY 示例"

_TEXT = MARKER_TEXT.encode()
MARKER_DER: Final = bytes([0x0C, len(_TEXT)]) + _TEXT
"""The marker extension's value: `MARKER_TEXT` as a DER UTF8String."""

EXAMPLE_AUTHORITY_SPKI: Final = bytes.fromhex(
    "3059301306072a8648ce3d020106082a8648ce3d0301070342000406a658c1029acdc1c9ba25feb3"
    "20a7c4f6a8c138f830eab4cbae20e835873d11f33970ed174199c875ec8a1cf399dc673dedd894e8"
    "d5522ef1253c71e10eee56"
)
"""The public key of `certs_example/authority.pem` (SubjectPublicKeyInfo, DER)."""

EXAMPLE_AUTHORITY_KEY_ID: Final = sha256(EXAMPLE_AUTHORITY_SPKI).digest()

EXAMPLE_KEY_IDS: Final = frozenset(
    bytes.fromhex(text)
    for text in (
        "28417ee122b0fcf28f9d5b5863f88851a9fdc4931a092977888ebd19e0b9ebe9",  # authority
        "438ea8992bdc7edb0d5d064d746f2cacbbbe64e5de4405e9481d3ac5c654096f",  # 620900/transport
        "73ccd4b10cb6e45439d1ac8f4feb8c56af96da5ea561b55ffcee71015d923348",  # 620900/signing_es256
        "5aadf8a9b3c7ea8ae86ca3d0e7fb0775099af414d4ec166af9486857d0958070",  # 620900/signing_eddsa
        "c207014fbc28be6b0b3c17d8c342a217602e4d00372f97d2b775e31032cfbdd0",  # 620900/portal
        "c5b545939827f367878e59dd4e799f071ef4f4572a746561807beface541b425",  # 620200/transport
        "f819a59d76dc73e7366ce6cb64e21dd1d0be8054b12a1faba659b75d8f2628ab",  # 620200/signing_es256
        "580e5551ca543dbc1d2030e98454b07a5dee5f018ab57ffb1ad4924c20fccee7",  # 620200/signing_eddsa
        "5e68e66e1ddaabbd0214bbee45d25f34246fe3ac006a87feda86b173060370f6",  # 620200/portal
    )
)
"""SHA-256 of the SubjectPublicKeyInfo of every key in `certs_example/`; its private half is public.

`tools/build_certs_example.py --check` fails if one is missing.
"""


def is_example_key(spki: bytes) -> bool:
    """Tell whether the private half of a public key (SPKI, DER) is published with the source."""
    return sha256(spki).digest() in EXAMPLE_KEY_IDS
