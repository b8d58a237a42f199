"""What every journal promises of arrivals (来件), of partners' numbers and of nonces."""

from __future__ import annotations

import pytest

from gateway.kernel.arrivals import ArrivalStatus
from gateway.kernel.envelope import Strength
from gateway.kernel.identifiers import CaseId, CaseKey, GatewayId
from gateway.ports.journal import Journal, Transaction
from gateway.ports.journal_arrivals import Held, StoredArrival

BAOSHAN, WUWEI = GatewayId("310113"), GatewayId("620600")
CASE = CaseKey(GatewayId("620900"), CaseId(b"c" * 16))


def arrival(number: int, partner: GatewayId = BAOSHAN, raw: bytes = b"{}") -> StoredArrival:
    return StoredArrival(
        bytes([number]) * 16,
        partner,
        "rest",
        "caseResult",
        Strength.AUTHENTICATED,
        "N-1/decided",
        b"d" * 32,
        b"r" * 32,
        len(raw),
        1_000 + number,
        ArrivalStatus.RECEIVED,
        document=b"{}",
        raw=raw,
    )


async def test_what_never_came_is_not_there(journal: Journal) -> None:
    assert await journal.read(lambda s: s.arrival(b"x" * 16)) is None
    assert await journal.read(lambda s: s.arrivals_named(BAOSHAN, "N-1/decided")) == []
    assert await journal.read(lambda s: s.arrivals_held(BAOSHAN)) == Held(0, 0)
    assert await journal.read(lambda s: s.case_named(BAOSHAN, "N-1")) is None
    assert not await journal.read(lambda s: s.nonce_used(BAOSHAN, "n"))


async def test_an_arrival_comes_back_as_it_was_with_its_raw_bytes(journal: Journal) -> None:
    whole = arrival(1)._replace(
        status=ArrivalStatus.QUARANTINED,
        source="row-7",
        rule="mapping.code_unmapped",
        detail="/state",
        case_key=CASE,
        message_id=b"m" * 16,
        settled_at_ms=5,
        operator="uid-0",
        reason="表已更正",
        salt=b"s" * 32,
        document=b'{"a": 1}',
        raw=b"\x00\xff raw",
    )
    await journal.write(lambda tx: tx.save_arrivals([whole]))
    assert await journal.read(lambda s: s.arrival(whole.arrival_id)) == whole


async def test_lists_hold_no_raw_bytes_and_go_by_arrival(journal: Journal) -> None:
    await journal.write(lambda tx: tx.save_arrivals([arrival(2), arrival(1), arrival(3, WUWEI)]))
    named = await journal.read(lambda s: s.arrivals_named(BAOSHAN, "N-1/decided"))
    assert [(a.arrival_id[0], a.raw + a.document) for a in named] == [(1, b""), (2, b"")]
    received = ArrivalStatus.RECEIVED
    page = await journal.read(lambda s: s.arrivals_in(received, limit=2))
    assert [a.arrival_id[0] for a in page] == [1, 2]
    after = page[-1].arrival_id
    rest = await journal.read(lambda s: s.arrivals_in(received, limit=2, after=after))
    assert [a.arrival_id[0] for a in rest] == [3]
    assert await journal.read(lambda s: s.arrivals_in(ArrivalStatus.DROPPED, limit=9)) == []


async def test_only_what_is_open_counts_as_held_and_of_its_partner_only(journal: Journal) -> None:
    kept = [arrival(1, raw=b"12345"), arrival(2, raw=b"123"), arrival(3, WUWEI, raw=b"1")]
    settled = arrival(4)._replace(status=ArrivalStatus.TAKEN_IN, raw=b"", size=900)
    quarantined = kept[1]._replace(status=ArrivalStatus.QUARANTINED)
    await journal.write(lambda tx: tx.save_arrivals([kept[0], quarantined, kept[2], settled]))
    assert await journal.read(lambda s: s.arrivals_held(BAOSHAN)) == Held(2, 8)
    assert await journal.read(lambda s: s.arrivals_held(WUWEI)) == Held(1, 1)


async def test_a_saved_arrival_takes_the_place_of_the_one_before(journal: Journal) -> None:
    await journal.write(lambda tx: tx.save_arrivals([arrival(1)]))
    settled = arrival(1)._replace(status=ArrivalStatus.REFUSED, rule="case.closed", raw=b"")
    await journal.write(lambda tx: tx.save_arrivals([settled]))
    assert await journal.read(lambda s: s.arrival(settled.arrival_id)) == settled
    assert await journal.read(lambda s: s.arrivals_in(ArrivalStatus.RECEIVED, limit=9)) == []


async def test_a_number_stands_for_its_first_case_and_in_one_mouth_only(journal: Journal) -> None:
    other = CaseKey(GatewayId("620900"), CaseId(b"o" * 16))
    await journal.write(lambda tx: tx.name_case(BAOSHAN, "N-1", CASE))
    await journal.write(lambda tx: tx.name_case(BAOSHAN, "N-1", other))
    assert await journal.read(lambda s: s.case_named(BAOSHAN, "N-1")) == CASE
    assert await journal.read(lambda s: s.case_named(WUWEI, "N-1")) is None


async def test_a_nonce_is_remembered_until_its_time_and_a_first_use_is_not_prolonged(
    journal: Journal,
) -> None:
    await journal.write(lambda tx: tx.use_nonce(BAOSHAN, "a", 100, 10))
    await journal.write(lambda tx: tx.use_nonce(BAOSHAN, "a", 900, 20))
    await journal.write(lambda tx: tx.use_nonce(WUWEI, "a", 50, 20))
    await journal.write(lambda tx: tx.use_nonce(BAOSHAN, "b", 300, 100))
    assert await journal.read(lambda s: s.nonce_used(BAOSHAN, "a"))
    await journal.write(lambda tx: tx.use_nonce(BAOSHAN, "c", 300, 101))
    assert not await journal.read(lambda s: s.nonce_used(BAOSHAN, "a"))
    assert await journal.read(lambda s: s.nonce_used(BAOSHAN, "b"))
    assert await journal.read(lambda s: s.nonce_used(WUWEI, "a"))


async def test_a_failed_write_leaves_nothing_of_an_arrival(journal: Journal) -> None:
    def write(tx: Transaction) -> None:
        tx.save_arrivals([arrival(1)])
        tx.name_case(BAOSHAN, "N-1", CASE)
        tx.use_nonce(BAOSHAN, "a", 100, 10)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await journal.write(write)
    assert await journal.read(lambda s: s.arrival(arrival(1).arrival_id)) is None
    assert await journal.read(lambda s: s.case_named(BAOSHAN, "N-1")) is None
    assert not await journal.read(lambda s: s.nonce_used(BAOSHAN, "a"))
