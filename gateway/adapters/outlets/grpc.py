"""The way out to a partner that runs a gateway of this kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import grpc

from gateway.kernel.envelope import AttachmentRef, AttachmentState, NotTakenIn, ReceiptQuery
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import (
    GRPC_KEEPALIVE_MS,
    GRPC_RECEIVE_BYTES_MAX,
    LANE_BATCH_MAX,
    RETRY_AFTER_MS_MAX,
)
from gateway.ports.outlet import OutletDown
from gateway.wire import calls
from gateway.wire.rpc_status import DETAILS_KEY, decode_fault

_BUSY = frozenset({FaultCode.LIMIT_RATE, FaultCode.LIMIT_PARTNER_RATE, FaultCode.LIMIT_OVERLOADED})
"""By these a partner that is up asks for time."""
_METHOD = f"/{calls.SERVICE}/"


class GrpcOutlet:
    """Implements `Outlet` over one mutual TLS connection, made when first needed."""

    batch_max = LANE_BATCH_MAX

    def __init__(
        self,
        address: str,
        *,
        key: bytes,
        certificate_chain: bytes,
        authorities: bytes,
        server_name: str = "",
    ) -> None:
        options: list[tuple[str, str | int]] = [
            ("grpc.max_receive_message_length", GRPC_RECEIVE_BYTES_MAX),
            ("grpc.max_send_message_length", GRPC_RECEIVE_BYTES_MAX),
            ("grpc.keepalive_time_ms", GRPC_KEEPALIVE_MS),
            ("grpc.max_reconnect_backoff_ms", 2_000),
            ("grpc.initial_reconnect_backoff_ms", 100),
        ]
        if server_name:
            options.append(("grpc.ssl_target_name_override", server_name))
        credentials = grpc.ssl_channel_credentials(authorities, key, certificate_chain)
        self._channel = grpc.aio.secure_channel(address, credentials, options=options)
        self._deliver: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(
            _METHOD + "Deliver"
        )
        self._query: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(
            _METHOD + "QueryReceipts"
        )
        self._status: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(
            _METHOD + "AttachmentStatus"
        )
        self._upload: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = self._channel.stream_unary(
            _METHOD + "UploadAttachment"
        )

    async def deliver(
        self, envelopes: Sequence[bytes], timeout_s: float
    ) -> list[bytes | NotTakenIn]:
        """Deliver envelopes; see `Outlet`."""
        raw = await _answer(self._deliver(calls.encode_deliver(envelopes), timeout=timeout_s))
        return _as_many(calls.decode_deliver_answer, raw, len(envelopes))

    async def query_receipts(
        self, queries: Sequence[ReceiptQuery], timeout_s: float
    ) -> list[bytes | NotTakenIn]:
        """Ask after messages; see `Outlet`."""
        raw = await _answer(self._query(calls.encode_queries(queries), timeout=timeout_s))
        return _as_many(calls.decode_queries_answer, raw, len(queries))

    async def attachment_status(self, ref: AttachmentRef, timeout_s: float) -> AttachmentState:
        """Ask how much of an attachment is held; see `Outlet`."""
        call = self._status(calls.encode_attachment_ref(ref), timeout=timeout_s)
        return _state(await _answer(call, named=True))

    async def upload(
        self, ref: AttachmentRef, offset: int, chunks: AsyncIterator[bytes], timeout_s: float
    ) -> AttachmentState:
        """Send an attachment; see `Outlet`. What `chunks` raises passes through."""
        broken: list[Exception] = []
        call = self._upload(_parts(ref, offset, chunks, broken), timeout=timeout_s)
        try:
            return _state(await _answer(call, named=True))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if broken and task is not None and not task.cancelling():
                raise broken[0] from None  # gRPC makes a cancellation of it, which ends the caller
            raise

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()


async def _parts(
    ref: AttachmentRef, offset: int, chunks: AsyncIterator[bytes], broken: list[Exception]
) -> AsyncIterator[bytes]:
    yield calls.encode_chunk(ref, offset)
    try:
        async for chunk in chunks:
            yield calls.encode_chunk(chunk, offset)
            offset += len(chunk)
    except Exception as error:
        broken.append(error)
        raise


async def _answer(call: Awaitable[bytes], *, named: bool = False) -> bytes:
    """Await a call. With `named`, a rule the partner names is a Fault, else `OutletDown`."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        fault = _named_fault(error)
        if fault is not None and named:
            raise fault from error
        if fault is None:
            raise OutletDown(error.code().name.lower()) from error
        wait_ms = min(fault.retry_after_ms, RETRY_AFTER_MS_MAX) if fault.code in _BUSY else 0
        raise OutletDown(fault.code.value, wait_ms) from error


def _named_fault(error: grpc.aio.AioRpcError) -> Fault | None:
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            return decode_fault(value)
    return None


def _as_many(
    decode: Callable[[bytes], list[bytes | NotTakenIn]], raw: bytes, wanted: int
) -> list[bytes | NotTakenIn]:
    try:
        answers = decode(raw)
    except Fault as broken:
        raise OutletDown(broken.code.value) from broken
    if len(answers) != wanted:
        raise OutletDown("answers do not match the question")
    return answers


def _state(raw: bytes) -> AttachmentState:
    try:
        return calls.decode_attachment_state(raw)
    except Fault as broken:
        raise OutletDown(broken.code.value) from broken
