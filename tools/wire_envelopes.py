"""Vectors of whole envelopes: what is taken in, and what is refused by which rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from gateway.kernel import digests
from gateway.kernel.envelope import DigestAlgorithm, Kind, Signature
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import GatewayId, KeyId, MessageId
from gateway.wire.headers import encode_header
from tools.wire_samples import (
    ANSWERING,
    EDDSA,
    ES256,
    NOW_MS,
    RECIPIENT,
    SENDER,
    SENT_MS,
    Key,
    Message,
    alone,
    batch,
    body,
    drawn,
    message,
    new_id,
    submission,
)

Vector = dict[str, Any]
Change = Callable[[bytes], bytes]
_MINUTE_MS, _DAY_MS = 60_000, 86_400_000
_STRANGER = GatewayId("620700")


def _of(vectors: Iterable[Vector]) -> Vector:
    """Return vectors with what the recipient knows when each arrives."""
    return {
        "peer": SENDER,
        "recipient": RECIPIENT,
        "now_ms": NOW_MS,
        "vectors": list(vectors),
    }


def accepted() -> Vector:
    """Return envelopes that are taken in, each the first of its case or of none."""
    pings = [message(f"batch {at}") for at in range(5)]
    signed = batch(ES256, [p.signed_input for p in pings])
    both = message("both suites", required_suites=("ES256", "EdDSA")).signed(ES256, EDDSA)
    named = {
        "a ping, ES256": message("es256").signed(),
        "a ping, EdDSA": message("eddsa").signed(EDDSA),
        "a ping signed with both suites, which its header asks for": both,
        "a submission": submission("accepted").signed(),
        "at the latest instant": _latest(),
        "sent by a clock five minutes ahead": _at("ahead", NOW_MS + 5 * _MINUTE_MS).signed(),
        "with 30 days to live": message("long life", expires_at_ms=SENT_MS + 30 * _DAY_MS).signed(),
    }
    for at, (ping, one) in enumerate(zip(pings, signed, strict=True)):
        named[f"a ping, leaf {at} of a batch of 5"] = replace(ping, signatures=(one,))
    return _of(
        {
            "name": name,
            "header_digest": digests.digest(m.header_bytes).hex(),
            "signed_input": m.signed_input.hex(),
            "envelope": m.raw.hex(),
        }
        for name, m in named.items()
    )


def _at(name: str, sent_at_ms: int, life_ms: int = _DAY_MS) -> Message:
    return message(
        name,
        message_id=new_id(name, sent_at_ms),
        sent_at_ms=sent_at_ms,
        expires_at_ms=sent_at_ms + life_ms,
    )


def _latest() -> Message:
    """Return a message that ends in this very millisecond, with the tolerance for clocks."""
    return _at("latest", NOW_MS - 5 * _MINUTE_MS - _DAY_MS).signed()


def refusals() -> Vector:
    """Return envelopes that are not taken in, or refused, each with the rule it breaks.

    They are delivered in this order to a gateway that has never heard of the sender's cases.
    """
    return _of(
        {"name": name, "outcome": outcome, "rule": rule.value, "envelope": raw.hex()}
        for outcome, found in (
            ("not_taken_in", [*_bytes(), *_headers(), *_trust(), *_batches(), *_passing()]),
            ("refused", [*_fields(), *_times(), *_forms()]),
        )
        for name, rule, raw in found
    )


Found = list[tuple[str, F, bytes]]


def _varint_field(number: int, value: bytes, long: bool = False) -> bytes:
    size = bytes([len(value) | 0x80, 0]) if long else bytes([len(value)])
    return bytes([number << 3 | 2]) + size + value


def _bytes() -> Found:
    """Return envelopes whose own bytes are wrong."""
    good = message("bytes").signed()
    raw, salt = good.raw, _varint_field(2, good.salt)
    head = raw[: raw.index(salt)]
    rest = raw[len(head) + len(salt) :]
    attested = replace(good, attestation=b"\x0a\x00")
    short = replace(good, salt=good.salt[:31])
    unknown = raw + b"\x98\x06\x01"
    return [
        ("no protobuf", F.WIRE_UNPARSEABLE, b"\xff" * 16),
        ("cut off", F.WIRE_UNPARSEABLE, raw[:-1]),
        ("empty", F.WIRE_FIELD_INVALID, b""),
        ("unknown field 99", F.WIRE_UNKNOWN_FIELD, unknown),
        ("the salt twice", F.WIRE_NOT_MINIMAL, head + salt + salt + rest),
        ("salt before header", F.WIRE_NOT_MINIMAL, salt + head + rest),
        (
            "a length that is not minimal",
            F.WIRE_NOT_MINIMAL,
            head + _varint_field(2, good.salt, long=True) + rest,
        ),
        ("a default written out", F.WIRE_NOT_MINIMAL, raw + b"\x2a\x00"),
        ("a salt of 31 bytes", F.WIRE_FIELD_INVALID, short.raw),
        ("with an attestation", F.WIRE_ATTESTATION_NOT_LOCAL, attested.raw),
    ]


def _headers() -> Found:
    """Return well signed headers whose bytes could be read in two ways, or not at all."""
    changes: list[tuple[str, F, Change]] = [
        ("header: unknown field 99", F.WIRE_UNKNOWN_FIELD, lambda h: h + b"\x98\x06\x01"),
        ("header: version twice", F.WIRE_NOT_MINIMAL, lambda h: h[:2] + h),
        ("header: a varint that is not minimal", F.WIRE_NOT_MINIMAL, _long_version),
        ("header: a tag that is not minimal", F.WIRE_NOT_MINIMAL, lambda h: b"\x88\0\1" + h[2:]),
        ("header: out of order", F.WIRE_NOT_MINIMAL, lambda h: h[2:] + h[:2]),
        ("header: a default written out", F.WIRE_NOT_MINIMAL, lambda h: h + b"\xe0\x01\x00"),
        ("header: a number over 32 bits", F.WIRE_NOT_MINIMAL, _wide_version),
        ("header: wire type 6", F.WIRE_UNPARSEABLE, lambda h: h + b"\xe6\x01"),
        ("header: cut off", F.WIRE_UNPARSEABLE, lambda h: h[:-1]),
        ("header: sender is not UTF-8", F.WIRE_UNPARSEABLE, _not_utf8),
    ]
    made: Found = []
    for name, rule, change in changes:
        good = message(name)
        made.append(
            (name, rule, replace(good, header_bytes=change(good.header_bytes)).signed().raw)
        )
    large = message("header: 8,193 bytes")
    padded = large.header_bytes + b"\x9a\x06" + bytes([0xFF, 0x3F]) + bytes(0x1FFF)
    made += [
        (
            "header: over 8,192 bytes",
            F.LIMIT_ENVELOPE_BYTES,
            replace(large, header_bytes=padded).signed().raw,
        ),
        (
            "header: SM3",
            F.WIRE_DIGEST_UNSUPPORTED,
            message("sm3", digest_algorithm=DigestAlgorithm.SM3).signed().raw,
        ),
        ("header: no kind", F.WIRE_FIELD_INVALID, _kindless()),
    ]
    return made


def _long_version(header: bytes) -> bytes:
    return b"\x08\x81\x00" + header[2:]


def _wide_version(header: bytes) -> bytes:
    return b"\x08\x81\x80\x80\x80\x10" + header[2:]


def _not_utf8(header: bytes) -> bytes:
    return header.replace(SENDER.encode(), b"\xff" * 6)


def _kindless() -> bytes:
    good = message("no kind")
    ping = bytes([13 << 3, Kind.PING])
    assert good.header_bytes.count(ping) == 1
    return replace(good, header_bytes=good.header_bytes.replace(ping, b"")).signed().raw


def _trust() -> Found:
    """Return envelopes that are nobody's word."""
    good = message("trust").signed()
    (one,) = good.signatures

    def by(name: str, make: Callable[[Message], Sequence[Signature]]) -> bytes:
        unsigned = message(name)
        return replace(unsigned, signatures=tuple(make(unsigned))).raw

    def flipped(m: Message) -> list[Signature]:
        right = alone(EDDSA, m.signed_input)
        return [right._replace(signature=bytes([right.signature[0] ^ 1]) + right.signature[1:])]

    stranger = KeyId(drawn("no key", 32))
    tampered = good.header_bytes.replace(
        SENT_MS.to_bytes(6, "big"), (SENT_MS + 1).to_bytes(6, "big")
    )
    receipt_type = digests.TYPE_RECEIPT
    return [
        ("not signed", F.TRUST_UNSIGNED, message("unsigned").raw),
        ("one bit of the signature", F.TRUST_SIGNATURE_INVALID, by("flipped", flipped)),
        (
            "one bit of the signed header",
            F.TRUST_SIGNATURE_INVALID,
            replace(good, header_bytes=tampered).raw,
        ),
        (
            "signed without the pre-authentication encoding",
            F.TRUST_SIGNATURE_INVALID,
            by("bare", lambda m: [alone(ES256, m.header_bytes)]),
        ),
        (
            "signed as a receipt",
            F.TRUST_SIGNATURE_INVALID,
            by("type", lambda m: [alone(ES256, digests.pae(receipt_type, m.header_bytes))]),
        ),
        (
            "one good signature and one bad",
            F.TRUST_SIGNATURE_INVALID,
            by("good and bad", lambda m: [alone(ES256, m.signed_input), *flipped(m)]),
        ),
        (
            "one key twice",
            F.TRUST_SIGNATURE_INVALID,
            by("twice", lambda m: [alone(ES256, m.signed_input)] * 2),
        ),
        (
            "five signatures",
            F.TRUST_SIGNATURE_INVALID,
            by("five", lambda m: [alone(ES256, m.signed_input)] * 5),
        ),
        (
            "the key of another gateway",
            F.TRUST_KEY_UNKNOWN,
            by("other key", lambda m: [alone(ANSWERING, m.signed_input)]),
        ),
        (
            "a key nobody registered",
            F.TRUST_KEY_UNKNOWN,
            by("no key", lambda m: [alone(ES256, m.signed_input)._replace(key_id=stranger)]),
        ),
        (
            "an ES256 signature under the id of an EdDSA key",
            F.TRUST_SIGNATURE_INVALID,
            by("wrong suite", lambda m: [one._replace(key_id=EDDSA.registered.key_id)]),
        ),
        (
            "another salt",
            F.TRUST_BODY_MISMATCH,
            replace(good, salt=drawn("another salt", 32)).raw,
        ),
        ("another body", F.TRUST_BODY_MISMATCH, replace(good, body=body({"a": 1})).raw),
        (
            "a commitment without the salt",
            F.TRUST_BODY_MISMATCH,
            message("bare commitment", body_commitment=digests.digest(body({}))).signed().raw,
        ),
        (
            "a suite asked for and not signed with",
            F.TRUST_SUITE_MISSING,
            message("stripped", required_suites=("ES256", "EdDSA")).signed(ES256).raw,
        ),
        (
            "a suite nobody knows",
            F.TRUST_SUITE_UNKNOWN,
            message("unknown suite", required_suites=("ES512",)).signed().raw,
        ),
        (
            "a sender that the peer does not speak for",
            F.TRUST_PEER_NOT_SENDER,
            message("stranger", sender=_STRANGER).signed().raw,
        ),
    ]


