"""JSON that two parsers could read differently is refused before anything believes it."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import FORM_BYTES_MAX, JSON_DEPTH_MAX, JSON_INTEGER_MAX
from gateway.rules.schema.strict_json import parse

HOSTILE = [
    (b"", FaultCode.SCHEMA_JSON_INVALID),
    (b"{} {}", FaultCode.SCHEMA_JSON_INVALID),
    (b"{'a': 1}", FaultCode.SCHEMA_JSON_INVALID),
    (b'{"a": 01}', FaultCode.SCHEMA_JSON_INVALID),
    (b'"a\nb"', FaultCode.SCHEMA_JSON_INVALID),
    (b'["unterminated', FaultCode.SCHEMA_JSON_INVALID),
    (b"]]]]", FaultCode.SCHEMA_JSON_INVALID),
    (b'"' + b"a" * FORM_BYTES_MAX + b'"', FaultCode.SCHEMA_JSON_INVALID),
    (b'{"a": 1, "a": 1}', FaultCode.SCHEMA_JSON_DUPLICATE_KEY),
    (b'[{"a": {"b": [{"c": 1, "c": 2}]}}]', FaultCode.SCHEMA_JSON_DUPLICATE_KEY),
    (b'{"a": 1, "\\u0061": 2}', FaultCode.SCHEMA_JSON_DUPLICATE_KEY),
    (b"NaN", FaultCode.SCHEMA_JSON_NUMBER),
    (b"[Infinity]", FaultCode.SCHEMA_JSON_NUMBER),
    (b"[-Infinity]", FaultCode.SCHEMA_JSON_NUMBER),
    (b"1e999", FaultCode.SCHEMA_JSON_NUMBER),
    (b"-1e999", FaultCode.SCHEMA_JSON_NUMBER),
    (b"1e16", FaultCode.SCHEMA_JSON_NUMBER),
    (b"18446744073709551616", FaultCode.SCHEMA_JSON_NUMBER),
    (b"18446744073709551616.0", FaultCode.SCHEMA_JSON_NUMBER),
    (str(JSON_INTEGER_MAX + 1).encode(), FaultCode.SCHEMA_JSON_NUMBER),
    (str(-JSON_INTEGER_MAX - 1).encode(), FaultCode.SCHEMA_JSON_NUMBER),
    (b"9" * 10_000, FaultCode.SCHEMA_JSON_NUMBER),
    (b"[" * 200_000, FaultCode.SCHEMA_JSON_DEPTH),
    (b'{"a":' * 40_000, FaultCode.SCHEMA_JSON_DEPTH),
    (b'["\\\\",' * 40, FaultCode.SCHEMA_JSON_DEPTH),
    (b"\xef\xbb\xbf{}", FaultCode.SCHEMA_JSON_ENCODING),
    ("{}".encode("utf-16"), FaultCode.SCHEMA_JSON_ENCODING),
    (b'"\xc0\xaf"', FaultCode.SCHEMA_JSON_ENCODING),
    (b'"\xed\xa0\x80"', FaultCode.SCHEMA_JSON_ENCODING),
    (b'"\\ud800"', FaultCode.SCHEMA_JSON_ENCODING),
    (b'{"\\uDC00": 1}', FaultCode.SCHEMA_JSON_ENCODING),
    (b'["\\udc00\\ud800"]', FaultCode.SCHEMA_JSON_ENCODING),
]


@pytest.mark.parametrize(("raw", "code"), HOSTILE, ids=lambda value: repr(value)[:40])
def test_hostile_bytes_are_refused_by_their_rule(raw: bytes, code: FaultCode) -> None:
    with pytest.raises(Fault) as raised:
        parse(raw)
    assert raised.value.code is code


def test_brackets_inside_text_are_no_depth() -> None:
    text = '[{"\\' * JSON_DEPTH_MAX
    assert parse(json.dumps([text, {"a": text}]).encode()) == [text, {"a": text}]


def test_many_shallow_objects_are_no_depth() -> None:
    wide = [{"a": [i]} for i in range(JSON_DEPTH_MAX * 4)]
    assert parse(json.dumps(wide).encode()) == wide


def test_rare_characters_pass_written_out_and_escaped() -> None:
    name = "㛃𬭊"
    assert parse(json.dumps([name], ensure_ascii=False).encode()) == [name]
    assert parse(json.dumps([name], ensure_ascii=True).encode()) == [name]


def test_a_fault_never_repeats_what_was_written() -> None:
    for raw in (b'{"zhangsan": 1, "zhangsan": 2}', b'{"a": zhangsan}', b'"zhangsan \\ud800"'):
        with pytest.raises(Fault) as raised:
            parse(raw)
        assert "zhangsan" not in str(raised.value)


def test_a_form_of_quotes_costs_one_pass() -> None:
    began = time.perf_counter()
    for raw in (b'["' + b'\\"' * 130_000, b'[{"' * 80_000, b'"[' * 130_000):
        with pytest.raises(Fault):
            parse(raw)
    assert time.perf_counter() - began < 2  # a quadratic scan takes minutes


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-JSON_INTEGER_MAX, JSON_INTEGER_MAX)
    | st.floats(-1e15, 1e15)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner)
    ),
    max_leaves=20,
)


@given(_VALUES, st.booleans())
def test_what_every_parser_reads_alike_is_read_as_written(value: object, ascii_only: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=200) | st.text(alphabet='[]{}",:\\u0d8a1e-. ').map(str.encode))
def test_any_bytes_give_a_value_or_a_fault(raw: bytes) -> None:
    try:
        value = parse(raw)
    except Fault as fault:
        family = fault.code.value
    else:
        family = "schema.json_read"
        json.dumps(value, ensure_ascii=False).encode()
    assert family.startswith("schema.json_")
