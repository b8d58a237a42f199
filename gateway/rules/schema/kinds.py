"""What the body of each kind of message holds: our own words around the item's form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn

from jsonschema_rs import Draft202012Validator

from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import AGREEMENT_BYTES_MAX
from gateway.rules.schema import words
from gateway.rules.schema.forms import FormSchemas, compile_schema, require_valid
from gateway.rules.schema.words import Schema as _Schema
from gateway.rules.schema.words import closed as _closed
from gateway.rules.schema.words import text as _text

BUSINESS_LICENCE: Final = "11100000MB0143028R001"
"""Type code of the business licence (营业执照), whose face the gateway knows."""
_NAMED: Final[Mapping[str, _Schema]] = {
    "licence_type": {"type": "string", "pattern": "^[0-9A-Z]{21}$"},
    "licence_id": {"type": "string", "format": "licence-id"},  # 电子证照标识
}


def _business_licence() -> _Schema:
    """Return a business licence: its face under its interface names, beside type and id."""
    date = {"type": "string", "format": "date"}
    return _closed(
        {
            **_NAMED,
            "uniscid": {"type": "string", "format": "uscc"},  # 统一社会信用代码
            "entname": _text(200),  # 名称
            "enttypeCn": _text(100),  # 类型
            "name": _text(100),  # 法定代表人, or 负责人 of a branch
            "opscope": _text(4_000),  # 经营范围
            "dom": _text(300),  # 住所 or 营业场所
            "estdate": date,  # 成立日期
            "opfrom": date,  # 营业期限自
            "regorgCn": _text(100),  # 登记机关
            "apprdate": date,  # 发照日期
        },
        {
            "opto": date,  # 营业期限至; absent: no end
            "regcap": {"type": "number", "minimum": 0},  # 注册资本, in 10,000; never on a branch
            "regcapcurCn": _text(20),
        },
    )


def _licence() -> _Schema:
    """Return a licence: a business licence, or another with its `face` as its item describes it."""
    return {
        "type": "object",
        "if": {"required": ["face"]},
        "then": _closed({**_NAMED, "face": {"type": "object"}}, {}),
        "else": _business_licence(),
    }


def _instant() -> _Schema:
    """Return what a decision by rule (秒批) names: rule, version, its document, its inputs."""
    digest = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    pointer = {"type": "string", "pattern": "^(/[A-Za-z0-9_.~-]{1,64}){1,8}$"}
    return _closed(
        {
            "rule": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,47}$"},
            "version": {"type": "string", "pattern": "^[0-9A-Za-z.-]{1,16}$"},
            "document": digest,
            "inputs": {
                "type": "array",
                "minItems": 1,
                "maxItems": 100,
                "uniqueItems": True,
                "items": pointer,
            },
            "inputs_digest": digest,
        },
        {"text_en": _text(2_000)},
    )


def _decided() -> _Schema:
    return {
        **_closed(
            {"result": {"enum": ["approved", "refused"]}},
            {
                "decision_number": _text(64),
                "reason_zh": _text(2_000),
                "licence": _licence(),
                "answer_zh": _text(4_000),  # what was asked for, where no licence is issued
                "instant": _instant(),
                "joint": words.joint_answers(),  # in a joint case, the answers it rests on
                "corrects": words.digest(),  # the decision whose place this one takes (更正)
                "correction_reason_zh": _text(2_000),
            },
        ),
        "dependentRequired": {
            "corrects": ["correction_reason_zh"],
            "correction_reason_zh": ["corrects"],
        },
        "if": {"properties": {"result": {"const": "approved"}}},
        "then": {"oneOf": [{"required": ["licence"]}, {"required": ["answer_zh"]}]},
        # A refusal states its reasons: 行政许可法 article 38.
        "else": {
            "required": ["reason_zh"],
            # A rule only ever approves: what it does not cover falls to a person.
            "properties": {"licence": False, "answer_zh": False, "instant": False},
        },
    }


def _schemas() -> dict[Kind, _Schema]:
    number, date = _text(64), {"type": "string", "format": "date"}
    material = _closed({"code": _text(16), "reason": _text(500)}, {})
    act = {"type": "string", "maxLength": 16_000, "pattern": "^[A-Za-z0-9+/]+={0,2}$"}
    address = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    wanted = {"type": "array", "minItems": 1, "maxItems": 100, "items": material}
    return {
        Kind.SUBMITTED: {
            **_closed(
                {"applicant_number": _text(64, 0), "form": {"type": "object"}},
                {"identity": words.identity(), "authorisation": words.authorisation()},
            ),
            "dependentRequired": {"authorisation": ["identity"]},
        },
        Kind.ACKNOWLEDGED: _closed({}, {"handling_number": number}),
        Kind.MATERIALS_REQUESTED: _closed(
            {"notice": _closed({"zh": _text(2_000)}, {"en": _text(2_000)}), "materials": wanted}, {}
        ),
        Kind.MATERIALS_SUPPLIED: _closed({}, {"form": {"type": "object"}, "note": _text(2_000)}),
        Kind.ACCEPTED: _closed(
            {"accepted_on": date},
            {
                "promised_days": {"type": "integer", "minimum": 0, "maximum": 366},
                "handling_number": number,
            },
        ),
        Kind.NOT_ACCEPTED: _closed(
            {"reason_code": _text(64), "reason_zh": _text(2_000)}, {"reason_en": _text(2_000)}
        ),
        Kind.CLOCK_SUSPENDED: words.suspended(),
        Kind.CLOCK_RESUMED: words.resumed(),
        Kind.DECIDED: _decided(),
        Kind.WITHDRAWN: _closed({}, {"reason_zh": _text(2_000)}),
        Kind.DELIVERED: _closed(
            {"method": {"enum": ["window", "post", "online"]}, "delivered_on": date},
            {"recipient_role": _text(64), "decision": words.digest()},
        ),
        Kind.AGREEMENT_PROPOSED: _closed({"content": _text(AGREEMENT_BYTES_MAX), "act": act}, {}),
        Kind.AGREEMENT_ACCEPTED: _closed({"agreement": address, "act": act}, {}),
        Kind.AGREEMENT_REJECTED: _closed({"agreement": address, "act": act}, {}),
        Kind.AGREEMENT_REVOKED: _closed({"agreement": address, "act": act}, {}),
        Kind.CATALOGUE_CHANGED: words.list_part(),
        Kind.KEY_ANNOUNCED: _closed(
            {"use": {"enum": ["signing", "transport"]}, "certificate": _text(65_536)}, {}
        ),
        Kind.ARCHIVED: words.archived(),
        Kind.REVIEWED: words.reviewed(),
        Kind.JOINT_TASK: words.joint_task(),
        Kind.JOINT_ANSWER: words.joint_answer(),
        Kind.PING: _closed({}, {}),
    }


_VALIDATORS: Final[Mapping[Kind, Draft202012Validator]] = {
    kind: compile_schema(schema) for kind, schema in _schemas().items()
}


def body_schema(kind: Kind) -> Mapping[str, object]:
    """Return the JSON Schema of a kind's body, in which the item's form is any object.

    Raises:
        KeyError: bodies of the kind are not served.
    """
    return _schemas()[kind]


def require_body(
    kind: Kind, document: object, *, item_schema: bytes | None, schemas: FormSchemas
) -> None:
    """Check a message's parsed form: our words by its kind, the item's form by `item_schema`.

    `item_schema` is the digest of the item version's schema; a submission needs it. Whether the
    case may take the message, and its attachments, are *not* checked.

    Raises:
        Fault: `case.kind_not_served`, `schema.form_invalid`; `gateway.internal` if a submission
            comes without a schema or the schema was not loaded.
    """
    validator = _VALIDATORS.get(kind)
    if validator is None:
        raise Fault(FaultCode.CASE_KIND_NOT_SERVED, kind.name.lower())
    require_valid(validator, document)
    assert isinstance(document, dict)
    if kind is Kind.SUBMITTED and item_schema is None:
        raise Fault(FaultCode.INTERNAL, "a submission without a schema")
    if item_schema is not None and "form" in document:
        schemas.require(item_schema, document["form"], under="/form")
    if kind is Kind.DECIDED and "licence" in document:
        _require_own_type(document["licence"])


def _require_own_type(licence: Mapping[str, str]) -> None:
    if f".{licence['licence_type']}." not in licence["licence_id"]:
        _refuse("/licence/licence_id", "is not an id of this licence_type")


def require_licence(
    document: object, licence_type: str, face_schema: bytes, schemas: FormSchemas
) -> None:
    """Check that an approval brings the licence that its item issues, with the face it describes.

    `document` is a valid body of a decision, `licence_type` that of the item, empty if it issues
    none; `face_schema` is the digest of the face's schema, empty for a business licence.

    Raises:
        Fault: `schema.form_invalid`; `gateway.internal` if the schema was not loaded.
    """
    decided = document if isinstance(document, dict) else {}
    if decided.get("result") != "approved":
        return
    licence = decided.get("licence", {})
    if licence.get("licence_type", "") != licence_type:
        _refuse("/licence/licence_type", "is not what the item issues")
    if face_schema and "face" not in licence:
        _refuse("/licence", "lacks face")
    if face_schema:
        schemas.require(face_schema, licence["face"], under="/licence/face")
    elif "face" in licence:
        _refuse("/licence/face", "is described by no schema of the item")


def _refuse(pointer: str, message: str) -> NoReturn:
    raise Fault(FaultCode.SCHEMA_FORM_INVALID, f"{pointer} {message}", errors=((pointer, message),))


def require_holders(document: object, parties: frozenset[str]) -> None:
    """Check that an archive's list names gateways of `parties` as holders. It is a valid body.

    Raises:
        Fault: `schema.form_invalid`.
    """
    kept = document.get("materials", ()) if isinstance(document, dict) else ()
    wrong = tuple(
        (f"/materials/{at}/holder/region", "is not a party of this case")
        for at, material in enumerate(kept)
        if material["holder"]["region"] not in parties
    )
    if wrong:
        raise Fault(FaultCode.SCHEMA_FORM_INVALID, " ".join(wrong[0]), errors=wrong)