def _batches() -> Found:
    """Return batch proofs that prove nothing."""

    def of(name: str, change: Callable[[Signature], Signature], **head: object) -> bytes:
        pings = [message(f"{name} {at}") for at in range(3)]
        signed = batch(ES256, [p.signed_input for p in pings], **head)
        return replace(pings[1], signatures=(change(signed[1]),)).raw

    def proof(given: Signature, **changes: object) -> Signature:
        assert given.batch is not None
        return given._replace(batch=given.batch._replace(**changes))  # type: ignore[arg-type]

    def path(given: Signature) -> tuple[bytes, ...]:
        assert given.batch is not None
        return given.batch.path

    def same(given: Signature) -> Signature:
        return given

    invalid = F.TRUST_BATCH_INVALID
    return [
        ("batch: another leaf", invalid, of("leaf", lambda s: proof(s, leaf_index=0))),
        ("batch: beyond the tree", invalid, of("beyond", lambda s: proof(s, leaf_index=3))),
        ("batch: path cut off", invalid, of("cut", lambda s: proof(s, path=path(s)[:-1]))),
        ("batch: path too long", invalid, of("more", lambda s: proof(s, path=path(s) * 2))),
        ("batch: ten steps", invalid, of("ten", lambda s: proof(s, path=path(s) * 5))),
        ("batch: size 0", invalid, of("size 0", same, size=0)),
        ("batch: size 513", invalid, of("size 513", same, size=513)),
        ("batch: another size", invalid, of("size", same, size=9)),
        ("batch: another root", invalid, of("root", same, root=drawn("root", 32))),
        (
            "batch: the head of another key",
            invalid,
            of("head key", same, key_id=EDDSA.registered.key_id),
        ),
        ("batch: the head of another suite", F.TRUST_SUITE_MISMATCH, of("s", same, suite="EdDSA")),
        (
            "batch: one bit of the signature over the head",
            F.TRUST_SIGNATURE_INVALID,
            of("bit", lambda s: s._replace(signature=alone(ES256, b"another").signature)),
        ),
        (
            "batch: signed without its head",
            F.TRUST_SIGNATURE_INVALID,
            _signed_leaf(ES256),
        ),
    ]


