"""What operators do with partners' lanes, one function an act: list, pause, resume.

The same beside a running gateway and in it: what an operator decided is in the journal, where every
lane looks before it takes up anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from gateway.app.core import Core
from gateway.app.onboarding.folders import no_partner
from gateway.flow.desk import View
from gateway.flow.dispatch import Lane
from gateway.flow.lane_acts import PauseLane, ResumeLane
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.instants import to_iso
from gateway.kernel.limits import REASON_CHARS_MAX
from gateway.ports.directory import Book
from gateway.ports.journal import JournalDown, LaneState, OutboxStatus, Snapshot
from gateway.ports.journal_lanes import LaneRecord
from gateway.rules.containment import name_of
from gateway.rules.trust import EXCHANGING, Partner

LaneOf = Callable[[GatewayId], Lane | None]
"""The lane of a partner as it runs in this process; None if it does not."""

_SENT = (OutboxStatus.PENDING, OutboxStatus.UNKNOWN)
"""What a lane takes up by itself; the rest waits for people or for another message."""


def no_lane(_partner: GatewayId) -> Lane | None:
    """Return the lane of a partner while no gateway runs: none."""
    return None


class _Kept(NamedTuple):
    records: Mapping[GatewayId, LaneRecord]
    waiting: Mapping[GatewayId, list[LaneState]]
    faults: Mapping[GatewayId, str]


async def list_lanes(core: Core, lane_of: LaneOf) -> View:
    """Tell of every partner's lane, and of those that something still waits for.

    Raises:
        Fault: `delivery.journal_down`.
    """
    book = core.directory.current()
    try:
        kept = await core.journal.read(_kept)
    except JournalDown as down:
        raise Fault(FaultCode.DELIVERY_JOURNAL_DOWN) from down
    everyone = sorted({*book.partners, *kept.records, *kept.waiting})
    now_ms = core.seams.clock.now_ms()
    return {"lanes": [_view(book, kept, g, lane_of(g), now_ms) for g in everyone]}


async def pause_lane(core: Core, lane_of: LaneOf, operator: str, named: str, reason: str) -> View:
    """Send nothing more to a partner, until it is resumed; calls under way end by themselves.

    What it sends is taken in as before. Pausing a paused one changes nothing.

    Raises:
        Fault: `operator.not_found`, there is no such partner; `operator.request_invalid`, no
            reason or one that is too long; `delivery.journal_down` and others of a commit.
    """
    partner = _named(core, named)
    if not 0 < len(reason.strip()) <= REASON_CHARS_MAX:
        raise Fault(FaultCode.OPERATOR_REQUEST_INVALID, "reason")
    act = PauseLane(partner, operator, reason.strip())
    await core.committer.submit(act)
    if act.changed:
        core.log.event("lane_paused", partner=partner, operator=operator)
    return {"changed": act.changed, **await _one(core, lane_of, partner)}


async def resume_lane(core: Core, lane_of: LaneOf, operator: str, named: str, reason: str) -> View:
    """Send again, at once: what waits is due, and the breaker lets one message try.

    Also of use where nothing is paused: the partner says that it is back.

    Raises:
        Fault: as `pause_lane`; a reason is not needed.
    """
    partner = _named(core, named)
    if len(reason) > REASON_CHARS_MAX:
        raise Fault(FaultCode.OPERATOR_REQUEST_INVALID, "reason")
    act = ResumeLane(partner)
    await core.committer.submit(act)
    core.log.event("lane_resumed", partner=partner, operator=operator)
    lane = lane_of(partner)
    if lane is not None:
        lane.gate.nudge()
        lane.wake.set()
    return {"changed": act.changed, **await _one(core, lane_of, partner)}


def _named(core: Core, name: str) -> GatewayId:
    """Return the partner that an operator names by id or folder.

    Raises:
        Fault: `operator.not_found`.
    """
    book = core.directory.current()
    by_folder = {folder: gateway_id for gateway_id, folder in book.folders.items()}
    partner = GatewayId(by_folder.get(name, name))
    if partner not in book.partners:
        raise no_partner(book, name)
    return partner


async def _one(core: Core, lane_of: LaneOf, partner: GatewayId) -> View:
    lanes = (await list_lanes(core, lane_of))["lanes"]
    assert isinstance(lanes, list)
    return {"lane": next(lane for lane in lanes if lane["partner"] == partner)}


def _kept(snapshot: Snapshot) -> _Kept:
    waiting: dict[GatewayId, list[LaneState]] = {}
    for state in snapshot.lanes():
        waiting.setdefault(state.partner, []).append(state)
    records = snapshot.lane_records()
    return _Kept(records, waiting, {g: snapshot.lane_fault(g) for g in waiting})


def _view(
    book: Book, kept: _Kept, partner: GatewayId, lane: Lane | None, now_ms: int
) -> dict[str, object]:
    entry = book.partners.get(partner)
    record = kept.records.get(partner, LaneRecord(partner))
    waiting = kept.waiting.get(partner, [])
    oldest_ms = min((w.oldest_ms for w in waiting), default=0)
    return {
        "partner": partner,
        "name_zh": entry.name_zh if entry else "",
        "name_en": entry.name_en if entry else "",
        "state": _state(entry, record, lane),
        "paused_at": _time(record.paused_at_ms),
        "paused_by": record.paused_by,
        "pause_reason": record.pause_reason,
        "queued": sum(w.messages for w in waiting),
        "queued_by_status": {w.status.value: w.messages for w in waiting},
        "oldest_at": _time(oldest_ms),
        "oldest_age_s": max(0, (now_ms - oldest_ms) // 1000) if oldest_ms else None,
        "next_try_at": _next(waiting, record, lane, now_ms),
        "breaker": name_of(lane.gate.breaker) if lane else None,
        "calls_failed": lane.gate.downs if lane else None,
        "under_way": lane.under_way if lane else 0,
        "last_success_at": _time(record.delivered_at_ms),
        "last_error": kept.faults.get(partner, ""),
    }


def _state(entry: Partner | None, record: LaneRecord, lane: Lane | None) -> str:
    """Say why a lane sends or does not.

    Gone, the partner's state, paused, collected (it is not dialled), stopped, or running.
    """
    if entry is None:
        return "gone"
    if entry.state not in EXCHANGING:
        return entry.state.value
    if record.paused_at_ms:
        return "paused"
    if entry.collects:
        return "collected"
    return "stopped" if lane is None else "running"


def _next(
    waiting: list[LaneState], record: LaneRecord, lane: Lane | None, now_ms: int
) -> str | None:
    """Return when the lane tries next; None if nothing waits or nothing is sent."""
    due = [w.due_ms for w in waiting if w.status in _SENT]
    if not due or lane is None or record.paused_at_ms:
        return None
    return to_iso(max(min(due), now_ms + lane.gate.wait_ms()))


def _time(at_ms: int) -> str | None:
    return to_iso(at_ms) if at_ms else None
