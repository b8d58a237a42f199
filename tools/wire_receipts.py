"""Vectors of receipts, as the sender of the message judges them."""

from __future__ import annotations

from typing import Any

from gateway.kernel import digests
from gateway.kernel.envelope import Outcome, Signature
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import GatewayId
from gateway.wire.receipts import encode_signed_receipt
from tools.wire_samples import (
    ANSWERING,
    ANSWERING_EDDSA,
    ES256,
    NOW_MS,
    RECIPIENT,
    SENDER,
    SENT_MS,
    alone,
    batch,
    drawn,
    message,
    new_id,
    receipt,
    signed_receipt,
)

Vector = dict[str, Any]
_SKEW_MS = 300_000
_SENT = message("receipted").signed()


def receipts() -> Vector:
    """Return receipts with the rule that a judge names; empty: it is to be believed."""
    made = [*_believed(), *_bytes(), *_bound(), *_trust()]
    return {
        "sender": SENDER,
        "recipient": RECIPIENT,
        "message_id": _SENT.header.message_id.hex(),
        "header_digest": digests.digest(_SENT.header_bytes).hex(),
        "made_at_ms": SENT_MS,
        "now_ms": NOW_MS,
        "vectors": [
            {"name": name, "rule": rule, "signed_receipt": raw.hex()} for name, rule, raw in made
        ],
    }


Found = list[tuple[str, str, bytes]]


def _input(raw: bytes) -> bytes:
    return digests.pae(digests.TYPE_RECEIPT, raw)


def _batched(raw: bytes, at: int, size: int, **head: object) -> Signature:
    others = [drawn(f"other receipt {n}", 60) for n in range(size)]
    others[at] = raw
    return batch(ANSWERING, [_input(other) for other in others], **head)[at]


def _believed() -> Found:
    taken = receipt(_SENT)
    refused = receipt(
        _SENT,
        Outcome.REFUSED,
        rule="schema.form_invalid",
        text_zh="表单不合格（示例）",
        text_en="the form is wrong (sample)",
    )
    void = receipt(_SENT, Outcome.VOID)
    early = receipt(_SENT, received_at_ms=SENT_MS - _SKEW_MS)
    late = receipt(_SENT, received_at_ms=NOW_MS + _SKEW_MS)
    both = signed_receipt(taken, ANSWERING, ANSWERING_EDDSA)
    return [
        ("taken in, ES256", "", signed_receipt(taken)),
        ("taken in, EdDSA", "", signed_receipt(taken, ANSWERING_EDDSA)),
        ("taken in, both suites", "", both),
        ("refused", "", signed_receipt(refused)),
        ("void", "", signed_receipt(void)),
        ("leaf 0 of 2", "", encode_signed_receipt(taken, [_batched(taken, 0, 2)])),
        ("leaf 4 of 5", "", encode_signed_receipt(refused, [_batched(refused, 4, 5)])),
        ("leaf 200 of 256", "", encode_signed_receipt(taken, [_batched(taken, 200, 256)])),
        ("five minutes before the message", "", signed_receipt(early)),
        ("five minutes from now", "", signed_receipt(late)),
    ]


def _bytes() -> Found:
    taken = receipt(_SENT)
    good = signed_receipt(taken)
    one = alone(ANSWERING, _input(taken))
    odd = taken.replace(b"\x08\x01", b"\x08\x81\x00", 1)
    nothing = receipt(_SENT)[: taken.rindex(b"\x38")]
    return [
        ("no protobuf", F.WIRE_UNPARSEABLE, b"\xff" * 8),
        ("unknown field 99", F.WIRE_UNKNOWN_FIELD, good + b"\x98\x06\x01"),
        ("receipt: unknown field 99", F.WIRE_UNKNOWN_FIELD, signed_receipt(taken + b"\x98\x06\1")),
        ("receipt: version not minimal", F.WIRE_NOT_MINIMAL, signed_receipt(odd)),
        ("version 2", F.WIRE_VERSION_UNSUPPORTED, signed_receipt(receipt(_SENT, version=2))),
        ("no outcome", F.WIRE_FIELD_INVALID, signed_receipt(nothing)),
        (
            "an attestation in place of the recipient's word",
            F.WIRE_ATTESTATION_NOT_LOCAL,
            encode_signed_receipt(taken, [one], b"\x0a\x00"),
        ),
    ]


def _bound() -> Found:
    other = GatewayId("620700")
    changes: list[tuple[str, dict[str, object]]] = [
        ("of another message", {"message_id": new_id("another")}),
        ("of another header under the id", {"header_digest": drawn("another header", 32)}),
        ("of another sender", {"sender": other}),
        ("by another recipient", {"recipient": other}),
        ("before the message", {"received_at_ms": SENT_MS - _SKEW_MS - 1}),
        ("from the future", {"received_at_ms": NOW_MS + _SKEW_MS + 1}),
    ]
    return [(n, F.RECEIPT_INVALID, signed_receipt(receipt(_SENT, **c))) for n, c in changes]


def _trust() -> Found:
    taken = receipt(_SENT)
    one = alone(ANSWERING, _input(taken))
    leaf = _batched(taken, 1, 3)
    assert leaf.batch is not None
    moved = leaf._replace(batch=leaf.batch._replace(leaf_index=2))
    refused = receipt(_SENT, Outcome.REFUSED, rule="delivery.expired")
    as_header = alone(ANSWERING, digests.pae(digests.TYPE_HEADER, taken))
    wrong = F.TRUST_SIGNATURE_INVALID
    return [
        ("not signed", F.TRUST_UNSIGNED, encode_signed_receipt(taken, [])),
        ("the outcome changed after signing", wrong, encode_signed_receipt(refused, [one])),
        ("signed as a header", wrong, encode_signed_receipt(taken, [as_header])),
        ("one key twice", wrong, encode_signed_receipt(taken, [one, one])),
        (
            "signed by the sender itself",
            F.TRUST_KEY_UNKNOWN,
            signed_receipt(taken, ES256),
        ),
        ("another leaf", F.TRUST_BATCH_INVALID, encode_signed_receipt(taken, [moved])),
        ("not a leaf", F.TRUST_BATCH_INVALID, encode_signed_receipt(refused, [leaf])),
        (
            "the head of another suite",
            F.TRUST_SUITE_MISMATCH,
            encode_signed_receipt(taken, [_batched(taken, 1, 3, suite="EdDSA")]),
        ),
        (
            "one good signature and one of nobody",
            F.TRUST_KEY_UNKNOWN,
            encode_signed_receipt(taken, [one, alone(ES256, _input(taken))]),
        ),
    ]
