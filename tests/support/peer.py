"""A partner that may send anything: real keys and certificates, forged contents."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import grpc

from gateway.adapters.pki.key_files import load_signer
from gateway.adapters.pki.suites import SuiteVerifier
from gateway.adapters.system.clock import SystemEntropy
from gateway.app.partners import load_book
from gateway.app.provision import Site
from gateway.flow.sealing import Sealer
from gateway.kernel.digests import TYPE_HEADER, TYPE_RECEIPT, commitment, digest, pae
from gateway.kernel.envelope import (
    CASELESS,
    Attachment,
    AttachmentRef,
    AttachmentState,
    Body,
    Header,
    Kind,
    Mode,
    NotTakenIn,
    Receipt,
    ReceiptQuery,
    Right,
    Signature,
    Strength,
)
from gateway.kernel.faults import FaultCode
from gateway.kernel.identifiers import CaseId, CaseKey, Digest, MessageId, uuid7
from gateway.kernel.limits import ATTACHMENT_CHUNK_BYTES, MESSAGE_LIFE_MS
from gateway.ports.clock import Clock
from gateway.rules.trust import checks_for, run_checks
from gateway.wire import calls
from gateway.wire.collecting import Collected, decode_collected, encode_collect, encode_fetch
from gateway.wire.envelopes import encode_envelope
from gateway.wire.headers import encode_body, encode_header
from gateway.wire.receipts import decode_signed_receipt
from gateway.wire.rpc_status import DETAILS_KEY, decode_fault
from tests.support.world import BRANCH, QUERY

Answer = bytes | NotTakenIn

IDENTITY = {
    "method": "in_person_id_card",
    "verified_by": "11620900MB00000000",
    "staff": "staff-7",
    "verified_at": "2026-06-01T09:30:00+08:00",
}
QUERY_FORM = {"uscc": "91620200MA0000000H", "query_purpose": "核对企业登记信息（示例）"}


class Sealed(NamedTuple):
    """An envelope in parts, so that each can be changed after the signing."""

    header: Header
    header_bytes: bytes
    salt: bytes
    body_bytes: bytes
    signatures: tuple[Signature, ...] = ()
    attestation: bytes = b""

    @property
    def raw(self) -> bytes:
        return encode_envelope(
            self.header_bytes, self.salt, self.body_bytes, self.signatures, self.attestation
        )

    @property
    def header_digest(self) -> bytes:
        return digest(self.header_bytes)

    def query(self, *, burn: bool = False) -> ReceiptQuery:
        return ReceiptQuery(self.header.message_id, self.header_digest, burn)


class Refusal(NamedTuple):
    """How a whole call failed: gRPC status, and the rule it named."""

    status: grpc.StatusCode
    rule: FaultCode | None


class CallRefused(Exception):
    """The call ended with a status that is not OK."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        rule = None
        for key, value in error.trailing_metadata() or ():
            if key == DETAILS_KEY and isinstance(value, bytes):
                fault = decode_fault(value)
                rule = fault.code if fault is not None else None
        self.refusal = Refusal(error.code(), rule)
        super().__init__(f"{self.refusal}: {error.details()}")


