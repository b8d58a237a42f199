"""What operators do with agreements: propose, accept, reject, revoke."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import replace

from gateway.flow.accords import VERDICTS, Accords, Notice, Shelf, notice_form, record
from gateway.flow.committer import Committer, Group
from gateway.flow.desk import View
from gateway.flow.outbound import notify
from gateway.flow.sealing import Sealer
from gateway.kernel.digests import TYPE_AGREEMENT_ACT, pae
from gateway.kernel.envelope import Body, Header, Kind, Outcome, Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseKey, GatewayId, MessageId, MessageRef
from gateway.kernel.limits import MESSAGE_LIFE_MS, MESSAGE_LIFE_MS_MAX, REASON_CHARS_MAX
from gateway.ports.clock import Clock
from gateway.ports.directory import Book
from gateway.ports.journal_agreements import DroppedAgreement, StoredNotice
from gateway.ports.keyring import SignerDown
from gateway.rules.agreement import (
    Act,
    Agreement,
    OpenCases,
    Verdict,
    require_next_act,
    require_party,
)
from gateway.rules.trust import EXCHANGING
from gateway.wire.envelopes import Draft
from gateway.wire.headers import encode_body
from gateway.wire.receipts import (
    decode_signed_agreement_act,
    encode_agreement_act,
    encode_signed_agreement_act,
)


class AgreementDesk:
    """Gives this gateway's verdicts: kept, in force here at once, and sent to the other parties."""

    def __init__(
        self, committer: Committer, sealer: Sealer, shelf: Shelf, accords: Accords, clock: Clock
    ) -> None:
        self._committer = committer
        self._sealer = sealer
        self._shelf = shelf
        self._accords = accords
        self._clock = clock

    async def propose(self, operator: str, content: bytes) -> View:
        """Propose an agreement to its other parties; to propose is to accept.

        Raises:
            Fault: `agreement.content_invalid`, `agreement.not_party`, those of `_give`.
        """
        agreement = self._accords.read(content)
        return await self._give(operator, Kind.AGREEMENT_PROPOSED, agreement, content)

    async def accept(self, operator: str, digest: bytes) -> View:
        """Accept what another party proposed."""
        return await self._give(operator, Kind.AGREEMENT_ACCEPTED, self._known(digest))

    async def reject(self, operator: str, digest: bytes, reason: str) -> View:
        """Reject what another party proposed."""
        known = self._known(digest)
        return await self._give(operator, Kind.AGREEMENT_REJECTED, known, reason=reason)

    async def revoke(
        self, operator: str, digest: bytes, reason: str, open_cases: OpenCases
    ) -> View:
        """Revoke what this gateway accepted, and say what becomes of open cases."""
        known = self._known(digest)
        return await self._give(
            operator, Kind.AGREEMENT_REVOKED, known, reason=reason, open_cases=open_cases
        )

    def require_revocable(self, digest: bytes, open_cases: OpenCases) -> None:
        """Check that `revoke` could be done now.

        Raises:
            Fault: those of `revoke` but for signing and committing.
        """
        book, known = self._shelf.current(), self._known(digest)
        _others(book, known)
        act = Act(book.home.gateway_id, Verdict.REVOKE, self._clock.now_ms(), open_cases=open_cases)
        require_next_act(known, act)

    async def send(self, operator: str, digest: bytes, partner: str = "") -> View:
        """Send again what the other parties, or `partner` alone, refused to hear.

        What is on its way goes on by itself and is not sent twice.

        Raises:
            Fault: `agreement.unknown`, `agreement.not_party`, those of `_others` and of signing.
        """
        known, book = self._known(digest), self._shelf.current()
        others = _others(book, known, partner)
        work = _SendAgain(book, operator, known, others, self._signed)
        await self._committer.submit(work)
        return {
            "agreement": digest.hex(),
            "name": known.name,
            "told": sorted(set(work.told)),
            "changed": bool(work.told),
        }

    async def drop(self, operator: str, digest: bytes) -> View:
        """Let go of a proposal that was never accepted here; what was said of it stays.

        Raises:
            Fault: `agreement.unknown`; `agreement.act_out_of_order` if it was accepted here, or
                stands in a partner's folder; those of the committer.
        """
        known = self._known(digest)
        await self._committer.submit(_Drop(self._shelf.current(), operator, known))
        await self._accords.refresh([digest])
        return {"agreement": digest.hex(), "name": known.name, "changed": True}

    def _known(self, digest: bytes) -> Agreement:
        found = self._shelf.current().agreements.get(digest)
        if found is None:
            raise Fault(FaultCode.AGREEMENT_UNKNOWN, digest.hex()[:16])
        return found

    async def _give(
        self,
        operator: str,
        kind: Kind,
        agreement: Agreement,
        content: bytes = b"",
        *,
        reason: str = "",
        open_cases: OpenCases = OpenCases.UNSAID,
    ) -> View:
        """Sign a verdict, commit it with its messages, and put it in force here.

        Raises:
            Fault: `agreement.not_party`, `agreement.act_out_of_order`, `operator.not_found` (a
                party is no active partner), `trust.suite_missing`, those of the committer.
        """
        book = self._shelf.current()
        home = book.home.gateway_id
        if len(reason) > REASON_CHARS_MAX:
            raise Fault(FaultCode.OPERATOR_REQUEST_INVALID, f"reason over {REASON_CHARS_MAX}")
        others = _others(book, agreement)
        act = Act(home, VERDICTS[kind], self._clock.now_ms(), open_cases=open_cases)
        require_next_act(agreement, act)
        act = await asyncio.to_thread(self._signed, agreement, act, reason)
        work = _Give(book, operator, kind, Notice(agreement, content, act), others)
        await self._committer.submit(work)
        await self._accords.refresh([agreement.digest])
        return {
            "agreement": agreement.digest.hex(),
            "name": agreement.name,
            "verdict": act.verdict.name.lower(),
            "told": list(others) if work.new else [],
            "changed": work.new,
        }

    def _signed(self, agreement: Agreement, act: Act, reason: str) -> Act:
        raw = encode_agreement_act(agreement.digest, act, reason)
        covered = pae(TYPE_AGREEMENT_ACT, raw)
        missing = set(agreement.required_suites) - set(self._sealer.suites)
        if missing:
            raise Fault(FaultCode.TRUST_SUITE_MISSING, ",".join(sorted(missing)))
        try:
            signatures = self._sealer.sign([covered], agreement.required_suites)[0]
        except SignerDown as down:
            raise Fault(FaultCode.DELIVERY_SIGNER_DOWN) from down
        signed = encode_signed_agreement_act(raw, signatures)
        return Act(act.party, act.verdict, act.acted_at_ms, signed, act.open_cases)


