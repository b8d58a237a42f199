"""Reads a system-call trace: was the write-ahead log on the disk before the answer left?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

STRACE: Final = (
    "strace",
    "-f",
    "-yy",
    "-s",
    "64",
    "-e",
    "trace=fsync,fdatasync,pwrite64,write,sendmsg,sendto,writev",
    "-e",
    "signal=none",
)
"""Follows threads, names the file or connection behind each descriptor."""

SYNCS: Final = ("fsync", "fdatasync")
SENDS: Final = ("write", "writev", "sendto", "sendmsg")

_CALL: Final = re.compile(r"(?:\[pid +)?(\d+)?\]? *(\w+)\((\d+)<(.*)")
_RESUMED: Final = re.compile(r"(?:\[pid +)?(\d+)?\]? *<\.\.\. (\w+) resumed>(.*)")
_RESULT: Final = re.compile(r"\) += (-?\d+)")
_CONNECTION: Final = re.compile(r"TCP(?:v6)?:\[\S*?:(\d+)->")


class Call(NamedTuple):
    """One system call. Lines of the trace are its clock: it began at one and ended at another."""

    name: str
    what: str
    """What strace tells of descriptor and arguments."""
    began: int
    ended: int
    result: int

    @property
    def local_port(self) -> int:
        """The port at our end of a TCP connection; 0 if it is something else."""
        found = _CONNECTION.match(self.what)
        return int(found[1]) if found else 0

    @property
    def on_wal(self) -> bool:
        """Whether the descriptor is a write-ahead log."""
        return self.what.split(">", 1)[0].endswith("-wal")


def read_trace(lines: Iterable[str]) -> list[Call]:
    """Return the finished calls, in the order in which they began."""
    calls: list[Call] = []
    begun: dict[str, tuple[str, str, int]] = {}
    for number, line in enumerate(lines):
        if again := _RESUMED.match(line):
            name, what, began = begun.pop(again[1] or "", ("", "", 0))
            rest = again[3]
        elif first := _CALL.match(line):
            name, what, began = first[2], first[4], number
            if "<unfinished ...>" in line:
                begun[first[1] or ""] = (name, what, began)
                continue
            rest = first[4]
        else:
            continue
        result = _RESULT.search(rest)
        if name and result:
            calls.append(Call(name, what, began, number, int(result[1])))
    return sorted(calls, key=lambda call: call.began)


def too_early(
    calls: Iterable[Call], is_answer: Callable[[Call], bool], answer_bytes: int
) -> str | None:
    """Return what is wrong if an answer left before its commit was on the disk; None if it did not.

    `calls` are those since the request was sent; `is_answer` picks the sends on its connection. The
    answer is where their sum reaches `answer_bytes`, the least number of bytes that can hold it.
    """
    written = synced = False
    sent = 0
    last_sync_end = -1
    for call in calls:
        if call.name == "pwrite64" and call.on_wal:
            written, synced = True, False
        elif call.name in SYNCS and call.on_wal and call.result == 0:
            synced, last_sync_end = written, call.ended
        elif call.name in SENDS and is_answer(call) and call.result > 0:
            sent += call.result
            if sent < answer_bytes:
                continue  # frames of the connection itself
            if not written:
                return "the answer left before anything was written"
            if not synced:
                return "the answer left before the write-ahead log was synced"
            if last_sync_end >= call.began:
                return "the answer began to leave while the sync was under way"
            return None
    return "no answer left"
