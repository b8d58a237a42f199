"""The way out to a partner that runs a platform of its own: one outlet over every dialect (方言).

It puts a message in the partner's words and hands it to the dialect, which only carries documents.
What the partner answers is not believed here: it goes back verbatim, to be attested.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple, Protocol

from gateway.kernel.arrivals import ArrivalStatus
from gateway.kernel.case import CaseRecord
from gateway.kernel.envelope import (
    CASELESS,
    Attachment,
    AttachmentRef,
    AttachmentState,
    Header,
    Kind,
    NotTakenIn,
    ReceiptQuery,
    Strength,
)
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import uuid_text
from gateway.kernel.limits import ARRIVAL_BYTES_MAX, DIALECT_BATCH_MAX
from gateway.kernel.translations import Said
from gateway.kernel.trees import Tree, Value
from gateway.ports.journal import Direction, Journal, JournalDown
from gateway.ports.outlet import Answered, Listed, OutletDown
from gateway.ports.reception import Disposition
from gateway.ports.translation import Translation
from gateway.ports.vault import Vault, VaultScope
from gateway.rules.arrivals import require_accepted
from gateway.wire.envelopes import Envelope, decode_envelope
from gateway.wire.headers import decode_body

_NOT_CARRIED = NotTakenIn(
    FaultCode.CASE_KIND_NOT_SERVED.value, retry=True, retry_after_ms=3_600_000
)


class DialectAnswer(NamedTuple):
    """What a partner's platform answered."""

    raw: bytes
    """Verbatim."""
    document: Tree
    strength: Strength
    """How far it is proven to be the partner's answer to this very push."""


class Dialect(Protocol):
    """Carries documents to one partner's platform."""

    async def send(
        self, operation: str, document: Tree, number: str, timeout_s: float
    ) -> DialectAnswer | Listed:
        """Push one document; `number` is the same whenever the same message is pushed again.

        `Listed` says that it lies ready for the partner, whose answer comes by itself.

        Raises:
            OutletDown: no answer was had; the partner may or may not have it.
            Fault: it cannot be written in this dialect, or the partner named a rule of transport.
        """
        ...

    async def close(self) -> None:
        """Let go of connections. Calls under way end with `OutletDown`."""
        ...


class Speaker:
    """Says one thing to a partner's platform, in its words, and reads what it answers."""

    def __init__(self, dialect: Dialect, translation: Translation) -> None:
        self._dialect = dialect
        self._translation = translation

    async def say(
        self, ours: Tree, number: str, timeout_s: float
    ) -> NotTakenIn | Listed | Answered:
        """Push a message, given in our words, under its number.

        Raises:
            OutletDown: no answer was had, or none that can be read.
            Fault: the partner has no words for it (`mapping.*`), or it cannot be carried.
        """
        theirs = self._translation.outbound(ours)
        answer = await self._dialect.send(theirs.operation, theirs.document, number, timeout_s)
        return answer if isinstance(answer, Listed) else self.read(answer)

    def read(self, answer: DialectAnswer) -> NotTakenIn | Answered:
        """Return what an answer means.

        Raises:
            OutletDown: it says neither yes nor no.
        """
        try:
            verdict = self._translation.answer(answer.document)
        except Fault as unread:
            raise OutletDown(unread.code.value) from unread
        if verdict.retry:
            return NotTakenIn(FaultCode.PARTNER_REFUSED.value, retry=True)
        try:
            require_accepted(verdict)
        except Fault as refused:
            return Answered(answer.raw, answer.strength, refused.code, verdict.text)
        return Answered(answer.raw, answer.strength, number=verdict.number)

    async def close(self) -> None:
        """Let go of connections."""
        await self._dialect.close()