def _others(book: Book, agreement: Agreement, only: str = "") -> list[GatewayId]:
    """Return the parties that must be told, or the one that is named."""
    home = book.home.gateway_id
    others = [p for p in sorted(agreement.parties - {home}) if only in ("", p)]
    for other in others:
        require_party(agreement, home, other)
        partner = book.partners.get(other)
        if partner is None:
            told = f"party {other}: no partner of this gateway"
            raise Fault(FaultCode.OPERATOR_NOT_FOUND, told)
        if partner.state not in EXCHANGING:
            raise Fault(FaultCode.TRUST_PARTNER_NOT_ACTIVE, other)
    if not others:
        raise Fault(FaultCode.AGREEMENT_NOT_PARTY)
    return others


class _Give:
    """Keeps our verdict and queues its messages, in one transaction."""

    def __init__(
        self, book: Book, operator: str, kind: Kind, notice: Notice, others: list[GatewayId]
    ) -> None:
        self._book = book
        self._operator = operator
        self._kind = kind
        self._notice = notice
        self._others = others
        self.new = False

    def refs(self) -> Iterable[MessageRef]:
        return ()

    def keys(self) -> Iterable[CaseKey]:
        return ()

    def step(self, group: Group) -> None:
        home = self._book.home.gateway_id
        self.new = record(group, self._notice, home, self._others[0])
        if not self.new:
            return
        agreement, content, act = self._notice
        for other in self._others:
            _tell(group, self._book, self._operator, self._kind, agreement, other, content, act)


