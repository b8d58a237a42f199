"""Documents made from schemas: what comes out is valid, or the schema says too much."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.conformance.documents import sample_of
from gateway.rules.schema.forms import compile_schema

SCHEMAS = sorted(
    (Path(__file__).resolve().parents[3] / "partners").glob("*/items/*/form.v*.schema.json")
)


def test_a_schema_that_refers_to_itself_is_given_up() -> None:
    with pytest.raises(ValueError, match="refers to itself"):
        sample_of({"$ref": "#"})


@pytest.mark.parametrize(
    "schema",
    [
        {"const": 7},
        {"enum": ["甲", "乙"]},
        {"type": "string", "format": "uscc"},
        {"type": "string", "format": "citizen-id"},
        {"type": "string", "format": "date-time"},
        {"type": "string", "pattern": "^1[0-9]{10}$"},
        {"type": "string", "minLength": 30},
        {"type": "integer", "minimum": 3, "maximum": 9},
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "array", "minItems": 2, "items": {"type": "boolean"}},
        {"oneOf": [{"type": "null"}, {"type": "string"}]},
        {
            "type": "object",
            "required": ["a"],
            "properties": {"a": {"$ref": "#/$defs/a"}, "b": {"type": "string"}},
            "$defs": {"a": {"type": "string", "format": "region"}},
            "additionalProperties": False,
        },
    ],
)
def test_a_document_follows_the_schema_it_was_made_from(schema: dict[str, object]) -> None:
    assert compile_schema(schema).is_valid(sample_of(schema))


def test_most_forms_of_the_sample_partners_can_be_made() -> None:
    made = 0
    for path in SCHEMAS:
        schema = json.loads(path.read_bytes())
        made += compile_schema(schema).is_valid(sample_of(schema))
    assert made >= len(SCHEMAS) // 2, f"{made} of {len(SCHEMAS)}"
