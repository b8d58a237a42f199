"""The one table: rule id to level, outcome, gRPC status, HTTP status, texts and retry advice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from gateway.kernel.faults import FaultCode
from gateway.kernel.faults import FaultCode as F
from gateway.wire.fault_texts import CARRIAGE, Texts
from gateway.wire.fault_texts_casework import CASEWORK
from gateway.wire.fault_texts_item_list import ITEM_LIST
from gateway.wire.fault_texts_joint import JOINT
from gateway.wire.fault_texts_mapping import MAPPING
from gateway.wire.fault_texts_onboarding import ONBOARDING
from gateway.wire.fault_texts_operator import OPERATOR
from gateway.wire.fault_texts_partner import PARTNER

Level = Literal["fatal", "warning"]
OutcomeClass = Literal["not_taken_in", "refused", "call", "http", "import"]
"""`call`: status of a whole call; `http`: met by portals only; `import`: by operators' files."""

DETAIL_CHARS_MAX: Final = 300  # a receipt is kept for ever; what is wrong fits a line or two


class Entry(NamedTuple):
    """A row of the table. `grpc_status` is a name of google.rpc.Code; times in ms."""

    level: Level
    outcome_class: OutcomeClass
    grpc_status: str
    http_status: int
    retry: bool
    """The same bytes can meet another answer."""
    retry_after_ms: int
    title_zh: str
    title_en: str
    advice_zh: str
    advice_en: str


class _Way(NamedTuple):
    """How a rule is answered."""

    outcome_class: OutcomeClass
    grpc_status: str
    http_status: int
    retry: bool = False
    retry_after_ms: int = 0
    level: Level = "fatal"


_SECOND, _MINUTE = 1_000, 60_000

_BAD_BYTES = _Way("not_taken_in", "INVALID_ARGUMENT", 400)
_REFUSED = _Way("refused", "FAILED_PRECONDITION", 409)
_REFUSED_FORM = _Way("refused", "INVALID_ARGUMENT", 422)
_REFUSED_RIGHT = _Way("refused", "PERMISSION_DENIED", 403)
_TOO_MUCH = _Way("not_taken_in", "RESOURCE_EXHAUSTED", 413)
_UNPROVEN = _Way("not_taken_in", "UNAUTHENTICATED", 401)
_DOWN = _Way("not_taken_in", "UNAVAILABLE", 503, True, 2 * _SECOND)
_NOT_YET = _Way("not_taken_in", "FAILED_PRECONDITION", 409, True, _MINUTE)
_UPLOAD = _Way("call", "INVALID_ARGUMENT", 422)
_IMPORT = _Way("import", "INVALID_ARGUMENT", 422)

