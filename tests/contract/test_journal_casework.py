"""What `ports.journal` promises of cases, tasks, the outbox and materials, for every adapter."""

from __future__ import annotations

import asyncio

import pytest

from gateway.kernel.case import CaseRole, Stage
from gateway.ports.journal import (
    Journal,
    LaneState,
    OutboxEntry,
    OutboxStatus,
    Snapshot,
    Transaction,
)
from tests.contract import journal_samples as s

PENDING, UNKNOWN, WAITING = OutboxStatus.PENDING, OutboxStatus.UNKNOWN, OutboxStatus.WAITING


async def test_a_case_comes_back_as_it_was_saved(journal: Journal) -> None:
    bare, full = s.case(1), s.full_case(2)
    await journal.write(lambda tx: tx.save_cases([bare, full]))
    held = await journal.read(lambda q: q.cases([bare.key, full.key, s.key_of(3)]))
    assert held == {bare.key: bare, full.key: full}
    assert isinstance(held[full.key].waiting[0], type(full.waiting[0]))


async def test_a_saved_case_replaces_the_one_before_in_every_field(journal: Journal) -> None:
    full, bare = s.full_case(1), s.case(1)
    for state in (bare, full, bare):
        await journal.write(lambda tx, c=state: tx.save_cases([c]))  # type: ignore[misc]
        assert await journal.read(lambda q: q.cases([bare.key])) == {bare.key: state}


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("role", list(CaseRole))
async def test_a_case_is_a_task_when_we_decide_and_the_next_step_is_ours(
    journal: Journal, role: CaseRole, stage: Stage
) -> None:
    saved = s.case(1, role=role, stage=stage)
    await journal.write(lambda tx: tx.save_cases([saved]))
    tasks = await journal.read(lambda q: q.tasks_of(s.UNIT, after=0, limit=10))
    ours = role is CaseRole.DECIDING and stage in {
        Stage.SUBMITTED,
        Stage.ACKNOWLEDGED,
        Stage.MATERIALS_SUPPLIED,
        Stage.ACCEPTED,
        Stage.SUSPENDED,
    }
    ours = ours or (role, stage) == (CaseRole.PARTICIPATING, Stage.ASKED)
    assert [c for _, c in tasks] == ([saved] if ours else [])


async def test_tasks_come_in_order_of_their_last_change(journal: Journal) -> None:
    await journal.write(lambda tx: tx.save_cases([s.case(3), s.case(1), s.case(2)]))
    await journal.write(lambda tx: tx.save_cases([s.case(9, unit=s.OTHER_UNIT)]))
    tasks = await journal.read(lambda q: q.tasks_of(s.UNIT, after=0, limit=10))
    assert [c.key for _, c in tasks] == [s.key_of(3), s.key_of(1), s.key_of(2)]
    numbers = [number for number, _ in tasks]
    assert numbers == sorted(set(numbers))

    changed = s.case(3, stage=Stage.ACCEPTED)
    await journal.write(lambda tx: tx.save_cases([changed]))
    later = await journal.read(lambda q: q.tasks_of(s.UNIT, after=numbers[-1], limit=10))
    assert [c for _, c in later] == [changed]
    assert later[0][0] > numbers[-1]
    all_now = await journal.read(lambda q: q.tasks_of(s.UNIT, after=0, limit=10))
    assert [c.key for _, c in all_now] == [s.key_of(1), s.key_of(2), s.key_of(3)]


async def test_tasks_come_in_pages_without_gap_or_repetition(journal: Journal) -> None:
    await journal.write(lambda tx: tx.save_cases([s.case(n) for n in range(7)]))
    after, seen = 0, []
    while page := await journal.read(
        lambda q, after=after: q.tasks_of(s.UNIT, after=after, limit=3)  # type: ignore[misc]
    ):
        assert len(page) <= 3
        seen += [c.key for _, c in page]
        after = page[-1][0]
    assert seen == [s.key_of(n) for n in range(7)]


