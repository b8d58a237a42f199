"""JSON that every parser reads alike: no duplicate keys, no unsafe numbers, no lone surrogates."""

from __future__ import annotations

import json
import re
from typing import Final, NoReturn

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import FORM_BYTES_MAX, JSON_DEPTH_MAX, JSON_INTEGER_MAX

_BOM: Final = b"\xef\xbb\xbf"
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
# The closing quote is optional, so that an unterminated string costs one pass, not one per quote.
_STRINGS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NOT_BRACKETS: Final = bytes(b for b in range(256) if b not in b"[]{}")
_OPENING: Final = frozenset(b"[{")
_DIGITS_MAX: Final = len(str(JSON_INTEGER_MAX)) + 1  # and a sign


def parse(raw: bytes, *, bytes_max: int = FORM_BYTES_MAX) -> object:
    """Return the JSON value written in `raw`, or refuse what another parser might read otherwise.

    Numbers are `int` or `float` with an absolute value of at most `JSON_INTEGER_MAX`. Which keys
    and values are meant is *not* checked.

    Raises:
        Fault: `schema.json_invalid` (also: more than `bytes_max` bytes), `schema.json_encoding`,
            `schema.json_depth`, `schema.json_number`, `schema.json_duplicate_key`.
    """
    if len(raw) > bytes_max:
        raise Fault(FaultCode.SCHEMA_JSON_INVALID, f"more than {bytes_max} bytes")
    if raw.startswith(_BOM):
        raise Fault(FaultCode.SCHEMA_JSON_ENCODING, "byte order mark")
    _require_shallow(raw)
    try:
        document: object = _DECODER.decode(raw.decode("utf-8"))
    except UnicodeDecodeError as broken:
        raise Fault(FaultCode.SCHEMA_JSON_ENCODING, f"byte {broken.start} is not UTF-8") from None
    except json.JSONDecodeError as broken:
        detail = f"line {broken.lineno}, column {broken.colno}"
        raise Fault(FaultCode.SCHEMA_JSON_INVALID, detail) from None
    if _SURROGATE.search(raw) is not None:
        _require_whole_characters(document)
    return document


def _require_shallow(raw: bytes) -> None:
    """Check the nesting before anything recurses over it."""
    if raw.count(b"{") + raw.count(b"[") <= JSON_DEPTH_MAX:
        return
    depth = 0
    for bracket in _STRINGS.sub(b"", raw).translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in _OPENING else -1
        if depth > JSON_DEPTH_MAX:
            raise Fault(FaultCode.SCHEMA_JSON_DEPTH, f"more than {JSON_DEPTH_MAX} levels")


def _require_whole_characters(document: object) -> None:
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise Fault(FaultCode.SCHEMA_JSON_ENCODING, "half of a surrogate pair") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Fault(FaultCode.SCHEMA_JSON_DUPLICATE_KEY)
    return found


def _integer(text: str) -> int:
    if len(text) <= _DIGITS_MAX:
        value = int(text)
        if -JSON_INTEGER_MAX <= value <= JSON_INTEGER_MAX:
            return value
    raise Fault(FaultCode.SCHEMA_JSON_NUMBER, "an integer beyond 2^53 - 1")


def _float(text: str) -> float:
    value = float(text)
    # Beyond this every float is whole, and JSON Schema would take it for an exact integer.
    if -JSON_INTEGER_MAX <= value <= JSON_INTEGER_MAX:
        return value
    raise Fault(FaultCode.SCHEMA_JSON_NUMBER, "a number beyond 2^53 - 1")


def _constant(text: str) -> NoReturn:
    raise Fault(FaultCode.SCHEMA_JSON_NUMBER, text.lstrip("-").lower())


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=_constant,
)
