"""What keeps the gateway from starting, told to the operator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError


class ConfigProblem(Exception):
    """A configuration that cannot be used; `messages` name every error and what to do."""

    def __init__(self, path: Path, messages: Sequence[str]) -> None:
        super().__init__(f"{path}: " + "; ".join(messages))
        self.path = path
        self.messages = tuple(messages)


def told(problem: ValidationError) -> list[str]:
    """Write every error of a model as `key: what is wrong`; no values."""
    return [
        f"{'.'.join(str(part) for part in error['loc']) or 'document'}: {error['msg']}"
        for error in problem.errors(include_url=False, include_input=False, include_context=False)
    ]