class DialectOutlet:
    """Implements `ports.outlet.Outlet` for a partner's own platform."""

    batch_max = DIALECT_BATCH_MAX

    def __init__(
        self, dialect: Dialect, translation: Translation, journal: Journal, vault: Vault
    ) -> None:
        self._speaker = Speaker(dialect, translation)
        self._journal = journal
        self._vault = vault

    async def deliver(
        self, envelopes: Sequence[bytes], timeout_s: float
    ) -> Sequence[NotTakenIn | Listed | Answered]:
        """See `Outlet`. Each message is a push of its own."""
        return await self._push([decode_envelope(raw) for raw in envelopes], timeout_s)

    async def query_receipts(
        self, queries: Sequence[ReceiptQuery], timeout_s: float
    ) -> Sequence[NotTakenIn | Listed | Answered]:
        """See `Outlet`. Platforms have no such question: it is pushed again, under its number."""
        ids = [query.message_id for query in queries]
        try:
            found = await self._journal.read(lambda s: [s.messages_by_id(i) for i in ids])
        except JournalDown as down:
            raise OutletDown(FaultCode.DELIVERY_JOURNAL_DOWN.value) from down
        ours = [next(m for m in some if m.direction is Direction.OUT) for some in found]
        return await self._push([decode_envelope(m.envelope) for m in ours], timeout_s)

    async def _push(
        self, messages: Sequence[Envelope], timeout_s: float
    ) -> list[NotTakenIn | Listed | Answered]:
        """Push all; if nothing came of any of them, the partner is down.

        Raises:
            OutletDown: see there.
        """

        async def one(message: Envelope) -> NotTakenIn | Listed | Answered | OutletDown:
            try:
                return await self._say(message, timeout_s)
            except OutletDown as down:
                return down

        answers = await asyncio.gather(*(one(m) for m in messages))
        downs = [a for a in answers if isinstance(a, OutletDown)]
        if downs and len(downs) == len(answers):
            raise downs[0]
        return [
            NotTakenIn(a.reason, retry=True) if isinstance(a, OutletDown) else a for a in answers
        ]

    async def _say(self, message: Envelope, timeout_s: float) -> NotTakenIn | Listed | Answered:
        if message.header.kind in CASELESS:
            return _NOT_CARRIED
        try:
            number = uuid_text(message.header.message_id)
            return await self._speaker.say(await self._ours(message), number, timeout_s)
        except Fault as fault:
            if fault.code is FaultCode.MAPPING_KIND_UNMAPPED:
                return _unsayable(message.header.kind, fault)
            return NotTakenIn(fault.code.value, retry=True, retry_after_ms=fault.retry_after_ms)

    # --- our words ------------------------------------------------------------------------------

    async def _ours(self, message: Envelope) -> Tree:
        """Return a message in our words, with its files.

        Raises:
            Fault: `limit.attachment_bytes`, `attachment.absent`.
        """
        header = message.header
        case = await self._case(message)
        body = decode_body(message.body_bytes)
        scope = VaultScope(header.recipient, header.case_key)
        _require_carriable(body.attachments)
        materials = [await self._material(scope, a) for a in body.attachments]
        numbers = CaseNumbers(case.applicant_number, case.handling_number)
        return in_our_words(header, json.loads(body.form), numbers, materials)

    async def _case(self, message: Envelope) -> CaseRecord:
        key = message.header.case_key
        try:
            found = await self._journal.read(lambda s: s.cases([key]))
        except JournalDown as down:
            raise OutletDown(FaultCode.DELIVERY_JOURNAL_DOWN.value) from down
        return found[key]

    async def _material(self, scope: VaultScope, a: Attachment) -> Tree:
        content = b"".join([chunk async for chunk in self._vault.read(scope, a.commitment)])
        return material_of(a, content)

    # --- files go inside the documents ----------------------------------------------------------

    async def attachment_status(self, ref: AttachmentRef, timeout_s: float) -> AttachmentState:
        """See `Outlet`. Files are read from our vault when their message is put in words."""
        return AttachmentState(ref.size, complete=True)

    async def upload(
        self, ref: AttachmentRef, offset: int, chunks: AsyncIterator[bytes], timeout_s: float
    ) -> AttachmentState:
        """See `Outlet`. Never asked for: every file is said to be there."""
        return AttachmentState(ref.size, complete=True)

    async def close(self) -> None:
        """See `Outlet`."""
        await self._speaker.close()


class CaseNumbers(NamedTuple):
    """What both sides call a case (办件编号); empty if not yet given."""

    applicant: str = ""
    handling: str = ""


def in_our_words(
    header: Header, form: Value, numbers: CaseNumbers, materials: Sequence[Tree]
) -> Tree:
    """Return a message as translations read it; `form` is the body's whole document."""
    beside: Tree = {}
    if header.kind is Kind.SUBMITTED and isinstance(form, dict):
        beside = {n: form[n] for n in ("identity", "authorisation") if n in form}
        form = form["form"]
    return {
        "message": {
            "id": uuid_text(header.message_id),
            "kind": header.kind.name.lower(),
            "sent_at": header.sent_at_ms,
            "sender": header.sender,
            "recipient": header.recipient,
            "item_code": header.item_code,
            "item_version": header.item_version,
            "mode": header.mode.name.lower() if header.mode else "",
            "purpose": header.purpose,
            "unit": header.acting_unit,
            "right": header.delegated_right.name.lower(),
        },
        "case": {
            "id": f"{header.case_origin}/{uuid_text(header.case_id)}",
            "applicant_number": numbers.applicant,
            "handling_number": numbers.handling,
        },
        "form": form,
        "materials": list(materials),
        **beside,
    }


def material_of(attachment: Attachment, content: bytes) -> Tree:
    """Return a file as translations read it."""
    return {
        "code": attachment.material_code,
        "name": attachment.name,
        "media_type": attachment.media_type,
        "size": attachment.size,
        "content": content,
    }


def _require_carriable(attachments: Sequence[Attachment]) -> None:
    size = sum(a.size for a in attachments)
    if size * 4 // 3 > ARRIVAL_BYTES_MAX:
        raise Fault(FaultCode.LIMIT_ATTACHMENT_BYTES, f"{size} in one document")


def _unsayable(kind: Kind, fault: Fault) -> Answered:
    """Return the end of a message for which the partner's platform has no words.

    It is refused here and not sent: the case goes on, and a person sees why.
    """
    record = {"not_sent": kind.name.lower(), "rule": fault.code.value}
    return Answered(json.dumps(record).encode(), Strength.ASSISTED, fault.code, kind.name.lower())


def said_of(met: Disposition) -> Said:
    """Return what a partner is told of an arrival. One that waits here counts as taken over."""
    ok = met.status in (ArrivalStatus.TAKEN_IN, ArrivalStatus.RECEIVED)
    return Said(ok, met.rule, met.text_zh, met.text_en, met.retry, met.number)
