"""Rows of an invented item list (示例), as many as wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gateway.kernel.faults import Fault
from gateway.kernel.limits import HTTP_ERRORS_MAX
from gateway.rules.item_list.problems import Problem
from gateway.rules.item_list.rows import COLUMNS, ItemRow

AUTHORITY = "11620900MB00000000"
OTHER_AUTHORITY = "11620200MB0000000U"
_SUBJECTS = (
    *("内资企业", "个体工商户", "农民专业合作社", "道路运输经营", "食品经营", "药品零售"),
    *("户口", "社会保障卡", "住房公积金", "不动产", "执业药师", "养老保险", "出版物零售"),
)
_ACTS = ("设立", "变更", "注销", "补领", "换发", "迁移", "转移接续", "抵押", "年度报告", "延续")
_ENDS = ("登记", "许可", "备案", "证明开具", "审核", "登记（县级）", "信息查询", "资格认定")
_OFFICES = ("市场监督管理局", "公安局", "人力资源和社会保障局", "自然资源局", "交通运输局")


def list_row(number: int = 1, authority: str = AUTHORITY, **changes: str) -> ItemRow:
    """Return the row of an invented item; `changes` replace cells as they are."""
    catalog_code = f"{number:012d}"
    act = number // len(_SUBJECTS)
    name = (
        _SUBJECTS[number % len(_SUBJECTS)]
        + _ACTS[act % len(_ACTS)]
        + _ENDS[act // len(_ACTS) % len(_ENDS)]
    )
    row = ItemRow(
        catalog_code=catalog_code,
        task_code=f"{authority}3{catalog_code}",
        task_handle_item="",
        local_catalog_code="",
        local_task_code=f"SL-{number}",
        task_name=f"{name}（示例{number}）",
        task_type="01",
        task_version="1",
        task_state="1",
        use_level="3",
        dept_name=f"示例市{_OFFICES[number % len(_OFFICES)]}",
        dept_code=authority,
        project_type="1",
        handle_type="1,2",
        accept_condition="申请人在本市有住所，材料齐全、符合法定形式。" * (1 + number % 9),
        anticipate_day="20",
        promise_day="5",
        promise_day_type="工作日",
        special_procedure="",
        is_fee="0",
        plan_effective_date="2021-05-27",
        plan_cancel_date="",
        handle_area="全省通办",
        result_type="证照",
    )
    return row._replace(**changes)


def list_rows(count: int, authority: str = AUTHORITY) -> list[ItemRow]:
    """Return rows 1 to `count`."""
    return [list_row(number, authority) for number in range(1, count + 1)]


def csv_lines(rows: Iterable[Sequence[str]], columns: Sequence[str] = COLUMNS) -> Iterator[str]:
    """Write a file by hand, every cell in quotes: what `write_csv` would never write can be."""
    for row in (columns, *rows):
        yield ",".join('"' + cell.replace('"', '""') + '"' for cell in row)


def csv_bytes(*rows: Sequence[str], encoding: str = "utf-8") -> bytes:
    """Return a file of the item list."""
    return "\r\n".join((*csv_lines(rows), "")).encode(encoding)


def require_none(problems: Sequence[Problem]) -> None:
    """Refuse if there is any problem.

    Raises:
        Fault: the first one's rule; `errors` has each place as `/line/column`, bounded.
    """
    if not problems:
        return
    first = problems[0]
    where = f"line {first.line}" + (f", {first.column}" if first.column else "")
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    raise Fault(
        first.rule,
        f"{where}: {first.detail}{more}",
        errors=tuple(
            (f"/{p.line}/{p.column}", f"{p.rule.value}: {p.detail}")
            for p in problems[:HTTP_ERRORS_MAX]
        ),
    )