def _signed_leaf(key: Key) -> bytes:
    """Return a batch proof whose signature is over the leaf itself."""
    pings = [message(f"signed leaf {at}") for at in range(2)]
    one = batch(key, [p.signed_input for p in pings])[0]
    bare = one._replace(signature=key.sign(pings[0].signed_input))
    return replace(pings[0], signatures=(bare,)).raw


def _passing() -> Found:
    """Return what is proven and may pass: nothing is stored, the same bytes may come again."""
    gap = submission("gap", sequence=3, previous_digest=drawn("missing", 32), kind=Kind.WITHDRAWN)
    unknown = submission("agreement", agreement_digest=drawn("no agreement", 32))
    return [
        ("a gap in the sequence", F.DELIVERY_CHAIN_GAP, _with_body(gap, {}).signed().raw),
        ("an agreement not known", F.AGREEMENT_UNKNOWN, unknown.signed().raw),
    ]


def _with_body(m: Message, form: object) -> Message:
    content = body(form)
    commitment = digests.commitment(m.salt, content)
    header = m.header._replace(body_commitment=commitment)
    return replace(m, header=header, body=content, header_bytes=encode_header(header))


def _fields() -> Found:
    """Return signed headers whose fields are wrong."""
    invalid = F.WIRE_FIELD_INVALID
    id_v4 = MessageId(bytes.fromhex("8f14e45fceea467fa83fc0d5d1e2c9aa"))
    changes: list[tuple[str, F, dict[str, object]]] = [
        ("version 2", F.WIRE_VERSION_UNSUPPORTED, {"version": 2}),
        ("a message id that is no UUIDv7", invalid, {"message_id": id_v4}),
        ("a message id of 15 bytes", invalid, {"message_id": MessageId(new_id("15")[:15])}),
        ("the recipient is another", F.DELIVERY_WRONG_RECIPIENT, {"recipient": _STRANGER}),
        ("a recipient that is no gateway id", invalid, {"recipient": GatewayId("62090")}),
        ("a ping in a case", invalid, {"case_origin": SENDER}),
        ("a critical extension", F.WIRE_CRITICAL_UNKNOWN, {"critical": ("sample",)}),
        ("a purpose of 129 characters", invalid, {"purpose": "p" * 129}),
        ("in reply to no id", invalid, {"in_reply_to": b"1"}),
        ("ends before it is sent", invalid, {"expires_at_ms": SENT_MS}),
    ]
    made = [(n, rule, message(n, **c).signed().raw) for n, rule, c in changes]
    of_case: list[tuple[str, dict[str, object]]] = [
        ("a case id that is no UUIDv7", {"case_id": bytes(16)}),
        ("sequence 0", {"sequence": 0}),
        ("a previous digest in the first", {"previous_digest": drawn("previous", 32)}),
        ("none in the second", {"sequence": 2}),
        ("no mode", {"mode": None}),
        ("no strength", {"strength": None}),
        ("no purpose", {"purpose": ""}),
        ("an agreement digest of 31 bytes", {"agreement_digest": bytes(31)}),
    ]
    made += [(f"case: {n}", invalid, submission(n, **c).signed().raw) for n, c in of_case]
    return made


