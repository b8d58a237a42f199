"""The checker itself: it must see each kind of harm in journals that were sound before."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from tests.crash.checker import Side, complaints, read_side
from tests.crash.driver import Course
from tests.crash.promises import broken_promises
from tests.crash.world import world_at

pytestmark = pytest.mark.slow

SIDES = (("jiuquan", "620900"), ("jiayuguan", "620200"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sound(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Path, Course]]:
    """A folder with both gateways' files after one whole case, and the case."""
    root = tmp_path_factory.mktemp("sound")
    async with world_at(root, random.Random(3)) as world:
        course = world.course("corrected", random.Random(3), 0)
        await course.run()
        await world.drained()
        for child in world.children:
            await child.stop()
        yield root, course


def _judge(root: Path, course: Course) -> list[str]:
    sides: tuple[Side, Side] = tuple(read_side(n, i, root / n) for n, i in SIDES)  # type: ignore[assignment]
    return [*complaints(*sides), *broken_promises(course, *sides)]


def _sql(*statements: str) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        with closing(sqlite3.connect(folder / "state" / "journal.sqlite3")) as db:
            for statement in statements:
                assert db.execute(statement).rowcount > 0, statement
            db.commit()

    return harm


def _cut_a_file(folder: Path) -> None:
    file = max((folder / "state" / "vault").rglob("*"), key=lambda p: p.stat().st_size)
    with file.open("r+b") as held:
        held.truncate(file.stat().st_size - 1)


def _leave_a_part(folder: Path) -> None:
    file = next(p for p in (folder / "state" / "vault").rglob("*") if p.is_file())
    file.with_suffix(".part").write_bytes(b"x")


FIRST_OUT = "position = (SELECT min(position) FROM messages WHERE direction = 'out')"
LAST_IN = "position = (SELECT max(position) FROM messages WHERE direction = 'in')"
COPY = (
    "INSERT INTO messages SELECT position + 1000, sender, randomblob(16), header_digest, direction,"
    " counterpart, case_origin, case_id, kind, sequence, recorded_at_ms, outcome, rule,"
    f" receipted_at_ms, standing, receipt, envelope FROM messages WHERE {LAST_IN}"
)


@pytest.mark.parametrize(
    ("harm", "complaint"),
    [
        (_sql(f"DELETE FROM messages WHERE {LAST_IN}"), "at one side only"),
        (_sql(COPY), "at one side only"),
        (_sql(f"UPDATE messages SET receipt = x'' WHERE {FIRST_OUT}"), "has no receipt"),
        (
            _sql(f"UPDATE messages SET outcome = 2 WHERE {FIRST_OUT}"),
            "another message or outcome",
        ),
        (
            _sql(
                f"UPDATE messages SET receipt = (SELECT receipt FROM messages WHERE {LAST_IN})"
                f" WHERE {FIRST_OUT}"
            ),
            "another receipt at each side",
        ),
        (_sql("DELETE FROM ledger_pending WHERE seq = 1"), "1 receipts, 0 ledger entries"),
        (
            _sql("UPDATE ledger_pending SET digest = zeroblob(32) WHERE seq = 1"),
            "0 receipts, 1 ledger entries",
        ),
        (_sql("UPDATE cases SET stage = 'decided'"), "its messages say delivered"),
        (_sql("UPDATE cases SET sent_sequence = sent_sequence + 1"), "the case counts"),
        (_sql("UPDATE cases SET outstanding_message_id = zeroblob(16)"), "waits for a receipt"),
        (_sql("UPDATE serials SET value = value + 1"), "case numbers given out"),
        (
            _sql(
                "INSERT INTO outbox VALUES (zeroblob(16), '620900', NULL, NULL, 26, 'pending',"
                " zeroblob(16), zeroblob(32), 1, 0, 99, '', 0, x'')"
            ),
            "still waits, leased until 99",
        ),
        (_cut_a_file, "is not whole"),
        (_leave_a_part, "left over in the vault"),
    ],
    ids=[
        "a message lost",
        "a message doubled",
        "no receipt",
        "another outcome",
        "another receipt",
        "no ledger entry",
        "another ledger entry",
        "another stage",
        "a sequence skipped",
        "waiting for ever",
        "a number lost",
        "a lease left",
        "a file cut",
        "a part left",
    ],
)
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("victim", ["jiuquan", "jiayuguan"])
async def test_harm_is_seen(
    sound: tuple[Path, Course],
    tmp_path: Path,
    victim: str,
    harm: Callable[[Path], None],
    complaint: str,
) -> None:
    source, course = sound
    assert _judge(source, course) == []
    root = tmp_path / "harmed"
    for name, _ in SIDES:
        shutil.copytree(source / name / "state", root / name / "state")
    harm(root / victim)
    found = _judge(root, course)
    assert any(complaint in one for one in found), found


@pytest.mark.asyncio(loop_scope="module")
async def test_a_promise_that_is_nowhere_kept_is_seen(sound: tuple[Path, Course]) -> None:
    root, course = sound
    sides = [read_side(n, i, root / n) for n, i in SIDES]
    course.acks.append(course.acks[-1])
    try:
        found = list(broken_promises(course, sides[0], sides[1]))
    finally:
        course.acks.pop()
    assert any("promised" in one for one in found), found