async def test_cases_of_a_unit_come_in_pages_latest_first(journal: Journal) -> None:
    roles = list(CaseRole)
    cases = [s.case(n, role=roles[n % 3]) for n in range(10)]
    foreign = [s.case(n, unit=s.OTHER_UNIT) for n in range(10, 13)]
    await journal.write(lambda tx: tx.save_cases([*cases, *foreign]))

    async def pages(unit: str | None, role: CaseRole | None) -> list[int]:
        seen: list[int] = []
        before = b""
        while page := await journal.read(
            lambda q, before=before: q.cases_of(unit, role=role, limit=4, before=before)  # type: ignore[misc]
        ):
            assert len(page) <= 4
            seen += [c.opened_at_ms - s.NOW_MS for c in page]
            before = page[-1].key.case_id
        return seen

    assert await pages(s.UNIT, None) == list(range(9, -1, -1))
    assert await pages(s.OTHER_UNIT, None) == [12, 11, 10]
    assert await pages(s.UNIT, roles[0]) == [9, 6, 3, 0]
    assert await pages(None, None) == list(range(12, -1, -1))
    assert await pages(None, CaseRole.DECIDING) == [12, 11, 10, 7, 4, 1]
    assert await pages("unknown", None) == []


async def test_a_case_id_is_found_for_every_origin(journal: Journal) -> None:
    cases = [s.case(1), s.case(1, origin=s.HOME), s.case(2)]
    await journal.write(lambda tx: tx.save_cases(cases))
    found = await journal.read(lambda q: q.cases_by_id(s.id_of(1)))
    assert {c.key for c in found} == {s.key_of(1), s.key_of(1, s.HOME)}
    assert not await journal.read(lambda q: q.cases_by_id(s.id_of(3)))


def fill(tx: Transaction) -> None:
    """Two lanes, drafts, something due later."""
    key = s.key_of(1)
    tx.seal([s.sealed(n, key) for n in (11, 12, 13, 14)])
    tx.put_outbox(
        [
            s.entry(3, case=key, message=13),
            s.entry(1, case=key, message=11),
            s.entry(2, case=key, message=12),
            s.entry(4, case=key, message=14, due_ms=500),
            s.entry(5, case=key, status=WAITING),
            s.entry(6, partner=s.OTHER),
            s.entry(7, status=UNKNOWN),
        ]
    )


async def claim(
    journal: Journal, now_ms: int, *, limit: int = 10, status: OutboxStatus = PENDING
) -> list[OutboxEntry]:
    return list(
        await journal.write(
            lambda tx: tx.claim(
                s.PARTNER, status, now_ms=now_ms, leased_until_ms=now_ms + 100, limit=limit
            )
        )
    )


async def test_a_claim_leases_the_oldest_that_are_due_and_fills_in_the_envelope(
    journal: Journal,
) -> None:
    await journal.write(fill)
    entries = await claim(journal, 10, limit=2)
    assert entries == [
        s.entry(n, case=s.key_of(1), message=n + 10)._replace(
            attempts=1, leased_until_ms=110, envelope=s.sealed(n + 10).envelope
        )
        for n in (1, 2)
    ]


async def test_what_is_leased_is_not_claimed_again_before_its_lease_ends(
    journal: Journal,
) -> None:
    await journal.write(fill)
    assert [e.draft_id for e in await claim(journal, 10, limit=2)] == [s.id_of(1), s.id_of(2)]
    assert [e.draft_id for e in await claim(journal, 109)] == [s.id_of(3)]
    assert await claim(journal, 109) == []
    again = await claim(journal, 110)
    assert [(e.draft_id, e.attempts) for e in again] == [(s.id_of(1), 2), (s.id_of(2), 2)]


async def test_claims_at_once_never_overlap(journal: Journal) -> None:
    await journal.write(lambda tx: tx.put_outbox([s.entry(n) for n in range(60)]))
    claims = await asyncio.gather(*(claim(journal, 10, limit=7) for _ in range(12)))
    ids = [e.draft_id for entries in claims for e in entries]
    assert len(ids) == 60
    assert len(set(ids)) == 60


async def test_a_claim_takes_only_its_status_and_what_is_due(journal: Journal) -> None:
    await journal.write(fill)
    assert [e.draft_id for e in await claim(journal, 10, status=UNKNOWN)] == [s.id_of(7)]
    assert s.id_of(4) not in [e.draft_id for e in await claim(journal, 499)]
    assert s.id_of(4) in [e.draft_id for e in await claim(journal, 500)]
    assert [e.draft_id for e in await claim(journal, 600, status=WAITING)] == [s.id_of(5)]


