"""Protobuf by hand: what no library would write."""

from __future__ import annotations


def varint(value: int, length: int = 0) -> bytes:
    """Write a varint, with needless bytes up to `length`."""
    out = bytearray()
    while value > 0x7F or len(out) + 1 < length:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, value: bytes | int, *, length: int = 0) -> bytes:
    """Write a protobuf field; `length` makes its number, or the length of its bytes, too long."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value, length)
    return varint(number << 3 | 2) + varint(len(value), length) + value
