"""What a form's JSON Schema (2020-12) says of the field at a pointer. Pure, and never too strict.

Types and values are bounds: what is outside them, no valid form holds. Where a schema leaves open
whether a field may be there, or speaks of it in one of several alternatives only, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Final, NamedTuple, TypeAlias

Schema: TypeAlias = Mapping[str, object]
_Node: TypeAlias = Schema | bool

TYPES: Final = frozenset({"null", "boolean", "number", "string", "array", "object"})
"""Types of JSON; `integer` counts as `number`."""
_IN_PLACE: Final = ("allOf", "anyOf", "oneOf")
_OPENING: Final = ("patternProperties", "additionalProperties", "unevaluatedProperties")
_ELSEWHERE: Final = ("$dynamicRef", "dependentSchemas")
_DEPTH_MAX: Final = 32  # a schema that refers to itself ends here, as unknown


class Presence(Enum):
    """Whether a form may hold the field."""

    NAMED = auto()
    UNKNOWN = auto()
    ABSENT = auto()


class Field(NamedTuple):
    """One field as the schema describes it."""

    presence: Presence
    types: frozenset[str] = TYPES
    entries: frozenset[str] = TYPES
    """Types of the entries, should it be a list."""
    values: tuple[object, ...] | None = None
    """All that it may be (`enum`, `const`); None: the schema does not list them."""


def field_at(schema: object, pointer: str) -> Field:
    """Return what `schema` says of the field at a JSON pointer (RFC 6901).

    An object that lists `properties`, says nothing of further ones and does not name the field
    does not have it: nobody described it, so no rule should decide by it. Bounds, patterns and
    formats are *not* looked at, nor what one field makes of another (`if`).
    """
    root = schema if isinstance(schema, Mapping) else {}
    here: list[_Node] = [root]
    sure: list[_Node] = [root]  # those of them that every form follows
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if "object" not in _common(sure, root):
            return Field(Presence.ABSENT)
        applied = [s for node in here for s in _applied(node, root)]
        here = [p[name] for s in applied if name in (p := _properties(s))]
        binding = [s for node in sure for s in _certain(node, root)]
        sure = [p[name] for s in binding if name in (p := _properties(s))]
        if not here:
            return Field(_unnamed(applied))
    types = _common(sure, root)
    if not types:
        return Field(Presence.ABSENT)  # named only to be forbidden
    binding = [s for node in sure for s in _certain(node, root)]
    return Field(Presence.NAMED, types, _entries(binding, root), _values(binding))


def _unnamed(applied: Sequence[Schema]) -> Presence:
    opened = any(s.get(key, False) is not False for s in applied for key in _OPENING)
    elsewhere = any(key in s for s in applied for key in _ELSEWHERE)
    described = any("properties" in s for s in applied)
    closed = any(s.get("additionalProperties") is False for s in applied)
    known = (described or closed) and not opened and not elsewhere
    return Presence.ABSENT if known else Presence.UNKNOWN


def _applied(node: _Node, root: Schema, depth: int = 0) -> Iterator[Schema]:
    """Yield every schema that may judge the same value, this one first."""
    if isinstance(node, bool):
        return
    if depth > _DEPTH_MAX:
        yield {"$dynamicRef": "#"}  # too deep to tell
        return
    yield node
    for each in _nearby(node, root):
        yield from _applied(each, root, depth + 1)


def _nearby(node: Schema, root: Schema) -> Iterator[_Node]:
    if "$ref" in node:
        yield _target(node["$ref"], root)
    for key in _IN_PLACE:
        yield from _nodes(node.get(key))
    for key in ("then", "else"):
        if key in node:
            yield _node(node[key])


def _target(ref: object, root: Schema) -> _Node:
    """Return what a reference within the document points to; true if that cannot be told."""
    found: object = root
    if not isinstance(ref, str) or not (ref == "#" or ref.startswith("#/")):
        return {"$dynamicRef": "#"}
    for step in ref.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, Mapping) or name not in found:
            return {"$dynamicRef": "#"}
        found = found[name]
    return _node(found)


def _types(node: _Node, root: Schema, depth: int = 0) -> frozenset[str]:
    """Return the types a value may have; all of them where that cannot be told."""
    if isinstance(node, bool):
        return TYPES if node else frozenset()
    if depth > _DEPTH_MAX:
        return TYPES
    below = depth + 1
    found = _own_types(node)
    if "$ref" in node:
        found &= _types(_target(node["$ref"], root), root, below)
    for each in _nodes(node.get("allOf")):
        found &= _types(each, root, below)
    for key in ("anyOf", "oneOf"):
        if key in node:
            found &= _union(_types(each, root, below) for each in _nodes(node[key]))
    return found


def _own_types(node: Schema) -> frozenset[str]:
    said = node.get("type", list(TYPES))
    names = [said] if isinstance(said, str) else list(said) if isinstance(said, Sequence) else []
    found = frozenset("number" if n == "integer" else str(n) for n in names)
    listed = _listed(node)
    return found if listed is None else found & {type_of(v) for v in listed}


def _listed(node: Schema) -> Sequence[object] | None:
    if "const" in node:
        return [node["const"]]
    enum = node.get("enum")
    return enum if isinstance(enum, list) else None


def _values(binding: Iterable[Schema]) -> tuple[object, ...] | None:
    """Return all values that one of the schemas lists; None if none of them lists any."""
    found = next((v for s in binding if (v := _listed(s)) is not None), None)
    return None if found is None else tuple(found)


def _certain(node: _Node, root: Schema, depth: int = 0) -> Iterator[Schema]:
    """Yield the schemas that every value must follow."""
    if isinstance(node, bool) or depth > _DEPTH_MAX:
        return
    yield node
    if "$ref" in node:
        yield from _certain(_target(node["$ref"], root), root, depth + 1)
    for each in _nodes(node.get("allOf")):
        yield from _certain(each, root, depth + 1)


def _entries(binding: Sequence[Schema], root: Schema) -> frozenset[str]:
    if any("prefixItems" in s for s in binding):
        return TYPES
    return _common([_node(s["items"]) for s in binding if "items" in s], root)


def type_of(value: object) -> str:
    """Return the JSON type of a parsed value; `number` for every number."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "null" if value is None else "array" if isinstance(value, list) else "object"


def _properties(schema: Schema) -> Mapping[str, _Node]:
    found = schema.get("properties")
    if not isinstance(found, Mapping):
        return {}
    return {str(name): _node(value) for name, value in found.items()}


def _nodes(found: object) -> list[_Node]:
    return [_node(each) for each in found] if isinstance(found, list) else []


def _node(found: object) -> _Node:
    return found if isinstance(found, Mapping | bool) else True


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*sets)


def _common(nodes: Iterable[_Node], root: Schema) -> frozenset[str]:
    return TYPES.intersection(*(_types(node, root) for node in nodes))
