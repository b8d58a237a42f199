"""What a peer sends is bounded before it costs anything."""

from __future__ import annotations

import pytest

from gateway.kernel.envelope import BatchHead, BatchProof, Signature
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import KeyId
from gateway.kernel.limits import ENVELOPES_PER_CALL_MAX, QUERIES_BYTES_MAX
from gateway.wire import calls
from gateway.wire.signatures import (
    decode_batch_head,
    decode_signatures,
    encode_batch_head,
    to_wire,
)


def refusal(raw: bytes) -> FaultCode:
    with pytest.raises(Fault) as refused:
        calls.decode_deliver(raw)
    return refused.value.code


def test_a_batch_head_of_a_megabyte_is_refused_and_not_kept() -> None:
    head = BatchHead(bytes(32), 2, "S" * 1_000_000, KeyId(bytes(32)))
    proof = BatchProof(encode_batch_head(head), head, 0, (bytes(32),))
    given = to_wire([Signature(KeyId(bytes(32)), b"s", proof)])
    kept = decode_batch_head.cache_info().currsize
    with pytest.raises(Fault) as refused:
        decode_signatures(given, 1)
    assert refused.value.code is FaultCode.TRUST_BATCH_INVALID
    assert decode_batch_head.cache_info().currsize == kept


@pytest.mark.parametrize("count", [ENVELOPES_PER_CALL_MAX + 1, 8_000_000])
def test_empty_envelopes_are_counted_before_they_are_parsed(count: int) -> None:
    assert refusal(b"\x0a\x00" * count) is FaultCode.LIMIT_ENVELOPES_PER_CALL


@pytest.mark.parametrize(
    "raw", [b"\x0a", b"\x0a\xff", b"\x0a\xff\xff\xff\xff\xff\xff", b"\x0a\x05ab", b"\x12\x00"]
)
def test_a_broken_beginning_is_left_to_the_parser(raw: bytes) -> None:
    assert refusal(raw) in {FaultCode.WIRE_UNPARSEABLE, FaultCode.WIRE_UNKNOWN_FIELD}


def test_as_many_envelopes_as_allowed_are_read() -> None:
    envelopes = [bytes([n % 256]) * (n + 1) for n in range(ENVELOPES_PER_CALL_MAX)]
    assert calls.decode_deliver(calls.encode_deliver(envelopes)) == envelopes


def test_questions_have_a_bound_of_their_own() -> None:
    with pytest.raises(Fault) as refused:
        calls.decode_queries(b"\x0a\x00" * QUERIES_BYTES_MAX)
    assert refused.value.code is FaultCode.LIMIT_CALL_BYTES
