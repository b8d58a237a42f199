"""Names of exchanged files: dated, whole or not, ours or theirs."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from gateway.kernel.identifiers import parse_uuid7, uuid7_unix_ms
from gateway.kernel.instants import china_date

UNFINISHED: Final = ".tmp"
RESULT: Final = ".result"
_SAFE: Final = re.compile(r"[\w.-]{1,200}")  # one step of a path: no separator, no control
_OURS: Final = re.compile(
    r"[A-Za-z0-9_]+_[0-9]{8}_"
    r"([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\Z"
)


class FileName(NamedTuple):
    """A name in the partner's folder, as far as it can be read."""

    stem: str
    operation: str = ""
    """Of a document; empty for a result."""
    answers: bytes = b""
    """The message of ours that a result is of."""


def name_of(operation: str, number: str, ending: str) -> str:
    """Return the name of a file of ours: the same whenever the same message is laid down.

    `number` is the text of a UUIDv7, whose day (in China) stands in the name.
    """
    raw = parse_uuid7(number)
    day = china_date(uuid7_unix_ms(raw)) if raw else "00000000"
    return f"{operation}_{day}_{number}.{ending}"


def is_safe(name: str) -> bool:
    """Tell whether a name is one plain step: nothing that climbs, hides or controls."""
    return _SAFE.fullmatch(name) is not None and not name.startswith(".")


def read_name(name: str, ending: str, pattern: str) -> FileName | None:
    """Read a name in the partner's folder; None if it is none that was agreed."""
    stem, dot, found = name.rpartition(".")
    if not dot or found != ending:
        return None
    if stem.endswith(RESULT):
        ours = _OURS.match(stem.removesuffix(RESULT))
        answers = parse_uuid7(ours.group(1)) if ours else None
        return FileName(stem, answers=answers) if answers else None
    matched = re.fullmatch(pattern, stem)
    return FileName(stem, matched["operation"]) if matched else None
