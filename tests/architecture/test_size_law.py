"""Modules, functions and certain files stay small enough to read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

GATEWAY = Path(__file__).resolve().parent.parent.parent / "gateway"
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
SMALL_LINES_MAX = 150
"""For the composition root and the files of the command line."""


def _modules() -> list[Path]:
    return [p for p in sorted(GATEWAY.rglob("*.py")) if "generated" not in p.parts]


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


@pytest.mark.parametrize("path", _modules(), ids=lambda p: str(p.relative_to(GATEWAY)))
def test_a_module_and_its_functions_are_short(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    small = path.name == "wiring.py" or path.parent.name == "cli"
    assert lines <= (SMALL_LINES_MAX if small else MODULE_LINES_MAX)
    if path.parent.name == "versions":
        return  # a migration is one list of tables
    long = [(name, size) for name, size in _functions(path) if size > FUNCTION_LINES_MAX]
    assert long == []


def test_the_law_looks_at_the_whole_gateway() -> None:
    found = {p.relative_to(GATEWAY).parts[0] for p in _modules()}
    assert {"kernel", "rules", "wire", "ports", "flow", "adapters", "edge", "app"} <= found
