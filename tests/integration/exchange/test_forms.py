"""The form inside a well-signed message."""

from __future__ import annotations

import json

import pytest

from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import uuid_text
from gateway.kernel.limits import FORM_BYTES_MAX
from gateway.wire.headers import decode_body
from tests.support.peer import QUERY_FORM, Sealed, body_of
from tests.support.world import VECTORS

from .outcomes import refused, taken_in
from .worlds import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

BAD_USCC = "91620900MA0000000N"


def around(form: bytes, more: bytes = b"") -> bytes:
    return b'{"applicant_number":"JQ-1","form":' + form + more + b"}"


def query_with(value: bytes) -> bytes:
    return around(b'{"uscc":"91620200MA0000000H","query_purpose":' + value + b"}")


DEEP = 10_000

BAD_JSON: dict[str, tuple[bytes, F]] = {
    "arrays_10000_deep": (around(b"[" * DEEP + b"]" * DEEP), F.SCHEMA_JSON_DEPTH),
    "objects_10000_deep": (around(b'{"a":' * DEEP + b"1" + b"}" * DEEP), F.SCHEMA_JSON_DEPTH),
    "open_10000_deep": (around(b"[" * DEEP), F.SCHEMA_JSON_DEPTH),
    "33_deep": (around(b"[" * 32 + b"]" * 32), F.SCHEMA_JSON_DEPTH),
    "key_twice": (
        b'{"applicant_number":"a","applicant_number":"b","form":{}}',
        F.SCHEMA_JSON_DUPLICATE_KEY,
    ),
    "key_twice_inside": (
        around(b'{"uscc":"91620200MA0000000H","uscc":"x"}'),
        F.SCHEMA_JSON_DUPLICATE_KEY,
    ),
    "key_twice_by_escape": (around(b'{"uscc":"1","\\u0075scc":"1"}'), F.SCHEMA_JSON_DUPLICATE_KEY),
    "nan": (query_with(b"NaN"), F.SCHEMA_JSON_NUMBER),
    "infinity": (query_with(b"Infinity"), F.SCHEMA_JSON_NUMBER),
    "minus_infinity": (query_with(b"-Infinity"), F.SCHEMA_JSON_NUMBER),
    "2_to_the_64": (query_with(b"18446744073709551616"), F.SCHEMA_JSON_NUMBER),
    "2_to_the_53": (query_with(b"9007199254740992"), F.SCHEMA_JSON_NUMBER),
    "minus_2_to_the_64": (query_with(b"-18446744073709551616"), F.SCHEMA_JSON_NUMBER),
    "1e400": (query_with(b"1e400"), F.SCHEMA_JSON_NUMBER),
    "1e20": (query_with(b"1e20"), F.SCHEMA_JSON_NUMBER),
    "100000_digits": (query_with(b"9" * 100_000), F.SCHEMA_JSON_NUMBER),
    "byte_ff": (query_with(b'"\xff"'), F.SCHEMA_JSON_ENCODING),
    "overlong": (query_with(b'"\xc0\xaf"'), F.SCHEMA_JSON_ENCODING),
    "surrogate_bytes": (query_with(b'"\xed\xa0\x80"'), F.SCHEMA_JSON_ENCODING),
    "cut_character": (query_with(b'"\xf0\xac\xad"'), F.SCHEMA_JSON_ENCODING),
    "half_surrogate": (query_with(b'"\\ud800"'), F.SCHEMA_JSON_ENCODING),
    "surrogates_swapped": (query_with(b'"\\udf4a\\ud86d"'), F.SCHEMA_JSON_ENCODING),
    "byte_order_mark": (b"\xef\xbb\xbf" + query_with(b'"x"'), F.SCHEMA_JSON_ENCODING),
    "gb18030": (query_with('"核对"'.encode("gb18030")), F.SCHEMA_JSON_ENCODING),
    "utf16": (query_with(b'"x"').decode().encode("utf-16-le"), F.SCHEMA_JSON_INVALID),
    "nothing": (b"", F.SCHEMA_JSON_INVALID),
    "not_json": (b"form=1", F.SCHEMA_JSON_INVALID),
    "two_values": (query_with(b'"x"') * 2, F.SCHEMA_JSON_INVALID),
    "comment": (around(b"{} /* x */"), F.SCHEMA_JSON_INVALID),
    "control_character": (query_with(b'"\x00"'), F.SCHEMA_JSON_INVALID),
    "too_long": (query_with(b'"' + b"x" * FORM_BYTES_MAX + b'"'), F.SCHEMA_JSON_INVALID),
    "array": (b"[]", F.SCHEMA_FORM_INVALID),
    "null": (b"null", F.SCHEMA_FORM_INVALID),
    "no_form": (b'{"applicant_number":""}', F.SCHEMA_FORM_INVALID),
    "more_than_a_form": (around(b"{}", b',"x":1'), F.SCHEMA_FORM_INVALID),
    "form_is_text": (around(b'"x"'), F.SCHEMA_FORM_INVALID),
}


