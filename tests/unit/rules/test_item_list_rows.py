"""Rows of the item list: how they are told apart, compared and searched."""

from __future__ import annotations

import pytest

from gateway.kernel.faults import Fault, FaultCode
from gateway.rules.item_list.changes import (
    changed_columns,
    compare,
    require_most_stay,
    version_not_raised,
)
from gateway.rules.item_list.rows import (
    COLUMNS,
    codes_text,
    fingerprint,
    has_words,
    query_words,
    words_text,
)
from tests.support.item_list import list_row, list_rows

ROW = list_row(1)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_fingerprint_differs_if_any_cell_does(column: str) -> None:
    assert fingerprint(ROW._replace(**{column: "other"})) != fingerprint(ROW)


def test_a_fingerprint_does_not_run_cells_together() -> None:
    one = ROW._replace(local_catalog_code="ab", local_task_code="c")
    other = ROW._replace(local_catalog_code="a", local_task_code="bc")
    assert fingerprint(one) != fingerprint(other)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (" 户口\u3000迁移 ", ("户口", "迁移")),
        ("ＥＴＣ（示例）", ("etc(示例)",)),
        ("a A a", ("a",)),
        ("户口\x00迁移\u200b", ("户口", "迁移")),
    ],
)
def test_a_query_is_folded_and_parted_at_white_space(query: str, words: tuple[str, ...]) -> None:
    assert query_words(query) == words


@pytest.mark.parametrize("query", ["", " \u3000", "\x00", "字" * 129, "a b c d e f g h i"])
def test_a_query_without_words_or_with_too_many_is_refused(query: str) -> None:
    with pytest.raises(Fault) as raised:
        query_words(query)
    assert raised.value.code is FaultCode.PORTAL_REQUEST_INVALID


def test_a_short_word_is_looked_for_in_names_and_a_longer_one_in_codes_too() -> None:
    row = ROW._replace(task_name="户口迁移", dept_name="公安局", local_task_code="JQ7")
    texts = words_text(row), codes_text(row)
    assert has_words(*texts, ("户", "公安", "迁移"))
    assert has_words(*texts, ("jq7", "000000000001"))
    assert not has_words(*texts, ("jq",))
    assert not has_words(*texts, ("迁移公安局",))


def test_a_comparison_is_by_code_and_not_by_place() -> None:
    held = {row.code: fingerprint(row) for row in list_rows(4)}
    rows = [list_row(9), list_row(3, promise_day="1"), list_row(2), list_row(1)]
    found = compare(held, rows)
    assert (found.added, found.changed, found.ended) == (
        (rows[0],),
        (rows[1],),
        (list_row(4).code,),
    )
    assert found.unchanged == 2
    assert found.any
    assert not compare(held, list(reversed(list_rows(4)))).any


def test_a_first_list_ends_nothing() -> None:
    require_most_stay(compare({}, list_rows(1)))


def test_what_changed_is_told_by_column() -> None:
    after = ROW._replace(task_version="2", promise_day="1")
    assert changed_columns(ROW, after) == ("task_version", "promise_day")
    assert not version_not_raised(ROW, after)
    assert version_not_raised(after, ROW)
    assert version_not_raised(ROW, ROW._replace(promise_day="1"))
    assert not version_not_raised(ROW._replace(task_version="9"), ROW._replace(task_version="10"))
