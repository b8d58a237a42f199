"""Instant rules: what falls to a person, what is decided, and what the decision says."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from stdnum.cn import uscc

from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.rules.instant import (
    CodeSeries,
    Instant,
    Issue,
    OutcomeImpossible,
    Reason,
    ToPerson,
    decision_document,
    judge,
    require_inputs,
)
from gateway.rules.instant.judging import inputs_digest
from gateway.rules.instant.outcome import credit_code
from gateway.rules.schema import FormSchemas, require_body, require_licence
from tests.support.instant import AT_MS, application, instant_form, shipped_rule

RULE = shipped_rule()
ISSUE = Issue("11620200MB0000000U", "2026-06-01", 7, 7)


def reason(form: object = None, **changes: object) -> tuple[Reason, str]:
    verdict = judge([RULE], application(form, **changes))
    assert isinstance(verdict, ToPerson)
    return verdict


def decided() -> Instant:
    verdict = judge([RULE], application())
    assert isinstance(verdict, Instant)
    return verdict


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"business_scopes": ["日用百货销售", "烟草制品零售"]}, Reason.SCOPE_OUTSIDE),
        ({"business_scopes": ["日用百货销售 "]}, Reason.SCOPE_OUTSIDE),
        ({"business_scopes": [["日用百货销售"]]}, Reason.SCOPE_OUTSIDE),
        ({"business_scopes": []}, Reason.FIELD_DIFFERS),
        ({"business_scopes": "日用百货销售"}, Reason.FIELD_DIFFERS),
        ({"business_scopes": None}, Reason.FIELD_ABSENT),
        ({"premises_use": "residential"}, Reason.FIELD_DIFFERS),
        ({"premises_region": "620900"}, Reason.FIELD_DIFFERS),
        ({"employees": 9}, Reason.FIELD_DIFFERS),
        ({"employees": True}, Reason.FIELD_DIFFERS),
        ({"employees": "2"}, Reason.FIELD_DIFFERS),
        ({"promise_true": 1}, Reason.FIELD_DIFFERS),
        ({"promise_true": False}, Reason.FIELD_DIFFERS),
        ({"operator": {"name": "示例甲", "citizen_id": "  "}}, Reason.FIELD_DIFFERS),
        ({"operator": "示例甲"}, Reason.FIELD_ABSENT),
    ],
)
def test_a_form_that_contradicts_the_rule_falls_to_a_person(
    form: dict[str, object], expected: Reason
) -> None:
    found, where = reason(instant_form(**form))
    assert found is expected
    assert where.startswith("/")


@pytest.mark.parametrize("form", [None, 3, "text", [], {}, {"business_scopes": {}}, [[["x"]]]])
def test_something_that_is_no_such_form_falls_to_a_person(form: object) -> None:
    assert isinstance(judge([RULE], application()._replace(form=form)), ToPerson)


def test_another_version_of_the_item_falls_to_a_person() -> None:
    assert reason(item_version="2") == (Reason.ITEM_VERSION, "individual-business@1")


def test_an_item_without_a_rule_falls_to_a_person() -> None:
    assert reason(item_code="00013112700701")[0] is Reason.NO_RULE
    assert judge([], application()) == ToPerson(Reason.NO_RULE)


def test_a_rule_holds_from_its_first_millisecond_until_it_is_superseded() -> None:
    rule = replace(RULE, valid_from_ms=AT_MS, superseded_at_ms=AT_MS + 2)
    found = [judge([rule], application(at_ms=AT_MS + after)) for after in (-1, 0, 1, 2)]
    assert isinstance(found[1], Instant)
    assert isinstance(found[2], Instant)
    assert [v.reason for v in found if isinstance(v, ToPerson)] == [
        Reason.NOT_YET,
        Reason.SUPERSEDED,
    ]


def test_a_material_that_the_rule_or_the_item_needs_and_that_is_absent_leaves_it_to_a_person() -> (
    None
):
    assert reason(materials=frozenset({"02"})) == (Reason.MATERIAL_ABSENT, "01")
    assert reason(complete=False)[0] is Reason.MATERIAL_ABSENT


def test_two_rules_that_both_match_leave_it_to_a_person() -> None:
    other = replace(RULE, id="another")
    found = judge([RULE, other], application())
    assert found == ToPerson(Reason.AMBIGUOUS, "another@1,individual-business@1")


def test_a_rule_without_conditions_decides_nothing() -> None:
    assert isinstance(judge([replace(RULE, conditions=())], application()), ToPerson)


def test_the_reason_is_that_of_the_rule_that_came_closest() -> None:
    old = replace(RULE, id="old", superseded_at_ms=AT_MS - 1)
    form = instant_form(business_scopes=["烟草制品零售"])
    verdicts = judge([old, RULE], application(form)), judge([RULE, old], application(form))
    assert {v.reason for v in verdicts if isinstance(v, ToPerson)} == {Reason.SCOPE_OUTSIDE}


def test_an_application_inside_is_decided_and_names_its_inputs_once() -> None:
    verdict = decided()
    assert verdict.rules is RULE
    assert len(set(verdict.inputs)) == len(verdict.inputs)
    assert set(verdict.inputs) >= {c.pointer for c in RULE.conditions}
    assert "/operator/phone" not in verdict.inputs


def test_the_digest_of_the_inputs_can_be_had_with_stock_tools() -> None:
    rule = replace(
        RULE,
        conditions=RULE.conditions[:2],
        result=replace(RULE.result, from_form={"entname": "/business_name"}),
    )
    form = instant_form(business_scopes=["翻译服务"], business_name="甲")
    verdict = judge([rule], application(form))
    assert isinstance(verdict, Instant)
    lines = (
        '["/business_scopes",["\\u7ffb\\u8bd1\\u670d\\u52a1"]]\n'
        '["/premises_use","commercial"]\n'
        '["/business_name","\\u7532"]\n'
    )
    assert verdict.inputs_digest == sha256(lines.encode()).digest()


def test_every_one_of_the_33_scopes_is_decided_alone_and_none_stands_in_two_classes() -> None:
    scopes = [s for c in RULE.classes for s in sorted(c.scopes)]
    assert (len(RULE.classes), len(scopes), len(set(scopes))) == (3, 33, 33)
    for scope in scopes:
        form = instant_form(business_scopes=[scope])
        assert isinstance(judge([RULE], application(form)), Instant)


def test_the_decision_follows_the_schema_of_its_message_and_names_the_rule() -> None:
    document = decision_document(decided(), ISSUE, instant_form())
    require_body(Kind.DECIDED, document, item_schema=None, schemas=FormSchemas({}))
    require_licence(document, RULE.result.licence_type, b"", FormSchemas({}))
    said = document["instant"]
    assert isinstance(said, dict)
    assert (said["rule"], said["version"]) == (RULE.id, RULE.version)
    assert said["document"] == RULE.document.hex()
    assert document["decision_number"] == "（嘉）个登字〔2026〕秒 000007 号（示例）"


def spoilt(change: dict[str, object]) -> dict[str, Any]:
    document: dict[str, Any] = decision_document(decided(), ISSUE, instant_form())
    return {**document, "instant": {**document["instant"], **change}}


@pytest.mark.parametrize(
    "change",
    [
        {"rule": ""},
        {"rule": "../other"},
        {"rule": None},
        {"version": "one two"},
        {"document": "ab"},
        {"document": "A" * 64},
        {"inputs": []},
        {"inputs": ["business_scopes"]},
        {"inputs": ["/a", "/a"]},
        {"inputs": [{"pointer": "/a"}]},
        {"inputs_digest": 7},
        {"decided_by": "someone"},
    ],
)
def test_nonsense_about_the_rule_is_refused_by_the_receiver(change: dict[str, object]) -> None:
    with pytest.raises(Fault) as raised:
        require_body(Kind.DECIDED, spoilt(change), item_schema=None, schemas=FormSchemas({}))
    assert raised.value.code is FaultCode.SCHEMA_FORM_INVALID


def test_a_refusal_by_rule_is_refused_by_the_receiver() -> None:
    document = spoilt({})
    document["result"] = "refused"
    del document["licence"]
    with pytest.raises(Fault):
        require_body(Kind.DECIDED, document, item_schema=None, schemas=FormSchemas({}))


def test_a_form_field_that_is_no_text_makes_no_licence() -> None:
    with pytest.raises(OutcomeImpossible, match="/business_name"):
        decision_document(decided(), ISSUE, instant_form(business_name=7))


def test_a_series_of_codes_ends_and_never_begins_again() -> None:
    series = CodeSeries("92620200MA", 3, 4, sample=False)
    codes = [credit_code(series, serial) for serial in (1, 2)]
    assert [code[10:16] for code in codes] == ["000003", "000004"]
    for serial in (0, 3):
        with pytest.raises(OutcomeImpossible):
            credit_code(series, serial)


@pytest.mark.parametrize("serial", range(1, 40))
def test_codes_are_valid_outside_and_only_real_series_are_valid_inside(serial: int) -> None:
    for sample in (True, False):
        code = credit_code(CodeSeries("92620200MA", 0, 999_999, sample), serial)
        assert uscc.is_valid(code)
        total = sum(int(c, 36) * w for c, w in zip(code[8:16], _WEIGHTS, strict=True))
        check = {10: "X", 11: "0"}.get(11 - total % 11, str(11 - total % 11))
        assert (code[16] == check) is not sample


_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def _said(**changes: object) -> dict[str, object]:
    inputs = [("/employees", 3), ("/business_scopes", ["翻译服务"])]
    named = {"inputs": [p for p, _ in inputs], "inputs_digest": inputs_digest(inputs).hex()}
    return {"result": "approved", "instant": {**named, **changes}}


_FORM = {"employees": 3, "business_scopes": ["翻译服务"]}


@pytest.mark.parametrize(
    ("decision", "capacity", "form"),
    [
        (_said(), "officer", _FORM),
        (_said(), "", None),
        (_said(), "rule", {**_FORM, "employees": 4}),
        (_said(), "rule", {**_FORM, "employees": 3.0}),
        (_said(), "rule", {"employees": 3}),
        (_said(), "rule", "no object"),
        (_said(inputs_digest="00" * 32), "rule", _FORM),
        (_said(inputs=["/employees"]), "rule", _FORM),
        (_said(inputs=["/business_scopes", "/employees"]), "rule", _FORM),
    ],
)
def test_a_decision_that_names_other_inputs_or_no_rule_is_refused(
    decision: object, capacity: str, form: object
) -> None:
    with pytest.raises(Fault) as raised:
        require_inputs(decision, capacity, form)
    assert raised.value.code is FaultCode.CASE_INSTANT_DIFFERS
    assert "翻译服务" not in raised.value.detail


def test_a_decision_that_names_its_inputs_or_claims_no_rule_passes() -> None:
    require_inputs(_said(), "rule", _FORM)
    require_inputs(_said(), "rule", None)  # the form is erased
    require_inputs({"result": "approved"}, "officer", {})
