"""What keeps the gateway from starting, told to the operator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import ValidationError


class ConfigProblem(Exception):
    """A configuration that cannot be used; `messages` name every error and what to do."""

    def __init__(self, path: Path, messages: Sequence[str]) -> None:
        super().__init__(f"{path}: " + "; ".join(messages))
        self.path = path
        self.messages = tuple(messages)


def told(problem: ValidationError) -> list[str]:
    """Write every error of a model as `key: what is wrong`; no values."""
    errors = problem.errors(include_url=False, include_input=False, include_context=False)
    return [
        f"{'.'.join(map(str, error['loc'])) or 'document'}: "
        + _WORDS.get(error["type"], "{}").format(error["msg"])
        for error in errors
    ]


_WORDS: Final = {
    "extra_forbidden": "没有这一项 no such setting",
    "missing": "缺少必填项 is needed",
    "literal_error": "不在可选值之内 {}",
    "enum": "不在可选值之内 {}",
    "string_too_short": "太短 {}",
    "string_too_long": "太长 {}",
    "string_pattern_mismatch": "格式不符 {}",
    "string_type": "应为文字 {}",
    "int_parsing": "应为整数 {}",
    "int_type": "应为整数 {}",
    "float_parsing": "应为数字 {}",
    "bool_parsing": "应为 true 或 false {}",
    "greater_than": "超出范围 {}",
    "greater_than_equal": "超出范围 {}",
    "less_than_equal": "超出范围 {}",
}
"""What is said most, by pydantic's type of error; what is not here is said as pydantic does."""
