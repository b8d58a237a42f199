"""Codecs of mappings: what goes comes back, and what is hostile is refused and never crashes."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.instants import from_datetime
from gateway.kernel.trees import Tree, Value
from gateway.rules.mapping import Mapping, parse_mapping
from gateway.rules.mapping.codec import Codec, Setting
from gateway.rules.mapping.problems import MappingProblem, Wrong
from gateway.rules.mapping.rows import _CODECS
from gateway.rules.mapping.taking import Taken
from tests.support.mapping import SAMPLE, mapping, submitted

from .effort import effort

TABLE = mapping()
RULES = {
    FaultCode.MAPPING_CODE_UNMAPPED,
    FaultCode.MAPPING_FIELD_MISSING,
    FaultCode.MAPPING_VALUE_INVALID,
    FaultCode.MAPPING_KIND_UNMAPPED,
}
CHINA = timezone(timedelta(hours=8))
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(["㛃", "𬭊", "", " "])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**60), 10**60)
    | st.floats()
    | st.decimals()
    | TEXTS
    | st.binary(max_size=20)
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
DOCUMENT = TABLE.outbound(submitted(capital=1234567.89, on="2026-05-27")).document


def _codec(name: str, *, text_only: bool = False, **row: object) -> Codec:
    problems: list[Any] = []
    found = _CODECS[name](Taken(row, "row", problems), Setting(text_only, {}))
    assert not problems
    return found


EVERY = {
    "text": _codec("text"),
    "as_is": _codec("as_is"),
    "bool": _codec("bool", true="1", false="0"),
    "region": _codec("region"),
    "list": _codec("list", separator=","),
    "number": _codec("number"),
    "amount": _codec("amount", ours_unit="yuan", theirs_unit="wan_yuan"),
    "amount text": _codec("amount", ours_unit="fen", theirs_unit="yuan", text_only=True),
    "date": _codec("date", format="yyyy/MM/dd"),
    "date epoch": _codec("date", unit="s", zone="+08:00"),
    "time": _codec("time", format="yyyyMMddHHmmss", zone="+08:00"),
    "time epoch": _codec("time", unit="ms", zone="-11:30", truncate=True),
    "time of ms": _codec("time", ours_as="epoch_ms", unit="s"),
    "base64": _codec("base64", lines=True),
}


@pytest.mark.parametrize("name", EVERY)
@given(value=VALUES)
@effort(200)
def test_no_value_makes_a_codec_crash_and_what_it_takes_comes_back(name: str, value: Any) -> None:
    codec = EVERY[name]
    for change, other in ((codec.out, codec.back), (codec.back, codec.out)):
        try:
            changed = change(value)
        except Wrong as wrong:
            assert wrong.code in RULES
            continue
        if change is codec.out:
            again = change(other(changed))
            assert repr(again) == repr(changed)  # NaN is no value that equals itself


@given(st.dates())
@effort(200)
def test_a_date_comes_back(day: Any) -> None:
    text = day.isoformat()
    for codec in (EVERY["date"], _codec("date", format="dd'.'MM'.'yyyy HH:mm:ss")):
        assert codec.back(codec.out(text)) == text
    if 1970 < day.year < 9999:
        assert EVERY["date epoch"].back(EVERY["date epoch"].out(text)) == text


@given(st.datetimes(datetime(1971, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC)))
@effort(200)
def test_an_instant_comes_back_as_the_same_instant(at: datetime) -> None:
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    text = at.astimezone(CHINA).isoformat()
    for codec in (
        _codec("time", unit="ms", zone="+08:00"),
        _codec("time", format="yyyy-MM-dd'T'HH:mm:ss.SSS", zone="+00:00"),
    ):
        back = codec.back(codec.out(text))
        assert isinstance(back, str) and datetime.fromisoformat(back) == at
    sent = _codec("time", ours_as="epoch_ms", format="yyyyMMddHHmmssSSS", zone="+08:00")
    assert sent.back(sent.out(from_datetime(at))) == from_datetime(at)


@given(st.integers(0, 10**13))
@effort(200)
def test_an_amount_to_the_fen_comes_back_without_loss(fen: int) -> None:
    yuan = fen / 100
    codec = _codec("amount", ours_unit="yuan", theirs_unit="wan_yuan", written="text", decimals=6)
    told = codec.out(yuan)
    assert isinstance(told, str)
    assert Decimal(told) * 10_000 == Decimal(fen) / 100
    assert codec.back(told) == yuan
    padded = _codec(
        "amount", ours_unit="yuan", theirs_unit="fen", written="text", decimals=0, padded=True
    )
    assert padded.out(yuan) == str(fen)


@given(st.binary(max_size=200))
@effort(200)
def test_a_file_comes_back_byte_by_byte(content: bytes) -> None:
    ours = submitted()
    materials = ours["materials"]
    assert isinstance(materials, list) and isinstance(materials[0], dict)
    materials[0]["content"] = content
    back = TABLE.inbound("apply", TABLE.outbound(ours).document).tree["materials"]
    assert isinstance(back, list) and isinstance(back[0], dict)
    assert (back[0]["content"], back[0]["size"]) == (content, len(content))


@given(st.sampled_from([*DOCUMENT, *(f"data/{n}" for n in ("xm", "xzqh", "lqfs"))]), VALUES)
@effort(500)
def test_a_document_with_anything_anywhere_is_understood_or_refused(at: str, value: Any) -> None:
    document: Tree = {**DOCUMENT}
    if "/" in at:
        document["data"] = {**document["data"], at.partition("/")[2]: value}  # type: ignore[dict-item]
    else:
        document[at] = value
    try:
        TABLE.inbound("apply", document)
    except Fault as fault:
        assert fault.code in RULES
        if isinstance(value, str) and len(value) > 5:
            assert value not in str(fault)


@given(st.dictionaries(st.sampled_from(["code", "msg", "data"]), VALUES), VALUES)
@effort(200)
def test_an_answer_of_anything_is_a_verdict_or_refused(document: Tree, code: Value) -> None:
    for answer in (document, {**document, "code": code}):
        try:
            verdict = TABLE.answer(answer)
        except Fault as fault:
            assert fault.code in RULES
        else:
            assert verdict.ok or verdict.retry or verdict.rule


@given(st.data())
@effort(300)
def test_a_file_with_a_line_gone_or_doubled_is_read_or_told(data: st.DataObject) -> None:
    lines = SAMPLE.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(lines) - 1))
        lines[place : place + 1] = data.draw(st.sampled_from([[], [lines[place]] * 2]))
    try:
        assert isinstance(parse_mapping("\n".join(lines).encode()), Mapping)
    except MappingProblem as problem:
        assert problem.problems and all(what for _, what in problem.problems)


TOML = st.recursive(
    st.booleans() | st.integers(-5, 5) | st.sampled_from(['""', '"/a"', '"each"', '"x"', "1.5"]),
    lambda inner: (
        st.lists(inner, max_size=2).map(lambda e: f"[{', '.join(map(_toml, e))}]")
        | st.dictionaries(
            st.sampled_from(["ours", "theirs", "as", "is", "a"]), inner, max_size=3
        ).map(lambda e: "{" + ", ".join(f"{k} = {_toml(v)}" for k, v in e.items()) + "}")
    ),
    max_leaves=5,
)


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@given(st.lists(st.tuples(st.sampled_from(SAMPLE.split("=")[1:12]), TOML), min_size=1, max_size=2))
@effort(300)
def test_a_value_of_any_type_in_a_file_is_read_or_told(changes: list[tuple[str, object]]) -> None:
    text = SAMPLE
    for old, new in changes:
        first = old.strip().splitlines()[0].split(",")[0].strip(" }")
        if first:
            text = text.replace(f"= {first}", f"= {_toml(new)}", 1)
    try:
        parse_mapping(text.encode())
    except MappingProblem as problem:
        assert problem.problems