_WAYS: Final[Mapping[FaultCode, _Way]] = {
    F.WIRE_UNPARSEABLE: _BAD_BYTES,
    F.WIRE_NOT_MINIMAL: _BAD_BYTES,
    F.WIRE_UNKNOWN_FIELD: _BAD_BYTES,
    F.WIRE_VERSION_UNSUPPORTED: _Way("refused", "UNIMPLEMENTED", 400),
    F.WIRE_FIELD_INVALID: _Way("refused", "INVALID_ARGUMENT", 400),
    F.WIRE_CRITICAL_UNKNOWN: _Way("refused", "UNIMPLEMENTED", 400),
    F.WIRE_DIGEST_UNSUPPORTED: _Way("not_taken_in", "UNIMPLEMENTED", 400),
    F.WIRE_ATTESTATION_NOT_LOCAL: _BAD_BYTES,
    F.LIMIT_CALL_BYTES: _TOO_MUCH,
    F.LIMIT_ENVELOPE_BYTES: _TOO_MUCH,
    F.LIMIT_ENVELOPES_PER_CALL: _Way("not_taken_in", "INVALID_ARGUMENT", 413),
    F.LIMIT_ATTACHMENTS: _TOO_MUCH,
    F.LIMIT_ATTACHMENT_BYTES: _TOO_MUCH,
    F.LIMIT_QUOTA: _Way("not_taken_in", "RESOURCE_EXHAUSTED", 429, True, _MINUTE),
    F.LIMIT_RATE: _Way("not_taken_in", "RESOURCE_EXHAUSTED", 429, True, _SECOND),
    F.LIMIT_PARTNER_RATE: _Way("not_taken_in", "RESOURCE_EXHAUSTED", 429, True, _SECOND),
    F.LIMIT_OVERLOADED: _Way("not_taken_in", "UNAVAILABLE", 503, True, _SECOND),
    F.TRUST_PEER_UNKNOWN: _Way("not_taken_in", "UNAUTHENTICATED", 401, True, _MINUTE),
    F.TRUST_PARTNER_NOT_ACTIVE: _Way("not_taken_in", "PERMISSION_DENIED", 403, True, _MINUTE),
    F.TRUST_PEER_NOT_SENDER: _Way("not_taken_in", "PERMISSION_DENIED", 403),
    F.TRUST_UNSIGNED: _UNPROVEN,
    F.TRUST_KEY_UNKNOWN: _Way("not_taken_in", "UNAUTHENTICATED", 401, True, _MINUTE),
    F.TRUST_KEY_EXPIRED: _UNPROVEN,
    F.TRUST_KEY_NOT_YET_VALID: _Way("not_taken_in", "UNAUTHENTICATED", 401, True, _MINUTE),
    F.TRUST_SIGNATURE_INVALID: _UNPROVEN,
    F.TRUST_BATCH_INVALID: _UNPROVEN,
    F.TRUST_SUITE_MISMATCH: _UNPROVEN,
    F.TRUST_SUITE_UNKNOWN: _UNPROVEN,
    F.TRUST_SUITE_MISSING: _UNPROVEN,
    F.TRUST_BODY_MISMATCH: _UNPROVEN,
    F.TRUST_ATTESTATION_INVALID: _UNPROVEN,
    F.DELIVERY_WRONG_RECIPIENT: _Way("refused", "INVALID_ARGUMENT", 421),
    F.DELIVERY_ID_REUSED: _Way("refused", "ALREADY_EXISTS", 409),
    F.DELIVERY_ID_TIME: _Way("refused", "INVALID_ARGUMENT", 422),
    F.DELIVERY_EXPIRED: _Way("refused", "DEADLINE_EXCEEDED", 410),
    F.DELIVERY_IN_FUTURE: _Way("refused", "OUT_OF_RANGE", 422),
    F.DELIVERY_LIFE_TOO_LONG: _Way("refused", "OUT_OF_RANGE", 422),
    F.DELIVERY_CHAIN_GAP: _Way("not_taken_in", "FAILED_PRECONDITION", 409, True),
    F.DELIVERY_SEQUENCE_USED: _Way("refused", "ALREADY_EXISTS", 409),
    F.DELIVERY_PREVIOUS_MISMATCH: _REFUSED,
    F.DELIVERY_LAST_SEEN_UNKNOWN: _REFUSED,
    F.DELIVERY_JOURNAL_DOWN: _DOWN,
    F.DELIVERY_SIGNER_DOWN: _DOWN,
    F.DELIVERY_STOPPING: _DOWN,
    F.DELIVERY_NOT_COLLECTED: _Way("call", "FAILED_PRECONDITION", 409),
    F.RECEIPT_NOT_KNOWN: _Way("not_taken_in", "NOT_FOUND", 404, True),
    F.RECEIPT_INVALID: _Way("not_taken_in", "DATA_LOSS", 502, True, _MINUTE),
    F.SCHEMA_JSON_INVALID: _Way("refused", "INVALID_ARGUMENT", 400),
    F.SCHEMA_JSON_DUPLICATE_KEY: _Way("refused", "INVALID_ARGUMENT", 400),
    F.SCHEMA_JSON_NUMBER: _Way("refused", "INVALID_ARGUMENT", 400),
    F.SCHEMA_JSON_DEPTH: _Way("refused", "INVALID_ARGUMENT", 400),
    F.SCHEMA_JSON_ENCODING: _Way("refused", "INVALID_ARGUMENT", 400),
    F.SCHEMA_FORM_INVALID: _REFUSED_FORM,
    F.MAPPING_CODE_UNMAPPED: _REFUSED_FORM,
    F.MAPPING_FIELD_MISSING: _REFUSED_FORM,
    F.MAPPING_VALUE_INVALID: _REFUSED_FORM,
    F.MAPPING_KIND_UNMAPPED: _Way("refused", "UNIMPLEMENTED", 422),
    F.CATALOGUE_ITEM_UNKNOWN: _Way("not_taken_in", "NOT_FOUND", 404, True, _MINUTE),
    F.CATALOGUE_VERSION_UNKNOWN: _Way("not_taken_in", "NOT_FOUND", 404, True, _MINUTE),
    F.CATALOGUE_VERSION_SUPERSEDED: _REFUSED,
    F.CATALOGUE_VERSION_NOT_YET: _REFUSED,
    F.CATALOGUE_MATERIAL_MISSING: _REFUSED_FORM,
    F.CATALOGUE_MATERIAL_UNKNOWN: _REFUSED_FORM,
    F.CATALOGUE_MATERIAL_TYPE: _REFUSED_FORM,
    F.CATALOGUE_LICENCE_UNFIT: _REFUSED_FORM,
    F.CATALOGUE_OUT_OF_SCOPE: _REFUSED_RIGHT,
    F.CATALOGUE_MODE_UNLISTED: _REFUSED_RIGHT,
    F.CATALOGUE_EDITION_GAP: _REFUSED,
    F.CATALOGUE_EDITION_OLD: _REFUSED,
    F.CATALOGUE_EDITION_PENDING: _Way("not_taken_in", "ABORTED", 409, True, _SECOND),
    F.CATALOGUE_LIST_DIFFERS: _REFUSED,
    F.CATALOGUE_LIST_OF_ANOTHER: _REFUSED_RIGHT,
    F.CATALOGUE_PARTS_DIFFER: _REFUSED,
    F.CATALOGUE_ROW_INVALID: _REFUSED_FORM,
    F.ITEM_LIST_FILE_SIZE: _Way("import", "RESOURCE_EXHAUSTED", 413),
    F.ITEM_LIST_ENCODING: _IMPORT,
    F.ITEM_LIST_NOT_CSV: _IMPORT,
    F.ITEM_LIST_COLUMN_MISSING: _IMPORT,
    F.ITEM_LIST_COLUMN_UNKNOWN: _IMPORT,
    F.ITEM_LIST_COLUMN_TWICE: _IMPORT,
    F.ITEM_LIST_EMPTY: _IMPORT,
    F.ITEM_LIST_ROW_LENGTH: _IMPORT,
    F.ITEM_LIST_CELL_SIZE: _IMPORT,
    F.ITEM_LIST_CELL_FORMULA: _IMPORT,
    F.ITEM_LIST_CELL_CHARACTER: _IMPORT,
    F.ITEM_LIST_VALUE_MISSING: _IMPORT,
    F.ITEM_LIST_CODE_INVALID: _IMPORT,
    F.ITEM_LIST_VALUE_UNKNOWN: _IMPORT,
    F.ITEM_LIST_VALUE_INVALID: _IMPORT,
    F.ITEM_LIST_CONTRADICTION: _IMPORT,
    F.ITEM_LIST_CODE_TWICE: _IMPORT,
    F.ITEM_LIST_VERSION_NOT_RAISED: _Way("import", "INVALID_ARGUMENT", 422, level="warning"),
    F.ITEM_LIST_ENDS_MOST: _Way("import", "FAILED_PRECONDITION", 409),
    F.ITEM_LIST_CHANGED_MEANWHILE: _Way("import", "ABORTED", 409, True),
    F.AGREEMENT_UNKNOWN: _NOT_YET,
    F.AGREEMENT_NOT_PARTY: _REFUSED_RIGHT,
    F.AGREEMENT_NOT_ACCEPTED: _REFUSED_RIGHT,
    F.AGREEMENT_REVOKED: _REFUSED_RIGHT,
    F.AGREEMENT_ENDED: _REFUSED_RIGHT,
    F.AGREEMENT_NOT_YET: _REFUSED_RIGHT,
    F.AGREEMENT_ITEM_UNLISTED: _REFUSED_RIGHT,
    F.AGREEMENT_VERSION_UNLISTED: _REFUSED_RIGHT,
    F.AGREEMENT_DIRECTION: _REFUSED_RIGHT,
    F.AGREEMENT_MODE_UNLISTED: _REFUSED_RIGHT,
    F.AGREEMENT_RIGHT_NOT_DELEGATED: _REFUSED_RIGHT,
    F.AGREEMENT_PURPOSE_UNLISTED: _REFUSED_RIGHT,
    F.AGREEMENT_ONWARD_REFUSED: _REFUSED_RIGHT,
    F.AGREEMENT_ONWARD_UNLISTED: _REFUSED_RIGHT,
    F.AGREEMENT_STRENGTH_TOO_WEAK: _REFUSED_RIGHT,
    F.AGREEMENT_SUITES_DIFFER: _REFUSED_RIGHT,
    F.AGREEMENT_CONTENT_INVALID: _REFUSED_FORM,
    F.AGREEMENT_ACT_INVALID: _REFUSED_FORM,
    F.AGREEMENT_ACT_OUT_OF_ORDER: _REFUSED,
    F.CASE_UNKNOWN: _Way("refused", "NOT_FOUND", 404),
    F.CASE_NOT_PARTY: _REFUSED_RIGHT,
    F.CASE_ROLE: _REFUSED_RIGHT,
    F.CASE_STAGE: _REFUSED,
    F.CASE_CLOSED: _REFUSED,
    F.CASE_SUSPENDED: _REFUSED,
    F.CASE_ALREADY_DECIDED: _REFUSED,
    F.CASE_CORRECTION_UNNAMED: _REFUSED,
    F.CASE_DECISION_DIFFERS: _REFUSED,
    F.CASE_INSTANT_DIFFERS: _REFUSED_FORM,
    F.CASE_FROZEN_DIFFERS: _REFUSED,
    F.CASE_KIND_NOT_SERVED: _Way("refused", "UNIMPLEMENTED", 422),
    F.CASE_RIGHT_REQUIRED: _REFUSED_RIGHT,
    F.CASE_IDENTITY_REQUIRED: _REFUSED_FORM,
    F.CASE_AUTHORISATION_MISSING: _REFUSED_FORM,
    F.CASE_AUTHORISATION_ENDED: _REFUSED_FORM,
    F.CASE_JOINT_UNASKED: _REFUSED,
    F.CASE_JOINT_OPEN: _REFUSED,
    F.CASE_JOINT_DISAGREED: _REFUSED,
    F.CASE_JOINT_UNNAMED: _REFUSED_FORM,
    F.CASE_ALREADY_ANSWERED: _REFUSED,
    F.CASE_REVIEW_UNKNOWN: _REFUSED_FORM,
    F.CASE_REVIEW_ANSWERED: _REFUSED,
    F.CASE_REVIEWS_FULL: _REFUSED,
    F.ATTACHMENT_ABSENT: _Way("not_taken_in", "FAILED_PRECONDITION", 409, True),
    F.ATTACHMENT_DIGEST: _UPLOAD,
    F.ATTACHMENT_SIZE: _REFUSED_FORM,
    F.ATTACHMENT_SALT: _REFUSED_FORM,
    F.ATTACHMENT_OFFSET: _Way("call", "OUT_OF_RANGE", 409, True),
    F.ATTACHMENT_NOT_DECLARED: _Way("call", "FAILED_PRECONDITION", 409),
    F.ATTACHMENT_TYPE: _Way("call", "INVALID_ARGUMENT", 415),
    F.ASSISTED_WRONG_CASE: _Way("http", "INVALID_ARGUMENT", 422),
    F.ASSISTED_NOT_HANDED_OVER: _Way("http", "FAILED_PRECONDITION", 409),
    F.ASSISTED_AWAITS_CONFIRMATION: _Way("http", "FAILED_PRECONDITION", 409),
    F.ASSISTED_NOTHING_TYPED: _Way("http", "FAILED_PRECONDITION", 409),
    F.ASSISTED_SAME_PERSON: _Way("http", "PERMISSION_DENIED", 403),
    F.ASSISTED_MISMATCH: _Way("http", "FAILED_PRECONDITION", 409),
    F.PARTNER_ENCODING_INVALID: _Way("not_taken_in", "INVALID_ARGUMENT", 400),
    F.PARTNER_DOCUMENT_UNREADABLE: _Way("not_taken_in", "INVALID_ARGUMENT", 400),
    F.PARTNER_UNSIGNED: _UNPROVEN,
    F.PARTNER_SIGNATURE_INVALID: _UNPROVEN,
    F.PARTNER_CLOCK_SKEW: _UNPROVEN,
    F.PARTNER_NONCE_REPLAYED: _Way("not_taken_in", "ALREADY_EXISTS", 409),
    F.PARTNER_NUMBER_REUSED: _Way("not_taken_in", "ALREADY_EXISTS", 409),
    F.PARTNER_CASE_UNNAMED: _Way("not_taken_in", "NOT_FOUND", 404, True, _MINUTE),
    F.PARTNER_OUT_OF_ORDER: _NOT_YET,
    F.PARTNER_REFUSED: _REFUSED,
    F.PARTNER_ARRIVAL_SETTLED: _Way("http", "FAILED_PRECONDITION", 409),
    F.KEY_ANNOUNCEMENT_INVALID: _REFUSED_FORM,
    F.PARTNER_STATE: _Way("http", "FAILED_PRECONDITION", 409),
    F.PARTNER_NOT_CONFORMANT: _Way("http", "FAILED_PRECONDITION", 409),
    F.PARTNER_ENTRY_TAKEN: _Way("http", "ALREADY_EXISTS", 409),
    F.PARTNER_ENTRY_INVALID: _Way("http", "INVALID_ARGUMENT", 422),
    F.OPERATOR_NOT_FOUND: _Way("http", "NOT_FOUND", 404),
    F.OPERATOR_REQUEST_INVALID: _Way("http", "INVALID_ARGUMENT", 400),
    F.OPERATOR_UNSIGNED: _Way("http", "UNAUTHENTICATED", 401),
    F.OPERATOR_UNKNOWN: _Way("http", "PERMISSION_DENIED", 403),
    F.OPERATOR_SIGNATURE_INVALID: _Way("http", "UNAUTHENTICATED", 401),
    F.OPERATOR_ACT_STALE: _Way("http", "FAILED_PRECONDITION", 409),
    F.OPERATOR_ACT_SETTLED: _Way("http", "FAILED_PRECONDITION", 409),
    F.OPERATOR_ACT_WAITS: _Way("http", "ALREADY_EXISTS", 409),
    F.OPERATOR_SAME_PERSON: _Way("http", "PERMISSION_DENIED", 403),
    F.OPERATOR_NAME_TAKEN: _Way("http", "ALREADY_EXISTS", 409),
    F.OPERATOR_LAST: _Way("http", "FAILED_PRECONDITION", 409),
    F.OPERATOR_TOO_MANY: _Way("http", "RESOURCE_EXHAUSTED", 409),
    F.PORTAL_TOKEN_MISSING: _Way("http", "UNAUTHENTICATED", 401),
    F.PORTAL_TOKEN_INVALID: _Way("http", "UNAUTHENTICATED", 401),
    F.PORTAL_TOKEN_EXPIRED: _Way("http", "UNAUTHENTICATED", 401),
    F.PORTAL_SCOPE_MISSING: _Way("http", "PERMISSION_DENIED", 403),
    F.PORTAL_NOT_FOUND: _Way("http", "NOT_FOUND", 404),
    F.PORTAL_REQUEST_INVALID: _Way("http", "INVALID_ARGUMENT", 400),
    F.PORTAL_METHOD: _Way("http", "UNIMPLEMENTED", 405),
    F.PORTAL_MEDIA_TYPE: _Way("http", "INVALID_ARGUMENT", 415),
    F.PORTAL_TOO_LARGE: _Way("http", "RESOURCE_EXHAUSTED", 413),
    F.PORTAL_TOO_SLOW: _Way("http", "DEADLINE_EXCEEDED", 408, True),
    F.PORTAL_IDEMPOTENCY_REUSED: _Way("http", "ALREADY_EXISTS", 422),
    F.PORTAL_STALE: _Way("http", "ABORTED", 409),
    F.INTERNAL: _Way("not_taken_in", "INTERNAL", 500, True, 5 * _SECOND),
}


