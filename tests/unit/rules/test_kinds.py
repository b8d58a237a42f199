"""Bodies by kind, with the samples that are shipped in `partners/`."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from stdnum.iso7064 import mod_37_36

from gateway.kernel.digests import digest
from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.rules.schema import FormSchemas, require_body, require_licence

PARTNER = Path(__file__).parents[3] / "partners" / "jiayuguan"
BRANCH = PARTNER / "vectors" / "branch_registration"
FORM = (PARTNER / "items" / "00013112700402" / "form.v2.schema.json").read_bytes()
SCHEMAS = FormSchemas({digest(FORM): FORM})
LICENCE_TYPE = "11100000MB0143028R001"


def sample(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((BRANCH / f"{name}.json").read_text(encoding="utf-8"))
    return read


def check(kind: Kind, document: object) -> None:
    form = digest(FORM) if kind in (Kind.SUBMITTED, Kind.MATERIALS_SUPPLIED) else None
    require_body(kind, document, item_schema=form, schemas=SCHEMAS)


def broken(kind: Kind, document: object) -> tuple[tuple[str, str], ...]:
    with pytest.raises(Fault) as raised:
        check(kind, document)
    assert raised.value.code is FaultCode.SCHEMA_FORM_INVALID
    return raised.value.errors


SHIPPED = {
    "submitted": Kind.SUBMITTED,
    "acknowledged": Kind.ACKNOWLEDGED,
    "materials_requested": Kind.MATERIALS_REQUESTED,
    "materials_supplied": Kind.MATERIALS_SUPPLIED,
    "accepted": Kind.ACCEPTED,
    "decided": Kind.DECIDED,
    "delivered": Kind.DELIVERED,
}


@pytest.mark.parametrize(("name", "kind"), SHIPPED.items(), ids=list(SHIPPED))
def test_the_shipped_samples_pass(name: str, kind: Kind) -> None:
    check(kind, sample(name))


def test_the_shipped_wrong_sample_is_refused_for_its_check_digit() -> None:
    found = broken(Kind.SUBMITTED, sample("submitted_bad_check_digit"))
    assert found == (("/form/parent_uscc", "is not a valid uscc"),)


@pytest.mark.parametrize(("name", "kind"), SHIPPED.items(), ids=list(SHIPPED))
def test_an_unknown_property_is_refused_at_every_level(name: str, kind: Kind) -> None:
    def objects(value: object) -> list[dict[str, Any]]:
        if isinstance(value, list):
            return [o for v in value for o in objects(v)]
        if isinstance(value, dict):
            return [value, *(o for v in value.values() for o in objects(v))]
        return []

    for at in range(len(objects(sample(name)))):
        document = sample(name)
        objects(document)[at]["surprise"] = 1
        broken(kind, document)


@pytest.mark.parametrize("document", [None, [], "x", 1, True])
@pytest.mark.parametrize("kind", [*SHIPPED.values(), Kind.NOT_ACCEPTED, Kind.WITHDRAWN, Kind.PING])
def test_a_body_that_is_no_object_is_refused(kind: Kind, document: object) -> None:
    broken(kind, document)


def test_an_approval_brings_a_licence_or_an_answer() -> None:
    approved = sample("decided")
    del approved["licence"]
    broken(Kind.DECIDED, approved)
    check(Kind.DECIDED, approved | {"answer_zh": "存续"})
    broken(Kind.DECIDED, sample("decided") | {"answer_zh": "存续"})


def test_a_refusal_states_its_reason_and_brings_no_licence() -> None:
    refused = {"result": "refused", "reason_zh": "材料不实（示例）"}
    check(Kind.DECIDED, refused)
    broken(Kind.DECIDED, {"result": "refused"})
    broken(Kind.DECIDED, refused | {"licence": sample("decided")["licence"]})
    broken(Kind.DECIDED, refused | {"answer_zh": "存续"})


def test_a_licence_lacking_any_field_of_its_face_is_refused() -> None:
    for name in sample("decided")["licence"]:
        document = copy.deepcopy(sample("decided"))
        del document["licence"][name]
        assert broken(Kind.DECIDED, document)


def test_a_licence_whose_id_is_of_another_type_is_refused() -> None:
    document = sample("decided")
    document["licence"]["licence_type"] = "11100000MB0143028R002"
    assert broken(Kind.DECIDED, document)[0][0] == "/licence/licence_id"


NO_SCHEMAS = FormSchemas({})


def test_an_approval_brings_what_its_item_issues() -> None:
    require_licence(sample("decided"), LICENCE_TYPE, b"", NO_SCHEMAS)
    require_licence({"result": "refused", "reason_zh": "示例"}, LICENCE_TYPE, b"", NO_SCHEMAS)
    require_licence({"result": "approved", "answer_zh": "存续"}, "", b"", NO_SCHEMAS)
    for document, licence_type in (
        ({"result": "approved", "answer_zh": "存续"}, LICENCE_TYPE),
        (sample("decided"), ""),
        (sample("decided"), "11100000MB0143028R002"),
    ):
        with pytest.raises(Fault) as raised:
            require_licence(document, licence_type, b"", NO_SCHEMAS)
        assert raised.value.code is FaultCode.SCHEMA_FORM_INVALID


def other_licence(face: object) -> dict[str, Any]:
    licence_id = "1.2.156.3005.2.11310113MB0000001C001.11310113MB0000001C.20210527000001.001."
    check = mod_37_36.calc_check_digit(licence_id.removeprefix("1.2.156.3005.2.").replace(".", ""))
    named = {"licence_type": "11310113MB0000001C001", "licence_id": licence_id + check}
    return {"result": "approved", "licence": {**named, "face": face}}


@pytest.mark.parametrize(
    ("face_schema", "document", "pointer"),
    [
        (b"face", other_licence({"number": 7}), "/licence/face/number"),
        (b"face", other_licence({"number": "7", "extra": 1}), "/licence/face"),
        (b"face", sample("decided"), "/licence"),
        (b"", other_licence({"number": "7"}), "/licence/face"),
    ],
)
def test_another_licences_face_is_as_its_item_describes_it(
    face_schema: bytes, document: dict[str, Any], pointer: str
) -> None:
    face = {"properties": {"number": {"type": "string"}}, "additionalProperties": False}
    schemas = FormSchemas({b"face": json.dumps(face).encode()})
    right = other_licence({"number": "7"})
    check(Kind.DECIDED, right)
    require_licence(right, "11310113MB0000001C001", b"face", schemas)
    check(Kind.DECIDED, document)
    with pytest.raises(Fault) as raised:
        require_licence(document, document["licence"]["licence_type"], face_schema, schemas)
    assert raised.value.errors[0][0] == pointer


def test_a_face_is_an_object() -> None:
    broken(Kind.DECIDED, other_licence("text"))


def test_a_request_for_nothing_is_refused() -> None:
    document = sample("materials_requested")
    broken(Kind.MATERIALS_REQUESTED, document | {"materials": []})
    broken(Kind.MATERIALS_REQUESTED, document | {"notice": {}})


def test_a_supplied_form_follows_the_items_schema() -> None:
    check(Kind.MATERIALS_SUPPLIED, {"form": sample("submitted")["form"]})
    broken(Kind.MATERIALS_SUPPLIED, {"form": {}})


def test_a_submission_without_a_schema_is_never_believed() -> None:
    with pytest.raises(Fault) as raised:
        require_body(Kind.SUBMITTED, sample("submitted"), item_schema=None, schemas=SCHEMAS)
    assert raised.value.code is FaultCode.INTERNAL


def test_every_kind_has_a_body_or_is_not_served() -> None:
    for kind in Kind:
        with pytest.raises(Fault) as raised:
            check(kind, {"surprise": 1})
        assert raised.value.code in {
            FaultCode.SCHEMA_FORM_INVALID,
            FaultCode.CASE_KIND_NOT_SERVED,
        }


def test_a_ping_says_nothing() -> None:
    check(Kind.PING, {})
    broken(Kind.PING, {"note": "x"})


TASK = {
    "parent": {
        "origin": "620900",
        "case_id": "01900000-0000-7000-8000-000000000000",
        "submission": "ab" * 32,
        "agreement": "cd" * 32,
    },
    "asked": {"zh": "请核验迁出户口（示例）"},
    "due_on": "2026-06-08",
    "answer_days": 5,
}
MOVED = {"name_zh": "户口迁移证（示例）", "number": "示例-1", "issued_on": "2026-06-02"}


@pytest.mark.parametrize(
    "change",
    [
        {"parent": {**TASK["parent"], "case_id": "1"}},  # type: ignore[dict-item]
        {"asked": {}},
        {"due_on": "soon"},
        {"answer_days": -1},
        {"form": {}},
        {"form_fields": ["/a"]},
        {"form": {}, "form_fields": ["a"]},
        {"form": {}, "form_fields": ["/a/0"]},
        {"extra": 1},
    ],
)
def test_a_joint_task_that_does_not_say_of_what_and_what_it_asks_is_refused(
    change: dict[str, object],
) -> None:
    assert broken(Kind.JOINT_TASK, {**TASK, **change})


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"verdict": "maybe"},
        {"verdict": "disagree"},
        {"verdict": "disagree", "grounds_zh": "示例", "certificate": MOVED},
        {"verdict": "agree", "certificate": {"number": "1"}},
        {"verdict": "agree", "extra": 1},
    ],
)
def test_an_answer_without_a_verdict_or_a_no_without_grounds_is_refused(
    document: dict[str, object],
) -> None:
    assert broken(Kind.JOINT_ANSWER, document)


def test_joint_tasks_answers_and_the_decision_that_names_them_pass() -> None:
    check(Kind.JOINT_TASK, {**TASK, "due_on": "calendar_missing"})
    check(Kind.JOINT_TASK, {**TASK, "form_fields": ["/mover/name"], "form": {"mover": {}}})
    check(Kind.JOINT_ANSWER, {"verdict": "agree", "certificate": MOVED})
    check(Kind.JOINT_ANSWER, {"verdict": "disagree", "grounds_zh": "户口已冻结（示例）"})
    silent = {"region": "310113", "verdict": "silent", "due_on": "2026-06-08"}
    check(Kind.DECIDED, {"result": "refused", "reason_zh": "示例", "joint": [silent]})
    assert broken(
        Kind.DECIDED,
        {"result": "refused", "reason_zh": "示例", "joint": [{**silent, "answer": "ab" * 32}]},
    )
