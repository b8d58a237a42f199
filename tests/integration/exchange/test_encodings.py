"""Bytes that are no message, or could be read in two ways."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.kernel.faults import FaultCode as F
from tests.support.peer import Peer, Sealed
from tests.support.protobuf import field, varint

from .outcomes import (
    not_taken_in,
    raw_not_taken_in,
    taken_in,
)
from .worlds import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

Change = Callable[[bytes], bytes]

UNKNOWN = {
    "number": field(99, 1),
    "bytes": field(99, b"x"),
    "fixed64": varint(99 << 3 | 1) + b"\0" * 8,
    "fixed32": varint(99 << 3 | 5) + b"\0" * 4,
    "group": varint(99 << 3 | 3) + field(1, 7) + varint(99 << 3 | 4),
    "last_number": varint((2**29 - 1) << 3) + b"\x01",
}


@pytest.mark.parametrize("shape", UNKNOWN)
async def test_an_unknown_field_of_an_envelope_is_not_taken_in(world: World, shape: str) -> None:
    sealed = world.jiuquan.submission()
    await raw_not_taken_in(world, sealed.raw + UNKNOWN[shape], F.WIRE_UNKNOWN_FIELD, retry=False)
    assert world.journal.holds(sealed.header) == {}
    await taken_in(world, sealed)


@pytest.mark.parametrize("shape", UNKNOWN)
async def test_an_unknown_field_of_a_signed_header_is_not_taken_in(
    world: World, shape: str
) -> None:
    await header_bytes_not_taken_in(world, lambda h: h + UNKNOWN[shape], F.WIRE_UNKNOWN_FIELD)


HEADER_FORMS: dict[str, Change] = {
    "twice": lambda h: h + field(27, b"\1" * 32),
    "twice_the_same": lambda h: field(1, 1) + h,
    "long_varint": lambda h: field(1, 1, length=2) + h[2:],
    "longest_varint": lambda h: field(1, 1, length=10) + h[2:],
    "long_tag": lambda h: b"\x88\x00\x01" + h[2:],
    "long_length": lambda h: h[:2] + field(2, h[4:20], length=3) + h[20:],
    "out_of_order": lambda h: h[2:] + h[:2],
    "default_written": lambda h: h + field(28, 0),
    "more_than_32_bits": lambda h: field(1, 2**32 + 1) + h[2:],
}


@pytest.mark.parametrize("form", HEADER_FORMS)
async def test_a_signed_header_in_another_encoding_is_not_taken_in(world: World, form: str) -> None:
    await header_bytes_not_taken_in(world, HEADER_FORMS[form], F.WIRE_NOT_MINIMAL)


HEADER_RUINS: dict[str, Change] = {
    "eleven_byte_varint": lambda h: b"\x08" + b"\xff" * 10 + b"\x01" + h[2:],
    "wrong_wire_type": lambda h: h + varint(2 << 3 | 6),
    "field_zero": lambda h: h + b"\x02\x00",
    "length_beyond_the_end": lambda h: h + varint(27 << 3 | 2) + varint(2**31 - 1),
    "group_without_end": lambda h: h + varint(99 << 3 | 3),
    "groups_2000_deep": lambda h: h + varint(99 << 3 | 3) * 2_000,
    "text_not_utf8": lambda h: h.replace(b"enterprise-information-query", b"\xff" * 28),
}


@pytest.mark.parametrize("form", HEADER_RUINS)
async def test_a_signed_header_that_does_not_parse_is_not_taken_in(world: World, form: str) -> None:
    await header_bytes_not_taken_in(world, HEADER_RUINS[form], F.WIRE_UNPARSEABLE)


async def header_bytes_not_taken_in(world: World, change: Change, rule: F) -> None:
    """Sign changed header bytes: what is ambiguous is refused however well it is signed."""
    right = world.jiuquan.submission()
    changed = change(right.header_bytes)
    assert changed != right.header_bytes
    forged = world.jiuquan.resign(right.header, changed, right.body_bytes, right.salt)
    await not_taken_in(world, forged, rule, retry=False)
    await taken_in(world, right)


def with_body(peer: Peer, body: bytes) -> Sealed:
    return peer.seal(peer.header(), body)


BODY_FORMS: dict[str, tuple[Change, F]] = {
    "unknown_field": (lambda b: b + field(99, b"x"), F.WIRE_UNKNOWN_FIELD),
    "form_twice": (lambda b: b + b, F.WIRE_NOT_MINIMAL),
    "long_length": (lambda b: field(1, b[3:], length=4), F.WIRE_NOT_MINIMAL),
    "unknown_in_attachment": (lambda b: b + field(2, field(99, 1)), F.WIRE_UNKNOWN_FIELD),
    "garbage": (lambda _: b"\xff" * 64, F.WIRE_UNPARSEABLE),
}


@pytest.mark.parametrize("form", BODY_FORMS)
async def test_a_signed_body_in_another_encoding_is_not_taken_in(world: World, form: str) -> None:
    change, rule = BODY_FORMS[form]
    right = world.jiuquan.submission()
    await not_taken_in(world, with_body(world.jiuquan, change(right.body_bytes)), rule)


async def test_an_envelope_in_another_encoding_is_not_taken_in(world: World) -> None:
    s = world.jiuquan.submission()
    salt, body = field(2, s.salt), field(3, s.body_bytes)
    rest = s.raw[len(field(1, s.header_bytes)) + len(salt) + len(body) :]
    header = field(1, s.header_bytes)
    assert header + salt + body + rest == s.raw
    for forged in (
        header + salt + body + body + rest,
        header + salt + salt + body + rest,
        header + header + salt + body + rest,
        salt + header + body + rest,
        rest + header + salt + body,
        header + salt + field(3, s.body_bytes, length=5) + rest,
        field(1, b"") + s.raw,
    ):
        await raw_not_taken_in(world, forged, F.WIRE_NOT_MINIMAL, retry=False)
    await taken_in(world, s)


@pytest.mark.parametrize("raw", [b"\0", b"\xff" * 64, b"not a message", b"{}", b"\x0a\xff"])
async def test_what_is_no_envelope_is_not_taken_in(world: World, raw: bytes) -> None:
    await raw_not_taken_in(world, raw, F.WIRE_UNPARSEABLE, retry=False)


async def test_an_empty_envelope_is_not_taken_in(world: World) -> None:
    await raw_not_taken_in(world, b"", F.WIRE_FIELD_INVALID)


async def test_a_message_deeper_than_any_parser_goes_is_not_taken_in(world: World) -> None:
    start, end = varint(15 << 3 | 3), varint(15 << 3 | 4)
    raw = world.jiuquan.ping().raw + start * 10_000 + end * 10_000
    await raw_not_taken_in(world, raw, F.WIRE_UNPARSEABLE)
