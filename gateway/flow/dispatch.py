"""Sending what waits: one lane per partner, from the journal, until there is a receipt.

A lane leases what is due, uploads attachments, delivers, and settles the answers. What cannot be
delivered waits longer each time; after `ATTEMPTS_MAX` it is `unknown`, and the partner is asked to
show its receipt or burn the id. Nothing is remembered outside the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from gateway.flow.attested_answers import AttestedAnswers
from gateway.flow.authenticity import Authenticity
from gateway.flow.committer import Committer, Work
from gateway.flow.lane_acts import Delivered
from gateway.flow.lane_gate import LaneGate
from gateway.flow.leasing import Claim, Renew, Upkeep, by_size
from gateway.flow.receipt_checks import checked_receipt, sent
from gateway.flow.settling import Park, Postpone, Settle, tell
from gateway.flow.tasks import TaskOwner
from gateway.flow.uploads import carries_files, upload_attachments
from gateway.kernel.envelope import NotTakenIn, Receipt, ReceiptQuery
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, MessageId
from gateway.kernel.limits import (
    DELIVER_TIMEOUT_S,
    LANE_DRAIN_S_MAX,
    LANE_LEAVE_S_MAX,
)
from gateway.ports.clock import Clock, Entropy
from gateway.ports.directory import Directory
from gateway.ports.journal import OutboxEntry, OutboxStatus
from gateway.ports.outlet import Answered, Listed, Outlet, OutletDown
from gateway.ports.telemetry import EventLog
from gateway.ports.vault import Vault
from gateway.rules.trust import EXCHANGING, Partner

Answer = bytes | NotTakenIn | Listed | Answered


class Lane:
    """Everything for one partner; its trouble stays here."""

    def __init__(self, dispatcher: Dispatcher, partner: GatewayId, outlet: Outlet) -> None:
        self._d = dispatcher
        self.partner = partner
        self._outlet = outlet
        self.wake = asyncio.Event()
        self.stopping = asyncio.Event()
        d = dispatcher
        self.gate = LaneGate(partner, d.clock, d.entropy, d.log)
        self.under_way = 0

    async def run(self) -> None:
        """Send until the lane is stopped."""
        while not self.stopping.is_set():
            self.wake.clear()  # before looking: what is committed meanwhile sets it again
            if not await self.turn():
                await self._rest(self.gate.rest_s())

    async def turn(self) -> bool:
        """Do one round if the partner may be called; tell whether there may be more to do."""
        most = self.gate.admitted(self._outlet.batch_max)
        if not most:
            return False
        try:
            return await self._round(most)
        finally:
            self.gate.ended(most)

    def stop(self) -> None:
        """Begin no more calls; `run` ends after what is under way."""
        self.stopping.set()
        self.wake.set()

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.wake.wait()
        except TimeoutError:
            return

    async def _round(self, most: int) -> bool:
        """Do one round of each kind, of `most` messages; tell whether there was anything."""
        did = False
        try:
            for status, send in (
                (OutboxStatus.PENDING, self._deliver),
                (OutboxStatus.UNKNOWN, self._ask),
            ):
                claim = Claim(self.partner, status, most)
                await self._d.committer.submit(claim)
                if claim.entries:
                    did = True
                    await self._attempt(claim.entries, send)
                    if not self.gate.free():
                        return False
        except Fault as fault:  # the journal, not the partner: try again at the next poll
            self._d.log.event("lane_waits", partner=self.partner, rule=fault.code.value)
            return False
        except Exception as broken:  # noqa: BLE001 - any bug in a round: tell, let its leases end
            self._d.log.event("round_broke", partner=self.partner, error=type(broken).__name__)
            return False
        return did

    async def _attempt(
        self,
        entries: Sequence[OutboxEntry],
        send: Callable[[Sequence[OutboxEntry]], Awaitable[Sequence[Answer]]],
    ) -> None:
        for part in by_size(entries):
            self.under_way += 1
            try:
                answers = await send(part)
            except OutletDown as down:
                self.gate.failed(down)
                await self._postpone(part, down)
            else:
                await self._settle(part, answers)
            finally:
                self.under_way -= 1

    async def _deliver(self, entries: Sequence[OutboxEntry]) -> Sequence[Answer]:
        answers: dict[bytes, Answer] = {}
        ready: list[OutboxEntry] = []
        broken: OutletDown | None = None
        upkeep = Upkeep(self._d.committer, self._d.clock, Renew(entries, self._d.home))
        for entry in sorted(entries, key=carries_files):  # what needs no upload waits for none
            refused: NotTakenIn | None
            try:
                refused = (
                    await self._uploaded(entry, upkeep) if broken is None else _not_sent(broken)
                )
            except OutletDown as down:
                if not ready:
                    raise
                broken, refused = down, _not_sent(down)
            if refused is None:
                ready.append(entry)
            else:
                answers[entry.draft_id] = refused
        if ready:
            got = await self._outlet.deliver([e.envelope for e in ready], self._answer_s())
            answers.update((e.draft_id, a) for e, a in zip(ready, got, strict=True))
        return [answers[e.draft_id] for e in entries]

    async def _uploaded(self, entry: OutboxEntry, upkeep: Upkeep) -> NotTakenIn | None:
        try:
            return await upload_attachments(self._outlet, self._d.vault, entry, upkeep)
        except OSError as broken:  # our own disk: this message waits, its neighbours do not
            error = type(broken).__name__
            self._d.log.event("attachment_unreadable", partner=self.partner, error=error)
            return NotTakenIn(FaultCode.INTERNAL.value, retry=True)

    async def _ask(self, entries: Sequence[OutboxEntry]) -> Sequence[Answer]:
        queries = [
            ReceiptQuery(MessageId(e.message_id), e.header_digest, burn=True) for e in entries
        ]
        return await self._outlet.query_receipts(queries, self._answer_s())

    def _answer_s(self) -> float:
        entry = self._d.directory.current().partners.get(self.partner)
        return DELIVER_TIMEOUT_S if entry is None else entry.answer_s_max

    async def _settle(self, entries: Sequence[OutboxEntry], answers: Sequence[Answer]) -> None:
        works: list[Work] = []
        garbled = 0
        for entry, answer in zip(entries, answers, strict=True):
            if isinstance(answer, Listed):
                works.append(Park(entry, self._d.home))
                continue
            if isinstance(answer, NotTakenIn):
                wait_ms = max(self.gate.delay_ms(entry.attempts), answer.retry_after_ms)
                works.append(Postpone(entry, self._d.home, answer.rule, wait_ms))
                continue
            try:
                if isinstance(answer, Answered):
                    works.append(await self._attested(entry, answer))
                    continue
                receipt = await self._checked(entry, answer)
            except Fault as fault:
                self._d.log.event("receipt_refused", partner=self.partner, rule=fault.code.value)
                garbled += 1
                wait_ms = self.gate.delay_ms(entry.attempts)
                works.append(Postpone(entry, self._d.home, FaultCode.RECEIPT_INVALID, wait_ms))
            else:
                self._tell(entry, receipt)
                works.append(Settle(entry, self._d.home, receipt, answer))
        self.gate.heard(garbled=garbled == len(entries))
        if any(isinstance(work, Settle) for work in works):
            works.append(Delivered(self.partner))
        await self._commit(works)

    async def _attested(self, entry: OutboxEntry, answer: Answered) -> Work:
        """Have our adapter vouch for an answer that no gateway signed.

        Raises:
            Fault: `delivery.signer_down`, also where there is no adapter key.
        """
        if self._d.attested is None:
            raise Fault(FaultCode.DELIVERY_SIGNER_DOWN, "no adapter key")
        work = await self._d.attested.settle(entry, answer)
        self._tell(entry, work.receipt)
        return work

    def _tell(self, entry: OutboxEntry, receipt: Receipt) -> None:
        """One line for each message that met its receipt; ids and codes only."""
        tell(self._d.log, entry, receipt)

    async def _postpone(self, entries: Sequence[OutboxEntry], down: OutletDown) -> None:
        def postponed(entry: OutboxEntry) -> Postpone:
            wait_ms = down.retry_after_ms or self.gate.delay_ms(entry.attempts)
            asked = bool(down.retry_after_ms)
            return Postpone(entry, self._d.home, down.reason, wait_ms, asked=asked)

        await self._commit([postponed(entry) for entry in entries])

    async def _commit(self, works: Sequence[Work]) -> None:
        for fault in await self._d.committer.submit_all(works):
            if fault is not None:
                raise fault

    async def _checked(self, entry: OutboxEntry, raw: bytes) -> Receipt:
        """Return the receipt if it is the partner's word about this very message.

        Raises:
            Fault: `receipt.invalid`, or the rule of trust that is broken.
        """
        d = self._d
        partner = d.directory.current().partners.get(self.partner)
        now_ms = d.clock.now_ms()
        return await checked_receipt(raw, sent(entry), d.home, partner, now_ms, d.authenticity)


def _not_sent(down: OutletDown) -> NotTakenIn:
    return NotTakenIn(down.reason, retry=True)


class _OpenLane(NamedTuple):
    """A lane that runs, for a partner's entry as it was when it was opened."""

    entry: Partner
    lane: Lane
    outlet: Outlet
    runs: Sequence[asyncio.Task[None]]


