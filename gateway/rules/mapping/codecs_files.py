"""Codecs of files inside a document: base64, and what is told of the content beside it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives import hashes

from gateway.kernel.limits import ATTACHMENT_BYTES_MAX
from gateway.kernel.trees import Value
from gateway.rules.mapping.codec import Codec, Setting, written_as
from gateway.rules.mapping.codecs_numbers import number_of
from gateway.rules.mapping.codecs_text import require_text
from gateway.rules.mapping.problems import Wrong
from gateway.rules.mapping.taking import Taken

_BASE64_CHARS_MAX: Final = ATTACHMENT_BYTES_MAX // 3 * 4 + 4
_LINE_ENDS: Final = re.compile(r"\r?\n")


def require_bytes(value: Value) -> bytes:
    """Return a file's content.

    Raises:
        Wrong: it is not bytes.
    """
    if not isinstance(value, bytes):
        raise Wrong("is not the content of a file")
    return value


def inline(row: Taken, setting: Setting) -> Codec:
    """Content as base64 (RFC 4648, with padding); `lines = true` lets it be broken into lines."""
    lines = row.flag("lines")

    def out(value: Value) -> Value:
        return base64.b64encode(require_bytes(value)).decode()

    def back(value: Value) -> Value:
        text = require_text(value)
        if lines:
            text = _LINE_ENDS.sub("", text)
        if len(text) > _BASE64_CHARS_MAX:
            raise Wrong(f"is a file of more than {ATTACHMENT_BYTES_MAX} bytes")
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise Wrong("is not base64") from None

    return Codec(out, back, "lines" if lines else "")


def _sm3(content: bytes) -> bytes:
    state = hashes.Hash(hashes.SM3())
    state.update(content)
    return state.finalize()


def _md5(content: bytes) -> bytes:
    """Return what partners compare by: it proves nothing against whoever forges it."""
    return hashlib.md5(content, usedforsecurity=False).digest()


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


_DIGESTS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "sha256": _sha256,
    "sm3": _sm3,
    "md5": _md5,
}
_WRITTEN: Final[dict[str, Callable[[bytes], str]]] = {
    "hex": bytes.hex,
    "HEX": lambda raw: raw.hex().upper(),
    "base64": lambda raw: base64.b64encode(raw).decode(),
}

Told = Callable[[bytes], Value]
"""What is told of a content."""
Agrees = Callable[[Value, bytes], None]
"""Whether what was told fits the content; raises `Wrong`."""


def digest(row: Taken, setting: Setting) -> tuple[Told, Agrees, str]:
    """A digest of the content: written outbound, compared inbound (hex in either case)."""
    algorithm = row.choice("algorithm", _DIGESTS)
    encoding = row.choice("encoding", _WRITTEN, "hex")
    make, write = _DIGESTS[algorithm], _WRITTEN[encoding]

    def agrees(value: Value, content: bytes) -> None:
        told, is_so = require_text(value), write(make(content))
        if encoding != "base64":
            told, is_so = told.lower(), is_so.lower()
        if not hmac.compare_digest(told.encode(), is_so.encode()):
            raise Wrong(f"is not the {algorithm} of the content")

    return (lambda content: write(make(content))), agrees, f"{algorithm} {encoding}"


def size(row: Taken, setting: Setting) -> tuple[Told, Agrees, str]:
    """The content's size in bytes: written outbound, compared inbound."""
    as_text = written_as(row, setting)

    def agrees(value: Value, content: bytes) -> None:
        if number_of(value) != len(content):
            raise Wrong("is not the size of the content")

    return (lambda content: str(len(content)) if as_text else len(content)), agrees, "bytes"
