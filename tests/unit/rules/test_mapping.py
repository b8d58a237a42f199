"""What a partner's table does to whole documents, both ways."""

from copy import deepcopy

import pytest

from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import MAPPING_DEPTH_MAX, MAPPING_NODES_MAX
from gateway.kernel.translations import Said
from gateway.kernel.trees import Tree, Value, get, put
from gateway.rules.mapping import Mapping
from tests.support.mapping import SAMPLE, mapping, submitted

TABLE = mapping()
XML = mapping(SAMPLE.replace('documents = "json"', 'documents = "xml"').replace(
    'unit = "ms"', 'unit = "ms", written = "text"'))  # fmt: skip


def _pushed(**changes: Value) -> Tree:
    """Return the sample application as the partner would push it; `None` takes a field away."""
    document = TABLE.outbound(submitted(capital=1234567.89, on="2026-05-27")).document
    for pointer, value in changes.items():
        put(document, tuple(pointer.split("_")), value)
    return document


def _refused(table: Mapping, document: Tree, operation: str = "apply") -> Fault:
    with pytest.raises(Fault) as refused:
        table.inbound(operation, document)
    return refused.value


@pytest.mark.parametrize(
    ("at", "value", "rule", "pointer"),
    [
        (("data", "lqfs"), "9", FaultCode.MAPPING_CODE_UNMAPPED, "/data/lqfs"),
        (("data", "lqfs"), True, FaultCode.MAPPING_CODE_UNMAPPED, "/data/lqfs"),
        (("data", "lqfs"), float("nan"), FaultCode.MAPPING_CODE_UNMAPPED, "/data/lqfs"),
        (("data", "lqfs"), 10**4_000, FaultCode.MAPPING_CODE_UNMAPPED, "/data/lqfs"),
        (("data", "lqfs"), {"a": 1}, FaultCode.MAPPING_CODE_UNMAPPED, "/data/lqfs"),
        (("data", "xzqh"), "620200", FaultCode.MAPPING_VALUE_INVALID, "/data/xzqh"),
        (("data", "xzqh"), "620200001000", FaultCode.MAPPING_VALUE_INVALID, "/data/xzqh"),
        (("data", "xzqh"), "620200000000\n", FaultCode.MAPPING_VALUE_INVALID, "/data/xzqh"),
        (("data", "xm"), 7, FaultCode.MAPPING_VALUE_INVALID, "/data/xm"),
        (("data", "xm"), ["a"], FaultCode.MAPPING_VALUE_INVALID, "/data/xm"),
        (("data", "xm"), None, FaultCode.MAPPING_FIELD_MISSING, "/data/xm"),
        (("data", "zczb"), "1e9", FaultCode.MAPPING_VALUE_INVALID, "/data/zczb"),
        (("data", "zczb"), "NaN", FaultCode.MAPPING_VALUE_INVALID, "/data/zczb"),
        (("data", "zczb"), float("inf"), FaultCode.MAPPING_VALUE_INVALID, "/data/zczb"),
        (("data", "zczb"), 10**4_000, FaultCode.MAPPING_VALUE_INVALID, "/data/zczb"),
        (("data", "zczb"), "9" * 39, FaultCode.MAPPING_VALUE_INVALID, "/data/zczb"),
        (("data", "zczb"), True, FaultCode.MAPPING_VALUE_INVALID, "/data/zczb"),
        (("data", "rq"), "20260230", FaultCode.MAPPING_VALUE_INVALID, "/data/rq"),
        (("data", "rq"), "2026-05-27", FaultCode.MAPPING_VALUE_INVALID, "/data/rq"),
        (("data", "rq"), "２０２６０５２７", FaultCode.MAPPING_VALUE_INVALID, "/data/rq"),
        (("time",), "yesterday", FaultCode.MAPPING_VALUE_INVALID, "/time"),
        (("time",), -1, FaultCode.MAPPING_VALUE_INVALID, "/time"),
        (("time",), 10**40, FaultCode.MAPPING_VALUE_INVALID, "/time"),
        (("ly",), "ZZ", FaultCode.MAPPING_VALUE_INVALID, "/ly"),
        (("files",), "none", FaultCode.MAPPING_VALUE_INVALID, "/files"),
        (("id",), "", FaultCode.MAPPING_FIELD_MISSING, "/message/number"),
    ],
)
def test_a_wrong_value_is_refused_by_rule_and_place_and_never_told(
    at: tuple[str, ...], value: Value, rule: FaultCode, pointer: str
) -> None:
    document = _pushed()
    put(document, at, value)
    fault = _refused(TABLE, document)
    assert (fault.code, fault.errors[0][0]) == (rule, pointer)
    assert len(fault.errors) == 1 and pointer in fault.detail
    if isinstance(value, str) and value and not value.isdigit():
        assert value not in str(fault)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("nr", "not base64!", "is not base64"),
        ("nr", "56S65L6", "is not base64"),
        ("nr", "56S6\n5L6L", "is not base64"),
        ("md5", "0" * 32, "is not the md5 of the content"),
        ("md5", "", "is not the md5 of the content"),
        ("dx", "7", "is not the size of the content"),
        ("dx", "six", "is not a number"),
    ],
)
def test_a_file_that_is_not_what_is_told_of_it_is_refused(name: str, value: str, why: str) -> None:
    document = _pushed()
    files = document["files"]
    assert isinstance(files, list) and isinstance(files[0], dict)
    files[0][name] = value
    fault = _refused(TABLE, document)
    assert fault.code is FaultCode.MAPPING_VALUE_INVALID
    assert fault.errors[0][0] == f"/files/0/{name}"
    assert why in fault.errors[0][1]


