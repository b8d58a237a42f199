"""The Exchange service for partners, over mutual TLS.

Requests arrive as bytes: size is judged before anything is parsed. A fault of a whole call is a
status with `ErrorInfo`; what happens to one envelope is in the answer.
"""

from __future__ import annotations

import asyncio
import errno
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from functools import lru_cache, partial
from typing import Any, TypeVar

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from gateway.edge.admission import Places, Rates, Reading
from gateway.edge.client_trust import partner_credentials
from gateway.flow.collecting import Collector
from gateway.flow.downloads import Downloads
from gateway.flow.gathering import Gathering
from gateway.flow.uploads import AttachmentIntake
from gateway.kernel.envelope import AttachmentRef
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import (
    DRAIN_S_MAX,
    EXCHANGE_CALLS_MAX,
    GRPC_KEEPALIVE_MS,
    GRPC_RECEIVE_BYTES_MAX,
    GRPC_STREAMS_MAX,
    GUEST_CALL_S,
    GUEST_CALLS_MAX,
    HTTP_UPLOAD_IDLE_S,
)
from gateway.ports.clock import Clock
from gateway.ports.directory import Book, Directory
from gateway.ports.journal import JournalDown
from gateway.ports.telemetry import EventLog
from gateway.rules.trust import Partner, require_peer
from gateway.wire import calls, collecting
from gateway.wire.rpc_status import DETAILS_KEY, encode_fault

T = TypeVar("T")
Context = grpc.aio.ServicerContext[bytes, bytes]

_CODES = {code.value[0]: code for code in grpc.StatusCode}


