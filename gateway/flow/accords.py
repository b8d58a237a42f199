"""Agreements over the wire (互认协议): what partners say of them, and the book it changes."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, Protocol, cast

from gateway.flow.announced import KeyReader, no_reader, with_announced
from gateway.flow.authenticity import Authenticity
from gateway.flow.committer import Group
from gateway.kernel.digests import TYPE_AGREEMENT_ACT, pae
from gateway.kernel.digests import digest as digest_of
from gateway.kernel.envelope import Header, Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, uuid_text
from gateway.kernel.limits import (
    AGREEMENTS_PER_PARTNER_MAX,
    MESSAGE_LIFE_MS_MAX,
    SKEW_MS_MAX,
)
from gateway.ports.directory import Book, Directory
from gateway.ports.journal import Journal, Snapshot
from gateway.ports.journal_agreements import AgreementSnapshot, StoredAct, StoredAgreement
from gateway.ports.telemetry import EventLog
from gateway.rules.agreement import Act, Agreement, Verdict, require_next_act, require_party
from gateway.rules.trust import Partner, checks_for, require_suites
from gateway.wire.receipts import SignedAct, decode_signed_agreement_act

VERDICTS: Final[Mapping[Kind, Verdict]] = {
    Kind.AGREEMENT_PROPOSED: Verdict.ACCEPT,
    Kind.AGREEMENT_ACCEPTED: Verdict.ACCEPT,
    Kind.AGREEMENT_REJECTED: Verdict.REJECT,
    Kind.AGREEMENT_REVOKED: Verdict.REVOKE,
}
"""What the act in a message of each kind must say; who proposes accepts by it."""

DROPPED: Final = "the proposal was let go of there; propose it again"

Reader = Callable[[bytes], Agreement]
"""Reads an agreement's content. Raises `agreement.content_invalid`."""


class Shelf(Directory, Protocol):
    """A directory whose book can be replaced."""

    def replace(self, book: Book) -> None:
        """Put another book in force; who already holds the old one keeps it."""
        ...


class Notice(NamedTuple):
    """A proposal or verdict of a partner, verified. `content` is empty but for a proposal."""

    agreement: Agreement
    content: bytes
    act: Act


def notice_form(kind: Kind, digest: bytes, content: bytes, signed_act: bytes) -> dict[str, str]:
    """Return the body form that carries a proposal or verdict; `read_notice` reads it."""
    act = base64.b64encode(signed_act).decode()
    if kind is Kind.AGREEMENT_PROPOSED:
        return {"content": content.decode(), "act": act}
    return {"agreement": digest.hex(), "act": act}


