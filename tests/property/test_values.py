"""Small things that everything else relies on: JSON, ids, waits."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.kernel.digests import commitment, digest, pae
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import (
    is_uuid7,
    parse_uuid7,
    uuid7,
    uuid7_unix_ms,
    uuid_text,
)
from gateway.kernel.limits import (
    JSON_DEPTH_MAX,
    JSON_INTEGER_MAX,
    RETRY_FIRST_MS,
    RETRY_JITTER,
    RETRY_MS_MAX,
)
from gateway.rules.delivery import retry_delay_ms
from gateway.rules.schema.strict_json import parse
from tests.property.effort import effort

SAFE_FLOATS = st.floats(-JSON_INTEGER_MAX, JSON_INTEGER_MAX, allow_nan=False)
SAFE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-JSON_INTEGER_MAX, JSON_INTEGER_MAX)
    | SAFE_FLOATS
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=30,
)
JSON_FAULTS = {
    FaultCode.SCHEMA_JSON_INVALID,
    FaultCode.SCHEMA_JSON_DUPLICATE_KEY,
    FaultCode.SCHEMA_JSON_NUMBER,
    FaultCode.SCHEMA_JSON_DEPTH,
    FaultCode.SCHEMA_JSON_ENCODING,
}


def same(one: object, other: object) -> bool:
    """Compare as JSON does: 1 and 1.0 are not the same text, True is not 1."""
    return json.dumps(one) == json.dumps(other)


@effort(300)
@given(document=SAFE, ascii_only=st.booleans(), indent=st.none() | st.integers(0, 3))
@example(document={"姓名": "示例甲㛃", "𬭊": ["\U0002cb4a"]}, ascii_only=True, indent=None)
def test_a_document_every_parser_reads_alike_is_read_as_the_library_reads_it(
    document: object, ascii_only: bool, indent: int | None
) -> None:
    raw = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()
    assert same(parse(raw), json.loads(raw))


@effort(400)
@given(raw=st.binary(max_size=120) | st.text(max_size=80).map(lambda t: t.encode()))
@example(raw=b"\xef\xbb\xbf{}")
@example(raw=b'"\\ud800"')
@example(raw=b'{"a":1,"\\u0061":2}')
@example(raw=b"[" * 40 + b"]" * 40)
@example(raw=b"1e400")
@example(raw=b"-0")
@example(raw=b"NaN")
def test_arbitrary_bytes_are_read_as_the_library_reads_them_or_refused(raw: bytes) -> None:
    try:
        value = parse(raw)
    except Fault as fault:
        assert fault.code in JSON_FAULTS
        return
    assert same(value, json.loads(raw))


@effort(200)
@given(text=st.text(alphabet='{}[],:"\\0123456789.eE+-truefalsn u\t\n', max_size=60))
def test_what_looks_like_json_is_read_as_the_library_reads_it_or_refused(text: str) -> None:
    try:
        value = parse(text.encode())
    except Fault as fault:
        assert fault.code in JSON_FAULTS
        return
    assert same(value, json.loads(text))


@effort(150)
@given(
    number=st.integers().filter(lambda n: abs(n) > JSON_INTEGER_MAX)
    | st.floats(allow_nan=False).filter(lambda f: abs(f) > JSON_INTEGER_MAX and math.isfinite(f))
)
@example(number=2**64)
def test_a_number_that_parsers_disagree_on_is_refused_wherever_it_stands(
    number: int | float,
) -> None:
    for text in (f"{number!r}", f"[{number!r}]", f'{{"a":{{"b":{number!r}}}}}'):
        with pytest.raises(Fault) as raised:
            parse(text.encode())
        assert raised.value.code is FaultCode.SCHEMA_JSON_NUMBER


@effort(100)
@given(key=st.text(max_size=8), values=st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_a_key_given_twice_is_refused_however_it_is_written(
    key: str, values: tuple[int, int]
) -> None:
    plain, escaped = json.dumps(key, ensure_ascii=False), json.dumps(key, ensure_ascii=True)
    text = f"[{{{plain}:{values[0]},{escaped}:{values[1]}}}]"
    with pytest.raises(Fault) as raised:
        parse(text.encode())
    assert raised.value.code is FaultCode.SCHEMA_JSON_DUPLICATE_KEY


@effort(60)
@given(depth=st.integers(1, 2 * JSON_DEPTH_MAX), noise=st.text(alphabet='[{"\\', max_size=8))
def test_nesting_is_counted_outside_strings_only(depth: int, noise: str) -> None:
    text = "[" * depth + json.dumps(noise) + "]" * depth
    if depth <= JSON_DEPTH_MAX:
        parse(text.encode())
    else:
        with pytest.raises(Fault) as raised:
            parse(text.encode())
        assert raised.value.code is FaultCode.SCHEMA_JSON_DEPTH


# --- ids ---------------------------------------------------------------------------------------


@effort(200)
@given(at_ms=st.integers(0, 2**48 - 1), entropy=st.binary(min_size=10, max_size=32))
def test_an_id_holds_its_time_and_reads_back_from_its_text(at_ms: int, entropy: bytes) -> None:
    made = uuid7(at_ms, entropy)
    assert is_uuid7(made)
    assert uuid7_unix_ms(made) == at_ms
    assert parse_uuid7(uuid_text(made)) == made
    assert parse_uuid7(uuid_text(made).upper()) in (None, made)


@effort(200)
@given(
    times=st.tuples(st.integers(0, 2**48 - 1), st.integers(0, 2**48 - 1)),
    entropy=st.tuples(*[st.binary(min_size=10, max_size=10)] * 2),
)
def test_ids_sort_as_their_times(times: tuple[int, int], entropy: tuple[bytes, bytes]) -> None:
    first, second = (uuid7(t, e) for t, e in zip(times, entropy, strict=True))
    if times[0] != times[1]:
        assert (first < second) == (times[0] < times[1])


@effort(200)
@given(raw=st.binary(max_size=20), text=st.text(max_size=40))
def test_what_is_no_id_is_not_taken_for_one(raw: bytes, text: str) -> None:
    if is_uuid7(raw):
        assert parse_uuid7(uuid_text(raw)) == raw
    found = parse_uuid7(text)
    assert found is None or uuid_text(found) == text


# --- waits and what is signed ------------------------------------------------------------------


@effort(300)
@given(attempts=st.integers(-3, 10_000), draw=st.integers(0, 255))
def test_a_wait_stays_within_its_bounds(attempts: int, draw: int) -> None:
    wait_ms = retry_delay_ms(attempts, draw)
    low, high = 1 - RETRY_JITTER, 1 + RETRY_JITTER
    base = min(RETRY_FIRST_MS * 2 ** max(attempts - 1, 0), RETRY_MS_MAX)
    assert int(low * base) <= wait_ms <= high * base


@effort(200)
@given(attempts=st.integers(1, 60), draw=st.integers(0, 255))
def test_a_wait_never_gets_shorter_with_the_same_draw(attempts: int, draw: int) -> None:
    assert retry_delay_ms(attempts, draw) <= retry_delay_ms(attempts + 1, draw)


@effort(200)
@given(
    one=st.tuples(st.binary(max_size=20), st.binary(max_size=20)),
    other=st.tuples(st.binary(max_size=20), st.binary(max_size=20)),
)
@example(one=(b"a 1 b", b""), other=(b"a", b"b 0 "))
def test_no_two_things_have_one_signed_input(
    one: tuple[bytes, bytes], other: tuple[bytes, bytes]
) -> None:
    assert (pae(*one) == pae(*other)) == (one == other)


@effort(100)
@given(salt=st.binary(min_size=32, max_size=32), content=st.binary(max_size=60))
def test_a_commitment_is_the_digest_of_salt_and_content(salt: bytes, content: bytes) -> None:
    assert commitment(salt, content) == digest(salt + content)
