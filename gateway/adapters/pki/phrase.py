"""A fingerprint to be read out over the telephone (核对口令).

Six words are 48 bits. Deriving them costs a tenth of a second and 32 MiB, so that finding another
file with the same words costs about 2^48 times that. Scrypt: RFC 7914.
"""

from __future__ import annotations

import hmac
import unicodedata
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from gateway.adapters.pki.phrase_words import WORDS

WORDS_SPOKEN: Final = 6
_SALT: Final = b"kuayu phrase 1"


def phrase_of(content: bytes) -> str:
    """Return the words for a file's content, parted by spaces. Blocks for about 0.1 s."""
    scrypt = Scrypt(salt=_SALT, length=WORDS_SPOKEN, n=2**15, r=8, p=1)
    return " ".join(WORDS[byte] for byte in scrypt.derive(sha256(content).digest()))


def is_phrase(heard: str, content: bytes) -> bool:
    """Tell whether words that were heard are those of a file; spaces and commas do not count."""
    return hmac.compare_digest(_plain(heard), _plain(phrase_of(content)))


def _plain(text: str) -> bytes:
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c.isalnum()).encode()