class Accords:
    """Judges what partners say of agreements, and keeps the book as the journal has it."""

    def __init__(
        self,
        journal: Journal,
        shelf: Shelf,
        authenticity: Authenticity,
        read: Reader,
        log: EventLog,
        read_key: KeyReader = no_reader,
    ) -> None:
        self.read_key = read_key
        self._journal = journal
        self._log = log
        self._shelf = shelf
        self._authenticity = authenticity
        self._founding = shelf.current().agreements
        self._partners = shelf.current().partners
        self._refreshing = asyncio.Lock()
        self._contents: dict[bytes, Agreement] = {}
        """Kept contents as they were read once, without acts."""
        self.read = read

    async def refresh(self, news: Collection[bytes] | None = None) -> None:
        """Put the agreements and acts that the journal holds into the book, beside the files'.

        Of `news` (digests) only, if given: what is kept already is not read again.
        """
        async with self._refreshing:
            if news is None:
                of_files = self.of_files
                book = await self._journal.read(lambda s: _standing(of_files, s, self._once))
                self._shelf.replace(book)
                return
            kept = await self._journal.read(
                lambda s: [(d, s.agreement(d), s.agreement_acts(d)) for d in news]
            )
            self._shelf.replace(self._with_news(self._shelf.current(), kept))

    async def found(self, book: Book) -> None:
        """Put another book of the files in force, with what the journal keeps beside it.

        Raises:
            JournalDown: the book stays as it was.
        """
        async with self._refreshing:
            made = await self._journal.read(lambda s: _standing(book, s, self._once))
            self._founding, self._partners = book.agreements, book.partners
            self._shelf.replace(made)

    @property
    def of_files(self) -> Book:
        """The book as the files have it: their agreements with their acts, their keys."""
        found = self._shelf.current()
        return replace(found, agreements=self._founding, partners=self._partners)

    def _once(self, raw: bytes) -> Agreement:
        """Read kept content the first time it is met."""
        address = digest_of(raw)
        known = self._contents.get(address)
        if known is None:
            known = self._contents[address] = self.read(raw)
        return known

    def _with_news(
        self,
        book: Book,
        kept: Sequence[tuple[bytes, StoredAgreement | None, Sequence[StoredAct]]],
    ) -> Book:
        agreements, documents = dict(book.agreements), dict(book.documents)
        for digest, stored, acts in kept:
            founding = self._founding.get(digest)
            if stored is not None:
                documents[digest] = ("agreement", stored.content)
            if founding is None and stored is not None:
                founding = self._once(stored.content)
            if founding is not None:
                agreements[digest] = _with_acts(founding, acts)
            else:  # let go of, or never kept: nothing stands under this digest
                for gone in (agreements, documents, self._contents):
                    gone.pop(digest, None)
        return replace(book, agreements=agreements, documents=documents)

    async def notice(
        self, book: Book, sender: Partner, header: Header, document: object, received_at_ms: int
    ) -> Notice:
        """Return what an authenticated message says of an agreement, its act verified.

        `document` is a valid body of the message's kind. Whether the act may follow those given
        before is *not* checked: see `record`.

        Raises:
            Fault: `agreement.content_invalid`, `agreement.act_invalid`, `agreement.not_party`;
                `agreement.unknown`, which may pass; `gateway.internal` for a bug, told by type.
        """
        try:
            return await self._heard(book, sender, header, document, received_at_ms)
        except Fault:
            raise
        except Exception as broken:  # any bug in reading a stranger's words fails them alone
            self._log.event(
                "notice_broke",
                error=type(broken).__name__,
                partner=header.sender,
                message_id=uuid_text(header.message_id),
            )
            raise Fault(FaultCode.INTERNAL) from broken

    async def _heard(
        self, book: Book, sender: Partner, header: Header, document: object, received_at_ms: int
    ) -> Notice:
        form = cast("Mapping[str, str]", document)
        content = form.get("content", "").encode()
        if content:
            agreement = self.read(content)
        else:
            address = bytes.fromhex(form["agreement"])
            found = book.agreements.get(address)
            if found is None:
                await self._require_not_dropped(address)
                raise Fault(FaultCode.AGREEMENT_UNKNOWN, address.hex()[:16])
            agreement = found
        if header.agreement_digest != agreement.digest:
            raise Fault(FaultCode.AGREEMENT_ACT_INVALID, "the header names another agreement")
        require_party(agreement, header.sender, header.recipient)
        signed = await self._verified(sender, agreement, form["act"], received_at_ms)
        if signed.act.party != header.sender:
            raise Fault(FaultCode.AGREEMENT_ACT_INVALID, "another party's act")
        if signed.act.verdict is not VERDICTS[header.kind]:
            raise Fault(FaultCode.AGREEMENT_ACT_INVALID, "another verdict than the message's kind")
        return Notice(agreement, content, signed.act)

    async def _require_not_dropped(self, address: bytes) -> None:
        dropped = await self._journal.read(lambda s: s.agreement_dropped(address))
        if dropped is not None:
            raise Fault(FaultCode.AGREEMENT_ACT_OUT_OF_ORDER, DROPPED)

    async def _verified(
        self, sender: Partner, agreement: Agreement, text: str, at_ms: int
    ) -> SignedAct:
        """Check an act's bytes, its agreement, time, suites and signatures, as of `at_ms`."""
        try:
            signed = decode_signed_agreement_act(base64.b64decode(text, validate=True))
            covered = pae(TYPE_AGREEMENT_ACT, signed.act_bytes)
            checks = checks_for(sender, signed.signatures, covered, at_ms)
            suites = self._authenticity.suites
            require_suites(sender, signed.signatures, agreement.required_suites, suites)
        except binascii.Error:
            raise Fault(FaultCode.AGREEMENT_ACT_INVALID, "base64") from None
        except Fault as fault:
            raise Fault(FaultCode.AGREEMENT_ACT_INVALID, fault.code.value) from fault
        if signed.agreement_digest != agreement.digest:
            raise Fault(FaultCode.AGREEMENT_ACT_INVALID, "an act on another agreement")
        earliest, latest = at_ms - MESSAGE_LIFE_MS_MAX - SKEW_MS_MAX, at_ms + SKEW_MS_MAX
        if not earliest <= signed.act.acted_at_ms <= latest:
            raise Fault(FaultCode.AGREEMENT_ACT_INVALID, "acted_at_ms")
        if await self._authenticity.failed(checks):
            raise Fault(FaultCode.AGREEMENT_ACT_INVALID, FaultCode.TRUST_SIGNATURE_INVALID.value)
        return signed


