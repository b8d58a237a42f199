"""What every journal promises of partners' lanes."""

from __future__ import annotations

from functools import partial

import pytest

from gateway.ports.journal import Journal, OutboxEntry, OutboxStatus, Transaction
from gateway.ports.journal_lanes import LaneRecord
from tests.contract import journal_samples as s

PAUSED = LaneRecord(s.PARTNER, 1_000, 2_000, "uid-1000", "对方升级（示例）")


def put(record: LaneRecord, tx: Transaction) -> None:
    tx.put_lane(record)


async def test_a_lane_that_was_never_heard_of_is_neither_paused_nor_kept(journal: Journal) -> None:
    found = await journal.read(lambda q: (q.lane_record(s.PARTNER), q.lane_records()))
    assert found == (LaneRecord(s.PARTNER), {})
    assert await journal.read(lambda q: q.lane_fault(s.PARTNER)) == ""


async def test_a_failed_write_pauses_nothing(journal: Journal) -> None:
    def write(tx: Transaction) -> None:
        tx.put_lane(PAUSED)
        assert tx.lane_record(s.PARTNER) == PAUSED
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await journal.write(write)
    assert await journal.read(lambda q: q.lane_records()) == {}


async def test_a_lane_is_replaced_and_others_stay(journal: Journal) -> None:
    other = LaneRecord(s.OTHER, 5_000)
    for one in (PAUSED, other):
        await journal.write(partial(put, one))
    resumed = LaneRecord(s.PARTNER, 3_000)
    await journal.write(lambda tx: tx.put_lane(resumed))
    found = await journal.read(lambda q: q.lane_records())
    assert found == {s.PARTNER: resumed, s.OTHER: other}


async def test_what_is_asked_after_tells_first_why_it_waits(journal: Journal) -> None:
    def entry(number: int, status: OutboxStatus, fault: str) -> None:
        entries.append(s.entry(number, status=status)._replace(last_fault=fault))

    entries: list[OutboxEntry] = []
    entry(1, OutboxStatus.PENDING, "")
    entry(2, OutboxStatus.PENDING, "second")
    entry(3, OutboxStatus.PENDING, "third")
    await journal.write(lambda tx: tx.put_outbox(entries))
    assert await journal.read(lambda q: q.lane_fault(s.PARTNER)) == "second"
    assert await journal.read(lambda q: q.lane_fault(s.OTHER)) == ""
    entry(4, OutboxStatus.UNKNOWN, "doubt")
    await journal.write(lambda tx: tx.put_outbox(entries))
    assert await journal.read(lambda q: q.lane_fault(s.PARTNER)) == "doubt"


async def test_what_waits_for_one_partner_is_made_due_and_no_others(journal: Journal) -> None:
    key = s.key_of(1)

    def write(tx: Transaction) -> None:
        tx.seal([s.sealed(11, key), s.sealed(12, key)])
        tx.put_outbox(
            [
                s.entry(1, case=key, message=11, due_ms=9_000),
                s.entry(2, partner=s.OTHER, case=key, message=12, due_ms=9_000),
            ]
        )
        tx.hasten(s.PARTNER)

    await journal.write(write)
    due = {e.partner: e.due_ms for e in await journal.read(lambda q: q.outbox(key))}
    assert due == {s.PARTNER: 0, s.OTHER: 9_000}
