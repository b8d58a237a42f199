"""Schemas of the words that say how a case is handled, beside its item's form. Closed lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Schema = dict[str, Any]

PROCEDURES: Final = (
    "hearing",  # 听证
    "tender",  # 招标
    "auction",  # 拍卖
    "inspection",  # 检验
    "testing",  # 检测
    "quarantine",  # 检疫
    "appraisal",  # 鉴定
    "expert_review",  # 专家评审
)
"""Special procedures (特别程序) whose time is outside the limit: 行政许可法 article 45."""


def text(chars_max: int, chars_min: int = 1) -> Schema:
    """Return the schema of a text."""
    return {"type": "string", "minLength": chars_min, "maxLength": chars_max}


def closed(required: Mapping[str, Schema], optional: Mapping[str, Schema]) -> Schema:
    """Return the schema of an object that has these members and no others."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
        "additionalProperties": False,
    }


def date() -> Schema:
    """Return the schema of a civil date, as `2021-05-27`."""
    return {"type": "string", "format": "date"}


def suspended() -> Schema:
    """Return the body of `clock_suspended`: a special procedure begins."""
    return closed(
        {"procedure": {"enum": list(PROCEDURES)}, "reason_zh": text(2_000)},
        {"reason_en": text(2_000), "expected_end_on": date()},
    )


def resumed() -> Schema:
    """Return the body of `clock_resumed`: the special procedure is over."""
    return closed({}, {"findings_zh": text(2_000)})