def _row(way: _Way, said: Texts) -> Entry:
    return Entry(
        way.level,
        way.outcome_class,
        way.grpc_status,
        way.http_status,
        way.retry,
        way.retry_after_ms,
        *said,
    )


_SAID: Final[Mapping[FaultCode, Texts]] = {
    **CARRIAGE,
    **CASEWORK,
    **ITEM_LIST,
    **JOINT,
    **MAPPING,
    **OPERATOR,
    **ONBOARDING,
    **PARTNER,
}

TABLE: Final[Mapping[FaultCode, Entry]] = {
    code: _row(way, _SAID[code]) for code, way in _WAYS.items()
}
"""Every rule, in the order of `FaultCode`."""


def entry(code: FaultCode) -> Entry:
    """Return the row of a rule."""
    return TABLE[code]


def is_final(code: FaultCode) -> bool:
    """Tell whether an authenticated message that breaks the rule is refused for good.

    False: it is "not taken in", nothing is stored, and the same bytes may come again.
    """
    return TABLE[code].outcome_class == "refused"


def texts(code: FaultCode, detail: str) -> tuple[str, str]:
    """Return what a person reads of a broken rule, in Chinese and English."""
    row = TABLE[code]
    if not detail:
        return row.title_zh, row.title_en
    shown = detail if len(detail) <= DETAIL_CHARS_MAX else detail[: DETAIL_CHARS_MAX - 1] + "…"
    return f"{row.title_zh}：{shown}", f"{row.title_en}: {shown}"


