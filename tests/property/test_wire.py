"""The codecs: what is written reads back, and nothing that is read breaks them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.kernel.digests import digest
from gateway.kernel.envelope import (
    Attachment,
    AttachmentRef,
    AttachmentState,
    BatchHead,
    BatchProof,
    Body,
    DigestAlgorithm,
    Header,
    Kind,
    Mode,
    NotTakenIn,
    Outcome,
    Receipt,
    ReceiptQuery,
    Right,
    Signature,
    Strength,
)
from gateway.kernel.faults import Fault
from gateway.kernel.identifiers import CaseId, CaseKey, Digest, GatewayId, KeyId, MessageId
from gateway.kernel.limits import ANSWER_TEXT_CHARS_MAX, BATCH_PATH_MAX, RETRY_AFTER_MS_MAX
from gateway.rules.agreement import Act, OpenCases, Verdict
from gateway.wire import calls
from gateway.wire.envelopes import (
    Attestation,
    Draft,
    decode_draft,
    decode_envelope,
    decode_signed_attestation,
    encode_attestation,
    encode_draft,
    encode_envelope,
    encode_signed_attestation,
    peek_header_bytes,
)
from gateway.wire.headers import decode_body, decode_header, encode_body, encode_header
from gateway.wire.receipts import (
    decode_receipt,
    decode_signed_agreement_act,
    decode_signed_receipt,
    encode_agreement_act,
    encode_receipt,
    encode_signed_agreement_act,
    encode_signed_receipt,
)
from gateway.wire.signatures import decode_batch_head, encode_batch_head
from tests.property.effort import effort

B16, B32 = st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32)
TEXT = st.text(max_size=40)
INSTANTS = st.integers(0, 2**53)
GATEWAYS = st.one_of(st.just("620900"), TEXT).map(GatewayId)
TEXTS = st.lists(TEXT, max_size=4).map(tuple)

HEADERS = st.builds(
    Header,
    message_id=st.binary(max_size=20).map(MessageId),
    sender=GATEWAYS,
    recipient=GATEWAYS,
    sent_at_ms=INSTANTS,
    expires_at_ms=INSTANTS,
    kind=st.sampled_from(Kind),
    body_commitment=st.binary(max_size=40),
    case_origin=GATEWAYS,
    case_id=st.binary(max_size=20),
    sequence=st.integers(0, 2**31),
    previous_digest=st.binary(max_size=40),
    last_seen_digest=st.binary(max_size=40),
    in_reply_to=st.binary(max_size=20),
    agreement_digest=st.binary(max_size=40),
    item_code=TEXT,
    item_version=TEXT,
    mode=st.none() | st.sampled_from(Mode),
    delegated_right=st.sampled_from(Right),
    purpose=TEXT,
    acting_unit=TEXT,
    staff_pseudonym=TEXT,
    staff_capacity=TEXT,
    strength=st.none() | st.sampled_from(Strength),
    trace_context=TEXT,
    required_suites=TEXTS,
    critical=TEXTS,
    digest_algorithm=st.just(DigestAlgorithm.SHA256),
    version=st.integers(0, 9),
)
BATCH_HEADS = st.builds(
    BatchHead, root=B32, size=st.integers(0, 2**31), suite=TEXT, key_id=B32.map(KeyId)
)
PROOFS = st.builds(
    lambda head, index, path: BatchProof(encode_batch_head(head), head, index, path),
    BATCH_HEADS,
    st.integers(0, 2**31),
    st.lists(B32, max_size=BATCH_PATH_MAX).map(tuple),
)
SIGNATURES = st.lists(
    st.builds(
        Signature,
        key_id=B32.map(KeyId),
        signature=st.binary(max_size=80),
        batch=st.none() | PROOFS,
    ),
    max_size=4,
).map(tuple)
ATTACHMENTS = st.builds(
    Attachment,
    material_code=st.text(min_size=1, max_size=8),
    name=TEXT,
    media_type=TEXT,
    size=st.integers(0, 2**53),
    salt=B32,
    commitment=B32.map(Digest),
)
BODIES = st.builds(
    Body,
    form=st.binary(max_size=200),
    attachments=st.lists(ATTACHMENTS, max_size=4).map(tuple),
)
RECEIPTS = st.builds(
    Receipt,
    sender=GATEWAYS,
    recipient=GATEWAYS,
    message_id=st.binary(max_size=20).map(MessageId),
    header_digest=B32,
    received_at_ms=INSTANTS,
    outcome=st.sampled_from(Outcome),
    rule=TEXT,
    text_zh=TEXT,
    text_en=TEXT,
    version=st.just(1),
)
ATTESTATIONS = st.builds(
    Attestation,
    partner=GATEWAYS,
    adapter=TEXT,
    received_at_ms=INSTANTS,
    raw_digest=B32,
    strength=st.sampled_from([s for s in Strength if s is not Strength.SIGNED]),
    natural_key=TEXT,
    message_id=B16.map(MessageId),
    header_digest=B32,
)
REFS = st.builds(
    AttachmentRef,
    case_key=st.builds(CaseKey, GATEWAYS, B16.map(CaseId)),
    agreement_digest=B32,
    salt=B32,
    commitment=B32,
    size=st.integers(0, 2**53),
    media_type=TEXT,
)
ANSWERS = st.lists(
    st.binary(min_size=1, max_size=60)
    | st.builds(
        NotTakenIn,
        rule=TEXT,
        text_zh=TEXT,
        text_en=TEXT,
        retry=st.booleans(),
        retry_after_ms=st.integers(0, RETRY_AFTER_MS_MAX),
        expected_sequence=st.integers(0, 2**31),
    ),
    max_size=5,
)

READERS: dict[str, Callable[[bytes], object]] = {
    "header": decode_header,
    "body": decode_body,
    "envelope": decode_envelope,
    "receipt": decode_receipt,
    "signed receipt": decode_signed_receipt,
    "signed agreement act": decode_signed_agreement_act,
    "signed attestation": decode_signed_attestation,
    "batch head": decode_batch_head,
    "deliver": calls.decode_deliver,
    "deliver answer": calls.decode_deliver_answer,
    "queries": calls.decode_queries,
    "queries answer": calls.decode_queries_answer,
    "attachment ref": calls.decode_attachment_ref,
    "attachment state": calls.decode_attachment_state,
    "chunk": calls.decode_chunk,
}


# --- arbitrary bytes ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", READERS)
@effort(60)
@given(raw=st.binary(max_size=300))
@example(raw=b"")
@example(raw=b"\n\x01\xff")  # not UTF-8 in a text field, or a broken message
@example(raw=b"\x0b\x0c")  # groups
@example(raw=b"\xff" * 11)
def test_arbitrary_bytes_raise_nothing_but_a_fault(name: str, raw: bytes) -> None:
    reads_or_faults(READERS[name], raw)


@effort(60)
@given(header=HEADERS, body=BODIES, signatures=SIGNATURES, cut=st.data())
def test_a_spoilt_envelope_raises_nothing_but_a_fault(
    header: Header, body: Body, signatures: tuple[Signature, ...], cut: st.DataObject
) -> None:
    raw = bytearray(
        encode_envelope(encode_header(header), bytes(32), encode_body(body), signatures)
    )
    for _ in range(cut.draw(st.integers(1, 3))):
        at = cut.draw(st.integers(0, len(raw) - 1))
        raw[at] = cut.draw(st.integers(0, 255))
    end = cut.draw(st.integers(0, len(raw)))
    reads_or_faults(decode_envelope, bytes(raw[:end]))


def reads_or_faults(read: Callable[[bytes], object], raw: bytes) -> None:
    try:
        read(raw)
    except Fault as fault:
        assert not any(0xD800 <= ord(c) <= 0xDFFF for c in fault.detail)


# --- one value, one encoding -------------------------------------------------------------------


@effort(60)
@given(header=HEADERS)
def test_a_header_reads_back_as_it_was(header: Header) -> None:
    assert decode_header(encode_header(header)) == header


@effort(60)
@given(header=HEADERS, data=st.data())
def test_a_changed_byte_of_a_header_is_refused_or_says_something_else(
    header: Header, data: st.DataObject
) -> None:
    raw = encode_header(header)
    at = data.draw(st.integers(0, len(raw) - 1))
    changed = raw[:at] + bytes([raw[at] ^ data.draw(st.integers(1, 255))]) + raw[at + 1 :]
    assert digest(changed) != digest(raw)
    try:
        other = decode_header(changed)
    except Fault:
        return
    assert other != header
    assert encode_header(other) == changed, "what is believed has no second encoding"


@effort(60)
@given(header=HEADERS, more=st.binary(min_size=1, max_size=12))
def test_bytes_added_to_a_header_never_pass_as_the_same_header(header: Header, more: bytes) -> None:
    try:
        assert decode_header(encode_header(header) + more) != header
    except Fault:
        return


@effort(60)
@given(body=BODIES)
def test_a_body_reads_back_as_it_was(body: Body) -> None:
    assert decode_body(encode_body(body)) == body


@effort(60)
@given(header=HEADERS, salt=B32, body=st.binary(max_size=99), signatures=SIGNATURES)
def test_an_envelope_reads_back_as_it_was(
    header: Header, salt: bytes, body: bytes, signatures: tuple[Signature, ...]
) -> None:
    header_bytes = encode_header(header)
    raw = encode_envelope(header_bytes, salt, body, signatures)
    read = decode_envelope(raw)
    assert read == (header_bytes, header, salt, body, signatures, b"")
    assert peek_header_bytes(raw) == header_bytes


@effort(40)
@given(header=HEADERS, body=st.binary(max_size=99))
def test_a_draft_reads_back_as_it_was(header: Header, body: bytes) -> None:
    assert decode_draft(encode_draft(Draft(header, body))) == Draft(header, body)


@effort(60)
@given(receipt=RECEIPTS, signatures=SIGNATURES)
def test_a_receipt_reads_back_as_it_was(
    receipt: Receipt, signatures: tuple[Signature, ...]
) -> None:
    raw = encode_receipt(receipt)
    assert decode_signed_receipt(encode_signed_receipt(raw, signatures)) == (
        raw,
        receipt,
        signatures,
        b"",
    )


@effort(40)
@given(attestation=ATTESTATIONS, signatures=SIGNATURES)
def test_an_attestation_reads_back_as_it_was(
    attestation: Attestation, signatures: tuple[Signature, ...]
) -> None:
    raw = encode_attestation(attestation)
    read = decode_signed_attestation(encode_signed_attestation(raw, signatures))
    assert read == (raw, attestation, signatures)


ACTED_AT = st.integers(1, 2**53)


@effort(40)
@given(
    agreement=B32,
    act=st.builds(
        Act,
        party=GATEWAYS,
        verdict=st.just(Verdict.REVOKE),
        acted_at_ms=ACTED_AT,
        open_cases=st.sampled_from([OpenCases.CONTINUE, OpenCases.STOP]),
    )
    | st.builds(
        Act,
        party=GATEWAYS,
        acted_at_ms=ACTED_AT,
        verdict=st.sampled_from([Verdict.ACCEPT, Verdict.REJECT]),
    ),
    signatures=SIGNATURES,
)
def test_an_act_on_an_agreement_reads_back_as_it_was(
    agreement: bytes, act: Act, signatures: tuple[Signature, ...]
) -> None:
    raw = encode_agreement_act(agreement, act)
    read = decode_signed_agreement_act(encode_signed_agreement_act(raw, signatures))
    assert (read.act_bytes, read.agreement_digest, read.signatures) == (raw, agreement, signatures)
    seen = (read.act.party, read.act.verdict, read.act.acted_at_ms, read.act.open_cases)
    assert seen == (act.party, act.verdict, act.acted_at_ms, act.open_cases)


@effort(40)
@given(answers=ANSWERS)
def test_answers_read_back_in_the_same_order(answers: list[bytes | NotTakenIn]) -> None:
    assert calls.decode_deliver_answer(calls.encode_deliver_answer(answers)) == answers
    assert calls.decode_queries_answer(calls.encode_queries_answer(answers)) == answers


@effort(40)
@given(wait_ms=st.integers(0, 2**32 - 1), text=TEXT, times=st.integers(0, 300))
def test_a_partner_cannot_make_us_keep_or_wait_for_more_than_the_bounds(
    wait_ms: int, text: str, times: int
) -> None:
    given_ = NotTakenIn(text * times, text * times, text * times, True, wait_ms)
    (read,) = calls.decode_deliver_answer(calls.encode_deliver_answer([given_]))
    assert isinstance(read, NotTakenIn)
    assert read.retry_after_ms == min(wait_ms, RETRY_AFTER_MS_MAX)
    assert max(map(len, (read.rule, read.text_zh, read.text_en))) <= ANSWER_TEXT_CHARS_MAX


@effort(40)
@given(
    raws=st.lists(st.binary(max_size=50), min_size=1, max_size=6),
    queries=st.lists(
        st.builds(ReceiptQuery, B16.map(MessageId), B32, st.booleans()), min_size=1, max_size=6
    ),
)
def test_calls_read_back_as_they_were(raws: list[bytes], queries: list[ReceiptQuery]) -> None:
    assert calls.decode_deliver(calls.encode_deliver(raws)) == raws
    assert calls.decode_queries(calls.encode_queries(queries)) == queries


@effort(40)
@given(ref=REFS, held=st.integers(0, 2**53), complete=st.booleans(), data=st.binary(max_size=50))
def test_attachments_on_their_way_read_back_as_they_were(
    ref: AttachmentRef, held: int, complete: bool, data: bytes
) -> None:
    state = AttachmentState(held, complete)
    assert calls.decode_attachment_ref(calls.encode_attachment_ref(ref)) == ref
    assert calls.decode_attachment_state(calls.encode_attachment_state(state)) == state
    assert calls.decode_chunk(calls.encode_chunk(ref, held)) == (ref, held)
    assert calls.decode_chunk(calls.encode_chunk(data, held)) == (data, held)


def test_a_partner_may_not_ask_for_more_than_an_hour_s_patience_nor_send_a_book() -> None:
    asked = NotTakenIn("r" * 9_000, "字" * 9_000, "t" * 9_000, True, 2**31)
    [read] = calls.decode_deliver_answer(calls.encode_deliver_answer([asked]))
    assert isinstance(read, NotTakenIn)
    assert read.retry_after_ms == RETRY_AFTER_MS_MAX
    assert (len(read.rule), len(read.text_zh), len(read.text_en)) == (128, 2_000, 2_000)