class Dispatcher:
    """Runs a lane for every active partner."""

    def __init__(
        self,
        committer: Committer,
        vault: Vault,
        directory: Directory,
        authenticity: Authenticity,
        clock: Clock,
        entropy: Entropy,
        log: EventLog,
        open_outlet: Callable[[GatewayId], Outlet],
        attested: AttestedAnswers | None = None,
    ) -> None:
        self.committer = committer
        self.vault = vault
        self.directory = directory
        self.authenticity = authenticity
        self.clock = clock
        self.entropy = entropy
        self.log = log
        self.home = directory.current().home.gateway_id
        self._open_outlet = open_outlet
        self.attested = attested
        """For partners whose platform answers without signing; None without an adapter key."""
        self._owner = TaskOwner(log)
        self._lanes: dict[GatewayId, _OpenLane] = {}
        self._leaving: list[_OpenLane] = []

    def start(self, owner: TaskOwner) -> None:
        """Open a lane for each active partner, but for those that collect."""
        self._owner = owner
        self.committer.listen(self._wake)
        self.follow()

    def follow(self) -> None:
        """Have a lane for each partner that is active in the book as it is now.

        A lane whose partner left, is no longer active or has another entry begins no more calls;
        its outlet is closed after those under way. What it had waiting stays in the journal.
        """
        partners = self.directory.current().partners.items()
        wanted = {g: p for g, p in partners if p.state in EXCHANGING and not p.collects}
        for gateway_id, held in list(self._lanes.items()):
            if wanted.get(gateway_id) != held.entry:
                del self._lanes[gateway_id]
                self._leaving.append(held)
                self._owner.start(f"lane-{gateway_id}-leaves", self._leave(held))
        for gateway_id, partner in wanted.items():
            if gateway_id not in self._lanes:
                outlet = self._open_outlet(gateway_id)
                lane = Lane(self, gateway_id, outlet)
                names = [f"lane-{gateway_id}-{number}" for number in range(partner.lane_calls_max)]
                runs = [self._owner.start(name, lane.run()) for name in names]
                self._lanes[gateway_id] = _OpenLane(partner, lane, outlet, runs)

    async def _leave(self, held: _OpenLane) -> None:
        held.lane.stop()
        _, late = await asyncio.wait(held.runs, timeout=LANE_LEAVE_S_MAX)
        for run in late:
            run.cancel()
        self._leaving.remove(held)
        await held.outlet.close()

    def _wake(self, partners: set[GatewayId], _units: set[str]) -> None:
        for partner in partners:
            held = self._lanes.get(partner)
            if held is not None:
                held.lane.wake.set()

    def lane_of(self, partner: GatewayId) -> Lane | None:
        """Return a partner's lane; None if it has none, since it is not active."""
        held = self._lanes.get(partner)
        return None if held is None else held.lane

    async def drain(self) -> None:
        """Begin no more calls; give those under way `LANE_DRAIN_S_MAX` to be settled."""
        for held in self._lanes.values():
            held.lane.stop()
        runs = [run for held in (*self._lanes.values(), *self._leaving) for run in held.runs]
        if runs:
            await asyncio.wait(runs, timeout=LANE_DRAIN_S_MAX)

    async def close(self) -> None:
        """Let go of connections."""
        for held in (*self._lanes.values(), *self._leaving):
            await held.outlet.close()
