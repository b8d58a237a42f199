"""What partners' own platforms send (来件): durable first, then judged by the same intake.

An arrival is kept with its raw bytes before anything is made of it. What can be mapped becomes an
attested message; what cannot is quarantined and waits for a mended table. Whatever a crash leaves
half done is found in the journal again.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

from gateway.flow.arrival_admission import Admission, Quarantine, Renaming, Waiting
from gateway.flow.arrival_materials import keep_materials
from gateway.flow.arrival_message import case_of, new_case, prepare, ref_of, section
from gateway.flow.arrival_settling import SettleArrival, disposition, our_number
from gateway.flow.attesting import Attester, Proof
from gateway.flow.committer import Committer
from gateway.flow.intake import Intake
from gateway.flow.late_answers import LateAnswers
from gateway.kernel.arrivals import ArrivalStatus
from gateway.kernel.case import CLOSED, CaseRecord, Stage
from gateway.kernel.digests import digest
from gateway.kernel.envelope import CASELESS, Attachment, Kind, NotTakenIn
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseKey, GatewayId, uuid7
from gateway.kernel.limits import (
    ARRIVAL_EARLY_LOOK_MS,
    ARRIVAL_EARLY_MS_MAX,
    ARRIVAL_LOOK_SHARE,
    ARRIVAL_NAME_CHARS_MAX,
    ARRIVAL_RESUME_MAX,
    ARRIVAL_RESUME_MS,
    PARKED_MAX,
    SALT_BYTES,
)
from gateway.kernel.translations import Ours
from gateway.kernel.trees import Tree
from gateway.ports.clock import Clock, Entropy
from gateway.ports.directory import Book, Directory
from gateway.ports.journal import Journal, JournalDown, OutboxStatus, Snapshot
from gateway.ports.journal_arrivals import StoredArrival
from gateway.ports.reception import Arrival, Disposition, LateAnswer, Unreadable
from gateway.ports.telemetry import EventLog
from gateway.ports.translation import Translation
from gateway.ports.vault import Vault
from gateway.rules.arrivals import (
    content_digest,
    natural_key,
    raw_key,
    require_in_turn,
    require_named,
    require_provable,
)
from gateway.rules.casework import can_step
from gateway.rules.trust import require_peer
from gateway.wire.envelopes import encode_envelope
from gateway.wire.receipts import decode_signed_receipt


class Receiving:
    """Implements `ports.reception.Reception`."""

    def __init__(
        self,
        committer: Committer,
        journal: Journal,
        vault: Vault,
        directory: Directory,
        intake: Intake,
        attester: Attester,
        late: LateAnswers,
        translations: Callable[[GatewayId], Translation],
        clock: Clock,
        entropy: Entropy,
        log: EventLog,
    ) -> None:
        self._committer = committer
        self._journal = journal
        self._vault = vault
        self._directory = directory
        self._intake = intake
        self._attester = attester
        self._late = late
        self._translations = translations
        self._clock = clock
        self._entropy = entropy
        self._log = log
        self._turns: defaultdict[GatewayId, asyncio.Lock] = defaultdict(asyncio.Lock)
        """One arrival of a partner is judged at a time: the next may hang on what it did."""
        self._early = False
        """Whether something waits for what goes before it."""
        self._look_ms = 0
        """How long the last look at everything that waits took."""
        self._changed = asyncio.Event()

    async def receive(self, arrival: Arrival) -> Disposition:
        """See `Reception`."""
        book = self._directory.current()
        fresh = self._stored(book, arrival)
        ours, fault = self._translated(arrival.partner, arrival.operation, arrival.document)
        if ours is not None:
            fresh = _named(fresh, ours)
        admission = Admission(fresh, arrival.nonce, arrival.nonce_until_ms)
        await self._committer.submit(admission)
        met = await self._go_on(admission.stored, ours, fault, admission.told)
        if met.taken_in:
            await self._catch_up(arrival.partner, met.arrival_id)
        return met

    async def keep_unreadable(self, unreadable: Unreadable) -> Disposition:
        """See `Reception`."""
        u = unreadable
        fresh = self._stored(
            self._directory.current(),
            Arrival(u.partner, u.operation, u.raw, {}, u.strength, source=u.source),
        )._replace(document=b"")
        admission = Admission(fresh, u.nonce, u.nonce_until_ms)
        await self._committer.submit(admission)
        return await self._go_on(admission.stored, None, u.fault, admission.told)

    async def answered(self, answer: LateAnswer) -> bool:
        """See `Reception`."""
        home = self._directory.current().home.gateway_id
        return await self._late.settle(home, answer, self._translations(answer.partner))

    async def parked(self, partner: GatewayId) -> Sequence[bytes]:
        """See `Reception`."""
        return await self._journal.read(lambda s: s.parked(partner, PARKED_MAX))

    def notice(self, _partners: set[GatewayId], units: set[str]) -> None:
        """Hear that cases of these units changed: what came too early may be in its turn now."""
        if self._early and units:
            self._changed.set()

    async def pause(self) -> None:
        """Wait before the next `resume`: a minute, or until what waits may go on.

        Whatever a partner leaves waiting, looking at it takes a small share of our time.
        """
        sleeping = asyncio.ensure_future(self._clock.sleep_ms(ARRIVAL_RESUME_MS))
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait((sleeping, changed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            changed.cancel()
        rest_ms = max(ARRIVAL_EARLY_LOOK_MS, self._look_ms * ARRIVAL_LOOK_SHARE)
        await self._clock.sleep_ms(min(rest_ms, ARRIVAL_RESUME_MS))
        self._changed.clear()

    async def resume(self) -> None:
        """Go on with whatever was received and has met no end, after a crash or an obstacle."""
        self._early, began_ms = False, self._clock.monotonic_ms()
        async for light in self._received():
            try:
                await self.go_on_with(light.arrival_id)
            except Fault as fault:
                self._log.event("arrival_waits", partner=light.partner, rule=fault.code.value)
        self._look_ms = self._clock.monotonic_ms() - began_ms

    async def _received(self) -> AsyncIterator[StoredArrival]:
        """Return everything that is received, page by page, without bytes and document."""
        received, after = ArrivalStatus.RECEIVED, b""
        while True:
            page = await self._journal.read(
                partial(_page, status=received, limit=ARRIVAL_RESUME_MAX, after=after)
            )
            for light in page:
                yield light
            if len(page) < ARRIVAL_RESUME_MAX:
                return
            after = page[-1].arrival_id

    async def _catch_up(self, partner: GatewayId, arrival_id: bytes) -> None:
        """Take up what came too early in the same case, as long as one lets another follow."""
        if not self._early:
            return
        taken = await self._journal.read(lambda s: s.arrival(arrival_id))
        early = FaultCode.PARTNER_OUT_OF_ORDER.value
        while taken is not None and taken.case_key is not None:
            about = (partner, early, taken.case_key)
            mine = [a async for a in self._received() if (a.partner, a.rule, a.case_key) == about]
            met = [await self.go_on_with(a.arrival_id) for a in mine]
            if not any(m.taken_in for m in met):
                return

    async def go_on_with(self, arrival_id: bytes) -> Disposition:
        """Judge an arrival that is received, by today's table.

        Raises:
            Fault: `portal.not_found`; those of `Reception.receive`.
        """
        stored = await self._journal.read(lambda s: s.arrival(arrival_id))
        if stored is None:
            raise Fault(FaultCode.PORTAL_NOT_FOUND)
        if not stored.document:
            return await self._go_on(stored, None, Fault(FaultCode.SCHEMA_JSON_INVALID))
        document: Tree = json.loads(stored.document)
        ours, fault = self._translated(stored.partner, stored.operation, document)
        if ours is not None and not stored.content_digest:
            renaming = Renaming(_named(stored, ours))
            await self._committer.submit(renaming)
            stored = renaming.stored
        return await self._go_on(stored, ours, fault)

    # --- the steps ------------------------------------------------------------------------------

    def _stored(self, book: Book, a: Arrival) -> StoredArrival:
        partner = require_peer(book.partners.get(a.partner))
        operation = _name(a.operation)
        require_provable(partner.outlet, a.strength)
        now_ms, raw_digest = self._clock.now_ms(), digest(a.raw)
        return StoredArrival(
            uuid7(now_ms, self._entropy.token(10)),
            a.partner,
            partner.outlet,
            operation,
            a.strength,
            raw_key(operation, raw_digest),
            b"",
            raw_digest,
            len(a.raw),
            now_ms,
            ArrivalStatus.RECEIVED,
            _name(a.source),
            salt=self._entropy.token(SALT_BYTES),
            document=json.dumps(a.document, ensure_ascii=True).encode(),
            raw=a.raw,
        )

    def _translated(
        self, partner: GatewayId, operation: str, document: Tree
    ) -> tuple[Ours | None, Fault | None]:
        try:
            return self._translations(partner).inbound(operation, document), None
        except Fault as fault:
            return None, fault
        except Exception as bug:  # noqa: BLE001 - one document must not hold up all others
            self._log.event("arrival_broke", partner=partner, error=type(bug).__name__)
            return None, Fault(FaultCode.INTERNAL)

    async def _go_on(
        self,
        stored: StoredArrival,
        ours: Ours | None,
        fault: Fault | None,
        told: tuple[str, str] = ("", ""),
    ) -> Disposition:
        """Bring what is received to its end; what has met one is told again.

        `told` is the rule and place of which the log has a line already.
        """
        if stored.status is not ArrivalStatus.RECEIVED:
            return await self._told_again(stored)
        async with self._turns[stored.partner]:
            # Whoever was before us in the turn may have brought the same to its end.
            now = await self._journal.read(lambda s: s.arrival(stored.arrival_id))
            assert now is not None, "arrivals are never removed"
            if (now.status, now.received_at_ms) != (stored.status, stored.received_at_ms):
                return await self._told_again(now)
            if ours is None:
                return await self._quarantine(stored, fault or Fault(FaultCode.INTERNAL), told)
            try:
                return await self._judge(stored, ours)
            except Fault as broken:
                if broken.code.value.startswith(("delivery.", "limit.", "gateway.")):
                    raise  # ours to mend: it waits as it is
                return await self._quarantine(stored, broken, told)
            except (JournalDown, OSError):
                raise  # it waits as it is
            except Exception as bug:  # noqa: BLE001 - one document must not hold up all others
                self._log.event("arrival_broke", partner=stored.partner, error=type(bug).__name__)
                return await self._quarantine(stored, Fault(FaultCode.INTERNAL), told)

    async def _judge(self, stored: StoredArrival, ours: Ours) -> Disposition:
        ref = ref_of(stored)
        known = (await self._journal.read(lambda s: s.messages([ref]))).get(ref)
        if known is not None and known.receipt:
            return await self._settle(stored, ours, known.receipt, known.case_key)
        case, unanswered = await self._journal.read(lambda s: _found(s, stored, ours))
        young = self._clock.now_ms() - stored.received_at_ms < ARRIVAL_EARLY_MS_MAX
        if unanswered:
            require_named(named=young)
        try:
            require_in_turn(unanswered or (young and _is_early(case, ours.kind)))
        except Fault as early:
            self._early = True
            if stored.rule != early.code.value:
                waits = stored if case is None else stored._replace(case_key=case.key)
                await self._committer.submit(Waiting(waits, early.code))
            return disposition(stored._replace(rule=early.code.value))
        key = None
        if ours.kind not in CASELESS:
            key = new_case(stored) if case is None else case.key
        attachments: Sequence[Attachment] = ()
        if key is not None:
            attachments = await keep_materials(self._vault, stored, key, ours)
        book = self._directory.current()
        made = prepare(book, stored, ours, case, attachments)
        proof = Proof(stored.adapter, stored.strength, stored.raw, stored.natural_key)
        attestation = await self._attester.message(made.header, made.header_bytes, proof)
        envelope = encode_envelope(made.header_bytes, made.salt, made.body_bytes, (), attestation)
        home = book.home.gateway_id
        answer = (await self._intake.take_in(home, [envelope], local=True))[0]
        if isinstance(answer, NotTakenIn):
            raise Fault(FaultCode(answer.rule), answer.rule, retry_after_ms=answer.retry_after_ms)
        return await self._settle(stored, ours, answer, key)

    async def _told_again(self, stored: StoredArrival) -> Disposition:
        """Return what was said of an arrival, with our number of its case where that was said."""
        key = stored.case_key
        if stored.status is not ArrivalStatus.TAKEN_IN or key is None:
            return disposition(stored)
        case = (await self._journal.read(lambda s: s.cases([key]))).get(key)
        return disposition(stored, number="" if case is None else our_number(case))

    async def _settle(
        self, stored: StoredArrival, ours: Ours, raw: bytes, key: CaseKey | None
    ) -> Disposition:
        receipt = decode_signed_receipt(raw).receipt
        work = SettleArrival(stored, ours, receipt, key)
        await self._committer.submit(work)
        self._tell(work.settled, ours.kind.name.lower())
        return disposition(work.settled, receipt, work.number)

    async def _quarantine(
        self, stored: StoredArrival, fault: Fault, told: tuple[str, str]
    ) -> Disposition:
        work = Quarantine(stored, fault)
        await self._committer.submit(work)
        if told != (work.settled.rule, work.settled.detail):  # a poll finds it at every turn
            self._tell(work.settled, "")
        return disposition(work.settled)

    def _tell(self, a: StoredArrival, kind: str) -> None:
        self._log.event(
            "arrival",
            partner=a.partner,
            operation=a.operation,
            kind=kind,
            outcome=a.status.value,
            strength=a.strength.name.lower(),
            rule=a.rule,
            field=a.detail,
            digest=a.raw_digest.hex(),
        )


def _page(s: Snapshot, status: ArrivalStatus, limit: int, after: bytes) -> Sequence[StoredArrival]:
    return s.arrivals_in(status, limit=limit, after=after)


def _name(given: str) -> str:
    """Return a partner's word for something, or nothing where it is no name."""
    return given if len(given) <= ARRIVAL_NAME_CHARS_MAX and given.isprintable() else ""


