"""A case's clocks, kept in the very transaction that changes the case."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from heapq import merge
from typing import Any, cast

from gateway.flow.committer import Group
from gateway.flow.reviews import review_body, reviews_said, waiting_to_rectify
from gateway.kernel.case import CaseRecord, CaseRole
from gateway.kernel.envelope import Header, Kind, Mode, Outcome
from gateway.kernel.identifiers import CaseKey
from gateway.ports.calendar import CalendarSource
from gateway.ports.directory import Book, Directory
from gateway.ports.journal import Direction, StoredMessage
from gateway.ports.journal_clocks import KeptClocks
from gateway.rules.deadlines import (
    CaseClocks,
    ClockEvent,
    ClockFacts,
    WorkingCalendar,
    follow,
    polling,
)
from gateway.rules.review import to_rectify
from gateway.wire.envelopes import decode_envelope
from gateway.wire.receipts import decode_signed_receipt


class Clockwork:
    """Follows every change of a case with its clocks; a companion of the committer."""

    def __init__(self, directory: Directory, calendar: CalendarSource) -> None:
        self._directory = directory
        self._calendar = calendar

    def keep(self, group: Group) -> None:
        """Write the clocks of every case that the group changed."""
        if not group.changed:
            return
        book, calendar = self._directory.current(), self._calendar.current()
        known = [key for key in group.changed if group.cases[key].revision > 1]
        held = group.tx.clocks(known) if known else {}
        taken, confirmed = _taken(group), _confirmed(group)
        rows = []
        for key in group.changed:
            case, new = group.cases[key], taken.get(key, [])
            kept = held.get(key) or KeptClocks(_begun(group, book, case))
            answered_ms = new[0].sent_ms if new else group.now_ms
            clocks = follow(
                kept.clocks,
                case,
                [] if key not in held and case.revision > 1 else new,
                confirmed_ms=confirmed.get(case.sent.digest, answered_ms),
                now_ms=group.now_ms,
                rectify=waiting_to_rectify(group, case),
            )
            rows.append(counted(calendar, kept._replace(clocks=clocks), group.now_ms))
        group.tx.save_clocks(rows)


def counted(calendar: WorkingCalendar, kept: KeptClocks, now_ms: int) -> KeptClocks:
    """Return the clocks with what polling needs, as the calendar has it now."""
    next_ms, late_from_ms = polling(calendar, kept.clocks, kept.told, now_ms)
    return KeptClocks(kept.clocks, kept.told, calendar.fingerprint, next_ms, late_from_ms)


def _begun(group: Group, book: Book, case: CaseRecord) -> CaseClocks:
    """Return the clocks of a case that has none yet, with the limits its item has now.

    A case of before there were clocks gets them from its messages.
    """
    clocks = CaseClocks(case.key, case.unit, _facts(book, case))
    if case.revision > 1:
        history = group.tx.history(case.key)
        clocks = clocks._replace(events=events_of(case, history))
    return clocks


def _facts(book: Book, case: CaseRecord) -> ClockFacts:
    if case.role in (CaseRole.ASKING, CaseRole.PARTICIPATING):
        return ClockFacts(answer_days=json.loads(case.form)["answer_days"])
    ours = case.role is CaseRole.DECIDING
    item = book.catalogue.get((book.home.gateway_id if ours else case.counterpart, case.item_code))
    opened = None if ours else case.opened_at_ms
    if item is None:
        return ClockFacts(opened)
    joint = item.joint if case.mode is Mode.JOINT else None
    statutory = item.statutory_days if joint is None else joint.statutory_days
    return ClockFacts(opened, item.promised_days, statutory)


def events_of(case: CaseRecord, history: Sequence[StoredMessage]) -> tuple[ClockEvent, ...]:
    """Return the clock events that a case's messages amount to, from their signed bytes alone.

    What of ours waits unsealed is in none of them. Each side's messages stay in their order, even
    where the time of day was set back between them.
    """
    events: list[ClockEvent] = []
    said: list[tuple[str, Mapping[str, Any]]] = []
    for message in history:
        if message.kind is None or message.outcome in (Outcome.REFUSED, Outcome.VOID):
            continue
        header, rectify = decode_envelope(message.envelope).header, 0
        if message.kind is Kind.REVIEWED:
            rectify = to_rectify(review_body(message), said)
            said.append((message.header_digest.hex(), review_body(message)))
        if message.direction is Direction.IN:
            events.append(_theirs(case, header, message.recorded_at_ms, rectify))
        elif case.role.orders:
            sent_ms = header.sent_at_ms
            events.append(ClockEvent(message.kind, case.role, sent_ms, sent_ms, rectify))
        elif message.outcome is Outcome.TAKEN_IN:
            receipt = decode_signed_receipt(message.receipt).receipt
            at_ms = receipt.received_at_ms
            events.append(ClockEvent(message.kind, case.role, header.sent_at_ms, at_ms, rectify))
    if case.role.orders:
        return tuple(events)  # recorded in the order in which they count
    ours = [event for event in events if event.sender is case.role]
    theirs = [event for event in events if event.sender is not case.role]
    return tuple(merge(ours, theirs, key=lambda event: event.counted_ms))


def _taken(group: Group) -> dict[CaseKey, list[ClockEvent]]:
    """Return what the group took in, by case, in order."""
    found: dict[CaseKey, list[ClockEvent]] = {}
    for one in group.taken:
        case = one.authorised.case
        if case is not None:
            received, rectify = one.received, 0
            if received.header.kind is Kind.REVIEWED:
                document = cast("Mapping[str, Any]", one.authorised.conformant.document)
                rectify = to_rectify(document, reviews_said(group, case))
            event = _theirs(case, received.header, received.received_at_ms, rectify)
            found.setdefault(case.key, []).append(event)
    return found


def _theirs(case: CaseRecord, header: Header, received_at_ms: int, rectify: int) -> ClockEvent:
    """Return a counterpart's message: that of a side that orders counts from when it was said."""
    theirs, said_ms = case.role.counterpart, header.sent_at_ms
    counted_ms = said_ms if theirs.orders else received_at_ms
    return ClockEvent(header.kind, theirs, said_ms, counted_ms, rectify)


def _confirmed(group: Group) -> dict[bytes, int]:
    """Return by header digest when the counterpart took in what this group learnt of."""
    found = {}
    for record in group.receipts:
        if record.outcome is Outcome.TAKEN_IN:
            receipt = decode_signed_receipt(record.receipt).receipt
            found[receipt.header_digest] = receipt.received_at_ms
    return found
