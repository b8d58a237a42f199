"""Making messages: right ones, and wrong ones that are signed all the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gateway.conformance.bench import Bench, Sample, Signer
from gateway.kernel.digests import TYPE_BATCH_HEAD, TYPE_HEADER, commitment, digest, pae
from gateway.kernel.envelope import (
    CASELESS,
    Attachment,
    AttachmentRef,
    BatchHead,
    BatchProof,
    Body,
    Header,
    Kind,
    ReceiptQuery,
    Signature,
    Strength,
)
from gateway.kernel.identifiers import CaseId, CaseKey, Digest, MessageId, uuid7
from gateway.kernel.limits import MESSAGE_LIFE_MS, SALT_BYTES
from gateway.kernel.merkle import leaf_hash, tree
from gateway.wire.envelopes import encode_envelope
from gateway.wire.headers import encode_body, encode_header
from gateway.wire.signatures import encode_batch_head


class Made(NamedTuple):
    """A message in parts, so that each can be changed after the signing."""

    header: Header
    """What the header bytes were made from; they may have been changed since."""
    header_bytes: bytes
    salt: bytes
    body_bytes: bytes
    signatures: tuple[Signature, ...] = ()
    attestation: bytes = b""
    tail: bytes = b""
    """Bytes behind the encoded envelope."""

    @property
    def raw(self) -> bytes:
        """The encoded envelope."""
        parts = (self.header_bytes, self.salt, self.body_bytes, self.signatures, self.attestation)
        return encode_envelope(*parts) + self.tail

    @property
    def header_digest(self) -> Digest:
        """What a receipt binds."""
        return digest(self.header_bytes)

    def query(self, *, burn: bool) -> ReceiptQuery:
        """Return the question after its receipt."""
        return ReceiptQuery(self.header.message_id, self.header_digest, burn)


class File(NamedTuple):
    """An attachment on our side."""

    ref: AttachmentRef
    attachment: Attachment
    content: bytes


def new_id(bench: Bench, at_ms: int) -> MessageId:
    """Return a fresh UUIDv7 of an instant."""
    return MessageId(uuid7(at_ms, bench.token(10)))


def ping_header(bench: Bench) -> Header:
    """Return the header of a ping, right in every field."""
    now_ms, target = bench.now_ms(), bench.target.partner
    return Header(
        new_id(bench, now_ms),
        bench.sender.gateway_id,
        target.gateway_id,
        now_ms,
        now_ms + MESSAGE_LIFE_MS,
        Kind.PING,
        b"",
    )


def application_header(bench: Bench, sample: Sample) -> Header:
    """Return the header of a submission that opens a case of its own."""
    header = ping_header(bench)
    return header._replace(
        kind=Kind.SUBMITTED,
        case_origin=bench.sender.gateway_id,
        case_id=uuid7(header.sent_at_ms, bench.token(10)),
        sequence=1,
        agreement_digest=sample.agreement_digest,
        item_code=sample.item_code,
        item_version=sample.item_version,
        mode=sample.mode,
        purpose=sample.purpose,
        acting_unit=bench.sender.unit,
        staff_pseudonym="conformance",
        staff_capacity="system",
        strength=Strength.SIGNED,
        required_suites=sample.suites,
    )


def following_header(bench: Bench, before: Made, kind: Kind) -> Header:
    """Return the header of the next message of the same case."""
    fresh, h = ping_header(bench), before.header
    if h.kind in CASELESS:
        return fresh._replace(kind=kind)
    return h._replace(
        message_id=fresh.message_id,
        sent_at_ms=fresh.sent_at_ms,
        expires_at_ms=fresh.expires_at_ms,
        kind=kind,
        body_commitment=b"",
        sequence=h.sequence + 1,
        previous_digest=before.header_digest,
    )


def body_of(document: object, attachments: Sequence[Attachment] = ()) -> bytes:
    """Return an encoded body around a document, or around bytes as they are."""
    form = document if isinstance(document, bytes) else _json(document)
    return encode_body(Body(form, tuple(attachments)))


def application_document(bench: Bench, sample: Sample) -> Mapping[str, object]:
    """Return the sample's document under a number of its own, marked as an example."""
    number = f"示例-CONFORMANCE-{bench.token(6).hex()}"
    return {**sample.document, "applicant_number": number}


def bind(bench: Bench, header: Header, body_bytes: bytes) -> Made:
    """Bind a body to a header; not signed yet."""
    salt = bench.token(SALT_BYTES)
    header = header._replace(body_commitment=commitment(salt, body_bytes))
    return Made(header, encode_header(header), salt, body_bytes)


def sign(signers: Sequence[Signer], made: Sequence[Made]) -> list[Made]:
    """Sign, each message with every signer; several messages share one batch head a signer."""
    inputs = [pae(TYPE_HEADER, m.header_bytes) for m in made]
    by_signer = [_sign_all(signer, inputs) for signer in signers]
    return [
        m._replace(signatures=tuple(signed[i] for signed in by_signer)) for i, m in enumerate(made)
    ]


def _sign_all(signer: Signer, inputs: Sequence[bytes]) -> list[Signature]:
    if len(inputs) == 1:
        return [Signature(signer.key_id, signer.sign(inputs[0]))]
    root, paths = tree([leaf_hash(i) for i in inputs])
    head = BatchHead(root, len(inputs), signer.suite, signer.key_id)
    head_bytes = encode_batch_head(head)
    signed = signer.sign(pae(TYPE_BATCH_HEAD, head_bytes))
    return [
        Signature(signer.key_id, signed, BatchProof(head_bytes, head, i, path))
        for i, path in enumerate(paths)
    ]


def signers_for(bench: Bench, suites: Sequence[str]) -> list[Signer]:
    """Return our signers of the suites that are asked for; the first one if none is."""
    wanted = [s for s in bench.sender.signers if s.suite in suites]
    return wanted or [bench.sender.signers[0]]


def make_file(
    bench: Bench, sample: Sample, case_id: bytes, code: str, media_type: str, content: bytes
) -> File:
    """Return a file for a case of ours, with a fresh salt."""
    salt = bench.token(SALT_BYTES)
    bound = commitment(salt, content)
    key = CaseKey(bench.sender.gateway_id, CaseId(case_id))
    ref = AttachmentRef(key, sample.agreement_digest, salt, bound, len(content), media_type)
    name = f"示例-{code}.{media_type.rpartition('/')[2]}"
    attachment = Attachment(code, name, media_type, len(content), salt, bound)
    return File(ref, attachment, content)


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
