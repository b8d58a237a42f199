"""The outlet to a partner without a system: a durable work list that people work through."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from gateway.kernel.assisted import WorkStatus
from gateway.kernel.envelope import (
    CASELESS,
    AttachmentRef,
    AttachmentState,
    NotTakenIn,
    ReceiptQuery,
)
from gateway.kernel.faults import FaultCode
from gateway.kernel.limits import LANE_BATCH_MAX
from gateway.ports.assisted import WorkItem
from gateway.ports.clock import Clock
from gateway.ports.journal import Direction, Journal, JournalDown, Transaction
from gateway.ports.outlet import Listed, OutletDown
from gateway.wire.envelopes import Envelope, decode_envelope

_NOT_CARRIED = NotTakenIn(
    FaultCode.CASE_KIND_NOT_SERVED.value, retry=True, retry_after_ms=3_600_000
)


class AssistedOutlet:
    """Implements `ports.outlet.Outlet` on the journal that the message itself stands in.

    An item is listed once, however often its message is delivered. Files stay where they are: the
    people who carry the sheet print them from our own vault.
    """

    batch_max = LANE_BATCH_MAX

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    async def deliver(
        self, envelopes: Sequence[bytes], timeout_s: float
    ) -> Sequence[NotTakenIn | Listed]:
        """See `Outlet`. Messages of no case are not carried."""
        return await self._list([decode_envelope(raw) for raw in envelopes])

    async def query_receipts(
        self, queries: Sequence[ReceiptQuery], timeout_s: float
    ) -> Sequence[NotTakenIn | Listed]:
        """See `Outlet`. Whom nobody could ask cannot have burnt an id: the message is listed."""
        ids = [query.message_id for query in queries]
        try:
            found = await self._journal.read(lambda s: [s.messages_by_id(i) for i in ids])
        except JournalDown as down:
            raise OutletDown(FaultCode.DELIVERY_JOURNAL_DOWN.value) from down
        ours = [next(m for m in some if m.direction is Direction.OUT) for some in found]
        return await self._list([decode_envelope(m.envelope) for m in ours])

    async def _list(self, messages: Sequence[Envelope]) -> Sequence[NotTakenIn | Listed]:
        now_ms = self._clock.now_ms()

        def write(tx: Transaction) -> list[NotTakenIn | Listed]:
            carried = [e.header for e in messages if e.header.kind not in CASELESS]
            cases = tx.cases({h.case_key for h in carried})
            digests = tx.messages({h.ref for h in carried})
            tx.list_work(
                [
                    WorkItem(
                        h.message_id,
                        h.recipient,
                        cases[h.case_key].unit,
                        h.case_key,
                        h.kind,
                        digests[h.ref].header_digest,
                        now_ms,
                        WorkStatus.LISTED,
                    )
                    for h in carried
                ]
            )
            return [_NOT_CARRIED if e.header.kind in CASELESS else Listed() for e in messages]

        try:
            return await self._journal.write(write)
        except JournalDown as down:
            raise OutletDown(FaultCode.DELIVERY_JOURNAL_DOWN.value) from down

    async def attachment_status(self, ref: AttachmentRef, timeout_s: float) -> AttachmentState:
        """See `Outlet`. What our vault holds, people can print."""
        return AttachmentState(ref.size, complete=True)

    async def upload(
        self, ref: AttachmentRef, offset: int, chunks: AsyncIterator[bytes], timeout_s: float
    ) -> AttachmentState:
        """See `Outlet`. Never asked for: every file is said to be there."""
        return AttachmentState(ref.size, complete=True)

    async def close(self) -> None:
        """See `Outlet`. The journal is its owner's to close."""
