"""Files of the item list: every bad row told, by line and column."""

from __future__ import annotations

import csv
import io

import pytest

from gateway.kernel.faults import Fault
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.limits import ITEM_CELL_CHARS_MAX
from gateway.rules.item_list import decoding, reading
from gateway.rules.item_list.reading import read_csv
from gateway.rules.item_list.rows import COLUMNS, ItemRow
from gateway.rules.item_list.writing import write_csv
from tests.support.item_list import (
    AUTHORITY,
    csv_bytes,
    csv_lines,
    list_row,
    list_rows,
    require_none,
)

ROW = list_row(1)


def told(raw: bytes) -> list[tuple[int, str, F]]:
    return [(p.line, p.column, p.rule) for p in read_csv(raw).problems]


def only_problem(**changes: str) -> tuple[str, F]:
    [(line, column, rule)] = told(csv_bytes(ROW._replace(**changes)))
    assert line == 2
    return column, rule


# --- formulas and other hostile cells -----------------------------------------------------------
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize(
    "begins", ["=", "+", "-", "@", "\t", "\r", " =", "\u3000@", "＝", "－", "\n="]
)
def test_a_cell_that_begins_as_a_formula_is_refused_in_every_column(
    column: str, begins: str
) -> None:
    assert only_problem(**{column: f"{begins}1+1"}) == (column, F.ITEM_LIST_CELL_FORMULA)


def test_a_hyphen_inside_a_cell_is_no_formula() -> None:
    row = ROW._replace(task_name="甲-乙=丙+丁@戊", local_task_code="SL-1")
    assert read_csv(csv_bytes(row)).rows == (row,)


def test_what_a_spreadsheet_would_run_is_neutralised_on_export() -> None:
    row = ROW._replace(task_name="=HYPERLINK(1)", handle_area="＠x", accept_condition="-\n1")
    [_, cells] = csv.reader(io.StringIO("".join(write_csv([row])), newline=""))
    found = ItemRow(*cells)
    assert (found.task_name, found.handle_area) == ("'=HYPERLINK(1)", "'＠x")
    assert found.accept_condition == "'-\n1"
    assert found.task_code == row.task_code


@pytest.mark.parametrize("bad", ["\x00", "\x1b", "\x7f", "\u200b", "\u202e", "\u2066", "\ufeff"])
def test_control_and_direction_characters_are_refused(bad: str) -> None:
    assert only_problem(task_name=f"登{bad}记") == ("task_name", F.ITEM_LIST_CELL_CHARACTER)


def test_a_line_break_is_allowed_in_conditions_only() -> None:
    row = ROW._replace(accept_condition="一、\r\n二、\n三、")
    assert read_csv(csv_bytes(row)).rows == (row,)
    assert only_problem(task_name="一\n二") == ("task_name", F.ITEM_LIST_CELL_CHARACTER)


def test_a_problem_never_repeats_what_the_cell_holds() -> None:
    secret = "张三13800000000"
    for column in COLUMNS:
        for problem in read_csv(csv_bytes(ROW._replace(**{column: f"={secret}"}))).problems:
            assert secret not in problem.detail
    for column in ("task_code", "catalog_code", "task_type", "promise_day", "plan_cancel_date"):
        [problem] = read_csv(csv_bytes(ROW._replace(**{column: secret}))).problems
        assert secret not in problem.detail