def _times() -> Found:
    """Return messages too old, too new, too long."""
    ended = NOW_MS - 5 * _MINUTE_MS - 1
    return [
        ("ended a millisecond ago", F.DELIVERY_EXPIRED, _at("old", ended - _DAY_MS).signed().raw),
        (
            "sent by a clock over five minutes ahead",
            F.DELIVERY_IN_FUTURE,
            _at("future", NOW_MS + 5 * _MINUTE_MS + 1).signed().raw,
        ),
        (
            "over 30 days to live",
            F.DELIVERY_LIFE_TOO_LONG,
            message("too long", expires_at_ms=SENT_MS + 30 * _DAY_MS + 1).signed().raw,
        ),
        (
            "an id over a minute apart",
            F.DELIVERY_ID_TIME,
            message("id time", message_id=new_id("apart", SENT_MS - _MINUTE_MS - 1)).signed().raw,
        ),
    ]


def _forms() -> Found:
    """Return signed bodies that say nothing acceptable."""

    def said(name: str, form: bytes) -> bytes:
        return message(f"form {name}", body(form)).signed().raw

    deep = b"[" * 33 + b"]" * 33
    listed = message("file of none", body({}) + b"\x12\x00").signed().raw
    return [
        ("form: not JSON", F.SCHEMA_JSON_INVALID, said("not", b"{")),
        ("form: empty", F.SCHEMA_JSON_INVALID, said("empty", b"")),
        ("form: a key twice", F.SCHEMA_JSON_DUPLICATE_KEY, said("twice", b'{"a":1,"a":1}')),
        ("form: NaN", F.SCHEMA_JSON_NUMBER, said("nan", b'{"a":NaN}')),
        ("form: 2^53", F.SCHEMA_JSON_NUMBER, said("large", b'{"a":9007199254740992}')),
        ("form: 33 levels", F.SCHEMA_JSON_DEPTH, said("deep", deep)),
        ("form: a byte order mark", F.SCHEMA_JSON_ENCODING, said("bom", b"\xef\xbb\xbf{}")),
        ("form: not UTF-8", F.SCHEMA_JSON_ENCODING, said("utf8", b'{"a":"\xff"}')),
        ("form: half a character", F.SCHEMA_JSON_ENCODING, said("half", b'{"a":"\\ud800"}')),
        ("form: a member no schema knows", F.SCHEMA_FORM_INVALID, said("more", b'{"a":1}')),
        ("body: a file without code, salt and digest", F.WIRE_FIELD_INVALID, listed),
        (
            "a kind that is not served",
            F.CASE_KIND_NOT_SERVED,
            message("kind", kind=Kind.LICENCE_QUERY).signed().raw,
        ),
    ]
