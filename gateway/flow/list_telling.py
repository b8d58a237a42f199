"""Telling partners of our own list: what changed since what they have, in parts.

Everything starts from the journal: which edition each partner is known to have, how far the one
under way is queued, and how many of its parts met their receipt. A partner that lacks the edition
a change builds on refuses it, and is then told the whole list.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final, NamedTuple

from gateway.flow.committer import Group
from gateway.flow.item_press import last_edition
from gateway.flow.outbound import notify
from gateway.kernel.envelope import Body, Header, Kind, Outcome, Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseKey, GatewayId, MessageId, MessageRef
from gateway.kernel.limits import ITEM_PART_BYTES, ITEM_PART_ROWS_MAX, ITEM_PARTS_UNDER_WAY_MAX
from gateway.ports.directory import Book
from gateway.ports.item_list import Change, Edition, ItemListReader, Telling
from gateway.rules.agreement import Agreement, require_in_force
from gateway.rules.item_list.changes import list_digest
from gateway.rules.item_list.parts import ListPart, write_part
from gateway.rules.item_list.rows import ItemRow, fingerprint
from gateway.rules.trust import PartnerState
from gateway.wire.envelopes import Draft
from gateway.wire.headers import encode_body

_TELL_WHOLE: Final = frozenset(
    {FaultCode.CATALOGUE_EDITION_GAP.value, FaultCode.CATALOGUE_LIST_DIFFERS.value}
)
_PAGE: Final = ITEM_PART_ROWS_MAX


class Next(NamedTuple):
    """The next part for a partner."""

    before: Telling | None
    """What the journal said when it was made."""
    after: Telling
    part: ListPart


def next_telling(before: Telling | None, partner: GatewayId, latest: int) -> Telling | None:
    """Return the telling of which a part may be queued now; None: nothing is to be said now."""
    if before is None:
        return _begun(partner, 0, latest, 0)
    if before.under_way:
        room = before.queued - before.settled < ITEM_PARTS_UNDER_WAY_MAX
        return before if room and not (before.whole or before.rule) else None
    if before.rule in _TELL_WHOLE and before.base:
        return _begun(partner, 0, latest, 0)
    # What was refused for another reason is not said again; what comes after it is.
    if before.number == latest:
        return None
    return _begun(partner, before.known, latest, before.known)


def _begun(partner: GatewayId, known: int, number: int, base: int) -> Telling:
    return Telling(partner, known, number, base, "", 0, False, 0)


def settled(group: Group, partner: GatewayId, outcome: Outcome, rule: str) -> None:
    """Record inside the commit group that a part met its receipt; a burnt one is sent anew."""
    telling = group.tx.item_list.tellings().get(partner)
    if telling is None or outcome is Outcome.VOID:
        return
    after = telling._replace(settled=telling.settled + 1, rule=telling.rule or rule)
    if not after.under_way and not after.rule:
        after = after._replace(known=after.number)
    group.tx.item_list.put_telling(after)


def make_next(lists: ItemListReader, home: GatewayId, partner: GatewayId) -> Next | None:
    """Make the next part for a partner, if there is one to be said now."""
    latest = last_edition(lists, home)
    if latest is None:
        return None
    before = lists.tellings().get(partner)
    telling = next_telling(before, partner, latest.number)
    if telling is None:
        return None
    editions = {e.number: e for e in lists.editions(home, limit=latest.number)}
    edition, base = editions[telling.number], editions.get(telling.base)
    if base is None or not base.digest:
        base, telling = None, telling._replace(base=0)
    changes, whole = _changes(lists, edition, base, telling.after)
    now = [(c, c.after.row) for c in changes if c.after is not None]
    part = ListPart(
        home,
        edition.number,
        edition.digest or _digest_of(lists, edition),
        edition.rows,
        base.digest if base else b"",
        telling.queued + 1,
        whole,
        tuple(row for c, row in now if c.before is None),
        tuple(row for c, row in now if c.before is not None and c.before.row != row),
        tuple(c.code for c in changes if c.after is None and c.before is not None),
    )
    after = changes[-1].code if changes else telling.after
    return Next(before, telling._replace(after=after, queued=part.part, whole=whole), part)


def _changes(
    lists: ItemListReader, edition: Edition, base: Edition | None, after: str
) -> tuple[list[Change], bool]:
    """Return the next changes that one message has room for, and whether they are the last."""
    until_ms = edition.imported_at_ms
    if base is None:
        page = lists.page(edition.region, after=after, limit=_PAGE, at_ms=until_ms)
        found = [Change(one.row.code, None, one) for one in page]
    else:
        since_ms = base.imported_at_ms
        found = [
            *lists.changes(edition.region, since_ms, until_ms, after=after, limit=_PAGE),
        ]
    room = ITEM_PART_BYTES
    for number, change in enumerate(found):
        room -= _bytes_of(change.after.row if change.after else None)
        if room < 0 and number:
            return found[:number], False
    return found, len(found) < _PAGE


def _bytes_of(row: ItemRow | None) -> int:
    return 64 if row is None else len(json.dumps(row, ensure_ascii=False).encode())


def _digest_of(lists: ItemListReader, edition: Edition) -> bytes:
    """Return the digest of an edition that was imported before digests were kept."""
    marks: dict[str, bytes] = {}
    after = ""
    while page := lists.page(
        edition.region, after=after, limit=_PAGE, at_ms=edition.imported_at_ms
    ):
        marks.update((one.row.code, fingerprint(one.row)) for one in page)
        after = page[-1].row.code
    return list_digest(marks)


def agreement_with(book: Book, partner: GatewayId, at_ms: int) -> Agreement | None:
    """Return an agreement with a partner under which messages of no case may be sent."""
    for agreement in book.agreements_with(partner):
        try:
            require_in_force(agreement, at_ms)
        except Fault:
            continue
        return agreement
    return None


def listeners(book: Book) -> list[GatewayId]:
    """Return the partners that are told: people carry sheets of cases, not lists."""
    return [
        gateway_id
        for gateway_id, partner in book.partners.items()
        if partner.state is PartnerState.ACTIVE and partner.outlet != "assisted"
    ]


class Tell:
    """Queues the next part for a partner, and that it is queued, in one transaction."""

    def __init__(self, book: Book, agreement: Agreement, said: Next) -> None:
        self._book = book
        self._agreement = agreement
        self._said = said

    def refs(self) -> Iterable[MessageRef]:
        """See `Work`."""
        return ()

    def keys(self) -> Iterable[CaseKey]:
        """See `Work`."""
        return ()

    def step(self, group: Group) -> None:
        """See `Work`."""
        lists, partner = group.tx.item_list, self._said.after.partner
        now = lists.tellings().get(partner)
        before = self._said.before
        if before is not None and now is not None and now.under_way and before.under_way:
            # Receipts may have come meanwhile: they count, and one of them may have refused.
            before = before._replace(settled=now.settled, known=now.known)
        if now != before:
            return
        form = json.dumps(write_part(self._said.part), ensure_ascii=False).encode()
        header = Header(
            MessageId(b""),
            self._book.home.gateway_id,
            partner,
            0,
            0,
            Kind.CATALOGUE_CHANGED,
            b"",
            agreement_digest=self._agreement.digest,
            acting_unit=self._book.home.unit,
            staff_pseudonym="gateway",
            staff_capacity="system",
            strength=Strength.SIGNED,
            required_suites=self._agreement.required_suites,
        )
        notify(group, Draft(header, encode_body(Body(form))))
        begun = before is None or self._said.after.queued == 1
        count = 0 if begun or now is None else now.settled
        lists.put_telling(self._said.after._replace(settled=count))