# --- values -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("catalog_code", "00000000001", F.ITEM_LIST_CODE_INVALID),
        ("catalog_code", "0000000000０1", F.ITEM_LIST_CODE_INVALID),
        ("task_code", ROW.task_code[:-1], F.ITEM_LIST_CODE_INVALID),
        ("task_code", "11620900MB00000001" + ROW.task_code[18:], F.ITEM_LIST_CODE_INVALID),
        ("task_code", ROW.task_code.lower(), F.ITEM_LIST_CODE_INVALID),
        ("task_code", ROW.task_code[:18] + "6" + ROW.task_code[19:], F.ITEM_LIST_CODE_INVALID),
        ("task_code", "1.16209E+30", F.ITEM_LIST_CODE_INVALID),
        ("dept_code", AUTHORITY[:-1], F.ITEM_LIST_CODE_INVALID),
        ("dept_code", AUTHORITY[:8] + " " + AUTHORITY[9:], F.ITEM_LIST_CODE_INVALID),
        ("task_handle_item", ROW.task_code, F.ITEM_LIST_CODE_INVALID),
        ("task_handle_item", list_row(2).task_code + "01", F.ITEM_LIST_CONTRADICTION),
        ("local_task_code", "x" * 65, F.ITEM_LIST_CODE_INVALID),
        ("task_type", "1", F.ITEM_LIST_VALUE_UNKNOWN),
        ("task_type", "许可", F.ITEM_LIST_VALUE_UNKNOWN),
        ("use_level", "6", F.ITEM_LIST_VALUE_UNKNOWN),
        ("use_level", "4", F.ITEM_LIST_CONTRADICTION),
        ("task_version", "0", F.ITEM_LIST_VALUE_INVALID),
        ("task_version", "1.0", F.ITEM_LIST_VALUE_INVALID),
        ("task_state", "在用", F.ITEM_LIST_VALUE_UNKNOWN),
        ("promise_day", "五", F.ITEM_LIST_VALUE_INVALID),
        ("promise_day", "5.0", F.ITEM_LIST_VALUE_INVALID),
        ("anticipate_day", "10000", F.ITEM_LIST_VALUE_INVALID),
        ("plan_effective_date", "27/05/2021", F.ITEM_LIST_VALUE_INVALID),
        ("plan_effective_date", "2021-05-27 08:00", F.ITEM_LIST_VALUE_INVALID),
        ("plan_cancel_date", "2021-05-26", F.ITEM_LIST_CONTRADICTION),
        ("accept_condition", "字" * (ITEM_CELL_CHARS_MAX + 1), F.ITEM_LIST_CELL_SIZE),
        ("task_name", "", F.ITEM_LIST_VALUE_MISSING),
        ("dept_name", "\u3000", F.ITEM_LIST_VALUE_MISSING),
    ],
)
def test_a_wrong_value_is_told_by_column_and_rule(column: str, value: str, rule: F) -> None:
    assert only_problem(**{column: value}) == (column, rule)


@pytest.mark.parametrize(
    ("column", "value", "kept"),
    [
        ("plan_effective_date", "20210527", "2021-05-27"),
        ("plan_effective_date", "2021/5/27", "2021-05-27"),
        ("plan_effective_date", "2021-05-27 00:00:00", "2021-05-27"),
        ("plan_cancel_date", "2021-05-27", "2021-05-27"),
        ("promise_day", "05", "5"),
        ("task_version", "007", "7"),
        ("task_name", " 分公司设立登记\u3000", "分公司设立登记"),
        ("task_handle_item", ROW.task_code + "02", ROW.task_code + "02"),
        ("task_handle_item", "", ""),
        ("accept_condition", "字" * ITEM_CELL_CHARS_MAX, "字" * ITEM_CELL_CHARS_MAX),
        ("task_name", "㛃𬭊登记", "㛃𬭊登记"),
    ],
)
def test_a_value_is_kept_in_one_form(column: str, value: str, kept: str) -> None:
    found = read_csv(csv_bytes(ROW._replace(**{column: value})))
    assert found.problems == ()
    assert found.rows == (ROW._replace(**{column: kept}),)


def test_a_main_item_may_end_in_y() -> None:
    code = "00013112700Y"
    row = ROW._replace(catalog_code=code, task_code=f"{AUTHORITY}3{code}")
    assert read_csv(csv_bytes(row)).rows == (row,)


def test_the_code_by_which_an_exchange_names_an_item_has_the_handlings_digits() -> None:
    assert ROW.item_code == ROW.catalog_code
    assert ROW.code == ROW.task_code
    handled = ROW._replace(task_handle_item=ROW.task_code + "02")
    assert handled.item_code == ROW.catalog_code + "02"
    assert handled.code == ROW.task_code + "02"


# --- rows and lines -----------------------------------------------------------------------------
def test_every_bad_cell_of_every_bad_row_is_told() -> None:
    rows = list_rows(4)
    rows[1] = rows[1]._replace(task_type="x", use_level="9")
    rows[3] = rows[3]._replace(dept_code="")
    assert told(csv_bytes(*rows)) == [
        (3, "task_type", F.ITEM_LIST_VALUE_UNKNOWN),
        (3, "use_level", F.ITEM_LIST_VALUE_UNKNOWN),
        (5, "dept_code", F.ITEM_LIST_VALUE_MISSING),
    ]


