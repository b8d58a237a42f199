"""The assisted desk (人工协办): sheets handed over, answers typed by one and confirmed by another.

A confirmed answer is attested by our own adapter key and taken in by the same intake as everyone's
messages. Confirmed is durable before it is taken in; whatever was confirmed and not yet taken in is
found in the journal again, so that a crash between the two changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence

from gateway.flow.answers import answer_header, complete, record_of
from gateway.flow.assisted_desk import Confirmation, Handover, TypedOutcome
from gateway.flow.assisted_files import Scans
from gateway.flow.assisted_lookup import (
    Step,
    as_json,
    file_of,
    found,
    judge,
    says_the_same,
    sheet_of,
    shown,
    to_confirm,
    with_message,
)
from gateway.flow.assisted_views import (
    AWAITS_ANSWER,
    typed_content,
    typed_fields,
    typed_files,
    with_files,
    work_view,
)
from gateway.flow.attesting import Attester, Proof
from gateway.flow.committer import Committer, Group
from gateway.flow.desk import Actor, Download, View
from gateway.flow.intake import Intake
from gateway.flow.settling import Settle
from gateway.kernel.assisted import ADAPTER, OPEN, TypingEvent, TypingStatus, WorkStatus
from gateway.kernel.case import CaseRecord
from gateway.kernel.digests import commitment, digest
from gateway.kernel.envelope import Body, Kind, NotTakenIn, Outcome, Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import MessageId, MessageRef
from gateway.kernel.limits import ASSISTED_RESUME_MAX, SALT_BYTES, SKEW_MS_MAX
from gateway.ports.assisted import Typing
from gateway.ports.clock import Clock, Entropy
from gateway.ports.directory import Directory
from gateway.ports.journal import Evidence, Journal, Snapshot
from gateway.ports.telemetry import EventLog
from gateway.ports.vault import Vault, VaultScope
from gateway.rules import assisted as rules
from gateway.wire.envelopes import decode_envelope, encode_envelope
from gateway.wire.headers import decode_body, encode_body, encode_header
from gateway.wire.receipts import decode_signed_receipt

_MORE_FOLLOWS = frozenset({Kind.ACKNOWLEDGED, Kind.ACCEPTED})


class Assistance:
    """Implements `AssistedDesk` on the journal."""

    def __init__(
        self,
        committer: Committer,
        journal: Journal,
        vault: Vault,
        directory: Directory,
        intake: Intake,
        attester: Attester,
        clock: Clock,
        entropy: Entropy,
        log: EventLog,
    ) -> None:
        self._committer = committer
        self._journal = journal
        self._vault = vault
        self._scans = Scans(vault, entropy)
        self._directory = directory
        self._intake = intake
        self._attester = attester
        self._clock = clock
        self._entropy = entropy
        self._log = log

    async def work(self, actor: Actor, done: bool, limit: int, after: bytes) -> Sequence[View]:
        """See `AssistedDesk`."""

        def query(s: Snapshot) -> list[View]:
            items = s.work_items(actor.unit, done=done, limit=limit, after=after)
            cases = s.cases([i.case_key for i in items])
            return [work_view(i, cases[i.case_key], s.typings_of_case(i.case_key)) for i in items]

        return await self._journal.read(query)

    async def item(self, actor: Actor, work_id: bytes) -> View:
        """See `AssistedDesk`."""
        return await self._journal.read(lambda s: shown(s, actor, work_id))

    async def sheet(self, actor: Actor, work_id: bytes) -> View:
        """See `AssistedDesk`."""
        book = self._directory.current()
        return await self._journal.read(lambda s: sheet_of(s, book, found(s, actor, work_id)[0]))

    async def material(self, actor: Actor, work_id: bytes, commitment: bytes) -> Download:
        """See `AssistedDesk`."""
        item, message = await self._journal.read(lambda s: with_message(s, actor, work_id))
        for a in decode_body(decode_envelope(message.envelope).body_bytes).attachments:
            if a.commitment == commitment:
                scope = VaultScope(item.partner, item.case_key)
                chunks = self._vault.read(scope, commitment)
                return Download(a.media_type, a.name, a.size, chunks)
        raise Fault(FaultCode.PORTAL_NOT_FOUND)

    async def add_file(
        self,
        actor: Actor,
        work_id: bytes,
        media_type: str,
        size: int,
        sha256: bytes,
        chunks: AsyncIterator[bytes],
    ) -> View:
        """See `AssistedDesk`."""
        item = (await self._journal.read(lambda s: found(s, actor, work_id)))[0]
        rules.require_handed_over(item.status)
        return await self._scans.keep(item, media_type, size, sha256, chunks)

    async def file(self, actor: Actor, work_id: bytes, commitment: bytes) -> Download:
        """See `AssistedDesk`."""
        item, file = await self._journal.read(lambda s: file_of(s, actor, work_id, commitment))
        return self._scans.open(item, file)

    # --- told to the partner --------------------------------------------------------------------

    async def handed_over(self, actor: Actor, work_id: bytes, told: Handover) -> View:
        """See `AssistedDesk`."""
        home = self._directory.current().home.gateway_id
        ref = MessageRef(home, MessageId(work_id))
        item, entry = await self._journal.read(
            lambda s: (found(s, actor, work_id)[0], s.outbox_of([ref]).get(ref))
        )
        if item.status is not WorkStatus.LISTED or entry is None:
            return await self.item(actor, work_id)
        now_ms = self._clock.now_ms()
        at_ms = now_ms if told.at_ms is None else told.at_ms
        if not item.listed_at_ms - SKEW_MS_MAX <= at_ms <= now_ms + SKEW_MS_MAX:
            raise Fault(
                FaultCode.PORTAL_REQUEST_INVALID,
                "at: after the message was listed, and not in the future",
            )
        late = told.already_decided
        if late and item.kind is not Kind.WITHDRAWN:
            wrong = (("/answer", "is for a withdrawal only"),)
            raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "answer", errors=wrong)
        record = json.dumps(
            {"by": actor.subject, "at_ms": at_ms, "text": told.raw.decode()}, ensure_ascii=False
        ).encode()
        receipt, raw = await self._attester.receipt(
            home,
            item.partner,
            ref.message_id,
            item.header_digest,
            Proof(ADAPTER, Strength.ASSISTED, record, f"handed-over/{ref.message_id.hex()}"),
            at_ms,
            FaultCode.CASE_ALREADY_DECIDED if late else None,
        )
        settle = Settle(entry, home, receipt, raw)

        def step(group: Group) -> None:
            current = group.tx.work_item(work_id)
            if current is None or current.status is not WorkStatus.LISTED:
                return  # told at the same time by someone else: one receipt
            settle.step(group)
            group.keep_evidence([Evidence(digest(record), "assisted-handover", record)])
            waits = item.kind in AWAITS_ANSWER
            now = current._replace(
                status=WorkStatus.HANDED_OVER if waits else WorkStatus.DONE,
                method=told.method.value,
                handed_over_at_ms=at_ms,
                handed_over_by=actor.subject,
            )
            before = [
                i._replace(status=WorkStatus.DONE)
                for i in group.tx.work_of_case(item.case_key)
                if i.status is WorkStatus.HANDED_OVER and not late
            ]
            group.tx.save_work([*before, now])

        await self._committer.submit(Step(item.case_key, step))
        self._log.event("assisted_handed_over", partner=item.partner, kind=item.kind.name.lower())
        return await self.item(actor, work_id)

    # --- typed back -----------------------------------------------------------------------------

    async def outcome(self, actor: Actor, work_id: bytes, typed: TypedOutcome) -> View:
        """See `AssistedDesk`. It is judged as the intake will judge it, before it is kept."""
        book, now_ms = self._directory.current(), self._clock.now_ms()
        item = (await self._journal.read(lambda s: found(s, actor, work_id)))[0]
        await self._scans.require(item.partner, item.case_key, typed.files)
        typing = Typing(
            item.partner,
            rules.natural_key(work_id, typed.kind, typed.number),
            work_id,
            item.case_key,
            actor.unit,
            typed.kind,
            typed.number,
            TypingStatus.TYPED,
            now_ms,
            actor.subject,
            typed.raw,
        )

        def step(group: Group) -> None:
            current, case = found(group.tx, actor, work_id)
            case = group.case(case.key) or case
            rules.require_handed_over(current.status)
            sheet = (current.partner, case.applicant_number)
            rules.require_same_case((typed.region, typed.case_number), sheet)
            before = group.tx.typings_of_case(case.key)
            same = next((t for t in before if t.natural_key == typing.natural_key), None)
            if same is not None and says_the_same(same, typing):
                return
            waiting = [t for t in before if t.status in OPEN]
            if any(t.status is not TypingStatus.TYPED for t in waiting) or any(
                t.typed_by != actor.subject for t in waiting
            ):
                raise Fault(FaultCode.ASSISTED_AWAITS_CONFIRMATION)
            judge(group, book, case, typing)
            rules.step(same.status if same else None, TypingEvent.TYPE)
            replaced = [
                t._replace(status=rules.step(t.status, TypingEvent.REPLACE))
                for t in waiting
                if t.natural_key != typing.natural_key
            ]
            group.tx.save_typings([*replaced, typing])

        await self._committer.submit(Step(item.case_key, step))
        return await self.item(actor, work_id)

    # --- confirmed ------------------------------------------------------------------------------

    async def confirm(self, actor: Actor, work_id: bytes, given: Confirmation) -> View:
        """See `AssistedDesk`. A refusal by the intake is raised under its own rule."""
        item, case, typing = await self._journal.read(lambda s: to_confirm(s, actor, work_id))
        if typing.status is TypingStatus.TAKEN_IN:  # asked again, since the answer was lost
            rules.require_match(typed_fields(typing), with_files(given.fields, given.files))
            return await self.item(actor, work_id)
        if typing.status is TypingStatus.TYPED:
            rules.require_other_person(typing.typed_by, actor.subject)
            await self._compare(typing, given)
            typing = await self._attest(actor, case, typing, given)
        await self._take_in(typing)
        return await self.item(actor, item.message_id)

    async def _compare(self, typing: Typing, given: Confirmation) -> None:
        """Let the typing stand if both read the same; else it is void.

        Raises:
            Fault: `assisted.mismatch`.
        """
        try:
            rules.require_match(typed_fields(typing), with_files(given.fields, given.files))
        except Fault:
            status = rules.step(typing.status, TypingEvent.MISMATCH)
            await self._replace(typing, typing._replace(status=status))
            raise

    async def _attest(
        self, actor: Actor, case: CaseRecord, typing: Typing, given: Confirmation
    ) -> Typing:
        """Make the answer a message and keep it, before anything is taken in."""
        await self._scans.require(typing.partner, typing.case_key, typed_files(typing))
        now_ms = self._clock.now_ms()
        record = record_of(typing, actor.subject, now_ms, given.raw)
        content = complete(typing.kind, typing.number, typed_content(typing))
        body_bytes = encode_body(Body(as_json(content)))
        salt = self._entropy.token(SALT_BYTES)
        header = answer_header(
            self._directory.current(), case, typing, commitment(salt, body_bytes)
        )
        header_bytes = encode_header(header)
        proof = Proof(ADAPTER, Strength.ASSISTED, record, typing.natural_key)
        attestation = await self._attester.message(header, header_bytes, proof)
        confirmed = typing._replace(
            status=rules.step(typing.status, TypingEvent.CONFIRM),
            confirmed_at_ms=now_ms,
            confirmed_by=actor.subject,
            message_id=header.message_id,
            envelope=encode_envelope(header_bytes, salt, body_bytes, (), attestation),
        )
        await self._replace(
            typing, confirmed, Evidence(digest(record), "assisted-record", record), case
        )
        return confirmed

    async def _replace(
        self,
        before: Typing,
        after: Typing,
        kept: Evidence | None = None,
        seen: CaseRecord | None = None,
    ) -> None:
        """Keep `after` if the journal still holds `before`, and the case's chain as it was `seen`.

        Raises:
            Fault: `portal.stale`.
        """

        def step(group: Group) -> None:
            case = group.case(before.case_key)
            moved = seen is not None and (case is None or case.received != seen.received)
            if moved or before not in group.tx.typings_of_case(before.case_key):
                raise Fault(FaultCode.PORTAL_STALE)
            if kept is not None:
                group.keep_evidence([kept])
            group.tx.save_typings([after])

        await self._committer.submit(Step(before.case_key, step))

    async def resume(self) -> None:
        """Take in whatever was confirmed and is not taken in yet, after a crash or an obstacle."""
        waiting = await self._journal.read(
            lambda s: s.typings_in(TypingStatus.CONFIRMED, limit=ASSISTED_RESUME_MAX)
        )
        for typing in waiting:
            try:
                await self._take_in(typing)
            except Fault as fault:
                self._log.event("assisted_waits", partner=typing.partner, rule=fault.code.value)

    async def _take_in(self, typing: Typing) -> None:
        """Have the intake judge a confirmed answer, and note what became of it.

        Raises:
            Fault: the rule by which it was refused, or by which it must wait.
        """
        home = self._directory.current().home.gateway_id
        answer = (await self._intake.take_in(home, [typing.envelope], local=True))[0]
        rule, event = "", TypingEvent.TAKE_IN
        if isinstance(answer, NotTakenIn):
            rule, settled = answer.rule, typing._replace(rule=answer.rule)
        else:
            receipt = decode_signed_receipt(answer).receipt
            if receipt.outcome is not Outcome.TAKEN_IN:
                rule, event = receipt.rule, TypingEvent.REFUSE
            settled = typing._replace(
                status=rules.step(TypingStatus.CONFIRMED, event),
                rule=rule,
                settled_at_ms=self._clock.now_ms(),
            )

        def step(group: Group) -> None:
            known = group.tx.typings_of_case(typing.case_key)
            held = next((t for t in known if t.natural_key == typing.natural_key), None)
            if held is None or held.envelope != typing.envelope or held.status not in OPEN:
                return  # noted before
            group.tx.save_typings([settled])
            item = group.tx.work_item(typing.work_id)
            if settled.status is TypingStatus.TAKEN_IN and typing.kind not in _MORE_FOLLOWS:
                assert item is not None
                group.tx.save_work([item._replace(status=WorkStatus.DONE)])

        await self._committer.submit(Step(typing.case_key, step))
        self._log.event(
            "assisted_taken_in" if not rule else "assisted_not_taken_in",
            partner=typing.partner,
            kind=typing.kind.name.lower(),
            rule=rule,
        )
        if rule:
            raise Fault(FaultCode(rule))