def _named(arrival: StoredArrival, ours: Ours) -> StoredArrival:
    """Return an arrival under the number its partner gave it, or under what it says."""
    number = section(ours.tree, "message").get("number")
    said = content_digest(ours.kind, ours.tree)
    key = natural_key(ours.kind, str(number)) if number else raw_key(arrival.operation, said)
    return arrival._replace(natural_key=key, content_digest=said)


def _is_early(case: CaseRecord | None, kind: Kind) -> bool:
    """Tell whether what comes before it may still be on its way: platforms keep no order."""
    if case is None:
        return False
    undecided = case.stage not in CLOSED and case.stage is not Stage.DECIDED
    return undecided and not can_step(case.stage, kind)


def _found(s: Snapshot, stored: StoredArrival, ours: Ours) -> tuple[CaseRecord | None, bool]:
    """Return the case that is named, or whether it may be one whose answer is still on its way.

    A partner's own number is known here by its answer to our push; it may speak before that.

    Raises:
        Fault: `partner.case_unnamed`.
    """
    try:
        return case_of(s, stored.partner, ours), False
    except Fault as unnamed:
        if unnamed.code is not FaultCode.PARTNER_CASE_UNNAMED or not _unanswered(s, stored):
            raise
        return None, True


def _unanswered(s: Snapshot, stored: StoredArrival) -> bool:
    sent = (OutboxStatus.PENDING, OutboxStatus.LISTED, OutboxStatus.UNKNOWN)
    return any(lane.partner == stored.partner and lane.status in sent for lane in s.lanes())
