"""A target that lies: it stands before a real gateway and changes what that says.

It has the gateway's own keys, so that what it says is signed as well as the truth would be.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import grpc
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from gateway.adapters.pki.key_files import load_signer
from gateway.adapters.pki.suites import FileSigner
from gateway.conformance.bench import Bench
from gateway.conformance.line_grpc import Connection, GrpcLine
from gateway.conformance.tampering import flipped
from gateway.kernel.digests import TYPE_RECEIPT, digest, pae
from gateway.kernel.envelope import (
    AttachmentState,
    NotTakenIn,
    Outcome,
    Receipt,
    Signature,
)
from gateway.kernel.faults import Fault
from gateway.kernel.identifiers import GatewayId, MessageId
from gateway.wire import calls
from gateway.wire.envelopes import Envelope, decode_envelope
from gateway.wire.receipts import decode_signed_receipt, encode_receipt, encode_signed_receipt
from tests.integration.conformance.benches import CALL_S, Judged

Answer = bytes | NotTakenIn


class Liar:
    """Says the truth. Others change a part of it, and stay with what they said."""

    signer: FileSigner
    """The target's own key."""
    recipient: GatewayId

    def __init__(self) -> None:
        self.said: dict[bytes, bytes] = {}
        """The truth to what was said instead."""

    def deliveries(self, raws: Sequence[bytes], answers: list[Answer]) -> list[Answer]:
        return [self.answer(raw, answer) for raw, answer in zip(raws, answers, strict=True)]

    def answer(self, raw: bytes, answer: Answer) -> Answer:
        return answer

    def receipts(self, answers: list[Answer]) -> list[Answer]:
        return [self.answer(b"", a) if isinstance(a, bytes) else a for a in answers]

    def upload(self, state: AttachmentState) -> AttachmentState:
        return state

    def other(self, method: str, raw: bytes) -> bytes:
        return raw

    def failed(self, method: str, error: grpc.aio.AioRpcError) -> bytes | None:
        """Return an answer in place of a failed call; None: let it fail."""
        return None

    async def wait(self, method: str) -> None:
        """Be called before each call."""

    def signed(self, receipt: Receipt) -> bytes:
        raw = encode_receipt(receipt)
        signature = Signature(self.signer.key_id, self.signer.sign(pae(TYPE_RECEIPT, raw)))
        return encode_signed_receipt(raw, (signature,))

    def changed(self, answer: Answer, change: Callable[[Receipt], Receipt]) -> Answer:
        if not isinstance(answer, bytes):
            return answer
        if answer not in self.said:
            self.said[answer] = self.signed(change(decode_signed_receipt(answer).receipt))
        return self.said[answer]


def envelope_of(raw: bytes) -> Envelope | None:
    try:
        return decode_envelope(raw)
    except Fault:
        return None


def taken_in(liar: Liar, raw: bytes) -> bytes:
    """Return a rightly signed receipt that says taken in, whatever was sent."""
    found = envelope_of(raw)
    if found is None:
        return b"\xff"
    header = found.header
    at = header.sent_at_ms
    bound = digest(found.header_bytes)
    receipt = Receipt(header.sender, liar.recipient, header.message_id, bound, at, Outcome.TAKEN_IN)
    return liar.signed(receipt)


class _Front(grpc.GenericRpcHandler):
    """Passes every call on to the real gateway, byte for byte, and the answer through the liar."""

    def __init__(self, liar: Liar, channel: grpc.aio.Channel) -> None:
        self.liar = liar
        self.channel = channel

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        method = details.method

        async def handle(
            requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]
        ) -> bytes:
            await self.liar.wait(method)
            parts = [part async for part in requests]

            async def again() -> AsyncIterator[bytes]:
                for part in parts:
                    yield part

            made: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = self.channel.stream_unary(
                method
            )
            try:
                return self._told(method, parts, await made(again(), timeout=CALL_S))
            except grpc.aio.AioRpcError as error:
                instead = self.liar.failed(method, error)
                if instead is not None:
                    return instead
                trailing = tuple(error.trailing_metadata() or ())
                await context.abort(error.code(), error.details() or "", trailing)
                raise AssertionError("abort raises") from error

        return grpc.stream_unary_rpc_method_handler(handle)

    async def _asked(self, method: str, parts: AsyncIterator[bytes]) -> bytes:
        made: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = self.channel.stream_unary(method)
        return await made(parts, timeout=CALL_S)

    def _told(self, method: str, parts: Sequence[bytes], raw: bytes) -> bytes:
        name = method.rpartition("/")[2]
        if name == "Deliver":
            envelopes = calls.decode_deliver(parts[0])
            said = self.liar.deliveries(envelopes, calls.decode_deliver_answer(raw))
            return calls.encode_deliver_answer(said)
        if name == "QueryReceipts":
            said = self.liar.receipts(calls.decode_queries_answer(raw))
            return calls.encode_queries_answer(said)
        if name in ("UploadAttachment", "AttachmentStatus"):
            state = self.liar.upload(calls.decode_attachment_state(raw))
            return calls.encode_attachment_state(state)
        return self.liar.other(name, raw)