class _Guests:
    """Bounds health and reflection, which anyone with a certificate may ask.

    Each call under way counts against `EXCHANGE_CALLS_MAX`: one that need not end (`Watch`, a
    request that never comes) would take the place of a partner's. Stands in for the server where
    their handlers are added, so that a partner's call passes nothing of this.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server
        self._under_way = 0

    def add_generic_rpc_handlers(self, _handlers: object) -> None:
        """See `grpc.Server`: left out, since the same methods are registered by name."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """See `grpc.Server`."""
        bounded = {name: self._bound(handler) for name, handler in handlers.items()}
        self._server.add_registered_method_handlers(service, bounded)

    def _bound(self, handler: Any) -> Any:
        return grpc.stream_stream_rpc_method_handler(
            self._bounded(handler), handler.request_deserializer, handler.response_serializer
        )

    def _bounded(self, handler: Any) -> Callable[[AsyncIterator[Any], Any], AsyncIterator[Any]]:
        async def answer(requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
            if handler.unary_stream is not None:
                await context.abort(grpc.StatusCode.UNIMPLEMENTED, "ask Check")
            if self._under_way >= GUEST_CALLS_MAX:
                await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "ask later")
            self._under_way += 1
            try:
                async with asyncio.timeout(GUEST_CALL_S):
                    if handler.stream_stream is not None:
                        async for said in handler.stream_stream(requests, context):
                            yield said
                    else:
                        yield await handler.unary_unary(await anext(requests), context)
            except (TimeoutError, StopAsyncIteration):
                await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "too slow")
            finally:
                self._under_way -= 1

        return answer


class PartnerServer:
    """Listens for partners."""

    def __init__(
        self,
        intake: Gathering,
        attachments: AttachmentIntake,
        collector: Collector,
        downloads: Downloads,
        directory: Directory,
        log: EventLog,
        pin_of: Callable[[bytes], bytes],
        clock: Clock,
    ) -> None:
        self._intake = intake
        self._attachments = attachments
        self._collector = collector
        self._downloads = downloads
        self._directory = directory
        self._log = log
        self._pin_of = lru_cache(maxsize=4096)(pin_of)
        self._by_pin: tuple[Book, dict[bytes, Partner]] | None = None
        self._places = Places()
        self._rates = Rates(clock)
        self._reading = Reading()
        self._health = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None
        self.port = 0

    async def start(
        self,
        listen: str,
        *,
        key: bytes,
        certificate_chain: bytes,
        authorities: Callable[[], bytes],
    ) -> None:
        """Listen on `host:port` with mutual TLS; port 0 picks one, see `port`.

        `authorities` is asked at every handshake, see `partner_credentials`.

        Raises:
            OSError: the address cannot be bound.
        """
        server = grpc.aio.server(
            maximum_concurrent_rpcs=EXCHANGE_CALLS_MAX,
            options=[
                ("grpc.max_receive_message_length", GRPC_RECEIVE_BYTES_MAX),
                ("grpc.max_send_message_length", GRPC_RECEIVE_BYTES_MAX),
                ("grpc.max_concurrent_streams", GRPC_STREAMS_MAX),
                ("grpc.keepalive_time_ms", GRPC_KEEPALIVE_MS),
                ("grpc.so_reuseport", 0),
            ],
        )
        server.add_registered_method_handlers(calls.SERVICE, self._handlers())
        guests = _Guests(server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, guests)
        names = (calls.SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflecting = reflection.aio.ReflectionServicer(names)
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(reflecting, guests)
        credentials = partner_credentials(key, certificate_chain, authorities)
        try:
            self.port = server.add_secure_port(listen, credentials)
        except RuntimeError as taken:
            raise OSError(errno.EADDRINUSE, f"cannot bind {listen}") from taken
        await server.start()
        await self._health.set(calls.SERVICE, health_pb2.HealthCheckResponse.SERVING)
        self._server = server

    async def stop(self) -> None:
        """Take no more calls and let those under way finish."""
        if self._server is not None:
            await self._health.enter_graceful_shutdown()
            self._collector.stop()
            await self._server.stop(DRAIN_S_MAX)

    def _handlers(self) -> dict[str, Any]:
        """Serve every method as a stream of requests: then nothing is read before the peer is
        known and has a place. On the wire a unary call is a stream of one.
        """
        served = grpc.stream_unary_rpc_method_handler
        return {
            "Deliver": served(self._guarded(self._whole(self._deliver))),
            "QueryReceipts": served(self._guarded(self._whole(self._query))),
            "AttachmentStatus": served(self._guarded(self._whole(self._status))),
            "UploadAttachment": served(self._guarded(self._upload, "uploads")),
            "Collect": served(self._guarded(self._whole(self._collect), "collects")),
            "FetchAttachment": grpc.stream_stream_rpc_method_handler(self._fetching),
        }

    def _whole(
        self, call: Callable[[GatewayId, bytes], Awaitable[bytes]]
    ) -> Callable[[GatewayId, AsyncIterator[bytes]], Awaitable[bytes]]:
        """Read the one request of a unary call in its turn."""

        async def read(peer: GatewayId, requests: AsyncIterator[bytes]) -> bytes:
            raw = await self._reading.turn(peer, partial(_next_part, requests))
            if raw is None:
                raise Fault(FaultCode.WIRE_FIELD_INVALID, "no request")
            return await call(peer, raw)

        return read

    def _guarded(
        self, call: Callable[[GatewayId, T], Awaitable[bytes]], kind: str = "calls"
    ) -> Callable[[T, Context], Awaitable[bytes]]:
        async def answer(request: T, context: Context) -> bytes:
            return await self._judged(context, kind, lambda peer: call(peer, request))

        return answer

    async def _judged(
        self, context: Context, kind: str, call: Callable[[GatewayId], Awaitable[T]]
    ) -> T:
        """Know the peer first; turn faults into statuses and bugs into one that tells nothing."""
        try:
            peer = self._peer(context)
            await self._rates.admit(peer)
            with self._places.taken(peer, kind):
                return await call(peer.gateway_id)
        except Fault as raised:
            fault = raised
        except JournalDown:
            fault = Fault(FaultCode.DELIVERY_JOURNAL_DOWN)
        except asyncio.CancelledError:
            raise
        except Exception as broken:  # noqa: BLE001 - never a traceback to a caller
            self._log.event("call_broke", error=type(broken).__name__)
            fault = Fault(FaultCode.INTERNAL)
        status = encode_fault(fault)
        self._log.event("call_refused", rule=fault.code.value)
        await context.abort(_CODES[status.code], status.message, ((DETAILS_KEY, status.details),))
        raise AssertionError("abort raises")

    def _peer(self, context: Context) -> Partner:
        """Return the active partner whose transport key the peer has.

        Raises:
            Fault: `trust.peer_unknown`, `trust.partner_not_active`.
        """
        given = context.auth_context().get("x509_pem_cert")
        book = self._directory.current()
        if self._by_pin is None or self._by_pin[0] is not book:
            self._by_pin = (book, _owners(book.partners.values()))
        pin = self._pin_of(next(iter(given))) if given else b""
        return require_peer(self._by_pin[1].get(pin))

    async def _deliver(self, peer: GatewayId, raw: bytes) -> bytes:
        envelopes = calls.decode_deliver(raw)
        self._rates.spend(peer, len(envelopes))
        answers = await self._intake.take_in(peer, envelopes)
        return calls.encode_deliver_answer(answers)

    async def _query(self, peer: GatewayId, raw: bytes) -> bytes:
        queries = calls.decode_queries(raw)
        self._rates.spend(peer, len(queries))
        answers = await self._intake.query_receipts(peer, queries)
        return calls.encode_queries_answer(answers)

    async def _status(self, peer: GatewayId, raw: bytes) -> bytes:
        state = await self._attachments.status(peer, calls.decode_attachment_ref(raw))
        return calls.encode_attachment_state(state)

    async def _collect(self, peer: GatewayId, raw: bytes) -> bytes:
        asked = collecting.decode_collect(raw)
        self._rates.spend(peer, len(asked.signed_receipts))
        collected = await self._collector.collect(peer, asked)
        return collecting.encode_collected(collected)

    async def _fetching(self, requests: AsyncIterator[bytes], context: Context) -> None:
        await self._judged(context, "uploads", partial(self._fetch, requests, context))

    async def _fetch(
        self, requests: AsyncIterator[bytes], context: Context, peer: GatewayId
    ) -> None:
        raw = await self._reading.turn(peer, partial(_next_part, requests))
        if raw is None:
            raise Fault(FaultCode.WIRE_FIELD_INVALID, "no request")
        ref, offset = collecting.decode_fetch(raw)
        async with aclosing(self._downloads.read(peer, ref, offset)) as chunks:
            async for chunk in chunks:
                await _written(context, calls.encode_chunk(chunk, offset))
                offset += len(chunk)

    async def _upload(self, peer: GatewayId, parts: AsyncIterator[bytes]) -> bytes:
        first = await _next_part(parts)
        if first is None:
            raise Fault(FaultCode.WIRE_FIELD_INVALID, "no opening chunk")
        ref, offset = calls.decode_chunk(first)
        if not isinstance(ref, AttachmentRef):
            raise Fault(FaultCode.WIRE_FIELD_INVALID, "no opening chunk")
        state = await self._attachments.receive(peer, ref, offset, _data(parts, offset))
        return calls.encode_attachment_state(state)


def _owners(partners: Iterable[Partner]) -> dict[bytes, Partner]:
    """Return whose each transport pin is; one that two partners have is nobody's."""
    claimed = [(pin, partner) for partner in partners for pin in partner.transport_pins]
    times = Counter(pin for pin, _ in claimed)
    return {pin: partner for pin, partner in claimed if times[pin] == 1}