def test_everything_wrong_with_a_document_is_told_at_once() -> None:
    document = _pushed()
    document["data"] = {"xzqh": "620200", "lqfs": 9}
    fault = _refused(TABLE, document)
    assert [pointer for pointer, _ in fault.errors] == ["/data/xm", "/data/xzqh", "/data/lqfs"]
    assert fault.detail == "/data/xm is missing (and 2 more)"


def test_many_errors_are_told_up_to_a_bound() -> None:
    document = _pushed()
    document["files"] = [{} for _ in range(1_000)]
    assert len(_refused(TABLE, document).errors) == 20


def test_a_deep_or_wide_document_is_refused_before_any_row_runs() -> None:
    deep: Value = "x"
    for _ in range(MAPPING_DEPTH_MAX + 1):
        deep = [deep]
    wide: Value = ["x"] * (MAPPING_NODES_MAX + 1)
    for much in (deep, wide):
        assert "deeper" in _refused(TABLE, {**_pushed(), "more": much}).detail


def test_an_unknown_operation_or_status_names_no_kind_and_is_not_repeated() -> None:
    unknown: Tree = {"zt": "示例"}
    for operation, document in (("drop table", _pushed()), ("status", unknown)):
        fault = _refused(TABLE, document, operation)
        assert fault.code is FaultCode.MAPPING_KIND_UNMAPPED
        assert "drop table" not in str(fault) and "示例" not in str(fault)


def test_a_kind_without_rows_is_refused_outbound() -> None:
    ours = submitted()
    put(ours, ("message", "kind"), "withdrawn")
    with pytest.raises(Fault, match=r"mapping\.kind_unmapped"):
        TABLE.outbound(ours)


def test_an_unmapped_code_of_ours_is_refused_by_table_and_field() -> None:
    with pytest.raises(Fault) as refused:
        TABLE.outbound(submitted(delivery="courier"))
    assert refused.value.code is FaultCode.MAPPING_CODE_UNMAPPED
    assert refused.value.detail == "/form/delivery table delivery has no such code"


def test_what_theirs_cannot_hold_is_refused_rather_than_cut_off() -> None:
    for field, value, why in (
        ("name", "示" * 31, "longer than the 60 gb18030"),
        ("capital", 0.001, "more than the 6 decimals"),
        ("region", "62020", "not a region of 6 digits"),
        ("on", "2026-5-27", "not a date"),
        ("on", 20260527, "not a text"),
    ):
        with pytest.raises(Fault) as refused:
            TABLE.outbound(submitted(**{field: value}))
        assert refused.value.errors[0][0] == f"/form/{field}"
        assert why in refused.value.detail


@pytest.mark.parametrize("table", [TABLE, XML])
def test_an_application_comes_back_as_it_went(table: Mapping) -> None:
    ours = submitted(capital=1234567.89, on="2026-05-27")
    before = deepcopy(ours)
    theirs = table.outbound(ours)
    assert theirs.operation == "apply"
    back = table.inbound(theirs.operation, theirs.document)
    assert ours == before
    assert back.kind is Kind.SUBMITTED
    assert back.tree["form"] == ours["form"]
    assert back.tree["case"] == ours["case"]
    assert get(back.tree, ("message", "number")) == get(ours, ("message", "id"))
    assert get(back.tree, ("materials", "0", "content")) == "示例".encode()
    assert get(back.tree, ("materials", "0", "size")) == 6