@asynccontextmanager
async def lying(world: Judged, liar: Liar, call_s: float = CALL_S) -> AsyncIterator[Bench]:
    """Put a liar before the gateway and yield a bench whose line leads to it."""
    liar.signer = load_signer(world.jiayuguan.signing_keys[0])
    liar.recipient = world.jiayuguan.identity.gateway_id
    own, target = world.jiuquan.root / "keys", world.jiayuguan.root / "keys"
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    onward = grpc.aio.secure_channel(
        world.jiayuguan.exchange,
        grpc.ssl_channel_credentials(
            (target / "authorities.pem").read_bytes(),
            (own / "transport.key.pem").read_bytes(),
            (own / "transport.pem").read_bytes(),
        ),
        options=options,
    )
    server = grpc.aio.server(options=options)
    server.add_generic_rpc_handlers((_Front(liar, onward),))
    shown = (target / "transport.key.pem").read_bytes(), (target / "transport.pem").read_bytes()
    credentials = grpc.ssl_server_credentials(
        [shown], (own / "authorities.pem").read_bytes(), require_client_auth=True
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    connection = Connection(
        f"127.0.0.1:{port}",
        (target / "authorities.pem").read_bytes(),
        (own / "transport.pem").read_bytes(),
        (own / "transport.key.pem").read_bytes(),
        "localhost",
    )
    line = GrpcLine(connection, call_s)
    try:
        yield world.bench(line)
    finally:
        await line.close()
        await server.stop(None)
        await onward.close()


class Lenient(Liar):
    """Takes everything in, whatever is wrong with it."""

    def answer(self, raw: bytes, answer: Answer) -> Answer:
        if isinstance(answer, bytes) and (
            decode_signed_receipt(answer).receipt.outcome is Outcome.TAKEN_IN
        ):
            return answer
        return taken_in(self, raw)

    def receipts(self, answers: list[Answer]) -> list[Answer]:
        return answers


class WithoutRule(Lenient):
    """Takes in what one rule forbids."""

    def __init__(self, rule: str) -> None:
        super().__init__()
        self.rule = rule

    def answer(self, raw: bytes, answer: Answer) -> Answer:
        if isinstance(answer, bytes):
            said = decode_signed_receipt(answer).receipt.rule
        else:
            said = answer.rule
        return super().answer(raw, answer) if said == self.rule else answer


class Severe(Liar):
    """Takes nothing in."""

    def answer(self, raw: bytes, answer: Answer) -> Answer:
        return NotTakenIn("gateway.internal", "网关内部错误", "an internal error", True)

    def receipts(self, answers: list[Answer]) -> list[Answer]:
        return [self.answer(b"", a) for a in answers]

    def upload(self, state: AttachmentState) -> AttachmentState:
        return AttachmentState(state.held + 1, not state.complete)

    def other(self, method: str, raw: bytes) -> bytes:
        if method == "Check":
            said = health_pb2.HealthCheckResponse.NOT_SERVING
            return bytes(health_pb2.HealthCheckResponse(status=said).SerializeToString())
        return bytes(reflection_pb2.ServerReflectionResponse().SerializeToString())


class NeverFails(Liar):
    """Answers calls that must fail as if nothing were wrong."""

    def failed(self, method: str, error: grpc.aio.AioRpcError) -> bytes | None:
        if method.endswith("UploadAttachment"):
            return calls.encode_attachment_state(AttachmentState(1, True))
        return calls.encode_deliver_answer([])


class MixedUp(Liar):
    """Answers a call with several messages in another order."""

    def deliveries(self, raws: Sequence[bytes], answers: list[Answer]) -> list[Answer]:
        return answers[1:] + answers[:1]


class OfAnother(Liar):
    """Signs receipts of another message."""

    def answer(self, raw: bytes, answer: Answer) -> Answer:
        def other(receipt: Receipt) -> Receipt:
            return receipt._replace(message_id=MessageId(flipped(receipt.message_id, 15)))

        return self.changed(answer, other)


class OtherHeader(Liar):
    """Signs receipts that do not bind what was sent."""

    def answer(self, raw: bytes, answer: Answer) -> Answer:
        return self.changed(answer, lambda r: r._replace(header_digest=b"\0" * 32))


class Unsigned(Liar):
    """Sends receipts without a signature."""

    def answer(self, raw: bytes, answer: Answer) -> Answer:
        if not isinstance(answer, bytes):
            return answer
        return encode_signed_receipt(decode_signed_receipt(answer).receipt_bytes, ())


class NewReceipts(Liar):
    """Signs a new receipt each time it is asked, with the same words."""

    def answer(self, raw: bytes, answer: Answer) -> Answer:
        self.said.clear()
        return self.changed(answer, lambda r: r)

    def receipts(self, answers: list[Answer]) -> list[Answer]:
        return [self.answer(b"", a) for a in answers]


class Forgetful(Liar):
    """Knows no receipt when it is asked."""

    def receipts(self, answers: list[Answer]) -> list[Answer]:
        return [NotTakenIn("receipt.not_known", "没有回执", "no receipt", True) for _ in answers]


class Nameless(Liar):
    """Refuses without saying which rule."""

    def answer(self, raw: bytes, answer: Answer) -> Answer:
        if isinstance(answer, NotTakenIn):
            return answer._replace(rule="")
        return self.changed(answer, lambda r: r._replace(rule=""))


class English(Liar):
    """Refuses in English only."""

    def answer(self, raw: bytes, answer: Answer) -> Answer:
        if isinstance(answer, NotTakenIn):
            return answer._replace(text_zh="")
        return self.changed(answer, lambda r: r._replace(text_zh=""))


class Talkative(Liar):
    """Repeats the form in its refusals."""

    def answer(self, raw: bytes, answer: Answer) -> Answer:
        found = envelope_of(raw)
        if found is None or not isinstance(answer, bytes):
            return answer
        form = found.body_bytes.decode("utf-8", "replace")[:1500]
        if decode_signed_receipt(answer).receipt.outcome is not Outcome.REFUSED:
            return answer
        return self.changed(answer, lambda r: r._replace(text_en=r.text_en + ": " + form))


class Ahead(Liar):
    """Has a clock that is an hour ahead."""

    def answer(self, raw: bytes, answer: Answer) -> Answer:
        return self.changed(
            answer, lambda r: r._replace(received_at_ms=r.received_at_ms + 3_600_000)
        )


class Babbling(Liar):
    """Says bytes that are no answer."""

    def deliveries(self, raws: Sequence[bytes], answers: list[Answer]) -> list[Answer]:
        return [b"\xff\xff" for _ in answers]


class Short(Liar):
    """Leaves the last answer of a call out."""

    def deliveries(self, raws: Sequence[bytes], answers: list[Answer]) -> list[Answer]:
        return answers[:-1]


class Silent(Liar):
    """Accepts calls and never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.never = asyncio.Event()

    async def wait(self, method: str) -> None:
        await self.never.wait()


class SilentOnQueries(Silent):
    """Answers everything but queries."""

    async def wait(self, method: str) -> None:
        if method.endswith("QueryReceipts"):
            await self.never.wait()


class Painter(Liar):
    """Writes to the terminal of who reads its rules."""

    def answer(self, raw: bytes, answer: Answer) -> Answer:
        return NotTakenIn("\x1b[2J\x07rule\x00" * 9, "示例", "sample")


def with_other_pins(bench: Bench) -> Bench:
    """Return a bench whose directory knows another certificate of the target."""
    partner = replace(bench.target.partner, transport_pins=frozenset({b"\0" * 32}))
    return replace(bench, target=replace(bench.target, partner=partner))