class Line:
    """A raw client of the Exchange service: sends whatever bytes it is given."""

    def __init__(self, channel: grpc.aio.Channel, timeout_s: float = 20.0) -> None:
        self.channel = channel
        self.timeout_s = timeout_s

    async def call(self, method: str, raw: bytes) -> bytes:
        made: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self.channel.unary_unary(
            f"/{calls.SERVICE}/{method}"
        )
        try:
            return await made(raw, timeout=self.timeout_s)
        except grpc.aio.AioRpcError as error:
            raise CallRefused(error) from error

    async def deliver(self, raws: Sequence[bytes]) -> list[Answer]:
        answer = await self.call("Deliver", calls.encode_deliver(raws))
        return calls.decode_deliver_answer(answer)

    async def query(self, queries: Sequence[ReceiptQuery]) -> list[Answer]:
        answer = await self.call("QueryReceipts", calls.encode_queries(queries))
        return calls.decode_queries_answer(answer)

    async def collect(
        self, receipts: Sequence[bytes] = (), envelopes_max: int = 256, wait_ms: int = 0
    ) -> Collected:
        asked = encode_collect(receipts, envelopes_max, wait_ms)
        return decode_collected(await self.call("Collect", asked))

    async def fetch(self, ref: AttachmentRef, offset: int = 0, chunks_max: int = 1_000) -> bytes:
        """Read an attachment from `offset` on, `chunks_max` chunks of it, then break off."""
        made: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = self.channel.unary_stream(
            f"/{calls.SERVICE}/FetchAttachment"
        )
        call = made(encode_fetch(ref, offset), timeout=self.timeout_s)
        got = b""
        try:
            async for part in call:
                data, at = calls.decode_chunk(part)
                assert isinstance(data, bytes)
                assert at == offset + len(got)
                got += data
                chunks_max -= 1
                if not chunks_max:
                    call.cancel()
                    break
        except grpc.aio.AioRpcError as error:
            raise CallRefused(error) from error
        return got

    async def status(self, ref: AttachmentRef) -> AttachmentState:
        answer = await self.call("AttachmentStatus", calls.encode_attachment_ref(ref))
        return calls.decode_attachment_state(answer)

    def stream(
        self, parts: AsyncIterator[bytes], method: str = "UploadAttachment"
    ) -> grpc.aio.StreamUnaryCall[bytes, bytes]:
        """Begin a call, part by part; the caller awaits or cancels it."""
        made: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = self.channel.stream_unary(
            f"/{calls.SERVICE}/{method}"
        )
        call: grpc.aio.StreamUnaryCall[bytes, bytes] = made(parts, timeout=self.timeout_s)
        return call

    async def upload_parts(self, parts: Sequence[bytes]) -> AttachmentState:
        """Send an upload made of these very chunks."""

        async def each() -> AsyncIterator[bytes]:
            for part in parts:
                yield part

        try:
            return calls.decode_attachment_state(await self.stream(each()))
        except grpc.aio.AioRpcError as error:
            raise CallRefused(error) from error

    async def upload(self, ref: AttachmentRef, content: bytes, offset: int = 0) -> AttachmentState:
        parts = [calls.encode_chunk(ref, offset)]
        starts = range(offset, len(content), ATTACHMENT_CHUNK_BYTES)
        parts += [calls.encode_chunk(content[a : a + ATTACHMENT_CHUNK_BYTES], a) for a in starts]
        return await self.upload_parts(parts)


def open_channel(
    port: int, *, authorities: bytes, key: bytes | None = None, certificate: bytes | None = None
) -> grpc.aio.Channel:
    """Open a TLS connection; without key and certificate, as a client that shows none."""
    credentials = grpc.ssl_channel_credentials(authorities, key, certificate)
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    return grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options=options)


