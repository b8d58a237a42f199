"""What the vectors of the wire are made of: the published example keys, fixed ids and salts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.adapters.pki.certificates import read_signing_certificate
from gateway.adapters.pki.key_files import parse_key
from gateway.kernel.digests import (
    TYPE_BATCH_HEAD,
    TYPE_HEADER,
    TYPE_RECEIPT,
    commitment,
    digest,
    pae,
)
from gateway.kernel.envelope import (
    BatchHead,
    BatchProof,
    Body,
    Header,
    Kind,
    Mode,
    Outcome,
    Receipt,
    Signature,
    Strength,
)
from gateway.kernel.identifiers import CaseId, GatewayId, MessageId, uuid7
from gateway.kernel.merkle import leaf_hash, tree
from gateway.rules.trust import RegisteredKey
from gateway.wire.envelopes import encode_envelope
from gateway.wire.headers import encode_body, encode_header
from gateway.wire.receipts import encode_receipt, encode_signed_receipt
from gateway.wire.signatures import encode_batch_head

ROOT = Path(__file__).resolve().parent.parent
SENDER, RECIPIENT = GatewayId("620900"), GatewayId("620200")
NOW_MS = 1_780_279_200_000  # 2026-06-01 10:00 in China: the recipient's clock in every vector
SENT_MS = NOW_MS - 1_000
WEEK_MS = 7 * 86_400_000
AGREEMENT = ROOT / "partners" / "jiayuguan" / "agreement.toml"


def drawn(name: str, size: int) -> bytes:
    """Return bytes that look random and are the same in every build."""
    out = b""
    while len(out) < size:
        out += sha256(f"kuayu wire vector {name} {len(out)}".encode()).digest()
    return out[:size]


def new_id(name: str, at_ms: int = SENT_MS) -> MessageId:
    """Return the UUIDv7 of a name."""
    return MessageId(uuid7(at_ms, drawn(f"id {name}", 10)))


@dataclass(frozen=True)
class Key:
    """An example signing key, in `certs_example/<gateway>/<name>.pem` and `.key.pem`."""

    gateway: GatewayId
    name: str
    registered: RegisteredKey
    private: EllipticCurvePrivateKey | Ed25519PrivateKey = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """Sign so that every build gives the same bytes: RFC 6979, RFC 8032."""
        if isinstance(self.private, Ed25519PrivateKey):
            return self.private.sign(message)
        return self.private.sign(message, ECDSA(SHA256(), deterministic_signing=True))


def example_key(gateway: GatewayId, suite: str) -> Key:
    """Return the example key of a gateway and suite."""
    stem = ROOT / "certs_example" / gateway / f"signing_{suite.lower()}"
    private = parse_key(stem.with_suffix(".key.pem").read_bytes())
    assert isinstance(private, EllipticCurvePrivateKey | Ed25519PrivateKey)
    certificate = read_signing_certificate(stem.with_suffix(".pem").read_bytes())
    return Key(gateway, stem.name, certificate.registered(), private)


KEYS = {
    (gateway, suite): example_key(gateway, suite)
    for gateway in (SENDER, RECIPIENT)
    for suite in ("ES256", "EdDSA")
}
ES256, EDDSA = KEYS[SENDER, "ES256"], KEYS[SENDER, "EdDSA"]
ANSWERING, ANSWERING_EDDSA = KEYS[RECIPIENT, "ES256"], KEYS[RECIPIENT, "EdDSA"]


def alone(key: Key, message: bytes) -> Signature:
    """Sign one PAE by itself."""
    return Signature(key.registered.key_id, key.sign(message))


def batch(key: Key, messages: Sequence[bytes], **changes: object) -> list[Signature]:
    """Sign PAEs as one batch; `changes` go to its head before it is signed."""
    root, paths = tree([leaf_hash(m) for m in messages])
    head = BatchHead(root, len(messages), key.registered.suite, key.registered.key_id)
    head = head._replace(**changes)  # type: ignore[arg-type]
    raw = encode_batch_head(head)
    made = key.sign(pae(TYPE_BATCH_HEAD, raw))
    return [
        Signature(key.registered.key_id, made, BatchProof(raw, head, index, path))
        for index, path in enumerate(paths)
    ]


@dataclass(frozen=True)
class Message:
    """An envelope in parts, so that each can be changed before or after the signing."""

    header: Header
    salt: bytes
    body: bytes
    header_bytes: bytes = b""
    signatures: tuple[Signature, ...] = ()
    attestation: bytes = b""

    @property
    def signed_input(self) -> bytes:
        return pae(TYPE_HEADER, self.header_bytes)

    @property
    def raw(self) -> bytes:
        return encode_envelope(
            self.header_bytes, self.salt, self.body, self.signatures, self.attestation
        )

    def signed(self, *keys: Key) -> Message:
        """Return it signed by each key alone; ES256 if none is named."""
        made = tuple(alone(key, self.signed_input) for key in keys or (ES256,))
        return replace(self, signatures=made)


def body(form: object) -> bytes:
    """Return an encoded body around a JSON document, or around JSON bytes as they are."""
    raw = form if isinstance(form, bytes) else json.dumps(form, ensure_ascii=False).encode()
    return encode_body(Body(raw))


def message(name: str, body_bytes: bytes | None = None, /, **changes: object) -> Message:
    """Return a ping under the id of `name`, not signed; `changes` go to its header."""
    content = body({}) if body_bytes is None else body_bytes
    salt = drawn(f"salt {name}", 32)
    header = Header(
        new_id(name),
        SENDER,
        RECIPIENT,
        SENT_MS,
        SENT_MS + WEEK_MS,
        Kind.PING,
        commitment(salt, content),
    )._replace(**changes)  # type: ignore[arg-type]
    return Message(header, salt, content, encode_header(header))


def submission(name: str, /, **changes: object) -> Message:
    """Return the submission of a case of its own under the sample agreement, not signed."""
    form = {
        "applicant_number": "JQ-2026-000003",
        "form": {"uscc": "91620200MA0000000H", "query_purpose": "核对企业登记信息（示例）"},
        "identity": {
            "method": "in_person_id_card",
            "verified_by": "11620900MB00000000",
            "staff": "staff-7",
            "verified_at": "2026-06-01T09:30:00+08:00",
        },
    }
    of_case: dict[str, object] = {
        "kind": Kind.SUBMITTED,
        "case_origin": SENDER,
        "case_id": CaseId(new_id(f"case {name}")),
        "sequence": 1,
        "agreement_digest": digest(AGREEMENT.read_bytes()),
        "item_code": "00013112700701",
        "item_version": "1",
        "mode": Mode.ONLINE,
        "purpose": "enterprise-information-query",
        "acting_unit": "11620900MB00000000",
        "staff_pseudonym": "staff-7",
        "staff_capacity": "window",
        "strength": Strength.SIGNED,
        "required_suites": ("ES256",),
    }
    return message(name, body(form), **{**of_case, **changes})


def receipt(of: Message, outcome: Outcome = Outcome.TAKEN_IN, /, **changes: object) -> bytes:
    """Return the bytes of a receipt for a message; `changes` go to its fields."""
    said = Receipt(
        SENDER, RECIPIENT, of.header.message_id, digest(of.header_bytes), NOW_MS, outcome
    )
    return encode_receipt(said._replace(**changes))  # type: ignore[arg-type]


def signed_receipt(raw: bytes, *keys: Key) -> bytes:
    """Return a receipt signed by each key alone; the recipient's ES256 if none is named."""
    made = [alone(key, pae(TYPE_RECEIPT, raw)) for key in keys or (ANSWERING,)]
    return encode_signed_receipt(raw, made)
