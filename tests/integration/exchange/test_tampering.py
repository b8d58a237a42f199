"""What was changed on the way: no byte of it may be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.kernel.envelope import NotTakenIn
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import KeyId
from gateway.kernel.limits import ENVELOPES_PER_CALL_MAX
from gateway.wire.signatures import decode_batch_head, encode_batch_head
from tests.support.peer import Sealed

from .outcomes import not_taken_in, still_serves, taken_in
from .worlds import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

Change = Callable[[Sealed], Sealed]


def flipped(raw: bytes, at: int, bit: int = 0) -> bytes:
    """Return `raw` with one bit of the byte at `at` turned over; from the end if negative."""
    changed = bytearray(raw)
    changed[at] ^= 1 << bit
    return bytes(changed)


def in_header(value: Callable[[Sealed], bytes], at: int = 0, bit: int = 0) -> Change:
    """Change a byte of a header's field, found by its value."""

    def change(s: Sealed) -> Sealed:
        place = s.header_bytes.index(value(s)) + at
        return s._replace(header_bytes=flipped(s.header_bytes, place, bit))

    return change


HEADER_FIELDS: dict[str, tuple[Change, F]] = {
    "first_tag": (
        lambda s: s._replace(header_bytes=flipped(s.header_bytes, 0, 2)),  # ends no group
        F.WIRE_UNPARSEABLE,
    ),
    "version": (
        lambda s: s._replace(header_bytes=flipped(s.header_bytes, 1, 1)),
        F.TRUST_SIGNATURE_INVALID,
    ),
    "message_id": (in_header(lambda s: s.header.message_id, 15), F.TRUST_SIGNATURE_INVALID),
    "sender": (in_header(lambda s: s.header.sender.encode(), 5), F.TRUST_PEER_NOT_SENDER),
    "recipient": (in_header(lambda s: s.header.recipient.encode(), 5), F.TRUST_SIGNATURE_INVALID),
    "case_id": (in_header(lambda s: s.header.case_id, 7), F.TRUST_SIGNATURE_INVALID),
    "agreement": (in_header(lambda s: s.header.agreement_digest, 31), F.TRUST_SIGNATURE_INVALID),
    "item_code": (in_header(lambda s: s.header.item_code.encode(), 13), F.TRUST_SIGNATURE_INVALID),
    "purpose": (in_header(lambda s: s.header.purpose.encode(), 3), F.TRUST_SIGNATURE_INVALID),
    "acting_unit": (
        in_header(lambda s: s.header.acting_unit.encode(), 17),
        F.TRUST_SIGNATURE_INVALID,
    ),
    "required_suites": (in_header(lambda _: b"ES256", 4), F.TRUST_SIGNATURE_INVALID),
    "body_commitment": (in_header(lambda s: s.header.body_commitment), F.TRUST_SIGNATURE_INVALID),
    "last_byte": (
        lambda s: s._replace(header_bytes=flipped(s.header_bytes, -1, 7)),
        F.TRUST_SIGNATURE_INVALID,
    ),
    "cut": (lambda s: s._replace(header_bytes=s.header_bytes[:-1]), F.WIRE_UNPARSEABLE),
    "emptied": (lambda s: s._replace(header_bytes=b""), F.WIRE_FIELD_INVALID),
}


@pytest.mark.parametrize("field", HEADER_FIELDS)
async def test_a_tampered_header_is_not_taken_in_and_the_genuine_one_is(
    world: World, field: str
) -> None:
    change, rule = HEADER_FIELDS[field]
    genuine = world.jiuquan.submission()
    await not_taken_in(world, change(genuine), rule)
    await taken_in(world, genuine)