async def test_a_claim_that_is_rolled_back_leases_nothing(journal: Journal) -> None:
    await journal.write(fill)

    def work(tx: Transaction) -> None:
        assert tx.claim(s.PARTNER, PENDING, now_ms=10, leased_until_ms=110, limit=10)
        raise LookupError

    with pytest.raises(LookupError):
        await journal.write(work)
    assert [e.attempts for e in await claim(journal, 10)] == [1, 1, 1]


async def test_released_leases_can_be_claimed_at_once(journal: Journal) -> None:
    await journal.write(fill)
    assert len(await claim(journal, 10)) == 3
    assert await journal.write(lambda tx: tx.release_leases()) == 3
    assert await journal.write(lambda tx: tx.release_leases()) == 0
    assert [e.attempts for e in await claim(journal, 10)] == [2, 2, 2]


async def test_an_entry_is_put_anew_and_dropped(journal: Journal) -> None:
    await journal.write(fill)
    key = s.key_of(1)
    anew = s.entry(1, case=key, status=WAITING)._replace(attempts=4, last_fault="limit.rate")
    await journal.write(lambda tx: tx.put_outbox([anew]))
    await journal.write(lambda tx: tx.drop_outbox([s.id_of(2), s.id_of(99)]))
    entries = await journal.read(lambda q: q.outbox(key))
    assert [e.draft_id for e in entries] == [s.id_of(n) for n in (1, 3, 4, 5)]
    assert entries[0] == anew
    assert [e.envelope for e in entries[1:]] == [
        s.sealed(13).envelope,
        s.sealed(14).envelope,
        b"",
    ]
    assert not await journal.read(lambda q: q.outbox(s.key_of(2)))


async def test_an_entry_is_found_by_our_sealed_message_only(journal: Journal) -> None:
    def work(tx: Transaction) -> None:
        fill(tx)
        tx.append([s.taken(12)])  # a partner's message with the same id as ours
        tx.receipted([s.receipt(13)])
        tx.drop_outbox([s.id_of(3)])

    await journal.write(work)
    asked = [s.ref_of(11, s.HOME), s.ref_of(12), s.ref_of(13, s.HOME), s.ref_of(99, s.HOME)]
    found = await journal.read(lambda q: q.outbox_of(asked))
    assert found == {s.ref_of(11, s.HOME): s.entry(1, case=s.key_of(1), message=11)}
    entries = await journal.read(lambda q: q.outbox(s.key_of(1)))
    assert entries[1].envelope == s.sealed(12).envelope


async def test_lanes_count_what_waits_and_since_when(journal: Journal) -> None:
    assert await journal.read(lambda q: q.lanes()) == []
    await journal.write(fill)
    lanes = await journal.read(lambda q: q.lanes())
    assert set(lanes) == {
        LaneState(s.PARTNER, PENDING, 4, s.NOW_MS + 1, 0),
        LaneState(s.PARTNER, WAITING, 1, s.NOW_MS + 5, 0),
        LaneState(s.PARTNER, UNKNOWN, 1, s.NOW_MS + 7, 0),
        LaneState(s.OTHER, PENDING, 1, s.NOW_MS + 6, 0),
    }
    assert len(lanes) == 4


async def test_materials_come_by_batch_and_position_and_are_replaced(journal: Journal) -> None:
    key = s.key_of(1)
    declared = [s.material(key, b, p) for b, p in ((1, 0), (0, 1), (0, 0))]
    uploaded = s.material(key, 0, 1, s.digest_of("commitment"))
    await journal.write(lambda tx: tx.put_materials([*declared, s.material(s.key_of(2), 0, 0)]))
    await journal.write(lambda tx: tx.put_materials([uploaded]))

    def query(q: Snapshot) -> object:
        return q.materials(key), q.materials(s.key_of(3))

    assert await journal.read(query) == (
        [s.material(key, 0, 0), uploaded, s.material(key, 1, 0)],
        [],
    )
