"""What is wrong with a table, all of it at once; and what is wrong with one value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gateway.kernel.faults import FaultCode


class Problem(NamedTuple):
    """One thing that is wrong in a mapping file."""

    path: str
    """Where in the file, as in `messages[2].rows[5].format`."""
    what: str
    """What is wrong there and what to write instead."""


class MappingProblem(Exception):
    """A mapping file that cannot be used; `problems` names everything that is wrong in it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{path}: {what}" for path, what in problems))
        self.problems = tuple(problems)


class Wrong(Exception):
    """A value that cannot be translated. `reason` never holds the value."""

    def __init__(self, reason: str, code: FaultCode = FaultCode.MAPPING_VALUE_INVALID) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.at = ""
        """JSON pointer from where the row's set begins."""