BODY: dict[str, Change] = {
    "body_first": lambda s: s._replace(body_bytes=flipped(s.body_bytes, 0)),
    "body_middle": lambda s: s._replace(body_bytes=flipped(s.body_bytes, len(s.body_bytes) // 2)),
    "body_last": lambda s: s._replace(body_bytes=flipped(s.body_bytes, -1, 7)),
    "body_cut": lambda s: s._replace(body_bytes=s.body_bytes[:-1]),
    "body_grown": lambda s: s._replace(body_bytes=s.body_bytes + b"\0"),
    "body_emptied": lambda s: s._replace(body_bytes=b""),
    "salt_first": lambda s: s._replace(salt=flipped(s.salt, 0)),
    "salt_middle": lambda s: s._replace(salt=flipped(s.salt, 16, 3)),
    "salt_last": lambda s: s._replace(salt=flipped(s.salt, 31, 7)),
    "border_moved": lambda s: s._replace(
        salt=s.salt[1:] + s.body_bytes[:1], body_bytes=s.body_bytes[1:]
    ),
}


@pytest.mark.parametrize("place", BODY)
async def test_a_tampered_body_or_salt_is_not_taken_in_and_the_genuine_one_is(
    world: World, place: str
) -> None:
    genuine = world.jiuquan.submission()
    await not_taken_in(world, BODY[place](genuine), F.TRUST_BODY_MISMATCH, retry=False)
    await taken_in(world, genuine)


@pytest.mark.parametrize("salt", [b"", b"\0" * 31, b"\0" * 33])
async def test_a_salt_of_another_length_is_not_taken_in(world: World, salt: bytes) -> None:
    sealed = world.jiuquan.submission()
    resealed = world.jiuquan.seal(sealed.header._replace(body_commitment=b""), b"", salt)
    await not_taken_in(world, resealed, F.WIRE_FIELD_INVALID)


def in_signature(change: Callable[[bytes], bytes]) -> Change:
    def changed(s: Sealed) -> Sealed:
        (given,) = s.signatures
        return s._replace(signatures=(given._replace(signature=change(given.signature)),))

    return changed


SIGNATURE: dict[str, tuple[Change, F]] = {
    "first": (in_signature(lambda raw: flipped(raw, 0)), F.TRUST_SIGNATURE_INVALID),
    "middle": (in_signature(lambda raw: flipped(raw, 36, 4)), F.TRUST_SIGNATURE_INVALID),
    "last": (in_signature(lambda raw: flipped(raw, -1, 7)), F.TRUST_SIGNATURE_INVALID),
    "cut": (in_signature(lambda raw: raw[:-1]), F.TRUST_SIGNATURE_INVALID),
    "grown": (in_signature(lambda raw: raw + b"\0"), F.TRUST_SIGNATURE_INVALID),
    "emptied": (in_signature(lambda _: b""), F.TRUST_SIGNATURE_INVALID),
    "zeros": (in_signature(lambda _: bytes.fromhex("3006020100020100")), F.TRUST_SIGNATURE_INVALID),
    "twice": (lambda s: s._replace(signatures=s.signatures * 2), F.TRUST_SIGNATURE_INVALID),
    "five_times": (lambda s: s._replace(signatures=s.signatures * 5), F.TRUST_SIGNATURE_INVALID),
    "key_id": (
        lambda s: s._replace(
            signatures=(
                s.signatures[0]._replace(key_id=KeyId(flipped(s.signatures[0].key_id, 31))),
            )
        ),
        F.TRUST_KEY_UNKNOWN,
    ),
    "key_id_cut": (
        lambda s: s._replace(
            signatures=(s.signatures[0]._replace(key_id=KeyId(s.signatures[0].key_id[:-1])),)
        ),
        F.WIRE_FIELD_INVALID,
    ),
}


@pytest.mark.parametrize("place", SIGNATURE)
async def test_a_tampered_signature_is_not_taken_in_and_the_genuine_one_is(
    world: World, place: str
) -> None:
    change, rule = SIGNATURE[place]
    genuine = world.jiuquan.submission()
    await not_taken_in(world, change(genuine), rule)
    await taken_in(world, genuine)


def in_batch(**changes: Callable[[Sealed], object]) -> Change:
    def changed(s: Sealed) -> Sealed:
        (given,) = s.signatures
        assert given.batch is not None
        new = {name: make(s) for name, make in changes.items()}
        return s._replace(signatures=(given._replace(batch=given.batch._replace(**new)),))  # type: ignore[arg-type]

    return changed


def path_of(s: Sealed) -> tuple[bytes, ...]:
    assert s.signatures[0].batch is not None
    return s.signatures[0].batch.path


def head_of(s: Sealed) -> bytes:
    assert s.signatures[0].batch is not None
    return s.signatures[0].batch.head_bytes


def head_with(s: Sealed, **changes: object) -> bytes:
    return encode_batch_head(decode_batch_head(head_of(s))._replace(**changes))  # type: ignore[arg-type]


BATCH: dict[str, tuple[Change, F]] = {
    "path_first": (
        in_batch(path=lambda s: (flipped(path_of(s)[0], 0), *path_of(s)[1:])),
        F.TRUST_BATCH_INVALID,
    ),
    "path_last": (
        in_batch(path=lambda s: (*path_of(s)[:-1], flipped(path_of(s)[-1], 31, 7))),
        F.TRUST_BATCH_INVALID,
    ),
    "path_swapped": (in_batch(path=lambda s: path_of(s)[::-1]), F.TRUST_BATCH_INVALID),
    "path_cut": (in_batch(path=lambda s: path_of(s)[:-1]), F.TRUST_BATCH_INVALID),
    "path_grown": (in_batch(path=lambda s: (*path_of(s), b"\0" * 32)), F.TRUST_BATCH_INVALID),
    "path_short_step": (
        in_batch(path=lambda s: (path_of(s)[0][:-1], *path_of(s)[1:])),
        F.TRUST_BATCH_INVALID,
    ),
    "path_endless": (in_batch(path=lambda _: (b"\0" * 32,) * 10_000), F.TRUST_BATCH_INVALID),
    "path_none": (in_batch(path=lambda _: ()), F.TRUST_BATCH_INVALID),
    "leaf_index": (in_batch(leaf_index=lambda _: 2), F.TRUST_BATCH_INVALID),
    "leaf_index_outside": (in_batch(leaf_index=lambda _: 5), F.TRUST_BATCH_INVALID),
    "leaf_index_far": (in_batch(leaf_index=lambda _: 2**32 - 1), F.TRUST_BATCH_INVALID),
    "head_root": (
        in_batch(
            head_bytes=lambda s: head_with(s, root=flipped(decode_batch_head(head_of(s)).root, 9))
        ),
        F.TRUST_BATCH_INVALID,
    ),
    "head_size": (in_batch(head_bytes=lambda s: head_with(s, size=6)), F.TRUST_SIGNATURE_INVALID),
    "head_cut": (in_batch(head_bytes=lambda s: head_of(s)[:-1]), F.WIRE_UNPARSEABLE),
    "head_empty": (in_batch(head_bytes=lambda _: b""), F.WIRE_VERSION_UNSUPPORTED),
    "stripped": (
        lambda s: s._replace(signatures=(s.signatures[0]._replace(batch=None),)),
        F.TRUST_SIGNATURE_INVALID,
    ),
}


@pytest.mark.parametrize("place", BATCH)
async def test_a_tampered_batch_proof_is_not_taken_in_and_the_genuine_one_is(
    world: World, place: str
) -> None:
    change, rule = BATCH[place]
    peer = world.jiuquan
    batch = [peer.commit(peer.header(), peer.submitted_body({})) for _ in range(4)]
    genuine = peer.commit(peer.header(), peer.submission().body_bytes)
    signed = peer.sign(batch[0], genuine, *batch[1:])[1]
    await not_taken_in(world, change(signed), rule)
    await taken_in(world, signed)


async def test_no_turned_bit_of_an_envelope_is_ever_taken_in(world: World) -> None:
    peer = world.jiuquan
    batch = [peer.commit(peer.header(), peer.submission().body_bytes) for _ in range(3)]
    genuine = peer.sign(*batch)[1]
    raw = genuine.raw
    forged = [flipped(raw, at, at % 8) for at in range(len(raw))]
    before = world.journal.everything()
    for start in range(0, len(forged), ENVELOPES_PER_CALL_MAX):
        answers = await peer.line.deliver(forged[start : start + ENVELOPES_PER_CALL_MAX])
        assert all(isinstance(answer, NotTakenIn) for answer in answers)
        assert all(answer.rule != F.INTERNAL for answer in answers if not isinstance(answer, bytes))
    assert world.journal.everything() == before
    await still_serves(world)
    await taken_in(world, genuine)


async def test_no_envelope_that_ends_early_is_ever_taken_in(world: World) -> None:
    peer = world.jiuquan
    genuine = peer.submission()
    forged = [genuine.raw[:end] for end in range(len(genuine.raw))]
    before = world.journal.everything()
    for start in range(0, len(forged), ENVELOPES_PER_CALL_MAX):
        answers = await peer.line.deliver(forged[start : start + ENVELOPES_PER_CALL_MAX])
        assert all(isinstance(answer, NotTakenIn) for answer in answers)
    assert world.journal.everything() == before
    await still_serves(world)
    await taken_in(world, genuine)
