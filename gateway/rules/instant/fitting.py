"""Whether a rule's fields can be in the form at all, and be what the rule compares them with.

A rule that looks at a field that no form has would never decide, and nobody would be told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, assert_never

from gateway.rules.instant.fields import Field, Presence, field_at, type_of
from gateway.rules.instant.values import (
    AllIn,
    Between,
    Condition,
    Equals,
    NotEmpty,
    OneOf,
    RuleSet,
    Scalar,
)


class Finding(NamedTuple):
    """What the form's schema says against a field of a rule, or leaves open."""

    key: str
    """Where in the rule's file: `conditions.2`, counted from 0, or `result.from_form.dom`."""
    pointer: str
    certain: bool
    """True: the rule can never decide by it. False: the schema does not tell."""
    message: str


def findings(rule: RuleSet, schema: object) -> list[Finding]:
    """Compare every field of `rule` with the form's parsed JSON Schema, in the file's order.

    That one form can satisfy the whole rule is *not* checked, nor bounds, patterns and formats.
    """
    return list(_findings(rule, schema))


def _findings(rule: RuleSet, schema: object) -> Iterator[Finding]:
    for at, condition in enumerate(rule.conditions):
        field = field_at(schema, condition.pointer)
        yield from _judge(f"conditions.{at}", condition.pointer, field, _misfit(condition, field))
    for name, pointer in rule.result.from_form.items():
        field = field_at(schema, pointer)
        misfit = "" if _is_text(field) else "is never a text or a list of texts"
        yield from _judge(f"result.from_form.{name}", pointer, field, misfit)


def _judge(key: str, pointer: str, field: Field, misfit: str) -> Iterator[Finding]:
    match field.presence:
        case Presence.ABSENT:
            yield Finding(key, pointer, True, "is no field of the form")
        case Presence.UNKNOWN:
            yield Finding(key, pointer, False, "may or may not be a field of the form")
        case Presence.NAMED:
            if misfit:
                yield Finding(key, pointer, True, misfit)
        case _ as never:
            assert_never(never)


def _misfit(condition: Condition, field: Field) -> str:
    """Return why a named field can never meet the condition; empty if it may."""
    match condition:
        case Equals(value=value):
            return _never(value, field)
        case OneOf(values=values):
            return next((m for v in values if (m := _never(v, field))), "")
        case AllIn():
            return "" if _is_list_of_texts(field) else "is never a list of texts"
        case Between():
            return "" if "number" in field.types else "is never a number"
        case NotEmpty():
            return "" if "string" in field.types else "is never a text"
        case _ as never:
            assert_never(never)


def _never(value: Scalar, field: Field) -> str:
    """Return why the field is never this value: by its type, or because others are listed."""
    wanted = type_of(value)
    if wanted not in field.types:
        return f"is never {_WORDS[wanted]}"
    listed = field.values
    if listed is not None and not any(type_of(v) == wanted and v == value for v in listed):
        return "is never that value: the form lists others"
    return ""


_WORDS: Final[Mapping[str, str]] = {
    "boolean": "true or false",
    "number": "a number",
    "string": "a text",
}


def _is_list_of_texts(field: Field) -> bool:
    return "array" in field.types and "string" in field.entries


def _is_text(field: Field) -> bool:
    return "string" in field.types or _is_list_of_texts(field)
