"""The operators' desk for what could not be read or mapped (隔离区): look, replay, let go of."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from gateway.flow.answering import QueryWork
from gateway.flow.arrival_message import ref_of
from gateway.flow.attested_answers import RAW_ARRIVAL
from gateway.flow.committer import Committer, Group
from gateway.flow.desk import View
from gateway.flow.receiving import Receiving
from gateway.kernel.arrivals import ArrivalEvent, ArrivalStatus
from gateway.kernel.envelope import ReceiptQuery
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseKey, GatewayId, MessageRef, uuid_text
from gateway.kernel.instants import to_iso
from gateway.ports.journal import Evidence, Journal
from gateway.ports.journal_arrivals import StoredArrival
from gateway.ports.telemetry import EventLog
from gateway.rules.arrivals import step
from gateway.wire.fault_table import texts


class QuarantineDesk:
    """Acts on arrivals. Where `receiving` is None nothing can be attested, and none is replayed."""

    def __init__(
        self,
        committer: Committer,
        journal: Journal,
        home: GatewayId,
        receiving: Receiving | None,
        log: EventLog,
    ) -> None:
        self._committer = committer
        self._journal = journal
        self._home = home
        self._receiving = receiving
        self._log = log

    async def list(self, status: ArrivalStatus, limit: int, after: bytes = b"") -> View:
        """Return arrivals in a state, oldest first, without what they say."""
        found = await self._journal.read(lambda s: s.arrivals_in(status, limit=limit, after=after))
        return {"arrivals": [arrival_view(a) for a in found]}

    async def show(self, arrival_id: bytes) -> View:
        """Return one with its raw bytes, which hold personal data.

        Raises:
            Fault: `operator.not_found`.
        """
        found = await self._found(arrival_id)
        raw = found.raw
        if not raw:
            kept = await self._journal.read(lambda s: s.evidence(found.raw_digest))
            raw = kept.content if kept else b""
        return {**arrival_view(found), "raw": base64.b64encode(raw).decode()}

    async def replay(self, operator: str, arrival_id: bytes, reason: str) -> View:
        """Judge a quarantined arrival by today's table and book.

        Raises:
            Fault: `operator.not_found`, `partner.arrival_settled`; `delivery.signer_down` where
                there is no adapter key; those of `Receiving.go_on_with`.
        """
        if self._receiving is None:
            raise Fault(FaultCode.DELIVERY_SIGNER_DOWN, "keys.adapter is not set")
        found = await self._found(arrival_id)
        await self._committer.submit(_Replay(found.arrival_id, operator, reason))
        self._log.event("arrival_replayed", partner=found.partner, operator=operator)
        met = await self._receiving.go_on_with(found.arrival_id)
        view = arrival_view(await self._found(arrival_id))
        return {**view, "text_zh": met.text_zh, "text_en": met.text_en}

    async def drop(self, operator: str, arrival_id: bytes, reason: str) -> View:
        """Let go of a quarantined arrival for good: its message id is burnt by a signed void.

        Its raw bytes stay among the evidence.

        Raises:
            Fault: `operator.not_found`, `partner.arrival_settled`.
        """
        found = await self._found(arrival_id)
        await self._committer.submit(_Drop(self._home, found, operator, reason))
        self._log.event("arrival_dropped", partner=found.partner, operator=operator)
        return arrival_view(await self._found(arrival_id))

    async def require_droppable(self, arrival_id: bytes) -> None:
        """Check that `drop` could be done now.

        Raises:
            Fault: those of `drop`.
        """
        step((await self._found(arrival_id)).status, ArrivalEvent.DROP)

    async def _found(self, arrival_id: bytes) -> StoredArrival:
        found = await self._journal.read(lambda s: s.arrival(arrival_id))
        if found is None:
            raise Fault(FaultCode.OPERATOR_NOT_FOUND, "`kuayu quarantine list` names what waits")
        return found


class _Replay:
    def __init__(self, arrival_id: bytes, operator: str, reason: str) -> None:
        self._arrival_id = arrival_id
        self._operator = operator
        self._reason = reason

    def refs(self) -> Iterable[MessageRef]:
        """See `Work`."""
        return ()

    def keys(self) -> Iterable[CaseKey]:
        """See `Work`."""
        return ()

    def step(self, group: Group) -> None:
        """See `Work`."""
        held = group.tx.arrival(self._arrival_id)
        assert held is not None, "arrivals are never removed"
        status = step(held.status, ArrivalEvent.REPLAY)
        received = held._replace(
            status=status,
            rule="",
            detail="",
            received_at_ms=group.now_ms,
            operator=self._operator,
            reason=self._reason,
        )
        group.tx.save_arrivals([received])


class _Drop:
    def __init__(self, home: GatewayId, arrival: StoredArrival, operator: str, reason: str) -> None:
        self._arrival = arrival
        self._operator = operator
        self._reason = reason
        ref = ref_of(arrival)
        query = ReceiptQuery(ref.message_id, arrival.raw_digest, burn=True)
        self._burning = QueryWork(home, arrival.partner, query)

    def refs(self) -> Iterable[MessageRef]:
        """See `Work`."""
        return ()

    def keys(self) -> Iterable[CaseKey]:
        """See `Work`."""
        return ()

    def step(self, group: Group) -> None:
        """See `Work`."""
        held = group.tx.arrival(self._arrival.arrival_id)
        assert held is not None, "arrivals are never removed"
        status = step(held.status, ArrivalEvent.DROP)
        try:
            self._burning.step(group)
        except Fault as outlived:
            if outlived.code is not FaultCode.WIRE_FIELD_INVALID:
                raise  # an id so old can be taken in no more: it needs no void
        group.keep_evidence([Evidence(held.raw_digest, RAW_ARRIVAL, held.raw)])
        dropped = held._replace(
            status=status,
            settled_at_ms=group.now_ms,
            message_id=ref_of(held).message_id,
            operator=self._operator,
            reason=self._reason,
            salt=b"",
            document=b"",
            raw=b"",
        )
        group.tx.save_arrivals([dropped])


def arrival_view(a: StoredArrival) -> View:
    """Show an arrival without what it says."""
    zh, en = texts(FaultCode(a.rule), a.detail) if a.rule else ("", "")
    key = a.case_key
    return {
        "arrival_id": uuid_text(a.arrival_id),
        "partner": a.partner,
        "adapter": a.adapter,
        "operation": a.operation,
        "source": a.source or None,
        "strength": a.strength.name.lower(),
        "status": a.status.value,
        "rule": a.rule or None,
        "field": a.detail or None,
        "title_zh": zh or None,
        "title_en": en or None,
        "received_at": to_iso(a.received_at_ms),
        "size": a.size,
        "digest": a.raw_digest.hex(),
        "case_id": uuid_text(key.case_id) if key else None,
        "message_id": uuid_text(a.message_id) if a.message_id else None,
        "operator": a.operator or None,
        "reason": a.reason or None,
    }
