"""Reading protobuf so that one value has one encoding.

A message is read only if writing it again gives the same bytes: that refuses unknown fields,
singular fields given twice, long varints, fields out of order and defaults spelled out, at the
price of one serialisation (about 2 µs). The bytes that are verified and stored stay the ones that
came in.
"""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from gateway.kernel.faults import Fault, FaultCode

M = TypeVar("M", bound=Message)


def read(kind: type[M], raw: bytes, name: str) -> M:
    """Parse `raw` as `kind`; `name` is for the fault's detail.

    Raises:
        Fault: `wire.unparseable`, `wire.unknown_field`, `wire.not_minimal`.
    """
    message = kind()
    try:
        message.ParseFromString(raw)
    except DecodeError as broken:
        raise Fault(FaultCode.WIRE_UNPARSEABLE, name) from broken
    message.DiscardUnknownFields()
    if message.SerializeToString(deterministic=True) != raw:
        raise Fault(_why(kind, raw), name)
    return message


def _why(kind: type[M], raw: bytes) -> FaultCode:
    kept = kind.FromString(raw)
    known = kind.FromString(raw)
    known.DiscardUnknownFields()
    if kept.ByteSize() != known.ByteSize():
        return FaultCode.WIRE_UNKNOWN_FIELD
    return FaultCode.WIRE_NOT_MINIMAL
