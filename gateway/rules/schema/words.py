"""Schemas of the words that say how a case is handled, beside its item's form. Closed lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.kernel.limits import (
    ITEM_CELL_CHARS_MAX,
    ITEM_PART_ROWS_MAX,
    ITEM_PARTS_MAX,
    ITEM_ROWS_MAX,
)

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

GRADES: Final = (
    "very_satisfied",  # 非常满意
    "satisfied",  # 满意
    "basically_satisfied",  # 基本满意
    "dissatisfied",  # 不满意
    "very_dissatisfied",  # 非常不满意
)
"""The five grades of a review (好差评), best first."""
IDENTITY_METHODS: Final = (
    "in_person_id_card",  # 现场核验身份证件
    "e_id",  # 电子身份凭证
    "face_comparison",  # 人脸比对
    "real_name_account",  # 实名账号
    "agent",  # 由受托人代为办理
)
"""How an applicant's identity was verified (身份核验)."""
RETENTION_YEARS_MAX: Final = 100


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


def digest() -> Schema:
    """Return the schema of a SHA-256 digest in lower-case hex, as views show header digests."""
    return {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def archived() -> Schema:
    """Return the body of `archived` (归档): who keeps which original, for how many years.

    `retention` is a number of years or `permanent` (永久).
    """
    holder = closed({"region": {"type": "string", "format": "region"}, "unit": text(64)}, {})
    years = {"type": "integer", "minimum": 1, "maximum": RETENTION_YEARS_MAX}
    material = closed(
        {
            "code": text(16),
            "holder": holder,
            "kept_as": {"enum": ["original", "copy"]},
            "retention": {"oneOf": [years, {"const": "permanent"}]},
        },
        {"archive_number": text(64)},  # 档号
    )
    kept = {"type": "array", "minItems": 1, "maxItems": 100, "items": material}
    return closed(
        {"archived_on": date(), "materials": kept}, {"note_zh": text(2_000), "decision": digest()}
    )


def reviewed() -> Schema:
    """Return the body of `reviewed` (评价); `service` has the review platform's field names."""
    service = closed(
        {
            "taskCode": text(64),
            "taskName": text(200),
            "projectNo": text(64, 0),
            "proStatus": text(32),
            "orgcode": text(64, 0),
            "serviceName": text(100),
            "serviceNumber": {"type": "integer", "minimum": 1, "maximum": 9_999},
            "areaCode": {"type": "string", "format": "region"},
        },
        {
            "acceptDate": date(),
            "resultDate": date(),
            "serviceTime": {"type": "string", "format": "date-time"},
        },
    )
    return closed(
        {"grade": {"enum": list(GRADES)}, "service": service},
        {"comment_zh": text(2_000), "decision": digest()},
    )


def identity() -> Schema:
    """Return how and by whom an applicant's identity was verified.

    `staff` is a pseudonym within the unit, as in the header; never a name.
    """
    return closed(
        {
            "method": {"enum": list(IDENTITY_METHODS)},
            "verified_by": {"type": "string", "format": "uscc"},
            "staff": text(64),
            "verified_at": {"type": "string", "format": "date-time"},
        },
        {},
    )


def authorisation() -> Schema:
    """Return what an applicant authorised an agent to do (帮办代办).

    `material_code` is that of the document (委托书) among the submission's materials.
    """
    return closed(
        {
            "agent_name": text(100),
            "agent_id": {"type": "string", "format": "citizen-id"},
            "material_code": text(16),
            "scope_zh": text(500),
            "valid_until": date(),
        },
        {},
    )


def list_part() -> Schema:
    """Return what a part of a change of an item list (事项清单变更) holds.

    Which columns there are, and what each cell may hold, say the rules of item lists.
    """
    cell = {"type": "string", "maxLength": ITEM_CELL_CHARS_MAX}
    cells = {"type": "array", "minItems": 1, "maxItems": 64, "items": cell}
    rows = {"type": "array", "maxItems": ITEM_PART_ROWS_MAX, "items": cells}
    code = {"type": "string", "pattern": "^[0-9A-Z]{1,40}$"}
    return closed(
        {
            "region": {"type": "string", "pattern": "^[0-9]{6}$"},
            "edition": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
            "digest": digest(),
            "rows": {"type": "integer", "minimum": 0, "maximum": ITEM_ROWS_MAX},
            "part": {"type": "integer", "minimum": 1, "maximum": ITEM_PARTS_MAX},
            "last": {"type": "boolean"},
            "columns": cells,
            "added": rows,
            "changed": rows,
            "removed": {"type": "array", "maxItems": ITEM_PART_ROWS_MAX, "items": code},
        },
        {"previous": digest()},
    )