def _tell(
    group: Group,
    book: Book,
    operator: str,
    kind: Kind,
    agreement: Agreement,
    other: GatewayId,
    content: bytes,
    act: Act,
) -> None:
    """Queue a verdict for one partner, and keep that it is on its way."""
    form = notice_form(kind, agreement.digest, content, act.signed)
    header = Header(
        MessageId(b""),
        book.home.gateway_id,
        other,
        0,
        0,
        kind,
        b"",
        agreement_digest=agreement.digest,
        acting_unit=book.home.unit,
        staff_pseudonym=operator,
        staff_capacity="operator",
        strength=Strength.SIGNED,
        required_suites=agreement.required_suites,
    )
    body = encode_body(Body(json.dumps(form, ensure_ascii=False).encode()))
    draft_id = notify(group, Draft(header, body))
    group.notices.append(StoredNotice(agreement.digest, other, int(kind), draft_id, group.now_ms))


class _SendAgain:
    """Queues the verdicts on an agreement that were refused, as they were said or signed anew."""

    def __init__(
        self,
        book: Book,
        operator: str,
        agreement: Agreement,
        others: list[GatewayId],
        sign: Callable[[Agreement, Act, str], Act],
    ) -> None:
        self._book = book
        self._operator = operator
        self._agreement = agreement
        self._others = others
        self._sign = sign
        self.told: list[GatewayId] = []

    def refs(self) -> Iterable[MessageRef]:
        return ()

    def keys(self) -> Iterable[CaseKey]:
        return ()

    def step(self, group: Group) -> None:
        tx, digest, home = group.tx, self._agreement.digest, self._book.home.gateway_id
        refused = [
            n
            for n in tx.notices()
            if n.digest == digest and n.outcome == Outcome.REFUSED and n.partner in self._others
        ]
        ours = {a.verdict: a.signed for a in tx.agreement_acts(digest) if a.party == home}
        stored = tx.agreement(digest)
        ready = []
        for notice in refused:
            kind = Kind(notice.kind)
            content = stored.content if stored and kind is Kind.AGREEMENT_PROPOSED else b""
            ready.append((notice, kind, content, self._act(group, ours[VERDICTS[kind]])))
        self.told = [notice.partner for notice in refused]
        for notice, kind, content, act in ready:
            agreement, other = self._agreement, notice.partner
            _tell(group, self._book, self._operator, kind, agreement, other, content, act)

    def _act(self, group: Group, signed: bytes) -> Act:
        """Return our verdict; signed anew if it is older than a receiver hears."""
        read = decode_signed_agreement_act(signed)
        if group.now_ms - read.act.acted_at_ms <= MESSAGE_LIFE_MS_MAX - MESSAGE_LIFE_MS:
            return read.act
        fresh = replace(read.act, acted_at_ms=group.now_ms, signed=b"")
        return self._sign(self._agreement, fresh, read.reason)


class _Drop:
    """Lets go of a proposal's content."""

    def __init__(self, book: Book, operator: str, agreement: Agreement) -> None:
        self._home = book.home.gateway_id
        self._operator = operator
        self._agreement = agreement

    def refs(self) -> Iterable[MessageRef]:
        return ()

    def keys(self) -> Iterable[CaseKey]:
        return ()

    def step(self, group: Group) -> None:
        digest = self._agreement.digest
        if group.tx.agreement(digest) is None:
            raise Fault(FaultCode.AGREEMENT_ACT_OUT_OF_ORDER, "it stands in a partner's folder")
        acts = [*group.tx.agreement_acts(digest), *(a for a in group.acts if a.digest == digest)]
        verdicts = {a.verdict for a in self._agreement.acts if a.party == self._home}
        verdicts |= {Verdict(a.verdict) for a in acts if a.party == self._home}
        if Verdict.ACCEPT in verdicts:
            raise Fault(FaultCode.AGREEMENT_ACT_OUT_OF_ORDER, "it was accepted here; revoke it")
        group.dropped_agreements.append(DroppedAgreement(digest, self._operator, group.now_ms))
