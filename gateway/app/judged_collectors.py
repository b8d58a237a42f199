"""The line by which the conformance kit judges a partner that only calls out.

It cannot be dialled, so the kit opens a door of its own for the run, which the partner's client
calls as it calls the gateway: `Collect` and `FetchAttachment`, over mutual TLS, with our transport
certificate. What a case delivers is handed out there; what the partner says of it comes with its
next calls.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import grpc

from gateway.adapters.pki.certificates import transport_pin
from gateway.app.judged_platforms import Files, NotOurs
from gateway.conformance.bench import Answer, NoAnswer, Silence, Unreadable
from gateway.edge.client_trust import partner_credentials
from gateway.kernel.digests import digest
from gateway.kernel.envelope import AttachmentRef, AttachmentState
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import Digest
from gateway.kernel.limits import (
    ATTACHMENT_CHUNK_BYTES,
    COLLECT_LEASE_MS,
    CONFORMANCE_HANDED_OUT_MAX,
    GRPC_RECEIVE_BYTES_MAX,
)
from gateway.rules.trust import Partner
from gateway.wire import calls, collecting
from gateway.wire.envelopes import header_bytes_of
from gateway.wire.receipts import decode_signed_receipt
from gateway.wire.rpc_status import DETAILS_KEY, encode_fault

_CALLS_UNANSWERED: Final = 2
"""One that was under way already when a message was handed out, and the next one."""
_REST_S: Final = 0.01
"""How long a call waits while an answer is due: the partner shall come back with it."""
Context = grpc.aio.ServicerContext[bytes, bytes]
_CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(eq=False)
class _Handed:
    """A message that a case delivers."""

    raw: bytes
    bound: Digest
    answer: asyncio.Future[Answer]
    times: int = 0
    """How often it was handed out."""
    calls: int = 0
    """Calls that came since, without a receipt of it."""


@dataclass
class _Door:
    """What lies ready, what was handed out, and whose receipts are known."""

    ready: list[_Handed] = field(default_factory=list)
    out: list[_Handed] = field(default_factory=list)
    known: set[Digest] = field(default_factory=set)
    """Header digests of everything that was handed out in this run."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def hand_out(self, most: int) -> list[_Handed]:
        """Take what lies ready, oldest first."""
        taken, self.ready = self.ready[:most], self.ready[most:]
        for handed in taken:
            handed.times, handed.calls = handed.times + 1, 0
            self.known.add(handed.bound)
        self.out += taken
        return taken

    def called_again(self) -> None:
        """Note a call that asks for more: what it leaves unanswered comes again, or is given up."""
        for handed in list(self.out):
            handed.calls += 1
            if handed.calls < _CALLS_UNANSWERED:
                continue
            self.out.remove(handed)
            if handed.times < CONFORMANCE_HANDED_OUT_MAX:
                self.ready.append(handed)
            else:
                handed.answer.set_result(Silence())

    def hear(self, raw: bytes) -> collecting.ReceiptAnswer:
        """Give a receipt to every message it names; what it proves is the case's to judge."""
        try:
            receipt = decode_signed_receipt(raw).receipt
        except Fault as fault:
            return collecting.receipt_refused(fault)
        for handed in list(self.out):
            if receipt.header_digest == handed.bound:
                self.out.remove(handed)
                handed.answer.set_result(raw)  # still open: what is out is waited for
        if receipt.header_digest in self.known:
            return collecting.ReceiptAnswer()
        unknown = Fault(FaultCode.RECEIPT_INVALID, "of no message that was handed out in this run")
        return collecting.receipt_refused(unknown)

    def drop(self, handed: _Handed) -> None:
        """Forget a message that is waited for no longer."""
        for where in (self.ready, self.out):
            if handed in where:
                where.remove(handed)