@dataclass
class Peer:
    """A partner with its real signing keys, saying what a test wants it to say."""

    site: Site
    to: Site
    agreement: bytes
    clock: Clock
    line: Line
    suites: tuple[str, ...] = ("ES256",)
    sealer: Sealer = field(init=False)
    entropy: SystemEntropy = field(default_factory=SystemEntropy)

    def __post_init__(self) -> None:
        self.sealer = Sealer([load_signer(path) for path in self.site.signing_keys])
        home = self.site.identity.gateway_id
        self.book = load_book(self.site.root / "partners", home, SuiteVerifier(), demo=True)

    def with_line(self, line: Line) -> Peer:
        """Return the same partner on another connection."""
        return replace(self, line=line)

    def new_id(self) -> bytes:
        return uuid7(self.clock.now_ms(), self.entropy.token(10))

    def header(self, kind: Kind = Kind.SUBMITTED, **changes: object) -> Header:
        """Return a header that is right, but for `changes`: a query case's first by default."""
        now_ms = self.clock.now_ms()
        header = Header(
            MessageId(self.new_id()),
            self.site.identity.gateway_id,
            self.to.identity.gateway_id,
            now_ms,
            now_ms + MESSAGE_LIFE_MS,
            kind,
            b"",
        )
        if kind not in CASELESS:
            header = header._replace(
                case_origin=self.site.identity.gateway_id,
                case_id=self.new_id(),
                sequence=1,
                agreement_digest=self.agreement,
                item_code=QUERY,
                item_version="1",
                mode=Mode.ONLINE,
                purpose="enterprise-information-query",
                acting_unit=self.site.identity.unit,
                staff_pseudonym="staff-7",
                staff_capacity="window",
                strength=Strength.SIGNED,
                required_suites=self.suites,
            )
        return header._replace(**changes)  # type: ignore[arg-type]

    def branch_header(self, **changes: object) -> Header:
        """Return the header of a founding case's submission, but for `changes`."""
        header = self.header()._replace(
            item_code=BRANCH,
            item_version="2",
            mode=Mode.COLLECT_ON_BEHALF,
            purpose="branch-registration",
            delegated_right=Right.VERIFY_ORIGINALS,
        )
        return header._replace(**changes)  # type: ignore[arg-type]

    def commit(self, header: Header, body_bytes: bytes, salt: bytes | None = None) -> Sealed:
        """Bind a body to a header; not signed yet."""
        own_salt = self.entropy.token(32) if salt is None else salt
        if not header.body_commitment:
            header = header._replace(body_commitment=commitment(own_salt, body_bytes))
        return Sealed(header, encode_header(header), own_salt, body_bytes)

    def sign(self, *unsigned: Sealed) -> list[Sealed]:
        """Sign; several get one batch head."""
        inputs = [pae(TYPE_HEADER, s.header_bytes) for s in unsigned]
        signed = self.sealer.sign(inputs, self.suites if len(self.suites) > 1 else ())
        return [s._replace(signatures=given) for s, given in zip(unsigned, signed, strict=True)]

    def seal(self, header: Header, body_bytes: bytes, salt: bytes | None = None) -> Sealed:
        """Bind and sign one message."""
        return self.sign(self.commit(header, body_bytes, salt))[0]

    def resign(self, header: Header, header_bytes: bytes, body_bytes: bytes, salt: bytes) -> Sealed:
        """Sign header bytes as they are, however they were made."""
        return self.sign(Sealed(header, header_bytes, salt, body_bytes))[0]

    def submission(self, form: object = None, **changes: object) -> Sealed:
        """Return the submission of a query case, but for `changes` to its header."""
        body = self.submitted_body(form or QUERY_FORM)
        return self.seal(self.header()._replace(**changes), body)  # type: ignore[arg-type]

    def submitted_body(self, form: object, attachments: Sequence[Attachment] = ()) -> bytes:
        document = {"applicant_number": "JQ-2026-000003", "form": form, "identity": IDENTITY}
        return body_of(document, attachments)

    def ping(self) -> Sealed:
        return self.seal(self.header(Kind.PING), body_of({}))

    def next(
        self, before: Sealed, kind: Kind, document: object = None, **changes: object
    ) -> Sealed:
        """Return the message of the same case that follows `before`."""
        h = before.header
        header = h._replace(
            message_id=MessageId(self.new_id()),
            sent_at_ms=self.clock.now_ms(),
            expires_at_ms=self.clock.now_ms() + MESSAGE_LIFE_MS,
            kind=kind,
            body_commitment=b"",
            sequence=h.sequence + 1,
            previous_digest=before.header_digest,
            delegated_right=Right.NONE,
        )
        return self.seal(header._replace(**changes), body_of(document or {}))  # type: ignore[arg-type]

    def ref(self, case_id: bytes, content: bytes, salt: bytes | None = None) -> AttachmentRef:
        """Return what an upload to one of this partner's own cases is announced with."""
        own_salt = self.entropy.token(32) if salt is None else salt
        key = CaseKey(self.site.identity.gateway_id, CaseId(case_id))
        return AttachmentRef(
            key,
            self.agreement,
            own_salt,
            commitment(own_salt, content),
            len(content),
            "application/pdf",
        )

    async def attach(self, case_id: bytes, code: str, content: bytes) -> Attachment:
        """Upload a file and return how a message names it."""
        ref = self.ref(case_id, content)
        state = await self.line.upload(ref, content)
        assert state.complete
        return attachment_of(ref, code)

    async def deliver(self, *sealed: Sealed) -> list[Answer]:
        return await self.line.deliver([s.raw for s in sealed])

    def checked(self, raw: bytes, sealed: Sealed) -> Receipt:
        """Return a receipt after checking that the recipient signed it about `sealed`."""
        receipt = self.verified(raw)
        assert receipt.sender == sealed.header.sender
        assert receipt.message_id == sealed.header.message_id
        assert receipt.header_digest == sealed.header_digest
        return receipt

    def verified(self, raw: bytes) -> Receipt:
        """Return a receipt after checking that the recipient signed it."""
        signed = decode_signed_receipt(raw)
        partner = self.book.partners[self.to.identity.gateway_id]
        message = pae(TYPE_RECEIPT, signed.receipt_bytes)
        at_ms = signed.receipt.received_at_ms
        checks = checks_for(partner, signed.signatures, message, at_ms)
        run_checks(checks, SuiteVerifier().verify)
        assert signed.receipt.recipient == self.to.identity.gateway_id
        return signed.receipt


def body_of(document: object, attachments: Sequence[Attachment] = ()) -> bytes:
    """Return an encoded body around a JSON document, or around JSON bytes as they are."""
    form = (
        document
        if isinstance(document, bytes)
        else json.dumps(document, ensure_ascii=False).encode()
    )
    return encode_body(Body(form, tuple(attachments)))


def attachment_of(ref: AttachmentRef, code: str, name: str = "示例.pdf") -> Attachment:
    """Return how a message names the file of `ref`."""
    return Attachment(code, name, ref.media_type, ref.size, ref.salt, Digest(ref.commitment))