async def _next_part(parts: AsyncIterator[bytes]) -> bytes | None:
    """Return the next request or chunk; None at the end.

    Raises:
        Fault: `portal.too_slow` if none comes in time.
    """
    try:
        async with asyncio.timeout(HTTP_UPLOAD_IDLE_S):
            return await anext(parts, None)
    except TimeoutError as slow:
        raise Fault(FaultCode.PORTAL_TOO_SLOW, "chunk") from slow


async def _written(context: Context, part: bytes) -> None:
    """Send a chunk once there is room for it.

    Raises:
        Fault: `portal.too_slow` if the caller does not read what came before.
    """
    try:
        async with asyncio.timeout(HTTP_UPLOAD_IDLE_S):
            await context.write(part)
    except TimeoutError as slow:
        raise Fault(FaultCode.PORTAL_TOO_SLOW, "chunk") from slow


async def _data(parts: AsyncIterator[bytes], offset: int) -> AsyncIterator[bytes]:
    """Yield the data of the chunks, each of which must begin where the last one ended."""
    while (raw := await _next_part(parts)) is not None:
        data, at = calls.decode_chunk(raw)
        if not isinstance(data, bytes):
            raise Fault(FaultCode.WIRE_FIELD_INVALID, "a second opening chunk")
        if at != offset:
            raise Fault(FaultCode.ATTACHMENT_OFFSET, str(offset))
        offset += len(data)
        yield data