def test_a_line_is_where_its_row_begins_whatever_lies_between() -> None:
    rows = [list_row(n, accept_condition="一\n二\r\n三") for n in (1, 2)]
    raw = (
        csv_bytes(*rows) + b"\r\n,,,\r\n" + csv_bytes(list_row(3, task_type="x")).split(b"\r\n")[1]
    )
    assert told(raw) == [(10, "task_type", F.ITEM_LIST_VALUE_UNKNOWN)]


def test_a_code_that_stands_twice_names_its_first_line() -> None:
    raw = csv_bytes(list_row(1), list_row(2), list_row(1, task_name="另一名称"))
    [problem] = read_csv(raw).problems
    assert problem == (4, "task_code", F.ITEM_LIST_CODE_TWICE, "stands on line 2 already")


def test_handlings_of_one_item_are_rows_of_their_own() -> None:
    rows = [ROW, *(ROW._replace(task_handle_item=f"{ROW.task_code}0{n}") for n in (1, 2))]
    assert read_csv(csv_bytes(*rows)).rows == tuple(rows)
    [problem] = read_csv(csv_bytes(*rows, rows[2])).problems
    assert (problem.line, problem.column) == (5, "task_handle_item")


def test_a_row_that_is_too_short_or_too_long_is_told_once() -> None:
    raw = csv_bytes(ROW[:3], (*ROW, "more"), list_row(2))
    assert told(raw) == [(2, "", F.ITEM_LIST_ROW_LENGTH), (3, "", F.ITEM_LIST_ROW_LENGTH)]


def test_reading_ends_where_there_are_too_many_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ITEM_PROBLEMS_MAX", 3)
    found = read_csv(csv_bytes(*(row._replace(task_type="x") for row in list_rows(9))))
    assert not found.read_whole
    assert len(found.problems) == 4


def test_more_rows_than_the_bound_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ITEM_ROWS_MAX", 2)
    assert read_csv(csv_bytes(*list_rows(2))).problems == ()
    assert told(csv_bytes(*list_rows(3))) == [(4, "", F.ITEM_LIST_FILE_SIZE)]


def test_a_refusal_of_a_whole_file_names_places_and_no_content() -> None:
    rows = [list_row(n, task_type="x") for n in range(1, 301)]
    with pytest.raises(Fault) as raised:
        require_none(read_csv(csv_bytes(*rows)).problems)
    assert raised.value.detail.startswith("line 2, task_type: ")
    assert raised.value.detail.endswith("(and 299 more)")
    assert len(raised.value.errors) == 100
    assert raised.value.errors[0][0] == "/2/task_type"


def test_progress_is_told_every_thousand_rows() -> None:
    seen: list[int] = []
    read_csv(csv_bytes(*list_rows(2_001)), progress=seen.append)
    assert seen == [1_000, 2_000]


# --- columns ------------------------------------------------------------------------------------
def with_columns(*columns: str) -> bytes:
    cells = dict(zip(COLUMNS, ROW, strict=True))
    row = [cells.get(name.strip().lower(), "x") for name in columns]
    return "\n".join(csv_lines([row], columns)).encode()


def test_every_missing_column_is_named() -> None:
    gone = ("catalog_code", "promise_day", "is_fee")
    raw = with_columns(*(name for name in COLUMNS if name not in gone))
    assert told(raw) == [(1, name, F.ITEM_LIST_COLUMN_MISSING) for name in gone]


def test_columns_may_stand_in_any_order_and_in_capitals() -> None:
    found = read_csv(with_columns(*(f" {name.upper()}" for name in reversed(COLUMNS))))
    assert found.rows == (ROW,)


def test_the_cross_region_columns_may_be_left_out() -> None:
    found = read_csv(with_columns(*COLUMNS[:-2]))
    assert found.rows == (ROW._replace(handle_area="", result_type=""),)


def test_a_column_of_the_platforms_own_is_refused_unless_it_is_named_to_be_ignored() -> None:
    raw = with_columns("ROW_GUID", *COLUMNS)
    assert told(raw) == [(1, "row_guid", F.ITEM_LIST_COLUMN_UNKNOWN)]
    assert read_csv(raw, ignored=["Row_Guid"]).rows == (ROW,)


