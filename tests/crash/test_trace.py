"""The system calls of a running gateway: fsync first, then the answer."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from tests.crash.checker import read_side
from tests.crash.driver import Course, Office
from tests.crash.process import Child, make_sites
from tests.crash.trace import STRACE, Call, read_trace, too_early

WAL = "11</s/journal.sqlite3-wal>"
ANSWER = '8<TCPv6:[[::ffff:127.0.0.1]:7443->[::ffff:127.0.0.1]:5001]>, {msg_iov="..."}, 0'


def _on_port(port: int) -> Callable[[Call], bool]:
    return lambda call: call.local_port == port


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([f'pwrite64({WAL}, "x", 9, 0) = 9', f"fdatasync({WAL}) = 0", f"sendmsg({ANSWER}) = 400"],
         None),
        ([f'pwrite64({WAL}, "x", 9, 0) = 9', f"sendmsg({ANSWER}) = 400", f"fdatasync({WAL}) = 0"],
         "before the write-ahead log was synced"),
        ([f"fdatasync({WAL}) = 0", f'pwrite64({WAL}, "x", 9, 0) = 9', f"sendmsg({ANSWER}) = 400"],
         "before the write-ahead log was synced"),
        ([f'pwrite64({WAL}, "x", 9, 0) = 9', f"fdatasync({WAL}) = -1 EIO",
          f"sendmsg({ANSWER}) = 400"],
         "before the write-ahead log was synced"),
        ([f'[pid 7] pwrite64({WAL}, "x", 9, 0) = 9', f"[pid 7] fdatasync({WAL} <unfinished ...>",
          f"[pid 8] sendmsg({ANSWER}) = 400", "[pid 7] <... fdatasync resumed>) = 0"],
         "while the sync was under way"),
        ([f"sendmsg({ANSWER}) = 40", f'pwrite64({WAL}, "x", 9, 0) = 9', f"fdatasync({WAL}) = 0",
          f"sendmsg({ANSWER}) = 400"],
         None),
        ([f"sendmsg({ANSWER}) = 40", f"sendmsg({ANSWER}) = 300"], "before anything was written"),
        ([f'pwrite64({WAL}, "x", 9, 0) = 9', f"fdatasync({WAL}) = 0"], "no answer left"),
    ],
    ids=["in order", "after the answer", "before the write", "failed", "unfinished", "frames first",
         "nothing written", "no answer"],
)  # fmt: skip
def test_the_reader_of_traces_sees_an_answer_that_left_too_early(
    lines: list[str], complaint: str | None
) -> None:
    found = too_early(read_trace(lines), _on_port(7443), 300)
    assert found is None if complaint is None else complaint in (found or "")


class Traced:
    """A gateway under strace, its partner beside it, and the trace read from a point on."""

    def __init__(self, child: Child, path: Path, offices: tuple[Office, Office]) -> None:
        self.child = child
        self.path = path
        self.offices = offices
        self._rng = random.Random(7)

    def course(self, origin: int) -> Course:
        return Course("asked", self.offices[origin], self.offices[1 - origin], self._rng)

    async def calls(self, begin: int, seen: Callable[[list[Call]], bool]) -> list[Call]:
        """Return what was traced from byte `begin` on, once `seen` holds; strace may lag behind."""
        async with asyncio.timeout(30):
            while True:
                with self.path.open("rb") as file:
                    file.seek(begin)
                    found = read_trace(file.read().decode(errors="replace").splitlines())
                if seen(found):
                    return found
                await asyncio.sleep(0.05)

    def mark(self) -> int:
        return self.path.stat().st_size


@pytest.fixture
async def traced(tmp_path: Path) -> AsyncIterator[Traced]:
    assert shutil.which("strace"), "strace is needed to see the system calls: install it"
    jiuquan, jiayuguan, _ = make_sites(tmp_path)
    path = tmp_path / "trace.txt"
    under = (*STRACE, "-o", str(path))
    children = Child(jiuquan), Child(jiayuguan, under)
    async with aiohttp.ClientSession() as http:
        try:
            await children[0].start()
            try:
                await children[1].start()
            except AssertionError as error:
                pytest.fail(f"strace could not run a gateway here (ptrace forbidden?): {error}")
            yield Traced(children[1], path, (Office(jiuquan, http), Office(jiayuguan, http)))
            for child in children:
                await child.stop()
        finally:
            for child in children:
                await child.close()


async def test_the_log_is_synced_before_a_receipt_leaves(traced: Traced) -> None:
    await traced.course(0).run()  # the connection stands, everything was loaded once
    begin = traced.mark()
    course = traced.course(0)
    await course.open()
    await traced.offices[0].until(f"/v1/cases/{course.case_id}", lambda v: not v["unconfirmed"])
    side = read_side("jiayuguan", "620200", traced.child.site.root)
    receipt = next(m for m in reversed(side.messages) if m["direction"] == "in")["receipt"]
    port = int(traced.child.ready["exchange"])
    is_answer = _on_port(port)
    calls = await traced.calls(
        begin, lambda found: sum(c.result for c in found if is_answer(c)) >= len(receipt)
    )
    assert too_early(calls, is_answer, len(receipt)) is None, _told(calls)


async def test_the_log_is_synced_before_a_case_is_acknowledged(traced: Traced) -> None:
    begin = traced.mark()
    await traced.course(1).open()

    def is_answer(call: Call) -> bool:
        here = call.local_port == traced.child.ready["portal"]
        return here and '"HTTP/1.1 201 Created' in call.what

    calls = await traced.calls(begin, lambda found: any(map(is_answer, found)))
    assert too_early(calls, is_answer, 1) is None, _told(calls)


def _told(calls: list[Call]) -> str:
    return "\n".join(f"{c.name} {c.what[:90]} = {c.result}" for c in calls)
