import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kernel.trees import (
    MISSING,
    Tree,
    Value,
    get,
    is_within,
    leaves,
    pointer_of,
    put,
    steps_of,
)

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=4)


@pytest.mark.parametrize("pointer", ["a", "/", "//a", "/a/", "/a~", "/a~2"])
def test_what_is_no_pointer_is_refused(pointer: str) -> None:
    with pytest.raises(ValueError, match=r"pointer|~"):
        steps_of(pointer)


@given(st.lists(NAMES, max_size=4).map(tuple))
def test_a_pointer_written_and_read_names_the_same_place(steps: tuple[str, ...]) -> None:
    assert steps_of(pointer_of(steps)) == steps


@given(st.lists(NAMES, min_size=1, max_size=4).map(tuple))
def test_what_was_put_is_got(steps: tuple[str, ...]) -> None:
    tree: Tree = {}
    put(tree, steps, "x")
    assert get(tree, steps) == "x"
    assert leaves(tree) == [(steps, "x")]


def test_what_is_not_there_is_not_null() -> None:
    tree: Tree = {"a": None, "b": [1, {"c": 2}], "d": "text"}
    assert get(tree, ("a",)) is None
    for steps in (("e",), ("a", "b"), ("b", "2"), ("b", "-1"), ("b", "01"), ("d", "0")):
        assert get(tree, steps) is MISSING
    assert get(tree, ("b", "1", "c")) == 2


def test_nothing_is_put_through_what_is_no_object() -> None:
    for steps in ((), ("a", "b"), ("a", "b", "c")):
        with pytest.raises(ValueError, match=r"no object|no place|own"):
            put({"a": "text"}, steps, 1)


def test_leaves_of_lists_stand_at_their_places() -> None:
    tree: Tree = {"a": [{"b": 1}, {"b": 2}], "c": []}
    assert leaves(tree) == [(("a", "0", "b"), 1), (("a", "1", "b"), 2)]


def test_a_deep_or_wide_tree_is_out_of_bounds_and_costs_no_stack() -> None:
    deep: Value = "x"
    for _ in range(100_000):
        deep = [deep]
    assert not is_within(deep, depth_max=32, nodes_max=1_000)
    assert not is_within(["x"] * 1_001, depth_max=32, nodes_max=1_000)
    assert is_within({"a": ["x"] * 900}, depth_max=2, nodes_max=1_000)
    assert not is_within({"a": [["x"]]}, depth_max=2, nodes_max=1_000)
    while isinstance(deep, list):  # taken apart here: freeing it whole would recurse
        deep = deep[0]