class CollectorLine(NotOurs):
    """Implements `Line` for a partner that collects. `start` it, and wait for `first_call`."""

    offers: Final = frozenset({"attachments", "batches"})

    def __init__(self, partner: Partner, call_s: float) -> None:
        self._partner = partner
        self._call_s = call_s
        self._door = _Door()
        self._files = Files()
        self._pin = b""
        self._called = asyncio.Event()
        self._server: grpc.aio.Server | None = None
        self.port = 0

    async def start(self, listen: str, *, key: bytes, certificate_chain: bytes) -> None:
        """Open the door at `host:port`; port 0 picks one, see `port`.

        Raises:
            OSError: the address cannot be bound.
        """
        server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", GRPC_RECEIVE_BYTES_MAX),
                ("grpc.max_send_message_length", GRPC_RECEIVE_BYTES_MAX),
                ("grpc.so_reuseport", 0),
            ]
        )
        handlers: dict[str, Any] = {
            "Collect": grpc.unary_unary_rpc_method_handler(self._collect),
            "FetchAttachment": grpc.unary_stream_rpc_method_handler(self._fetch),
        }
        server.add_registered_method_handlers(calls.SERVICE, handlers)
        credentials = partner_credentials(key, certificate_chain, lambda: self._partner.authorities)
        try:
            self.port = server.add_secure_port(listen, credentials)
        except RuntimeError as taken:
            raise OSError(errno.EADDRINUSE, f"cannot bind {listen}") from taken
        await server.start()
        self._server = server

    async def first_call(self) -> None:
        """Return when the partner has called."""
        await self._called.wait()

    async def close(self) -> None:
        """Close the door; a call that waits ends empty."""
        self._door.changed.set()
        if self._server is not None:
            await self._server.stop(None)

    async def deliver(self, envelopes: Sequence[bytes]) -> Sequence[Answer]:
        """See `Line`: what has no receipt after it was handed out again and again is `Silence`."""
        handed = [_handed(raw) for raw in envelopes]
        self._door.ready += handed
        self._door.changed.set()
        try:
            await asyncio.wait([one.answer for one in handed], timeout=self._call_s)
        finally:
            for one in handed:
                self._door.drop(one)
        if not any(one.times for one in handed):
            raise NoAnswer("it does not call")
        return [one.answer.result() if one.answer.done() else Silence() for one in handed]

    async def deliver_anonymously(self, envelopes: Sequence[bytes]) -> Sequence[Answer]:
        """See `Line`: it is the partner that dials, and knows whom."""
        raise Unreadable("no such call here")

    async def upload(
        self, ref: AttachmentRef, offset: int, chunks: Sequence[tuple[int, bytes]]
    ) -> AttachmentState:
        """See `Line`: a file lies ready to be fetched."""
        return self._files.take(ref, chunks)

    async def certificate_pin(self) -> bytes:
        """See `Line`: of the certificate it called with."""
        return self._pin

    async def _collect(self, raw: bytes, context: Context) -> bytes:
        try:
            self._require_partner(context)
            asked = collecting.decode_collect(raw)
        except Fault as fault:
            return await _refuse(context, fault)
        door = self._door
        answers = tuple(door.hear(receipt) for receipt in asked.signed_receipts)
        envelopes: tuple[bytes, ...] = ()
        if asked.envelopes_max:
            door.called_again()
            await self._something(asked.wait_ms / 1000)
            envelopes = tuple(one.raw for one in door.hand_out(asked.envelopes_max))
        self._called.set()
        return collecting.encode_collected(
            collecting.Collected(envelopes, answers, COLLECT_LEASE_MS)
        )

    async def _something(self, seconds: float) -> None:
        """Wait until something lies ready; not long where an answer is due."""
        door = self._door
        door.changed.clear()
        if door.ready:
            return
        self._called.set()
        try:
            async with asyncio.timeout(min(seconds, _REST_S) if door.out else seconds):
                await door.changed.wait()
        except TimeoutError:
            return

    async def _fetch(self, raw: bytes, context: Context) -> AsyncIterator[bytes]:
        try:
            self._require_partner(context)
            ref, offset = collecting.decode_fetch(raw)
            content = self._files.held.get(ref.commitment)
            if content is None:
                raise Fault(FaultCode.ATTACHMENT_ABSENT)
        except Fault as fault:
            await _refuse(context, fault)
            return
        for at in range(offset, len(content), ATTACHMENT_CHUNK_BYTES):
            yield calls.encode_chunk(content[at : at + ATTACHMENT_CHUNK_BYTES], at)

    def _require_partner(self, context: Context) -> None:
        given: Any = context.auth_context().get("x509_pem_cert")
        pin = transport_pin(next(iter(given))) if given else b""
        if pin not in self._partner.transport_pins:
            raise Fault(FaultCode.TRUST_PEER_UNKNOWN)
        self._pin = pin


def _handed(raw: bytes) -> _Handed:
    answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    return _Handed(raw, digest(header_bytes_of(raw)), answer)


async def _refuse(context: Context, fault: Fault) -> bytes:
    status = encode_fault(fault)
    await context.abort(_CODES[status.code], status.message, ((DETAILS_KEY, status.details),))
    raise AssertionError("abort raises")
