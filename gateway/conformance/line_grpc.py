"""The line to a gateway of our own kind: gRPC over mutual TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeVar

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from gateway.conformance.bench import Answer, CallFailed, NoAnswer, Unreadable
from gateway.kernel.envelope import AttachmentRef, AttachmentState, ReceiptQuery
from gateway.kernel.faults import Fault
from gateway.kernel.limits import CONFORMANCE_CALL_S, GRPC_RECEIVE_BYTES_MAX
from gateway.wire import calls
from gateway.wire.rpc_status import DETAILS_KEY

T = TypeVar("T")
_OFFERS = frozenset({"batches", "query", "bytes", "attachments", "services", "tls"})
_HEALTH = "/grpc.health.v1.Health/Check"
_SILENT = frozenset({grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE})


@dataclass(frozen=True)
class Connection:
    """Where the target is and how both prove themselves; keys and certificates are PEM."""

    address: str
    authorities: bytes
    certificate_chain: bytes
    key: bytes = field(repr=False)
    server_name: str = ""


class GrpcLine:
    """Implements `Line`. The connection is made when first needed; close it in the end."""

    def __init__(self, connection: Connection, call_s: float = CONFORMANCE_CALL_S) -> None:
        self._to = connection
        self._call_s = call_s
        self._channel = self._open()

    @property
    def offers(self) -> frozenset[str]:
        """Everything."""
        return _OFFERS

    def _open(self, *, anonymous: bool = False) -> grpc.aio.Channel:
        to = self._to
        options: list[tuple[str, str | int]] = [
            ("grpc.max_receive_message_length", GRPC_RECEIVE_BYTES_MAX),
            ("grpc.max_send_message_length", -1),
            ("grpc.use_local_subchannel_pool", 1),
        ]
        if to.server_name:
            options.append(("grpc.ssl_target_name_override", to.server_name))
        own = (None, None) if anonymous else (to.key, to.certificate_chain)
        credentials = grpc.ssl_channel_credentials(to.authorities, *own)
        return grpc.aio.secure_channel(to.address, credentials, options=options)

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()

    async def _call(
        self, method: str, raw: bytes, channel: grpc.aio.Channel | None = None
    ) -> bytes:
        made: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = (
            channel or self._channel
        ).unary_unary(method)
        return await _answered(made(raw, timeout=self._call_s))

    async def deliver(self, envelopes: Sequence[bytes]) -> Sequence[Answer]:
        """See `Line`."""
        return await self.deliver_bytes(calls.encode_deliver(envelopes))

    async def deliver_bytes(self, request: bytes) -> Sequence[Answer]:
        """See `Line`."""
        raw = await self._call(f"/{calls.SERVICE}/Deliver", request)
        return _read(calls.decode_deliver_answer, raw)

    async def deliver_anonymously(self, envelopes: Sequence[bytes]) -> Sequence[Answer]:
        """See `Line`. A connection that is not made is a failed call: that is the question."""
        channel = self._open(anonymous=True)
        request = calls.encode_deliver(envelopes)
        made: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            f"/{calls.SERVICE}/Deliver"
        )
        try:
            return _read(calls.decode_deliver_answer, await made(request, timeout=self._call_s))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                raise NoAnswer("deadline_exceeded") from error
            raise _failed(error) from error
        finally:
            await channel.close()

    async def deliver_stale(self, envelopes: Sequence[bytes]) -> Sequence[Answer]:
        """See `Line`: a gateway's messages have their own time, which cases change."""
        raise Unreadable("no such call here")

    async def deliver_and_cut(self, envelopes: Sequence[bytes]) -> None:
        """See `Line`.

        Another call over the same connection is awaited: what was written before it has arrived.
        """
        channel = self._open()
        try:
            made: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(
                f"/{calls.SERVICE}/Deliver"
            )
            call = made(timeout=self._call_s)
            await call.write(calls.encode_deliver(envelopes))
            await call.done_writing()
            await self._behind(channel)
            call.cancel()
        except grpc.aio.AioRpcError as error:
            raise NoAnswer(error.code().name.lower()) from error
        except asyncio.InvalidStateError as error:
            raise NoAnswer("the call ended before it was sent") from error
        finally:
            await channel.close()

    async def _behind(self, channel: grpc.aio.Channel) -> None:
        """Return when the target has answered a call made after all others, with any status."""
        request = health_pb2.HealthCheckRequest(service=calls.SERVICE).SerializeToString()
        made: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(_HEALTH)
        try:
            await made(request, timeout=self._call_s)
        except grpc.aio.AioRpcError as error:
            if error.code() in _SILENT:
                raise
            # It serves no health, and has said so: that is an answer as well.

    async def query(self, queries: Sequence[ReceiptQuery]) -> Sequence[Answer]:
        """See `Line`."""
        raw = await self._call(f"/{calls.SERVICE}/QueryReceipts", calls.encode_queries(queries))
        return _read(calls.decode_queries_answer, raw)

    async def upload(
        self, ref: AttachmentRef, offset: int, chunks: Sequence[tuple[int, bytes]]
    ) -> AttachmentState:
        """See `Line`."""

        async def parts() -> AsyncIterator[bytes]:
            yield calls.encode_chunk(ref, offset)
            for at, data in chunks:
                yield calls.encode_chunk(data, at)

        made: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = self._channel.stream_unary(
            f"/{calls.SERVICE}/UploadAttachment"
        )
        raw = await _answered(made(parts(), timeout=self._call_s))
        return _read(calls.decode_attachment_state, raw)

    async def attachment_status(self, ref: AttachmentRef) -> AttachmentState:
        """See `Line`."""
        raw = await self._call(
            f"/{calls.SERVICE}/AttachmentStatus", calls.encode_attachment_ref(ref)
        )
        return _read(calls.decode_attachment_state, raw)

    async def serving(self) -> bool:
        """See `Line`."""
        request = health_pb2.HealthCheckRequest(service=calls.SERVICE)
        raw = await self._call(_HEALTH, request.SerializeToString())
        try:
            answer = health_pb2.HealthCheckResponse.FromString(raw)
        except DecodeError as broken:
            raise Unreadable("HealthCheckResponse") from broken
        serving: bool = answer.status == health_pb2.HealthCheckResponse.SERVING
        return serving

    async def services(self) -> frozenset[str]:
        """See `Line`."""
        request = reflection_pb2.ServerReflectionRequest(list_services="").SerializeToString()
        made: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = self._channel.stream_unary(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
        )

        async def asked() -> AsyncIterator[bytes]:
            yield request

        raw = await _answered(made(asked(), timeout=self._call_s))
        try:
            answer = reflection_pb2.ServerReflectionResponse.FromString(raw)
        except DecodeError as broken:
            raise Unreadable("ServerReflectionResponse") from broken
        return frozenset(s.name for s in answer.list_services_response.service)

    async def certificate_pin(self) -> bytes:
        """See `Line`. The certificate is checked against the authorities and the name."""
        context = ssl.create_default_context(cadata=self._to.authorities.decode())
        context.set_alpn_protocols(["h2"])
        host, _, port = self._to.address.rpartition(":")
        name = self._to.server_name or host.strip("[]")
        try:
            async with asyncio.timeout(self._call_s):
                _, writer = await asyncio.open_connection(
                    host.strip("[]"), int(port), ssl=context, server_hostname=name
                )
        except (OSError, TimeoutError, ValueError) as error:
            raise NoAnswer(f"no TLS connection: {type(error).__name__}") from error
        tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
        certificate = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True) or b"")
        writer.transport.abort()
        spki = certificate.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        return sha256(spki).digest()


async def _answered(call: Awaitable[bytes]) -> bytes:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        failed = _failed(error)
        if error.code() in _SILENT and not failed.rule:
            raise NoAnswer(error.code().name.lower()) from error
        raise failed from error


def _failed(error: grpc.aio.AioRpcError) -> CallFailed:
    """Read the rule and the texts that a status names, whether we know the rule or not."""
    for key, value in error.trailing_metadata() or ():
        if key != DETAILS_KEY or not isinstance(value, bytes):
            continue
        try:
            status = status_pb2.Status.FromString(value)
        except DecodeError:
            break
        info = error_details_pb2.ErrorInfo()
        for packed in status.details:
            if packed.Unpack(info):
                said = info.metadata
                texts = said.get("text_zh", ""), said.get("text_en", "")
                return CallFailed(error.code().name, info.reason, *texts)
    return CallFailed(error.code().name)


def _read(decode: Callable[[bytes], T], raw: bytes) -> T:
    try:
        return decode(raw)
    except Fault as broken:
        raise Unreadable(str(broken)) from broken
