"""What stands for a receipt where a partner's platform answers without a gateway's signature."""

from __future__ import annotations

from gateway.flow.attesting import Attester, Proof
from gateway.flow.committer import Group
from gateway.flow.settling import Settle, unsettled
from gateway.kernel.digests import digest
from gateway.kernel.envelope import Outcome, Receipt
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, MessageId
from gateway.ports.clock import Clock
from gateway.ports.directory import Directory
from gateway.ports.journal import Evidence, OutboxEntry
from gateway.ports.outlet import Answered

RAW_ANSWER = "dialect-answer"
"""Kind of evidence: the partner's answer to a message of ours, verbatim."""
RAW_ARRIVAL = "dialect-arrival"
"""Kind of evidence: what a partner's platform sent, verbatim."""


class AttestedAnswers:
    """Makes receipts of partners' answers, by our adapter key."""

    def __init__(self, attester: Attester, directory: Directory, clock: Clock) -> None:
        self._attester = attester
        self._directory = directory
        self._clock = clock

    async def settle(self, entry: OutboxEntry, answer: Answered) -> Settle:
        """Return the work that settles a message of ours by its partner's answer.

        Raises:
            Fault: `delivery.signer_down`; `trust.peer_unknown`, the partner left meanwhile.
        """
        book = self._directory.current()
        home, message_id = book.home.gateway_id, MessageId(entry.message_id)
        partner = book.partners.get(entry.partner)
        if partner is None:
            raise Fault(FaultCode.TRUST_PEER_UNKNOWN)
        adapter = partner.outlet
        proof = Proof(adapter, answer.strength, answer.raw, f"answer/{message_id.hex()}")
        receipt, encoded = await self._attester.receipt(
            home,
            entry.partner,
            message_id,
            entry.header_digest,
            proof,
            self._clock.now_ms(),
            answer.refused_by,
            answer.text,
        )
        return _SettleAnswered(entry, home, receipt, encoded, answer)


class _SettleAnswered(Settle):
    """Settles, keeps the answer, and learns which numbers stand for the case."""

    def __init__(
        self, entry: OutboxEntry, home: GatewayId, receipt: Receipt, raw: bytes, answer: Answered
    ) -> None:
        super().__init__(entry, home, receipt, raw)
        self._answer = answer

    def step(self, group: Group) -> None:
        """See `Work`."""
        if unsettled(group, self._ref) is None:
            return  # settled before
        super().step(group)
        raw = self._answer.raw
        group.keep_evidence([Evidence(digest(raw), RAW_ANSWER, raw)])
        key = self._entry.case_key
        case = None if key is None else group.case(key)
        if key is None or case is None or self.receipt.outcome is not Outcome.TAKEN_IN:
            return
        for number in (case.applicant_number, case.handling_number, self._answer.number):
            if number:
                group.tx.name_case(self._entry.partner, number, key)
