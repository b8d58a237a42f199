"""Which encoding a file of the item list is in: said, never silently guessed."""

from __future__ import annotations

import codecs
from typing import Final, NamedTuple

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import ITEM_FILE_BYTES_MAX

UTF_8: Final = "UTF-8"
UTF_8_BOM: Final = "UTF-8 with BOM"
GB18030: Final = "GB18030"

_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BY_CHANCE_MAX: Final = 16
"""GB18030 text is valid UTF-8 for a few characters at most; beyond it the file is UTF-8."""


class Decoded(NamedTuple):
    """A file's text and what it was written in."""

    text: str
    encoding: str


def decode(raw: bytes) -> Decoded:
    """Read UTF-8, with or without BOM, and else GB18030, strictly.

    GB18030 gives a meaning to almost any bytes. So a file that begins as UTF-8 and is broken later
    is refused as damaged, not read as GB18030. Text in Big5 is *not* told from GB18030.

    Raises:
        Fault: `item_list.file_size`, `item_list.encoding`.
    """
    if len(raw) > ITEM_FILE_BYTES_MAX:
        told = f"{len(raw)} bytes, at most {ITEM_FILE_BYTES_MAX}"
        raise Fault(FaultCode.ITEM_LIST_FILE_SIZE, told)
    if raw.startswith(_UTF_16):
        raise _unknown("it is UTF-16")
    marked = raw.startswith(codecs.BOM_UTF8)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = len(codecs.BOM_UTF8) if marked else 0  # positions count from behind the mark
        before = raw[start : start + error.start]
        if marked or _letters(before) > _BY_CHANCE_MAX:
            line = before.count(b"\n") + 1
            raise _unknown(f"it is UTF-8, but damaged on line {line}") from None
        return Decoded(_gb18030(raw), GB18030)
    return Decoded(text, UTF_8_BOM if marked else UTF_8)


def _letters(raw: bytes) -> int:
    """Count the characters beyond ASCII in valid UTF-8."""
    return sum(byte >= 0xC0 for byte in raw)


def _gb18030(raw: bytes) -> str:
    try:
        return raw.decode("gb18030").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _unknown(f"neither UTF-8 nor GB18030 on line {line}") from None


def _unknown(detail: str) -> Fault:
    return Fault(FaultCode.ITEM_LIST_ENCODING, detail)