def _standing(founding: Book, kept: Snapshot, read: Reader) -> Book:
    return with_announced(agreed(founding, kept, read), kept)


def agreed(founding: Book, kept: AgreementSnapshot, read: Reader) -> Book:
    """Return the book of the files with the agreements and acts that the journal keeps.

    Acts are *not* verified again: they were when they came.
    """
    agreements = {
        digest: _with_acts(agreement, kept.agreement_acts(digest))
        for digest, agreement in founding.agreements.items()
    }
    documents = dict(founding.documents)
    for stored in kept.agreements():
        if stored.digest not in agreements:
            try:
                content = read(stored.content)
            except Fault:  # kept by an earlier version whose rules were wider: it allows nothing
                continue
            agreements[stored.digest] = _with_acts(content, stored.acts)
        documents[stored.digest] = ("agreement", stored.content)
    return replace(founding, agreements=agreements, documents=documents)


def _with_acts(agreement: Agreement, stored: Iterable[StoredAct]) -> Agreement:
    """Add stored acts, verified when they came, to those the files hold.

    One that was recorded here stands before a file of the same verdict, which came later.
    """
    acts = {(a.party, a.verdict): a for a in agreement.acts}
    for kept in stored:
        act = decode_signed_agreement_act(kept.signed).act
        acts[act.party, act.verdict] = replace(act, recorded_at_ms=kept.recorded_at_ms)
    return replace(agreement, acts=tuple(acts.values()))


def _require_place(group: Group, proposer: GatewayId) -> None:
    under_way = sum(a.proposer == proposer for a in group.agreements)
    if group.tx.agreements_proposed_by(proposer) + under_way >= AGREEMENTS_PER_PARTNER_MAX:
        told = f"{AGREEMENTS_PER_PARTNER_MAX} proposals are kept; let go of some there"
        raise Fault(FaultCode.LIMIT_QUOTA, told)


def record(group: Group, notice: Notice, proposer: GatewayId, counterpart: GatewayId) -> bool:
    """Stage a proposal or verdict inside the commit group; tell whether it is new.

    Raises:
        Fault: `agreement.act_out_of_order`; `limit.quota`, which may pass.
    """
    agreement, act = notice.agreement, notice.act
    digest = agreement.digest
    stored = [*group.tx.agreement_acts(digest), *(a for a in group.acts if a.digest == digest)]
    given = _with_acts(agreement, stored)
    heard = any(a.party == act.party for a in given.acts)
    if act.verdict is Verdict.REVOKE and not heard:
        # Messages of no case keep no order: what it revokes may still be on its way.
        raise Fault(FaultCode.AGREEMENT_UNKNOWN, "its acceptance has not arrived")
    require_next_act(given, act)
    dropped = any(d.digest == digest for d in group.dropped_agreements)
    if not notice.content and (dropped or group.tx.agreement_dropped(digest) is not None):
        raise Fault(FaultCode.AGREEMENT_ACT_OUT_OF_ORDER, DROPPED)
    if notice.content and group.tx.agreement(digest) is None:
        if proposer == counterpart:
            _require_place(group, counterpart)
        group.agreements.append(
            StoredAgreement(digest, proposer, counterpart, group.now_ms, notice.content)
        )
    if any((a.party, a.verdict) == (act.party, act.verdict) for a in given.acts):
        return False
    group.acts.append(StoredAct(digest, act.party, int(act.verdict), group.now_ms, act.signed))
    return True