def test_a_column_of_the_list_cannot_be_ignored() -> None:
    assert read_csv(with_columns(*COLUMNS), ignored=["task_name"]).rows == (ROW,)


def test_a_file_parted_by_tabs_is_told_as_such() -> None:
    [problem] = read_csv("\t".join(COLUMNS).encode()).problems
    assert problem.rule is F.ITEM_LIST_NOT_CSV
    assert "tabs" in problem.detail


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n"])
def test_a_file_without_a_first_line_misses_every_needed_column(raw: bytes) -> None:
    assert {rule for _, _, rule in told(raw)} == {F.ITEM_LIST_COLUMN_MISSING}


@pytest.mark.parametrize("raw", [csv_bytes(), csv_bytes() + b",,\r\n \r\n"])
def test_a_file_without_rows_is_refused(raw: bytes) -> None:
    assert told(raw) == [(0, "", F.ITEM_LIST_EMPTY)]


@pytest.mark.parametrize("quote", ['"', ""])
def test_a_broken_quote_is_told_by_the_line_its_row_begins_on(quote: str) -> None:
    rows = [list_row(n, accept_condition="一\n二") for n in (1, 2, 3)]
    broken = csv_bytes(*rows).replace('（示例2）"'.encode(), f"（示例2）{quote}x".encode())
    found = read_csv(broken)
    assert [(p.line, p.rule) for p in found.problems] == [(4, F.ITEM_LIST_NOT_CSV)]
    assert not found.read_whole


# --- encodings ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", decoding.UTF_8),
        ("utf-8-sig", decoding.UTF_8_BOM),
        ("gb18030", decoding.GB18030),
    ],
)
def test_the_encoding_is_found_and_said(encoding: str, said: str) -> None:
    row = ROW._replace(task_name="㛃𬭊公司分公司设立登记")  # two characters that GBK has not
    found = read_csv(csv_bytes(row, encoding=encoding))
    assert found.encoding == said
    assert found.rows == (row,)


def test_ascii_alone_is_utf_8() -> None:
    row = ROW._replace(**dict.fromkeys(("task_name", "dept_name", "promise_day_type"), "x"))
    row = row._replace(accept_condition="x", handle_area="x", result_type="x")
    assert read_csv(csv_bytes(row)).encoding == decoding.UTF_8


def test_damaged_utf_8_is_not_read_as_gb18030() -> None:
    raw = csv_bytes(*list_rows(3))
    at = raw.index("示例3".encode())
    damaged = raw[: at + 1] + raw[at + 2 :]
    [problem] = read_csv(damaged).problems
    assert problem.rule is F.ITEM_LIST_ENCODING
    assert "damaged on line 4" in problem.detail


def test_a_marked_file_that_is_not_utf_8_is_refused() -> None:
    raw = b"\xef\xbb\xbf" + csv_bytes(ROW, encoding="gb18030")
    assert told(raw) == [(0, "", F.ITEM_LIST_ENCODING)]


def test_utf_16_is_named() -> None:
    [problem] = read_csv(csv_bytes(ROW, encoding="utf-16")).problems
    assert (problem.rule, problem.detail) == (F.ITEM_LIST_ENCODING, "it is UTF-16")


def test_bytes_that_are_no_text_are_refused() -> None:
    assert told(b"\xff" * 100) == [(0, "", F.ITEM_LIST_ENCODING)]


def test_a_file_over_the_bound_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoding, "ITEM_FILE_BYTES_MAX", 10)
    assert told(b"\xff" * 11) == [(0, "", F.ITEM_LIST_FILE_SIZE)]


# --- there and back -----------------------------------------------------------------------------
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_what_is_written_reads_back_as_it_was(encoding: str) -> None:
    rows = [
        *list_rows(2_500),
        list_row(3_000, accept_condition='他说"可以",\r\n换行, 逗号\n', task_name="㛃𬭊 a'b"),
    ]
    rows[-1] = rows[-1]._replace(accept_condition=rows[-1].accept_condition.strip())
    raw = "".join(write_csv(rows)).encode(encoding)
    assert read_csv(raw).rows == tuple(rows)
