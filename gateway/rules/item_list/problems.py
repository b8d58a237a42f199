"""What is wrong with a file of the item list, place by place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import HTTP_ERRORS_MAX


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


def require_none(problems: Sequence[Problem]) -> None:
    """Refuse if there is any problem.

    Raises:
        Fault: the first one's rule; `errors` has each place as `/line/column`, bounded.
    """
    if not problems:
        return
    first = problems[0]
    where = f"line {first.line}" + (f", {first.column}" if first.column else "")
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    raise Fault(
        first.rule,
        f"{where}: {first.detail}{more}",
        errors=tuple(
            (f"/{p.line}/{p.column}", f"{p.rule.value}: {p.detail}")
            for p in problems[:HTTP_ERRORS_MAX]
        ),
    )
