"""Answers of partners that come by themselves, to messages that lie ready for them."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.flow.attested_answers import AttestedAnswers
from gateway.flow.committer import Committer, Group
from gateway.flow.settling import unsettled
from gateway.kernel.faults import Fault
from gateway.kernel.identifiers import CaseKey, GatewayId, MessageId, MessageRef
from gateway.ports.journal import Journal, OutboxEntry, OutboxStatus
from gateway.ports.outlet import Answered
from gateway.ports.reception import LateAnswer
from gateway.ports.translation import Translation
from gateway.rules.arrivals import require_accepted


class LateAnswers:
    """Settles what was parked, or sends it again if the partner asks for that."""

    def __init__(self, committer: Committer, journal: Journal, attested: AttestedAnswers) -> None:
        self._committer = committer
        self._journal = journal
        self._attested = attested

    async def settle(self, home: GatewayId, answer: LateAnswer, translation: Translation) -> bool:
        """See `Reception.answered`."""
        ref = MessageRef(home, MessageId(answer.message_id))
        entry = (await self._journal.read(lambda s: s.outbox_of([ref]))).get(ref)
        if entry is None or entry.partner != answer.partner:
            return False
        verdict = translation.answer(answer.document)
        if verdict.retry:
            await self._committer.submit(_SendAgain(entry, ref))
            return True
        try:
            require_accepted(verdict)
            told = Answered(answer.raw, answer.strength, number=verdict.number)
        except Fault as refused:
            told = Answered(answer.raw, answer.strength, refused.code, verdict.text)
        await self._committer.submit(await self._attested.settle(entry, told))
        return True


class _SendAgain:
    """Takes a parked message off: its lane sends it anew."""

    def __init__(self, entry: OutboxEntry, ref: MessageRef) -> None:
        self._entry = entry
        self._ref = ref

    def refs(self) -> Iterable[MessageRef]:
        """See `Work`."""
        return ()

    def keys(self) -> Iterable[CaseKey]:
        """See `Work`."""
        return ()

    def step(self, group: Group) -> None:
        """See `Work`."""
        entry = unsettled(group, self._ref)
        if entry is not None and entry.status is OutboxStatus.LISTED:
            again = entry._replace(status=OutboxStatus.PENDING, due_ms=group.now_ms)
            group.put_outbox(again)
