"""Changes to a message: of bytes after the signing, of the encoding before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gateway.conformance.messages import Made
from gateway.kernel.envelope import BatchProof, Header, Signature
from gateway.kernel.identifiers import KeyId
from gateway.wire.signatures import encode_batch_head

Change = Callable[[Made], Made]


def flipped(raw: bytes, at: int, bit: int = 0) -> bytes:
    """Return `raw` with one bit of the byte at `at` turned over; from the end if negative."""
    changed = bytearray(raw)
    changed[at] ^= 1 << bit
    return bytes(changed)


def varint(value: int, length: int = 0) -> bytes:
    """Write a protobuf varint, with needless bytes up to `length`."""
    out = bytearray()
    while value > 0x7F or len(out) + 1 < length:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(number: int, value: int, length: int = 0) -> bytes:
    return varint(number << 3) + varint(value, length)


def _text(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


def _header_flip(made: Made) -> Made:
    """Turn a bit of the message id's last byte: the header still parses."""
    at = made.header_bytes.index(made.header.message_id) + 15
    return made._replace(header_bytes=flipped(made.header_bytes, at))


def _in_signature(change: Callable[[Signature], Signature]) -> Change:
    return lambda m: m._replace(signatures=(change(m.signatures[0]), *m.signatures[1:]))


def _in_batch(change: Callable[[BatchProof], BatchProof]) -> Change:
    def changed(given: Signature) -> Signature:
        if given.batch is None:
            raise ValueError("the message is signed alone: make it with others, with `count`")
        return given._replace(batch=change(given.batch))

    return _in_signature(changed)


def _head_root(proof: BatchProof) -> BatchProof:
    head = proof.head._replace(root=flipped(proof.head.root, 0))
    return proof._replace(head=head, head_bytes=encode_batch_head(head))


ALTERATIONS: Final[Mapping[str, Change]] = {
    "header": _header_flip,
    "header_cut": lambda m: m._replace(header_bytes=m.header_bytes[:-1]),
    "body": lambda m: m._replace(body_bytes=flipped(m.body_bytes, -1)),
    "body_emptied": lambda m: m._replace(body_bytes=b""),
    "salt": lambda m: m._replace(salt=flipped(m.salt, 0)),
    "salt_border": lambda m: m._replace(
        salt=m.salt[1:] + m.body_bytes[:1], body_bytes=m.body_bytes[1:]
    ),
    "signature": _in_signature(lambda s: s._replace(signature=flipped(s.signature, -1))),
    "signature_cut": _in_signature(lambda s: s._replace(signature=s.signature[:-1])),
    "signature_twice": lambda m: m._replace(signatures=m.signatures * 2),
    "signatures_none": lambda m: m._replace(signatures=()),
    "key_id": _in_signature(lambda s: s._replace(key_id=KeyId(flipped(s.key_id, 31)))),
    "batch_path": _in_batch(lambda p: p._replace(path=(flipped(p.path[0], 0), *p.path[1:]))),
    "batch_leaf": _in_batch(lambda p: p._replace(leaf_index=p.leaf_index ^ 1)),
    "batch_root": _in_batch(_head_root),
    "batch_stripped": _in_signature(lambda s: s._replace(batch=None)),
    "attestation": lambda m: m._replace(attestation=_text(1, b"\x08\x01")),
    "envelope_tail": lambda m: m._replace(tail=_number(99, 1)),
}
"""What can be done to a message after it was signed, by name."""


def _first_field_last(raw: bytes) -> bytes:
    # Field 1, the version, is two bytes: its tag and 1.
    return raw[2:] + raw[:2]


ENCODINGS: Final[Mapping[str, Callable[[Header, bytes], bytes]]] = {
    "unknown_field": lambda _, raw: raw + _number(99, 1),
    "duplicate_field": lambda h, raw: _text(3, h.sender.encode()) + raw,
    "long_varint": lambda _, raw: _number(1, 1, length=3) + raw[2:],
    "out_of_order": lambda _, raw: _first_field_last(raw),
    "default_spelled": lambda _, raw: raw + _number(28, 0),
    "unknown_digest": lambda _, raw: raw + _number(28, 1),
    "not_protobuf": lambda _, raw: raw + b"\xff",
}
"""What can be done to the header's encoding before it is signed, by name."""
