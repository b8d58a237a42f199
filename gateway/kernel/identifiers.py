"""Identifiers that cross the wire or name a thing at rest."""

from __future__ import annotations

import re
from typing import NamedTuple, NewType

GatewayId = NewType("GatewayId", str)
"""A gateway's id: its region's six-digit GB/T 2260 code (行政区划代码), as in `"620900"`."""

MessageId = NewType("MessageId", bytes)
"""16 bytes, a UUIDv7 (RFC 9562 section 5.7)."""

CaseId = NewType("CaseId", bytes)
"""16 bytes, a UUIDv7 chosen by the gateway that opened the case."""

Digest = NewType("Digest", bytes)
"""32 bytes, SHA-256 unless said otherwise."""

KeyId = NewType("KeyId", bytes)
"""32 bytes: SHA-256 of a public key's SubjectPublicKeyInfo (DER)."""

_GATEWAY = re.compile(r"[1-9][0-9]{5}\Z")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")


class CaseKey(NamedTuple):
    """A case everywhere: the gateway that opened it and the id that gateway chose."""

    origin: GatewayId
    case_id: CaseId


class MessageRef(NamedTuple):
    """A message everywhere: ids are unique per sender."""

    sender: GatewayId
    message_id: MessageId


def is_gateway_id(text: str) -> bool:
    """Tell whether `text` has the form of a gateway id; the region is not looked up."""
    return _GATEWAY.match(text) is not None


def uuid7(unix_ms: int, entropy: bytes) -> bytes:
    """Make a UUIDv7 from a time in ms and 10 random bytes; sets version and variant."""
    tail = bytearray(entropy[:10])
    tail[0] = 0x70 | (tail[0] & 0x0F)
    tail[2] = 0x80 | (tail[2] & 0x3F)
    return unix_ms.to_bytes(6, "big") + bytes(tail)


def is_uuid7(raw: bytes) -> bool:
    """Tell whether `raw` is 16 bytes with the version and variant of a UUIDv7."""
    return len(raw) == 16 and raw[6] >> 4 == 7 and raw[8] >> 6 == 2


def uuid7_unix_ms(raw: bytes) -> int:
    """Return the time in a UUIDv7, in ms. The form is not checked."""
    return int.from_bytes(raw[:6], "big")


def uuid_text(raw: bytes) -> str:
    """Write 16 bytes as the usual 36-character text."""
    h = raw.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def parse_uuid7(text: str) -> bytes | None:
    """Read the 36-character lower-case text of a UUIDv7; None if it is not one."""
    return bytes.fromhex(text.replace("-", "")) if _UUID.match(text) else None
