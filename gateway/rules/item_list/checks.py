"""What each column may hold.

Checked against a code list: the type of power and the level of exercise. Of the other coded
columns (state, project type, handling type, kind of days, fees) only the shape is checked: their
lists differ from platform to platform and no common one was read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Final

from stdnum.cn import uscc

from gateway.kernel.faults import FaultCode as F
from gateway.kernel.limits import ITEM_CELL_CHARS_MAX, ITEM_NAME_CHARS_MAX
from gateway.rules.item_list.problems import WrongCell
from gateway.rules.item_list.rows import HANDLE_DIGITS, ItemRow

TYPES: Final[Mapping[str, str]] = {
    "01": "行政许可",
    "02": "行政处罚",
    "03": "行政强制",
    "04": "行政征收",
    "05": "行政给付",
    "06": "行政检查",
    "07": "行政确认",
    "08": "行政奖励",
    "09": "行政裁决",
    "10": "其他行政权力",
    "20": "公共服务",
}
LEVELS: Final[Mapping[str, str]] = {"1": "国家", "2": "省", "3": "市", "4": "县", "5": "乡"}

_BASIC: Final = re.compile(r"[0-9]{11}[0-9Y]", re.ASCII)  # 00Y at the end: a main item
_TASK: Final = re.compile(r"([0-9A-Z]{18})([1-5])([0-9]{11}[0-9Y])", re.ASCII)
_LOCAL: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}", re.ASCII)
_SHORT: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z,;|_-]{0,31}", re.ASCII)
_ROUNDED: Final = re.compile(r"[0-9]\.?[0-9]*[Ee]\+?[0-9]+", re.ASCII)
_DATE: Final = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})-([0-9]{2})|/([0-9]{1,2})/([0-9]{1,2})|([0-9]{2})([0-9]{2}))"
    r"(?:[ T]00:00(?::00)?(?:\.0+)?)?",
    re.ASCII,
)
_NUMBER: Final = re.compile(r"[0-9]{1,6}", re.ASCII)
_DAYS_MAX: Final = 9_999
_SHORT_TEXT_CHARS_MAX: Final = 200

Check = Callable[[str], str]
"""Takes a cell that is not empty, returns it as it is kept, raises `WrongCell`."""


@lru_cache(maxsize=4_096)  # a list names few authorities, each in thousands of rows
def _is_uscc(text: str) -> bool:
    # `validate` forgives spaces, hyphens and lower case; a code at rest has none.
    return len(text) == 18 and text == uscc.compact(text) and uscc.is_valid(text)


def _code(form: re.Pattern[str], what: str) -> Check:
    def check(text: str) -> str:
        if form.fullmatch(text) is None:
            raise WrongCell(F.ITEM_LIST_CODE_INVALID, f"is not {what}{_hint(text)}")
        return text

    return check


def _hint(text: str) -> str:
    return "; a spreadsheet has rounded it to a number" if _ROUNDED.fullmatch(text) else ""


def _authority(text: str) -> str:
    if not _is_uscc(text):
        raise WrongCell(
            F.ITEM_LIST_CODE_INVALID, f"is not an 18-character credit code{_hint(text)}"
        )
    return text


def _task_code(text: str) -> str:
    found = _TASK.fullmatch(text)
    if found is None:
        told = f"is not 18 + level + basic code, 31 characters{_hint(text)}"
        raise WrongCell(F.ITEM_LIST_CODE_INVALID, told)
    if not _is_uscc(found[1]):
        raise WrongCell(F.ITEM_LIST_CODE_INVALID, "the authority's credit code is wrong")
    return text


def _listed(known: Mapping[str, str]) -> Check:
    told = f"is none of {', '.join(known)}"

    def check(text: str) -> str:
        if text not in known:
            raise WrongCell(F.ITEM_LIST_VALUE_UNKNOWN, told)
        return text

    return check


def _short(text: str) -> str:
    if _SHORT.fullmatch(text) is None:
        told = "is no code of up to 32 letters, digits, commas and hyphens"
        raise WrongCell(F.ITEM_LIST_VALUE_UNKNOWN, told)
    return text


def _text(chars_max: int, *, lines: bool = False) -> Check:
    def check(text: str) -> str:
        if len(text) > chars_max:
            told = f"has {len(text)} characters, more than {chars_max}"
            raise WrongCell(F.ITEM_LIST_CELL_SIZE, told)
        if not lines and ("\n" in text or "\r" in text):
            raise WrongCell(F.ITEM_LIST_CELL_CHARACTER, "has a line break")
        return text

    return check


def _number(least: int, most: int) -> Check:
    def check(text: str) -> str:
        if _NUMBER.fullmatch(text) is None or not least <= int(text) <= most:
            told = f"is not a whole number from {least} to {most}"
            raise WrongCell(F.ITEM_LIST_VALUE_INVALID, told)
        return str(int(text))

    return check


def _date(text: str) -> str:
    found = _DATE.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        year, month, day = (int(part) for part in found.groups() if part)
        return date(year, month, day).isoformat()
    except ValueError:
        raise WrongCell(F.ITEM_LIST_VALUE_INVALID, "is not a date as 2021-05-27") from None


CHECKS: Final[Mapping[str, Check]] = {
    "catalog_code": _code(_BASIC, "a basic code of 12 characters"),
    "task_code": _task_code,
    "task_handle_item": _code(
        re.compile(_TASK.pattern + f"[0-9]{{{HANDLE_DIGITS}}}", re.ASCII),
        "the implementation code and two digits",
    ),
    "local_catalog_code": _code(_LOCAL, "a code of up to 64 letters, digits and hyphens"),
    "local_task_code": _code(_LOCAL, "a code of up to 64 letters, digits and hyphens"),
    "task_name": _text(ITEM_NAME_CHARS_MAX),
    "task_type": _listed(TYPES),
    "task_version": _number(1, 999_999),
    "task_state": _short,
    "use_level": _listed(LEVELS),
    "dept_name": _text(_SHORT_TEXT_CHARS_MAX),
    "dept_code": _authority,
    "project_type": _short,
    "handle_type": _short,
    "accept_condition": _text(ITEM_CELL_CHARS_MAX, lines=True),
    "anticipate_day": _number(0, _DAYS_MAX),
    "promise_day": _number(0, _DAYS_MAX),
    "promise_day_type": _text(_SHORT_TEXT_CHARS_MAX),
    "special_procedure": _text(ITEM_CELL_CHARS_MAX, lines=True),
    "is_fee": _short,
    "plan_effective_date": _date,
    "plan_cancel_date": _date,
    "handle_area": _text(_SHORT_TEXT_CHARS_MAX),
    "result_type": _text(_SHORT_TEXT_CHARS_MAX),
}
NEEDED: Final = frozenset(
    {
        "catalog_code",
        "task_code",
        "task_name",
        "task_type",
        "task_version",
        "task_state",
        "use_level",
        "dept_name",
        "dept_code",
    }
)
"""Columns whose cells may not be empty."""


def contradictions(row: ItemRow) -> Iterator[tuple[str, str]]:
    """Yield (column, what it contradicts) of a row whose cells are right one by one."""
    if row.task_code[19:] != row.catalog_code:
        yield "task_code", "does not end with catalog_code"
    if row.task_code[18] != row.use_level:
        yield "use_level", "is not the level in task_code"
    if row.task_code[:18] != row.dept_code:
        yield "dept_code", "is not the authority in task_code"
    if row.task_handle_item and row.task_handle_item[:-HANDLE_DIGITS] != row.task_code:
        yield "task_handle_item", "does not begin with task_code"
    if row.plan_cancel_date and row.plan_cancel_date < row.plan_effective_date:
        yield "plan_cancel_date", "lies before plan_effective_date"
