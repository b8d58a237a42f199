"""Taking in: from bytes a peer delivered to a receipt that is durable.

`docs/life_of_an_exchange.md` walks the same numbered steps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from gateway.flow.accords import Accords
from gateway.flow.answering import Answer, Answering, QueryWork, not_taken_in
from gateway.flow.attesting import attested_checks
from gateway.flow.authenticity import Authenticity
from gateway.flow.committer import Committer, Group
from gateway.flow.effects import authorise, require_new_case_allowed
from gateway.flow.evidence import StandingKeeper
from gateway.flow.hearing import Hearing, Said
from gateway.flow.instant import decide_at_once
from gateway.kernel.case import OPENING, CaseRecord
from gateway.kernel.digests import TYPE_HEADER, TYPE_RECEIPT, commitment, digest, pae
from gateway.kernel.envelope import (
    CASELESS,
    Body,
    Kind,
    Outcome,
    Receipt,
    ReceiptQuery,
    Signature,
)
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseKey, GatewayId, MessageRef
from gateway.kernel.limits import CONFORM_INLINE_BYTES_MAX
from gateway.kernel.stages import Authenticated, Conformant, Received, Refused, TakenIn
from gateway.ports.clock import Clock
from gateway.ports.directory import Book, Directory
from gateway.ports.journal import Evidence, Journal
from gateway.ports.vault import Vault, VaultScope
from gateway.rules.delivery import require_addressed, require_timely, require_well_formed
from gateway.rules.schema import require_body
from gateway.rules.schema.strict_json import parse
from gateway.rules.trust import Check, Partner, checks_for, require_speaks_for, require_suites
from gateway.wire.envelopes import decode_envelope
from gateway.wire.fault_table import is_final, texts
from gateway.wire.headers import decode_body
from gateway.wire.receipts import encode_receipt, encode_signed_receipt


@dataclass(slots=True)
class _Delivery:
    """One envelope on its way through the steps."""

    raw: bytes
    received: Received | None = None
    sender: Partner | None = None
    checks: list[Check] = field(default_factory=list)
    authenticated: Authenticated | None = None
    evidence: tuple[Evidence, ...] = ()
    local: bool = False
    """Our own adapter hands it over, for a partner that does not sign."""
    signers: tuple[Signature, ...] = ()
    """What the sender is believed on: its signatures, or those of our adapter."""
    conformant: Conformant | None = None
    notice: Said | None = None
    fault: Fault | None = None
    answer: Answer | None = None


class Intake:
    """Takes in what partners deliver."""

    def __init__(
        self,
        committer: Committer,
        journal: Journal,
        vault: Vault,
        directory: Directory,
        authenticity: Authenticity,
        accords: Accords,
        clock: Clock,
    ) -> None:
        self._committer = committer
        self._journal = journal
        self._vault = vault
        self._directory = directory
        self._authenticity = authenticity
        self._clock = clock
        self._standing = StandingKeeper()
        self._burning: dict[GatewayId, asyncio.Lock] = {}
        self._hearing = Hearing(journal, accords)

    async def take_in(
        self, peer: GatewayId, raws: Sequence[bytes], *, local: bool = False
    ) -> list[Answer]:
        """Answer each of `raws` (encoded envelopes) with a signed receipt or "not taken in".

        One bad envelope never fails its neighbours. The number of envelopes is *not* checked.
        `local` ones come from our own adapters and stand on their attestation; from a peer, an
        attestation is never taken in.
        """
        book, now_ms = self._directory.current(), self._clock.now_ms()
        deliveries = [_Delivery(raw, local=local) for raw in raws]
        # 1. Received: bytes that parse strictly, from a peer that may speak for the sender.
        for delivery in deliveries:
            self._receive(book, peer, now_ms, delivery)
        # 2. Authenticated: every signature verifies, and salt and body are what was signed.
        failed = await self._authenticity.failed(c for d in deliveries for c in d.checks)
        for delivery in deliveries:
            self._authenticate(book, delivery, failed)
        # 3. Conformant: addressed to us, timely, and the form follows its schema.
        await self._conform_all(book, deliveries)
        await self._hear_all(book, deliveries)
        # 4. Its attachments are here, whole.
        for delivery in deliveries:
            await self._require_attachments(delivery)
        # 5. Nothing unauthenticated goes further, unless it repeats what was answered before.
        await self._answer_unauthenticated(deliveries)
        # 6. In one commit group: duplicate? authorised? effect, receipt, outbox, ledger entry.
        works = [_IntakeWork(book, d) for d in deliveries if d.answer is None]
        faults = await self._committer.submit_all(works)
        await self._hearing.follow(d.notice for d in deliveries)
        # 7. Durable: the receipts leave.
        for work, fault in zip(works, faults, strict=True):
            work.delivery.answer = work.result() if fault is None else not_taken_in(fault)
        return [d.answer for d in deliveries if d.answer is not None]

    def _receive(self, book: Book, peer: GatewayId, now_ms: int, delivery: _Delivery) -> None:
        try:
            e = decode_envelope(delivery.raw)
            if e.attestation and not delivery.local:
                raise Fault(FaultCode.WIRE_ATTESTATION_NOT_LOCAL)
            sender = book.partners.get(e.header.sender)
            if sender is None:
                raise Fault(FaultCode.TRUST_PEER_NOT_SENDER)
            require_speaks_for(sender.gateway_id if delivery.local else peer, sender)
            delivery.sender = sender
            delivery.received = Received(
                delivery.raw,
                e.header_bytes,
                e.header,
                digest(e.header_bytes),
                e.salt,
                e.body_bytes,
                e.signatures,
                peer,
                now_ms,
            )
            if delivery.local:
                delivery.signers, delivery.checks = attested_checks(book.home, sender, e, now_ms)
                return
            signed = pae(TYPE_HEADER, e.header_bytes)
            delivery.signers = e.signatures
            delivery.checks = checks_for(sender, e.signatures, signed, now_ms)
        except Fault as fault:
            delivery.fault = fault

    def _authenticate(self, book: Book, delivery: _Delivery, failed: set[Check]) -> None:
        received, sender = delivery.received, delivery.sender
        if delivery.fault is not None or received is None or sender is None:
            return
        if failed and not failed.isdisjoint(delivery.checks):
            delivery.fault = Fault(FaultCode.TRUST_SIGNATURE_INVALID)
        elif commitment(received.salt, received.body_bytes) != received.header.body_commitment:
            delivery.fault = Fault(FaultCode.TRUST_BODY_MISMATCH)
        else:
            standing, delivery.evidence = self._standing.of(
                book, sender, delivery.signers, received.header
            )
            delivery.authenticated = Authenticated(received, standing)

    async def _conform_all(self, book: Book, deliveries: Sequence[_Delivery]) -> None:
        """Judge large batches beside the loop, which must go on answering the others."""

        def run() -> None:
            for delivery in deliveries:
                self._conform(book, delivery)

        if sum(len(d.raw) for d in deliveries) <= CONFORM_INLINE_BYTES_MAX:
            run()
        else:
            await asyncio.to_thread(run)

    def _conform(self, book: Book, delivery: _Delivery) -> None:
        authenticated, sender = delivery.authenticated, delivery.sender
        if authenticated is None or sender is None:
            return
        received = authenticated.received
        header = received.header
        try:
            require_well_formed(header)
            require_addressed(header, book.home.gateway_id)
            require_timely(header, received.received_at_ms)
            suites = self._authenticity.suites
            require_suites(sender, received.signatures, header.required_suites, suites)
            body = decode_body(received.body_bytes)
            document = parse(body.form)
            form_schema = None
            if header.kind in OPENING:
                version = require_new_case_allowed(book, header, received.received_at_ms)
                # A joint task carries a part of the form only.
                form_schema = version.form_schema if header.kind is Kind.SUBMITTED else None
            require_body(header.kind, document, item_schema=form_schema, schemas=book.forms)
            delivery.conformant = Conformant(authenticated, body, document)
        except Fault as fault:
            delivery.fault = fault

    async def _hear_all(self, book: Book, deliveries: Sequence[_Delivery]) -> None:
        """Verify what notices say: of agreements, of item lists, of keys to come."""
        for delivery in deliveries:
            conformant, sender = delivery.conformant, delivery.sender
            if conformant is None or sender is None:
                continue
            received = conformant.authenticated.received
            told = received.header, conformant.document, received.received_at_ms
            try:
                delivery.notice = await self._hearing.hear(book, sender, *told)
            except Fault as fault:
                delivery.fault, delivery.conformant = fault, None

    async def _require_attachments(self, delivery: _Delivery) -> None:
        conformant = delivery.conformant
        if conformant is None or not conformant.body.attachments:
            return
        header = conformant.authenticated.received.header
        if header.kind in CASELESS:
            delivery.fault = Fault(FaultCode.WIRE_FIELD_INVALID, "attachments")
            delivery.conformant = None
            return
        try:
            await self._require_held(header.sender, header.case_key, conformant.body)
        except Fault as fault:
            delivery.fault = fault
            delivery.conformant = None

    async def _require_held(self, sender: GatewayId, key: CaseKey, body: Body) -> None:
        """Check that each attachment is held whole, as large and salted as the message says."""
        scope = VaultScope(sender, key)
        held = await self._vault.held(scope, [a.commitment for a in body.attachments])
        missing = {a.material_code for a in body.attachments if a.commitment not in held}
        if missing:
            raise Fault(FaultCode.ATTACHMENT_ABSENT, ",".join(sorted(missing)))
        for a in body.attachments:
            salt, size = held[a.commitment]
            if size != a.size:
                raise Fault(FaultCode.ATTACHMENT_SIZE, a.material_code)
            if salt != a.salt:
                raise Fault(FaultCode.ATTACHMENT_SALT, a.material_code)

    async def _answer_unauthenticated(self, deliveries: Iterable[_Delivery]) -> None:
        """Answer those that are no one's word: a repetition with its receipt, the rest not at all.

        The peer speaks for the sender of a parsed one, so its own receipts are no secret to it.
        """
        lost = [d for d in deliveries if d.authenticated is None or _may_pass(d.fault)]
        asked = {d.received.header.ref: d.received.header_digest for d in lost if d.received}
        known = await self._journal.read(lambda s: s.messages(asked)) if asked else {}
        for delivery in lost:
            received = delivery.received
            if received is not None:
                stored = known.get(received.header.ref)
                if stored is not None and stored.header_digest == received.header_digest:
                    delivery.answer = stored.receipt
                    continue
            assert delivery.fault is not None
            delivery.answer = not_taken_in(delivery.fault)

    async def query_receipts(
        self, peer: GatewayId, queries: Sequence[ReceiptQuery]
    ) -> list[Answer]:
        """Answer a sender that lost its answers; burn what is not known if it says so."""
        home = self._directory.current().home.gateway_id
        works = [QueryWork(home, peer, query) for query in queries]
        if not any(query.burn for query in queries):
            return await self._journal.read(lambda s: [work.look_up(s) for work in works])
        # One peer's burns at a time: they share the writer's queue with everyone.
        async with self._burning.setdefault(peer, asyncio.Lock()):
            faults = await self._committer.submit_all(works)
        return [
            work.answer() if fault is None else not_taken_in(fault)
            for work, fault in zip(works, faults, strict=True)
        ]


def _may_pass(fault: Fault | None) -> bool:
    return fault is not None and not is_final(fault.code)


class _IntakeWork(Answering):
    """Judges one authenticated message inside a commit group."""

    def __init__(self, book: Book, delivery: _Delivery) -> None:
        assert delivery.authenticated is not None
        self.delivery = delivery
        self._book = book
        self._authenticated = delivery.authenticated

    def refs(self) -> Iterable[MessageRef]:
        return (self._authenticated.received.header.ref,)

    def keys(self) -> Iterable[CaseKey]:
        header = self._authenticated.received.header
        return () if header.kind in CASELESS else (header.case_key,)

    def step(self, group: Group) -> None:
        received = self._authenticated.received
        ref, header_digest = received.header.ref, received.header_digest
        if self._begin(group.twins.get((ref, header_digest))):
            return
        stored = group.messages.get(ref)
        if stored is not None and stored.header_digest == header_digest:
            self._receipt = stored.receipt
            return
        if stored is not None or ref in group.decided:
            before = group.tx.second_receipt(ref, header_digest)
            if before is not None:
                self._receipt = before
                return
            self._refuse(group, Fault(FaultCode.DELIVERY_ID_REUSED))
            return
        if self.delivery.conformant is None:
            assert self.delivery.fault is not None
            self._refuse(group, self.delivery.fault)
            return
        try:
            authorised = authorise(
                group, self._book, self.delivery.conformant, self.delivery.notice
            )
        except Fault as fault:
            if not is_final(fault.code):
                raise
            self._refuse(group, fault)
            return

        def taken(receipt: bytes) -> None:
            group.taken.append(TakenIn(authorised, receipt))

        if authorised.case is not None:
            kind = self._authenticated.received.header.kind
            group.save(self._at_once(group, authorised.case, kind))
            group.counted.setdefault(authorised.case.key, []).append(kind)
        self._answer(group, Outcome.TAKEN_IN, None, taken)

    def _at_once(self, group: Group, case: CaseRecord, kind: Kind) -> CaseRecord:
        """Return a case that has just been submitted as an instant rule decides it (秒批)."""
        message = self.delivery.conformant
        if kind is not Kind.SUBMITTED or message is None:
            return case
        return decide_at_once(group, self._book, case, message.document, message.body.attachments)

    def _refuse(self, group: Group, fault: Fault) -> None:
        def refused(receipt: bytes) -> None:
            group.refused.append(Refused(self._authenticated, fault.code.value, receipt))

        self._answer(group, Outcome.REFUSED, fault, refused)

    def _answer(
        self,
        group: Group,
        outcome: Outcome,
        fault: Fault | None,
        store: Callable[[bytes], None],
    ) -> None:
        received = self._authenticated.received
        group.twins[received.header.ref, received.header_digest] = self
        group.decided.add(received.header.ref)
        group.keep_evidence(self.delivery.evidence)
        zh, en = texts(fault.code, fault.detail) if fault else ("", "")
        receipt = encode_receipt(
            Receipt(
                received.header.sender,
                self._book.home.gateway_id,
                received.header.message_id,
                received.header_digest,
                received.received_at_ms,
                outcome,
                fault.code.value if fault else "",
                zh,
                en,
            )
        )

        def finish(signatures: tuple[Signature, ...]) -> None:
            self._receipt = encode_signed_receipt(receipt, signatures)
            store(self._receipt)

        group.sign(pae(TYPE_RECEIPT, receipt), finish)
