"""What is wrong with a file of the item list, place by place."""

from __future__ import annotations

from typing import NamedTuple

from gateway.kernel.faults import FaultCode


class Problem(NamedTuple):
    """A broken rule. `detail` holds no cell's content."""

    line: int
    """Where the row begins, counted from 1; 0 if it is the file as a whole."""
    column: str
    """Empty if it is the row as a whole."""
    rule: FaultCode
    detail: str


class WrongCell(Exception):
    """What a check of one column raises."""

    def __init__(self, rule: FaultCode, detail: str) -> None:
        super().__init__(detail)
        self.rule = rule
        self.detail = detail
