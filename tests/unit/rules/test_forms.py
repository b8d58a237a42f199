"""Forms by their schemas: every error is placed, no value is repeated, nothing is fetched."""

from __future__ import annotations

import json

import pytest

from gateway.kernel.digests import digest
from gateway.kernel.faults import Fault, FaultCode
from gateway.rules.schema import FormSchemas
from gateway.rules.schema.forms import ERRORS_MAX, compile_schema

SECRET = "张三-secret-42"


def schemas(schema: object) -> tuple[FormSchemas, bytes]:
    raw = json.dumps(schema).encode()
    return FormSchemas({digest(raw): raw}), digest(raw)


def errors(schema: object, document: object, under: str = "") -> tuple[tuple[str, str], ...]:
    forms, key = schemas(schema)
    with pytest.raises(Fault) as raised:
        forms.require(key, document, under=under)
    assert raised.value.code is FaultCode.SCHEMA_FORM_INVALID
    assert SECRET not in str(raised.value)
    assert SECRET not in repr(raised.value.errors)
    return raised.value.errors


STRICT = {
    "type": "object",
    "properties": {
        "a": {"type": "string", "maxLength": 3},
        "b": {"enum": ["x"]},
        "c": {"type": "string", "pattern": "^[0-9]+$"},
        "d": {"type": "array", "items": {"format": "uscc"}},
        "e": {"type": "integer"},
        "f": {"const": 1},
        "g": {"anyOf": [{"const": 1}, {"const": 2}]},
        "h": {"not": {}},
    },
    "required": ["z"],
    "propertyNames": {"maxLength": 5},
    "additionalProperties": False,
}


def test_errors_say_where_and_what_but_never_the_value() -> None:
    wrong = dict.fromkeys("abcefgh", SECRET) | {"d": ["x", SECRET], SECRET: SECRET}
    found = errors(STRICT, wrong)
    assert ("/a", "is longer than 3 characters") in found
    assert ("/b", "is none of the listed values") in found
    assert ("/d/1", "is not a valid uscc") in found
    assert ("/e", "is not of type integer") in found
    assert ("", "lacks z") in found
    assert ("", "has a property that is not known") in found


def test_a_name_that_is_a_value_is_not_repeated_in_the_pointer() -> None:
    found = errors({"additionalProperties": {"type": "integer"}}, {SECRET: "x"}, "/form")
    assert found == (("/form/*", "is not of type integer"),)


def test_a_form_of_errors_is_answered_with_a_few() -> None:
    found = errors({"items": {"type": "integer"}}, [SECRET] * 1_000)
    assert len(found) == ERRORS_MAX


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:9/schema"},
        {"$ref": "file:///etc/passwd"},
        {"format": "no-such-format"},
        {"type": "no-such-type"},
        {"pattern": "(?=look-around)"},
        {"pattern": "("},
        [],
        "true",
    ],
    ids=repr,
)
def test_a_schema_that_refers_elsewhere_or_is_none_is_not_compiled(schema: object) -> None:
    with pytest.raises(ValueError):
        compile_schema(schema)


def test_a_pattern_that_backtracks_elsewhere_is_linear_here() -> None:
    forms, key = schemas({"pattern": "^(a+)+$"})
    with pytest.raises(Fault):
        forms.require(key, "a" * 50_000 + "!")


def test_rare_characters_pass() -> None:
    forms, key = schemas({"type": "string", "maxLength": 2})
    forms.require(key, "㛃𬭊")


def test_a_schema_that_was_not_loaded_allows_nothing() -> None:
    with pytest.raises(Fault) as raised:
        FormSchemas({}).require(bytes(32), {})
    assert raised.value.code is FaultCode.INTERNAL
