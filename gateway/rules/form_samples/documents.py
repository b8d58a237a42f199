"""Documents from a JSON Schema 2020-12, of the constructs that forms here are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from gateway.rules.form_samples.draws import Draws, Fill
from gateway.rules.form_samples.texts import FORMATS, PatternNotMade, matching, text

_TRIES_MAX: Final = 200  # an alternative or two among some optional fields is met sooner
_ENTRIES_MORE: Final = 3
_FREE_MAX: Final = 99_999_999
_KNOWN: Final = frozenset(
    [
        "$schema",
        "$id",
        "title",
        "description",
        "type",
        "format",
        "minLength",
        "maxLength",
        "required",
        "additionalProperties",
        "pattern",
        "enum",
        "const",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "maxItems",
        "minItems",
        "items",
        "anyOf",
        "oneOf",
        "allOf",
        "if",
        "then",
        "else",
        "properties",
        "uniqueItems",
        "dependentRequired",
        "minProperties",
        "maxProperties",
        "unevaluatedProperties",
        "default",
        "examples",
        "$comment",
    ]
)

Schema = Mapping[str, Any]


class CannotMake(ValueError):
    """A schema with a construct that documents are not made for; the text names it."""


def make(schema: Schema, draws: Draws, is_valid: Callable[[object], bool]) -> Any:
    """Return a document that `is_valid` accepts.

    Numbers have at most two decimals: amounts are told to the fen.

    Raises:
        CannotMake: the schema has a construct that is not known here, or none of the documents
            tried was valid.
    """
    for attempt in range(_TRIES_MAX):
        if attempt == _TRIES_MAX // 2 and draws.fill is Fill.FULLEST:
            draws = Draws("not all of it fits together", draws.index, Fill.MIXED)
        made = _value(schema, draws)
        if is_valid(made):
            return made
    raise CannotMake("no document was valid that was made for it")


def _value(schema: Schema, draws: Draws) -> Any:
    unknown = sorted(schema.keys() - _KNOWN)
    if unknown:
        raise CannotMake(f"keyword {unknown[0]}")
    schema = _chosen(schema, draws)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return draws.next_of(schema["enum"])
    kind = schema.get("type", "object" if "properties" in schema else None)
    if isinstance(kind, list):
        kind = draws.one_of(kind)
    match kind:
        case "object":
            return _object(schema, draws)
        case "array":
            return _array(schema, draws)
        case "string":
            return _string(schema, draws)
        case "integer" | "number":
            return _number(schema, draws, whole=kind == "integer")
        case "boolean":
            return draws.one_of((False, True))
        case "null":
            return None
    raise CannotMake(f"type {kind}" if kind else "a schema without a type")


def _chosen(schema: Schema, draws: Draws) -> Schema:
    """Choose among alternatives and lay what was chosen into the schema itself."""
    found = dict(schema)
    for name in ("oneOf", "anyOf"):
        if name in found:
            found = _merged(found, draws.one_of(found.pop(name)))
    for part in found.pop("allOf", ()):
        found = _merged(found, _chosen(part, draws))
    if "if" in found:
        condition = found.pop("if")
        then, other = found.pop("then", {}), found.pop("else", {})
        if draws.below(2):
            return _chosen(_merged(_merged(found, condition), then), draws)
        return _chosen(_merged(found, other), draws)
    return found


def _merged(one: Schema, other: object) -> dict[str, Any]:
    found = dict(one)
    if not isinstance(other, Mapping):
        return found
    for name, value in other.items():
        if name == "required":
            found[name] = [*found.get(name, ()), *value]
        elif name == "properties":
            known = found.get(name, {})
            found[name] = {**known, **{n: _narrowed(known.get(n), v) for n, v in value.items()}}
        else:
            found[name] = value
    return found


def _narrowed(known: object, more: object) -> object:
    return _merged(known, more) if isinstance(known, Mapping) and more is not False else more


def _object(schema: Schema, draws: Draws) -> dict[str, Any]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    wanted = {*schema.get("required", ())}
    wanted |= {name for name in properties if name not in wanted and draws.yes()}
    dependent: Mapping[str, Iterable[str]] = schema.get("dependentRequired", {})
    for _ in dependent:
        wanted |= {n for name, needed in dependent.items() if name in wanted for n in needed}
    return {
        name: _value(part, draws)
        for name, part in properties.items()
        if name in wanted and part is not False
    }


def _array(schema: Schema, draws: Draws) -> list[Any]:
    least = schema.get("minItems", 0)
    most = min(schema.get("maxItems", least + _ENTRIES_MORE), least + _ENTRIES_MORE)
    made: list[Any] = []
    for _ in range(draws.between(least, most)):
        entry = _value(schema.get("items", {"type": "string"}), draws)
        if not (schema.get("uniqueItems") and entry in made):
            made.append(entry)
    return made


def _string(schema: Schema, draws: Draws) -> str:
    if "format" in schema:
        if schema["format"] not in FORMATS:
            raise CannotMake(f"format {schema['format']}")
        return FORMATS[schema["format"]](draws)
    if "pattern" in schema:
        try:
            return matching(draws, schema["pattern"])
        except PatternNotMade as problem:
            raise CannotMake(f"pattern: {problem}") from None
    return text(draws, schema.get("minLength", 0), schema.get("maxLength"))


def _number(schema: Schema, draws: Draws, *, whole: bool) -> int | float:
    step = 1 if whole else Decimal("0.01")
    if "multipleOf" in schema:
        step = Decimal(str(schema["multipleOf"]))
    least = _in_steps(schema, "minimum", "exclusiveMinimum", step, 1, 0)
    most = _in_steps(schema, "maximum", "exclusiveMaximum", step, -1, max(least, 0) + _FREE_MAX)
    made = draws.between(least, most) * step
    return int(made) if made == int(made) else float(made)


def _in_steps(
    schema: Schema, bound: str, open_bound: str, step: int | Decimal, inward: int, free: int
) -> int:
    """Return a bound as a number of steps, towards the inside."""
    if bound in schema:
        exact = Decimal(str(schema[bound])) / step
        whole = int(exact)
        return whole + inward if (exact - whole) * inward > 0 else whole
    if open_bound in schema:
        return int(Decimal(str(schema[open_bound])) / step) + inward
    return free
