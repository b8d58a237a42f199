"""Messages for a partner that can only call out: it fetches them, and hands in its receipts.

What is handed out is leased, as a lane leases what it sends: without a receipt it comes again.
Nothing is remembered outside the journal; a call that waits holds no reader and no writer of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gateway.flow.authenticity import Authenticity
from gateway.flow.collected_receipts import HandedIn, judge_all
from gateway.flow.committer import Committer
from gateway.flow.lane_acts import Delivered
from gateway.flow.leasing import Claim, Release
from gateway.flow.settling import Settle, tell
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import (
    COLLECT_LEASE_MS,
    COLLECTS_WAITING_MAX,
    DELIVER_BYTES_MAX,
    LANE_POLL_S,
)
from gateway.ports.clock import Clock
from gateway.ports.directory import Directory
from gateway.ports.journal import Journal, OutboxEntry, OutboxStatus
from gateway.ports.telemetry import EventLog
from gateway.rules.trust import Partner, require_peer
from gateway.wire.collecting import CollectAsk, Collected, ReceiptAnswer, receipt_refused

_DUE = (OutboxStatus.PENDING, OutboxStatus.UNKNOWN)
"""`unknown` is left from when the partner was dialled: the same bytes meet the same receipt."""


def require_collecting(directory: Directory, peer: GatewayId) -> Partner:
    """Return the partner that collects its messages, as its entry says now.

    Raises:
        Fault: `trust.peer_unknown`, `trust.partner_not_active`, `delivery.not_collected`.
    """
    partner = require_peer(directory.current().partners.get(peer))
    if not partner.collects:
        raise Fault(FaultCode.DELIVERY_NOT_COLLECTED)
    return partner


class Collector:
    """Serves partners that collect."""

    def __init__(
        self,
        committer: Committer,
        journal: Journal,
        directory: Directory,
        authenticity: Authenticity,
        clock: Clock,
        log: EventLog,
    ) -> None:
        self._committer = committer
        self._journal = journal
        self._directory = directory
        self._authenticity = authenticity
        self._clock = clock
        self._log = log
        self._home = directory.current().home.gateway_id
        self._waiting: dict[GatewayId, set[asyncio.Event]] = {}
        self._stopping = False
        committer.listen(self._wake)

    def stop(self) -> None:
        """Let no call wait any longer."""
        self._stopping = True
        self._wake(set(self._waiting), set())

    def _wake(self, partners: set[GatewayId], _units: set[str]) -> None:
        for partner in partners:
            for waiting in self._waiting.get(partner, ()):
                waiting.set()

    async def collect(self, peer: GatewayId, asked: CollectAsk) -> Collected:
        """Settle receipts, then lease what is due, waiting for a first message if asked to.

        Raises:
            Fault: those of `require_collecting`, also while it waits; the journal cannot be
                written.
        """
        partner = require_collecting(self._directory, peer)
        answers = await self._settle(partner, asked.signed_receipts)
        entries: Sequence[OutboxEntry] = ()
        if asked.envelopes_max:
            entries = await self._lease_or_wait(peer, asked)
        envelopes = tuple(entry.envelope for entry in entries)
        return Collected(envelopes, tuple(answers), COLLECT_LEASE_MS)

    async def _lease_or_wait(self, peer: GatewayId, asked: CollectAsk) -> Sequence[OutboxEntry]:
        loop = asyncio.get_running_loop()
        ends = loop.time() + asked.wait_ms / 1000
        if sum(map(len, self._waiting.values())) >= COLLECTS_WAITING_MAX:
            ends = loop.time()
        woken = asyncio.Event()
        self._waiting.setdefault(peer, set()).add(woken)
        try:
            while True:
                woken.clear()  # before looking: what is committed meanwhile sets it again
                require_collecting(self._directory, peer)
                entries = await self._lease(peer, asked.envelopes_max)
                left_s = ends - loop.time()
                if entries or left_s <= 0 or self._stopping:
                    return entries
                await _rest(woken, min(left_s, LANE_POLL_S))
        finally:
            self._waiting[peer].discard(woken)
            if not self._waiting[peer]:
                del self._waiting[peer]

    async def _lease(self, peer: GatewayId, most: int) -> Sequence[OutboxEntry]:
        """Lease what is due, at most `most` messages and what one answer may hold."""
        claims = [Claim(peer, status, most, COLLECT_LEASE_MS) for status in _DUE]
        for fault in await self._committer.submit_all(claims):
            if fault is not None:
                raise fault
        found = sorted((e for c in claims for e in c.entries), key=lambda e: e.draft_id)
        count = _fitting(found[:most])
        if count < len(found):
            await self._committer.submit(Release(found[count:], self._home))
        return found[:count]

    async def _settle(self, partner: Partner, raws: Sequence[bytes]) -> list[ReceiptAnswer]:
        if not raws:
            return []
        now_ms = self._clock.now_ms()
        judged = await judge_all(
            raws, self._home, partner, now_ms, self._journal, self._authenticity
        )
        works = [
            (handed, Settle(handed.entry, self._home, handed.receipt, handed.raw))
            for handed in judged
            if isinstance(handed, HandedIn) and handed.entry is not None
        ]
        proof = [Delivered(partner.gateway_id)] if works else []
        faults = await self._committer.submit_all([*(work for _, work in works), *proof])
        failed = {h.raw: fault for (h, _), fault in zip(works, faults, strict=False) if fault}
        for handed, _ in works:
            if handed.raw not in failed and handed.entry is not None:
                tell(self._log, handed.entry, handed.receipt)
        return [self._told(partner, handed, failed) for handed in judged]

    def _told(
        self, partner: Partner, handed: HandedIn | Fault, failed: dict[bytes, Fault]
    ) -> ReceiptAnswer:
        fault = handed if isinstance(handed, Fault) else failed.get(handed.raw)
        if fault is None:
            return ReceiptAnswer()
        rule = fault.code.value
        self._log.event("receipt_refused", partner=partner.gateway_id, rule=rule)
        return receipt_refused(fault)


async def _rest(woken: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await woken.wait()
    except TimeoutError:
        return


def _fitting(entries: Sequence[OutboxEntry]) -> int:
    """Return how many of the first entries fit into one answer; one always does."""
    size = 0
    for count, entry in enumerate(entries):
        size += len(entry.envelope) + 8
        if count and size > DELIVER_BYTES_MAX:
            return count
    return len(entries)
