"""Keeping a case's clock events in step with the case itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gateway.kernel.case import CLOSED, CaseRecord, CaseRole
from gateway.kernel.envelope import Kind
from gateway.rules.deadlines.course import ClockEvent, Pending, unanswered
from gateway.rules.deadlines.reading import CaseClocks


class _Word(NamedTuple):
    kind: Kind
    rectify: int


def follow(
    clocks: CaseClocks,
    case: CaseRecord,
    taken: Sequence[ClockEvent],
    *,
    confirmed_ms: int,
    now_ms: int,
    rectify: Sequence[int] = (),
) -> CaseClocks:
    """Return the clocks' events after a change of the case. Pure; never raises.

    `taken` are the counterpart's messages that the change took in, in order; `confirmed_ms` is
    when the deciding side took in those of ours that the change confirmed. A word of the deciding
    (or participating) side counts from when it was said, and no longer once the case has gone
    back behind it. `rectify` says of each of our messages on their way what it is to a bad
    review; empty: nothing.
    """
    kinds = ((case.outstanding.kind,) if case.outstanding else ()) + case.waiting
    of_reviews = rectify or (0,) * len(kinds)
    said = [_Word(kind, mark) for kind, mark in zip(kinds, of_reviews, strict=True)]
    if case.role.orders:
        heard = (*clocks.events, *taken)
        events = _own_words(case.role, heard, case.sent.sequence, said, now_ms)
        pending: tuple[Pending, ...] = ()
    else:
        counted = sum(event.sender is case.role for event in clocks.events)
        arrived = max(0, case.sent.sequence - counted)
        ours = tuple(
            ClockEvent(p.kind, case.role, p.said_ms, max(p.said_ms, confirmed_ms), p.rectify)
            for p in clocks.pending[:arrived]
        )
        events = (*clocks.events, *ours, *taken)
        pending = _waiting(clocks.pending[arrived:], said, now_ms)
    # A bad review keeps the clocks of a closed case going until it is answered.
    closed = case.stage in CLOSED and not unanswered(events)
    return clocks._replace(
        unit=case.unit,
        events=events,
        pending=pending,
        closed_at_ms=(clocks.closed_at_ms or now_ms) if closed else None,
    )


def _own_words(
    ours: CaseRole,
    events: Iterable[ClockEvent],
    confirmed: int,
    said: Sequence[_Word],
    now_ms: int,
) -> tuple[ClockEvent, ...]:
    """Keep what was confirmed, then what still stands of the rest; add what is new."""
    kept: list[ClockEvent] = []
    own = 0
    standing = 0
    broken = False
    for event in events:
        if event.sender is ours:
            own += 1
            if own > confirmed:
                broken = broken or standing >= len(said) or said[standing].kind is not event.kind
                if broken:
                    continue
                standing += 1
        kept.append(event)
    kept += [ClockEvent(w.kind, ours, now_ms, now_ms, w.rectify) for w in said[standing:]]
    return tuple(kept)


def _waiting(before: Sequence[Pending], said: Sequence[_Word], now_ms: int) -> tuple[Pending, ...]:
    standing = 0
    for pending, word in zip(before, said, strict=False):
        if pending.kind is not word.kind:
            break
        standing += 1
    return (*before[:standing], *(Pending(w.kind, now_ms, w.rectify) for w in said[standing:]))
