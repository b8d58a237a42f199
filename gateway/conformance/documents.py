"""Sample documents made from a JSON Schema, where no golden vector is at hand.

Covers what forms use: objects, arrays, texts by format, length and common patterns, numbers,
enumerations, local references, first branches. What it cannot say is left to the caller, who
validates the result.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_FORMATS: Final[Mapping[str, str]] = {
    "uscc": "91620200MA0000000H",
    "citizen-id": "620100199001010019",
    "region": "620200",
    "licence-id": "1.2.156.3005.2.11100000MB0143028R001.11620200MB0000000U.20210527000001.001.2",
    "date": "2026-01-15",
    "date-time": "2026-01-15T09:30:00+08:00",
}
_TEXTS: Final = (
    "示例",
    "示例文字",
    "sample",
    "1",
    "01",
    "100",
    "13800000000",
    "2026-01-15",
    "620200",
    "A1",
    "0.50",
    "000000",
    "730000",
    "91620200MA0000000H",
)
_DEPTH_MAX: Final = 32


def sample_of(schema: object, root: Mapping[str, Any] | None = None, depth: int = 0) -> object:
    """Return a document that a schema is likely to accept. It is *not* validated here.

    Raises:
        ValueError: the schema nests deeper than forms do.
    """
    if depth > _DEPTH_MAX:
        raise ValueError("the schema refers to itself")
    if not isinstance(schema, dict):
        return "示例"
    whole = schema if root is None else root
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    for word in ("examples", "enum"):
        if schema.get(word):
            return schema[word][0]
    if "$ref" in schema:
        return sample_of(_referred(whole, str(schema["$ref"])), whole, depth + 1)
    for word in ("oneOf", "anyOf"):
        if schema.get(word) and "type" not in schema:
            return sample_of(schema[word][0], whole, depth + 1)
    return _typed(schema, whole, depth)


def _referred(root: Mapping[str, Any], reference: str) -> object:
    at: Any = root
    for part in filter(None, reference.removeprefix("#").split("/")):
        at = at.get(part, {}) if isinstance(at, dict) else {}
    return at


def _typed(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> object:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object":
        properties = schema.get("properties", {})
        names = schema.get("required", list(properties))
        return {name: sample_of(properties.get(name), root, depth + 1) for name in names}
    if kind == "array":
        size = int(schema.get("minItems", 0))
        return [sample_of(schema.get("items"), root, depth + 1) for _ in range(size)]
    if kind in ("integer", "number"):
        least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        return least + 1 if "exclusiveMinimum" in schema else least
    if kind == "boolean":
        return True
    return None if kind == "null" else _text(schema)


def _text(schema: Mapping[str, Any]) -> str:
    named = _FORMATS.get(str(schema.get("format", "")))
    if named:
        return named
    pattern = schema.get("pattern")
    least = int(schema.get("minLength", 1))
    for text in _TEXTS:
        if len(text) >= least and (pattern is None or re.search(str(pattern), text)):
            return text[: int(schema.get("maxLength", len(text)))]
    return "示" * least
