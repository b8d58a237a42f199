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

GRADES: Final = (
    "very_satisfied",  # 非常满意
    "satisfied",  # 满意
    "basically_satisfied",  # 基本满意
    "dissatisfied",  # 不满意
    "very_dissatisfied",  # 非常不满意
)
"""The five grades of a review (好差评), best first."""
REVIEW_OUTCOMES: Final = (
    "rectified",  # 已整改
    "explained",  # 已解释说明
    "unfounded",  # 经核实不属实
)
"""What came of a review. The gateway's own words: platforms differ."""
IDENTITY_METHODS: Final = (
    "in_person_id_card",  # 现场核验身份证件
    "e_id",  # 电子身份凭证
    "face_comparison",  # 人脸比对
    "real_name_account",  # 实名账号
    "agent",  # 由受托人代为办理
)
"""How an applicant's identity was verified (身份核验)."""
RETENTION_YEARS_MAX: Final = 100
POINTER: Final = "^(/[A-Za-z][A-Za-z0-9_]{0,63}){1,8}$"
"""A JSON pointer through objects only, as agreements list what may be passed on."""


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


def joint_task() -> Schema:
    """Return the body of `joint_task` (协办任务): of which case, what is asked, what is passed on.

    `form` is the part of the application's form that `form_fields` lead to, and nothing else.
    """
    parent = closed(
        {
            "origin": {"type": "string", "format": "region"},
            "case_id": {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
            "submission": digest(),
            "agreement": digest(),
        },
        {"handling_number": text(64)},
    )
    pointer = {"type": "string", "pattern": POINTER}
    return {
        **closed(
            {
                "parent": parent,
                "asked": closed({"zh": text(2_000)}, {"en": text(2_000)}),
                "due_on": {"oneOf": [date(), {"const": "calendar_missing"}]},
                "answer_days": {"type": "integer", "minimum": 0, "maximum": 366},
            },
            {
                "form_fields": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 100,
                    "uniqueItems": True,
                    "items": pointer,
                },
                "form": {"type": "object"},
            },
        ),
        "dependentRequired": {"form": ["form_fields"], "form_fields": ["form"]},
    }


def joint_answer() -> Schema:
    """Return the body of `joint_answer` (协办答复): a verdict, with grounds where it is no."""
    certificate = closed({"name_zh": text(100), "number": text(64), "issued_on": date()}, {})
    return {
        **closed(
            {"verdict": {"enum": ["agree", "disagree"]}},
            {
                "grounds_zh": text(2_000),
                "findings_zh": text(4_000),
                "handling_number": text(64),
                "certificate": certificate,  # what was issued on it, as a 户口迁移证
            },
        ),
        "if": {"properties": {"verdict": {"const": "disagree"}}},
        "then": {"required": ["grounds_zh"], "properties": {"certificate": False}},
    }


def joint_answers() -> Schema:
    """Return what a decision in a joint case says of the answers it rests on."""
    answered = closed(
        {
            "region": {"type": "string", "format": "region"},
            "verdict": {"enum": ["agree", "disagree"]},
            "answer": digest(),
        },
        {},
    )
    silent = closed(
        {
            "region": {"type": "string", "format": "region"},
            "verdict": {"const": "silent"},
            "due_on": date(),
        },
        {},
    )
    return {"type": "array", "maxItems": 100, "items": {"oneOf": [answered, silent]}}


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
    """Return the body of `reviewed`: a review (评价), or the deciding side's answer (整改反馈).

    `service` has the review platform's field names. `answers` is the header digest of a review.
    """
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
    review = closed(
        {"grade": {"enum": list(GRADES)}, "service": service},
        {"comment_zh": text(2_000), "decision": digest()},
    )
    answer = closed(
        {
            "answers": digest(),
            "outcome": {"enum": list(REVIEW_OUTCOMES)},
            "measures_zh": text(2_000),
        },
        {"measures_en": text(2_000), "decision": digest()},
    )
    return {"if": {"required": ["answers"]}, "then": answer, "else": review}


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
