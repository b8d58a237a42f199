"""What a form's schema says of a field: never that it cannot be, when it can."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rules.instant import Equals, NotEmpty, findings
from gateway.rules.instant.fields import TYPES, Presence, field_at, type_of
from gateway.rules.instant.judging import look_up
from gateway.rules.schema.forms import compile_schema
from tests.support.instant import shipped_rule

TEXT = {"type": "string"}


def closed(**properties: object) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


@pytest.mark.parametrize(
    "schema",
    [
        closed(b=TEXT),
        {"type": "object", "properties": {"b": TEXT}},  # open, but nobody described /a
        {"type": "object", "additionalProperties": False},
        {"type": "array"},
        {"properties": {"a": False}},
        {"$ref": "#/$defs/x", "$defs": {"x": closed(b=TEXT)}},
        {"allOf": [closed(b=TEXT), {"properties": {"c": TEXT}}]},
    ],
)
def test_a_field_that_nothing_names_is_absent(schema: object) -> None:
    assert field_at(schema, "/a").presence is Presence.ABSENT


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"properties": {"b": TEXT}, "additionalProperties": True},
        {"properties": {"b": TEXT}, "additionalProperties": TEXT},
        {"properties": {"b": TEXT}, "patternProperties": {"^a": TEXT}},
        {"properties": {"b": TEXT}, "$ref": "#/nowhere"},
        {"$ref": "#"},
    ],
)
def test_what_a_schema_leaves_open_is_unknown(schema: object) -> None:
    assert field_at(schema, "/a").presence is Presence.UNKNOWN


@pytest.mark.parametrize(
    "schema",
    [
        closed(a=TEXT),
        {
            "$ref": "#/$defs/x",
            "$defs": {"x": {"properties": {"a": {"$ref": "#/$defs/t"}}}, "t": TEXT},
        },
        {"allOf": [{"properties": {"a": TEXT}}]},
        {"properties": {"a": {"enum": ["x", "y"]}}},
        {"properties": {"a": {"anyOf": [TEXT, {"const": "x"}]}}},
        {"properties": {"a": {"type": ["string", "null"], "const": "x"}}},
    ],
)
def test_a_named_field_is_found_with_its_type(schema: object) -> None:
    found = field_at(schema, "/a")
    assert (found.presence, found.types) == (Presence.NAMED, frozenset({"string"}))


@pytest.mark.parametrize("key", ["anyOf", "oneOf"])
def test_what_one_alternative_says_binds_nobody(key: str) -> None:
    found = field_at({key: [closed(a=TEXT), closed(b=TEXT)]}, "/a")
    assert (found.presence, found.types) == (Presence.NAMED, TYPES)


def test_a_schema_that_refers_to_itself_ends() -> None:
    loop = {"allOf": [{"$ref": "#/$defs/x"}], "$defs": {"x": {"$ref": "#/$defs/x"}}}
    assert field_at(loop, "/a").presence is Presence.UNKNOWN
    tree = closed(a={"$ref": "#"})
    assert field_at(tree, "/a/a/a").presence is Presence.NAMED


def test_pointers_are_unescaped() -> None:
    assert field_at(closed(**{"a/b~c": TEXT}), "/a~1b~0c").presence is Presence.NAMED


def test_a_rule_that_looks_where_the_schema_is_silent_is_told_and_not_refused() -> None:
    rule = replace(
        shipped_rule(),
        conditions=(Equals("/a", 1), NotEmpty("/b")),
        result=replace(shipped_rule().result, from_form={"dom": "/c"}),
    )
    told = findings(rule, {"type": "object"})
    assert [(f.key, f.certain) for f in told] == [
        ("conditions.0", False),
        ("conditions.1", False),
        ("result.from_form.dom", False),
    ]


_LEAF = st.sampled_from(
    [
        {},
        True,
        False,
        TEXT,
        {"type": "integer"},
        {"enum": ["x", 1]},
        {"const": None},
        {"type": "array"},
        {"$ref": "#/$defs/d"},
    ]
)


def _grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, min_size=1, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
            "additionalProperties": st.one_of(st.booleans(), inner),
            "allOf": some,
            "anyOf": some,
            "oneOf": some,
            "if": inner,
            "then": inner,
            "$ref": st.just("#/$defs/d"),
            "type": st.sampled_from(["object", "string", ["object", "array"]]),
        },
    )


_SCHEMAS = st.recursive(_LEAF, _grow, max_leaves=8)
_FORMS: st.SearchStrategy[object] = st.recursive(
    st.sampled_from(["x", 1, 1.5, None, True, []]),
    lambda inner: st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)
_DEFINITIONS = st.sampled_from([closed(a=TEXT), {"properties": {"a": {"type": "integer"}}}, TEXT])


@given(_SCHEMAS, _DEFINITIONS, _FORMS, st.sampled_from(["/a", "/a/b", "/b"]))
def test_no_valid_form_holds_a_value_outside_what_is_said_of_a_field(
    root: Any, definition: object, form: object, pointer: str
) -> None:
    schema = {"allOf": [root], "$defs": {"d": definition}}
    field = field_at(schema, pointer)
    held = look_up(form, pointer)
    if held is None or not compile_schema(schema).is_valid(form):
        return
    if field.presence is Presence.NAMED:
        assert type_of(held) in field.types
        assert field.values is None or held in field.values


@given(_SCHEMAS, _DEFINITIONS, _FORMS, st.sampled_from(["/a", "/a/b", "/b"]))
def test_a_field_of_a_closed_form_that_is_called_absent_is_in_no_valid_form(
    root: Any, definition: object, form: object, pointer: str
) -> None:
    schema = {**closed(b=TEXT), "allOf": [root], "$defs": {"d": definition}}
    if field_at(schema, pointer).presence is not Presence.ABSENT:
        return
    assert look_up(form, pointer) is None or not compile_schema(schema).is_valid(form)
