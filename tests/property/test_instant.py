"""Instant rules never raise, and never decide on less than they ask for."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.rules.instant import Instant, ToPerson, judge
from tests.property.effort import effort
from tests.support.instant import application, instant_form, shipped_rule

RULE = shipped_rule()
SCOPES = sorted(s for c in RULE.classes for s in c.scopes)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=12,
)
FIELDS = sorted(instant_form())


@given(form=JSON)
@effort(200)
def test_any_json_value_is_judged(form: object) -> None:
    assert isinstance(judge([RULE], application()._replace(form=form)), ToPerson)


@given(changes=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3))
@effort(300)
def test_any_field_may_be_anything(changes: dict[str, object]) -> None:
    form = {**instant_form(), **changes}
    verdict = judge([RULE], application(form))
    if isinstance(verdict, Instant):
        assert set(form["business_scopes"]) <= set(SCOPES)
        assert form["promise_true"] is True
        assert 0 <= form["employees"] <= 8


@given(
    scopes=st.lists(st.sampled_from(SCOPES), min_size=1, max_size=33, unique=True),
    pointer=st.sampled_from([c.pointer for c in RULE.conditions]),
)
@effort(100)
def test_without_a_field_that_a_condition_looks_at_it_is_never_instant(
    scopes: list[str], pointer: str
) -> None:
    form = instant_form(business_scopes=scopes)
    assert isinstance(judge([RULE], application(form)), Instant)
    *way, last = pointer.split("/")[1:]
    place: dict[str, Any] = form
    for step in way:
        place = place[step]
    del place[last]
    assert isinstance(judge([RULE], application(form)), ToPerson)


@given(
    scopes=st.lists(st.sampled_from(SCOPES), max_size=5, unique=True),
    outside=st.text(min_size=1).filter(lambda s: s not in SCOPES),
    at=st.integers(0, 5),
)
@effort(100)
def test_one_scope_outside_leaves_everything_to_a_person(
    scopes: list[str], outside: str, at: int
) -> None:
    form = instant_form(business_scopes=[*scopes[:at], outside, *scopes[at:]])
    assert isinstance(judge([RULE], application(form)), ToPerson)
