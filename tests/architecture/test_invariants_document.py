"""`docs/invariants.md` names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NAMED = re.findall(
    r"^- `(tests/[a-z0-9_/]+\.py)(?:::(test_[a-z0-9_]+))?`$",
    (ROOT / "docs" / "invariants.md").read_text(encoding="utf-8"),
    flags=re.M,
)


def test_every_named_test_exists() -> None:
    missing = []
    for file, function in NAMED:
        path = ROOT / file
        if not path.is_file():
            missing.append(file)
            continue
        defined = {
            node.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        if function and function not in defined:
            missing.append(f"{file}::{function}")
    assert missing == []


def test_every_invariant_names_a_test() -> None:
    text = (ROOT / "docs" / "invariants.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.M)[1:]
    assert len(sections) == 10
    assert [s.splitlines()[0] for s in sections if "- `tests/" not in s] == []
