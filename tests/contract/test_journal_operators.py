"""What every journal keeps of operators' acts."""

from __future__ import annotations

import pytest

from gateway.kernel.identifiers import KeyId, uuid7
from gateway.kernel.operators import ADD, REMOVE, ActStatus
from gateway.ports.journal import Journal, Transaction
from gateway.ports.journal_operators import StoredOperatorAct

KEY = KeyId(b"k" * 32)


def kept(at_ms: int, command: str = "agreement-accept", **changes: object) -> StoredOperatorAct:
    first = StoredOperatorAct(
        uuid7(at_ms, bytes(10)),
        command,
        "620200",
        "wang",
        KEY,
        at_ms,
        ActStatus.WAITING,
        b"{}",
        b"s",
    )
    return first._replace(**changes)  # type: ignore[arg-type]


async def test_a_write_that_fails_keeps_no_act(journal: Journal) -> None:
    def fail(tx: Transaction) -> None:
        tx.save_operator_act(kept(1_000))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await journal.write(fail)
    assert await journal.read(lambda s: s.operator_act(kept(1_000).act_id)) is None
    assert await journal.read(lambda s: s.operator_acts(limit=5)) == []


async def test_an_act_is_kept_as_it_was_settled_last(journal: Journal) -> None:
    waits = kept(1_000)
    done = waits._replace(status=ActStatus.DONE, second=b"2" * 16, rule="r", settled_at_ms=2_000)
    await journal.write(lambda tx: tx.save_operator_act(waits))
    await journal.write(lambda tx: tx.save_operator_act(done))
    assert await journal.read(lambda s: s.operator_act(waits.act_id)) == done


async def test_acts_come_the_newest_first_page_by_page_and_by_status(journal: Journal) -> None:
    acts = [kept(at_ms) for at_ms in (1_000, 2_000, 3_000)]
    acts[1] = acts[1]._replace(status=ActStatus.DONE)

    def write(tx: Transaction) -> None:
        for act in acts:
            tx.save_operator_act(act)

    await journal.write(write)
    page = await journal.read(lambda s: s.operator_acts(limit=2))
    assert page == [acts[2], acts[1]]
    rest = await journal.read(lambda s: s.operator_acts(limit=2, before=page[-1].act_id))
    assert rest == [acts[0]]
    waiting = await journal.read(lambda s: s.operator_acts(limit=9, status=ActStatus.WAITING))
    assert waiting == [acts[2], acts[0]]


async def test_changes_are_the_additions_and_removals_that_were_done_in_that_order(
    journal: Journal,
) -> None:
    done = ActStatus.DONE
    later = kept(1_000, ADD, status=done, settled_at_ms=9_000)
    earlier = kept(2_000, REMOVE, status=done, settled_at_ms=5_000)
    refused = kept(5_000, ADD, status=ActStatus.REFUSED)
    others = [kept(3_000, ADD), kept(4_000, status=done), refused]

    def write(tx: Transaction) -> None:
        for act in (later, earlier, *others):
            tx.save_operator_act(act)

    await journal.write(write)
    assert await journal.read(lambda s: s.operator_changes()) == [earlier, later]