def test_xml_has_text_alone_and_one_element_is_a_list_of_one() -> None:
    document = XML.outbound(submitted(capital=20000)).document
    assert document["data"] == {
        "xm": "示例甲㛃𬭊", "xzqh": "620200000000", "lqfs": "3", "zczb": "2",
    }  # fmt: skip
    files = document["files"]
    assert isinstance(files, list) and isinstance(files[0], dict)
    assert all(isinstance(value, str) for value in files[0].values())
    alone = XML.inbound("apply", {**document, "files": files[0]}).tree
    assert alone == XML.inbound("apply", document).tree
    none = XML.inbound("apply", {n: v for n, v in document.items() if n != "files"}).tree
    assert none["materials"] == []
    with pytest.raises(Fault, match="a character that XML cannot"):
        XML.outbound(submitted(name="示例\x00"))


def test_an_empty_file_is_a_file_in_text_documents_too() -> None:
    ours = submitted()
    put(ours, ("materials",), [{"code": "01", "name": "a", "media_type": "b", "content": b""}])
    document = XML.outbound(ours).document
    assert get(document, ("files", "0", "nr")) == ""
    assert get(XML.inbound("apply", document).tree, ("materials", "0", "content")) == b""


def test_the_status_tells_the_kind_as_number_or_text() -> None:
    said: Tree = {"id": "KY-1", "time": 1, "sblsh": "SL-1", "zt": 4, "rq": "2026-06-01"}
    assert TABLE.inbound("status", said).kind is Kind.ACCEPTED
    decided = TABLE.inbound("status", {**said, "zt": "9", "jg": "21"})
    assert decided.kind is Kind.DECIDED
    assert decided.tree["form"] == {"result": "refused"}


def test_the_discriminator_is_sent_and_the_preferred_code_is_chosen() -> None:
    ours: Tree = {
        "message": {"kind": "decided", "id": "x", "sent_at": 1},
        "case": {"applicant_number": "SL-1"},
        "form": {"result": "refused"},
    }
    sent = TABLE.outbound(ours)
    assert sent.document == {"id": "x", "time": 1, "sblsh": "SL-1", "zt": "9", "jg": "20"}


def test_their_answers_are_read_by_number_or_text() -> None:
    for code in (0, "0", 200, "200"):
        verdict = TABLE.answer({"code": code, "msg": "成功", "data": {"number": 17}})
        assert (verdict.ok, verdict.text, verdict.number) == (True, "成功", "17")
    assert TABLE.answer({"code": "-1"}).retry
    assert TABLE.answer({"code": "1002"}).rule == "schema.form_invalid"
    assert TABLE.answer({"code": 77}).rule == "partner.refused"
    for nothing in ({}, {"code": None}, {"html": "ok"}):
        with pytest.raises(Fault, match=r"mapping\.field_missing: /code"):
            TABLE.answer(nothing)  # type: ignore[arg-type]


def test_a_code_of_an_answer_that_is_not_listed_cannot_be_read_unless_the_table_says_how() -> None:
    strict = mapping(SAMPLE.replace('otherwise = "partner.refused"', ""))
    with pytest.raises(Fault, match=r"mapping\.code_unmapped: /code"):
        strict.answer({"code": 77})


def test_our_answers_are_said_in_their_form() -> None:
    assert TABLE.say(Said(True, number="620200-1")) == {"code": 0, "data": {"number": "620200-1"}}
    unknown = Said(False, rule="case.unknown", text_zh="没有这个办件编号")
    assert TABLE.say(unknown) == {"code": 404, "msg": "没有这个办件"}
    assert TABLE.say(Said(False, rule="case.stage"))["code"] == 1
    assert XML.say(Said(False, retry=True)) == {"code": "-1"}


@pytest.mark.parametrize(
    ("algorithm", "encoding", "told"),
    [
        # GB/T 32905-2016, example 1; FIPS 180-2, B.1; RFC 1321, A.5
        ("sm3", "hex", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        ("sha256", "HEX", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"),
        ("md5", "base64", "kAFQmDzST7DWlj99KOF/cg=="),
    ],
)
def test_digests_are_those_of_the_standards(algorithm: str, encoding: str, told: str) -> None:
    row = f'algorithm = "{algorithm}", encoding = "{encoding}"'
    table = mapping(SAMPLE.replace('algorithm = "md5"', row))
    ours = submitted()
    put(ours, ("materials",), [{"code": "1", "name": "a", "media_type": "b", "content": b"abc"}])
    document = table.outbound(ours).document
    assert get(document, ("files", "0", "md5")) == told
    assert table.inbound("apply", document).kind is Kind.SUBMITTED