def with_form(world: World, form: bytes) -> Sealed:
    return world.jiuquan.seal(world.jiuquan.header(), body_of(form))


@pytest.mark.parametrize("name", BAD_JSON)
async def test_a_form_that_parsers_could_read_differently_is_refused(
    world: World, name: str
) -> None:
    form, rule = BAD_JSON[name]
    sealed = with_form(world, form)
    await refused(world, sealed, rule)
    assert world.journal.case(sealed.header) is None


async def test_a_corrected_form_passes_under_a_new_id(world: World) -> None:
    wrong = with_form(world, query_with(b"NaN"))
    await refused(world, wrong, F.SCHEMA_JSON_NUMBER)
    header = world.jiuquan.header()._replace(case_id=wrong.header.case_id)
    await taken_in(world, world.jiuquan.seal(header, body_of(query_with(b'"x"'))))


async def test_a_bad_check_digit_is_refused_and_the_number_is_not_repeated(world: World) -> None:
    vector = VECTORS / "branch_registration" / "submitted_bad_check_digit.json"
    peer = world.jiuquan
    sealed = peer.seal(peer.branch_header(), body_of(vector.read_bytes()))
    receipt = await refused(world, sealed, F.SCHEMA_FORM_INVALID)
    for text in (receipt.text_zh, receipt.text_en):
        assert "/form/parent_uscc" in text
        assert BAD_USCC not in text


@pytest.mark.parametrize(
    "uscc", [BAD_USCC, "91620200MA0000000h", "91620200MA0000000", "9162０200MA0000000H", "", " "]
)
async def test_a_credit_code_that_is_none_is_refused(world: World, uscc: str) -> None:
    sealed = world.jiuquan.submission({**QUERY_FORM, "uscc": uscc})
    await refused(world, sealed, F.SCHEMA_FORM_INVALID)


async def test_a_refusal_repeats_nothing_of_what_was_sent(world: World) -> None:
    secret = "示例丙629900198803150002"
    for form in (
        {**QUERY_FORM, secret: 1},
        {**QUERY_FORM, "enterprise_name": secret * 100},
        {**QUERY_FORM, "query_purpose": {secret: secret}},
        {"query_purpose": secret},
    ):
        receipt = await refused(world, world.jiuquan.submission(form), F.SCHEMA_FORM_INVALID)
        assert "629900" not in receipt.text_zh + receipt.text_en
    told = json.dumps(world.node.log.events, ensure_ascii=False)
    assert "629900" not in told


async def test_rare_characters_pass_and_come_back_intact(world: World) -> None:
    form = {"enterprise_name": "示例㛃𬭊𠮷有限公司", "query_purpose": "㛃𬭊\U0002ebef é e\u0301"}
    sealed = world.jiuquan.submission(form)
    await taken_in(world, sealed)
    task = await world.node.call("GET", f"/v1/tasks/{uuid_text(sealed.header.case_id)}", wanted=200)
    assert task["form"] == form
    kept = decode_body(sealed.body_bytes).form
    assert kept in world.journal.envelope(sealed.header)
    assert json.loads(kept)["form"] == form


async def test_rare_characters_written_as_escapes_are_the_same_characters(world: World) -> None:
    form = {"enterprise_name": "示例𬭊", "query_purpose": "㛃"}
    sealed = with_form(world, around(json.dumps(form, ensure_ascii=True).encode()))
    assert b"\\ud872\\udf4a" in sealed.body_bytes
    await taken_in(world, sealed)
    task = await world.node.call("GET", f"/v1/tasks/{uuid_text(sealed.header.case_id)}", wanted=200)
    assert task["form"] == form


async def test_brackets_in_a_text_are_no_nesting(world: World) -> None:
    await taken_in(world, with_form(world, query_with(b'"' + b"[" * 100 + b'"')))