_ANSWERS: Final[Mapping[OutcomeClass, str]] = {
    "not_taken_in": "not taken in 未收存",
    "refused": "refused 拒收",
    "call": "status of the call 调用状态",
    "http": "HTTP only 仅 HTTP",
    "import": "import of a file 导入文件",
}
_PREAMBLE: Final = """# Faults 规则一览

Made from `gateway/wire/fault_table.py` by `python -m tools.build_fault_docs`; do not edit.

The rule id is the same on every wire: in a receipt, in "not taken in", as the reason of a gRPC
`ErrorInfo`, in an HTTP problem. *Answer* is what an authenticated message meets; whatever is not
authenticated is not taken in. *Again* says whether the same bytes can meet another answer, and
after how many seconds to try if nothing else is said.
"""


def render() -> str:
    """Return the table as Markdown."""
    lines = [_PREAMBLE]
    area = ""
    for code, row in TABLE.items():
        if code.value.partition(".")[0] != area:
            area = code.value.partition(".")[0]
            lines += [
                f"## {area}",
                "",
                "| rule | level | what it says | what to do | answer | gRPC | HTTP | again |",
                "|---|---|---|---|---|---|---|---|",
            ]
        lines.append(_line(code, row))
        if _is_last_of_area(code):
            lines.append("")
    return "\n".join(lines)


def _is_last_of_area(code: FaultCode) -> bool:
    codes = list(TABLE)
    at = codes.index(code) + 1
    return at == len(codes) or not codes[at].value.startswith(code.value.partition(".")[0] + ".")


def _line(code: FaultCode, row: Entry) -> str:
    again = "no"
    if row.retry:
        again = f"after {row.retry_after_ms // 1000} s" if row.retry_after_ms else "yes"
    cells = (
        f"`{code.value}`",
        row.level,
        f"{row.title_zh}<br>{row.title_en}",
        f"{row.advice_zh}<br>{row.advice_en}",
        _ANSWERS[row.outcome_class],
        row.grpc_status,
        str(row.http_status),
        again,
    )
    return "| " + " | ".join(cells) + " |"
