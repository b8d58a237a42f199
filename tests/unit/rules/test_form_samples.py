"""Documents made from schemas: valid, repeatable, and as different as forms allow."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.kernel.envelope import Kind
from gateway.rules.form_samples import CannotMake, Draws, Fill, make
from gateway.rules.form_samples.texts import PatternNotMade, matching
from gateway.rules.schema import body_schema
from gateway.rules.schema.forms import compile_schema
from tests.support.world import ROOT

FORMS = sorted(ROOT.glob("partners/*/items/*/*.schema.json"))
KINDS = [k for k in Kind if Kind.ACKNOWLEDGED <= k <= Kind.REVIEWED]


def _made(schema: dict[str, Any], index: int, fill: Fill, seed: str = "1") -> Any:
    return make(schema, Draws(seed, index, fill), compile_schema(schema).is_valid)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_shipped_form_has_documents_of_every_fill(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    for index, fill in enumerate([Fill.LEAST, Fill.FULLEST, *[Fill.MIXED] * 6]):
        document = _made(schema, index, fill)
        assert document == _made(schema, index, fill)
    least, fullest = _made(schema, 0, Fill.LEAST), _made(schema, 0, Fill.FULLEST)
    assert len(json.dumps(least)) < len(json.dumps(fullest))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.lower())
def test_every_kind_has_documents_of_every_fill(kind: Kind) -> None:
    schema = dict(body_schema(kind))
    for index, fill in enumerate([Fill.LEAST, Fill.FULLEST, *[Fill.MIXED] * 6]):
        _made(schema, index, fill)


def test_lengths_reach_both_ends_and_rare_characters_are_there() -> None:
    schema = {"type": "string", "minLength": 2, "maxLength": 200}
    assert len(_made(schema, 0, Fill.LEAST)) == 2
    assert len(_made(schema, 0, Fill.FULLEST)) == 200
    found = "".join(_made(schema, index, Fill.FULLEST) for index in range(4))
    assert "㛃" in found and "\U0002cb4a" in found


def test_every_value_of_an_enumeration_has_its_turn() -> None:
    values = [f"v{n}" for n in range(9)]
    found = {_made({"enum": values}, index, Fill.MIXED) for index in range(18)}
    assert found == set(values)


def test_numbers_reach_their_bounds() -> None:
    schema = {"type": "number", "minimum": 0.5, "exclusiveMaximum": 10}
    assert _made(schema, 0, Fill.LEAST) == 0.5
    assert _made(schema, 0, Fill.FULLEST) == 9.99


@pytest.mark.parametrize(
    "pattern",
    [
        "^(1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8})$",
        "^[\\u4e00-\\u9fa5][A-Z][0-9A-Z]{5,6}$",
        r"^(a|b(c|d)+)?\d{2}[_.-]x*$",
    ],
)
def test_a_text_made_for_a_pattern_matches_it(pattern: str) -> None:
    for index in range(20):
        for fill in Fill:
            assert re.search(pattern, matching(Draws("1", index, fill), pattern))


@pytest.mark.parametrize("pattern", ["[^a]", "(?=a)a", "(a", "a)"])
def test_a_pattern_that_is_not_made_is_named_so(pattern: str) -> None:
    with pytest.raises(PatternNotMade):
        matching(Draws("1", 0, Fill.FULLEST), pattern)


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"$ref": "#/x"}, r"keyword \$ref"),
        ({"type": "string", "format": "email"}, "format email"),
        ({}, "without a type"),
        ({"type": "string", "pattern": "[^a]"}, "pattern"),
    ],
)
def test_a_schema_that_is_not_made_for_is_named(schema: dict[str, Any], told: str) -> None:
    with pytest.raises(CannotMake, match=told):
        make(schema, Draws("1", 0, Fill.LEAST), lambda document: True)


def test_a_schema_that_nothing_satisfies_ends() -> None:
    with pytest.raises(CannotMake, match="no document was valid"):
        make({"type": "string"}, Draws("1", 0, Fill.FULLEST), lambda document: False)
