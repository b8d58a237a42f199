"""What every journal promises of joint tasks (多地联办)."""

from __future__ import annotations

import pytest

from gateway.kernel.identifiers import CaseId, CaseKey, GatewayId
from gateway.ports.journal import Journal, Transaction
from gateway.ports.journal_joint import JointTask

DECIDING, BAOSHAN = GatewayId("320582"), GatewayId("310113")
PARENT = CaseKey(GatewayId("620900"), CaseId(b"p" * 16))
OTHER = CaseKey(GatewayId("620700"), CaseId(b"p" * 16))


def task(number: int, parent: CaseKey = PARENT) -> JointTask:
    # Ids fall while numbers grow: the order is that of asking, not of ids or instants.
    key = CaseKey(DECIDING, CaseId(bytes([255 - number]) * 16))
    return JointTask(parent, key, number, BAOSHAN, 1_000, "2026-06-08" if number % 2 else "")


async def test_a_task_that_was_never_asked_has_no_parent(journal: Journal) -> None:
    key = task(1).key
    assert await journal.read(lambda s: (s.joint_parent(key), s.joint_tasks(PARENT))) == (None, [])


async def test_tasks_come_back_in_the_order_of_asking_and_only_those_of_their_case(
    journal: Journal,
) -> None:
    def write(tx: Transaction) -> None:
        for one in (task(2), task(1), task(3, OTHER)):
            tx.put_joint_task(one)
        assert [t.number for t in tx.joint_tasks(PARENT)] == [1, 2]

    await journal.write(write)
    assert list(await journal.read(lambda s: s.joint_tasks(PARENT))) == [task(1), task(2)]
    assert list(await journal.read(lambda s: s.joint_tasks(OTHER))) == [task(3, OTHER)]
    assert await journal.read(lambda s: s.joint_parent(task(3).key)) == OTHER


async def test_a_known_task_stays_as_it_is(journal: Journal) -> None:
    await journal.write(lambda tx: tx.put_joint_task(task(1)))
    await journal.write(lambda tx: tx.put_joint_task(task(1, OTHER)._replace(due_on="")))
    assert list(await journal.read(lambda s: s.joint_tasks(PARENT))) == [task(1)]
    assert list(await journal.read(lambda s: s.joint_tasks(OTHER))) == []


async def test_a_failed_write_leaves_no_task(journal: Journal) -> None:
    def write(tx: Transaction) -> None:
        tx.put_joint_task(task(1))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await journal.write(write)
    assert list(await journal.read(lambda s: s.joint_tasks(PARENT))) == []
