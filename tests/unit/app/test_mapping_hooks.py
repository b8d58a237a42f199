"""translate.py: pure by its syntax tree, and its failures are told without a document's words."""

from pathlib import Path

import pytest

from gateway.app.mapping.hooks import load_hooks
from gateway.app.mapping.loading import load_translation
from gateway.app.problems import ConfigProblem
from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import TRANSLATE_FILE_BYTES_MAX
from gateway.kernel.trees import Tree, Value
from gateway.ports.translation import Translation
from tests.support.mapping import SAMPLE, submitted

GOOD = '''
"""示例"""
from __future__ import annotations
import re
from decimal import Decimal
from gateway.kernel.trees import Tree, get


def outbound(tree: Tree) -> Tree:
    return {"envelope": tree}


def inbound(operation: str, tree: Tree) -> Tree:
    found = tree["envelope"]
    return found if isinstance(found, dict) else {}
'''


def _folder(tmp_path: Path, translate: str) -> Path:
    (tmp_path / "mapping.toml").write_text(SAMPLE, encoding="utf-8")
    (tmp_path / "translate.py").write_text(translate, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import os", "line 1: imports os"),
        ("import gateway.app.config", "line 1: imports gateway.app.config"),
        ("import gateway.rulesx", "line 1: imports gateway.rulesx"),
        ("from gateway import app", "line 1: imports gateway;"),
        ("from . import neighbour", "line 1: imports a neighbour"),
        ("def outbound(tree):\n    import socket", "line 2: imports socket"),
        ("open('/etc/passwd')", "line 1: uses open"),
        ("eval('1')", "line 1: uses eval"),
        ("__import__('os')", "line 1: uses __import__"),
        ("().__class__", "line 1: uses .__class__"),
        ("import datetime\ndatetime.datetime.now()", "line 2: uses .now"),
        ("async def outbound(tree): ...", "line 1: is asynchronous"),
        ("n = 0\ndef outbound(tree):\n    global n", "line 3: is asynchronous or keeps state"),
        ("def outbound(:", "is no Python: line 1"),
        ("x = 1", "defines neither outbound"),
        ("def outbound(operation, tree): ...", "outbound takes 1 argument"),
        ("def inbound(tree): ...", "inbound takes 2 argument"),
        ("def outbound(tree): ...\nx = 1 / 0", "line 2: ZeroDivisionError while it was read"),
        ("#" * TRANSLATE_FILE_BYTES_MAX + "#", "has more than"),
    ],
)
def test_what_is_not_pure_is_refused_by_line(tmp_path: Path, code: str, told: str) -> None:
    with pytest.raises(ConfigProblem) as refused:
        load_hooks(_folder(tmp_path, code))
    assert any(told in message for message in refused.value.messages), refused.value.messages


def test_nothing_of_a_file_that_is_refused_runs(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(ConfigProblem):
        load_hooks(_folder(tmp_path, f"import pathlib\npathlib.Path({str(mark)!r}).touch()"))
    assert not mark.exists()


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.py"
    elsewhere.write_text(GOOD, encoding="utf-8")
    folder = tmp_path / "partner"
    folder.mkdir()
    (folder / "translate.py").symlink_to(elsewhere)
    with pytest.raises(ConfigProblem, match="is a link"):
        load_hooks(folder)


def test_the_hooks_stand_around_the_table(tmp_path: Path) -> None:
    translation = load_translation(_folder(tmp_path, GOOD))
    as_port: Translation = translation
    theirs = as_port.outbound(submitted())
    assert list(theirs.document) == ["envelope"]
    assert as_port.inbound(theirs.operation, theirs.document).kind is Kind.SUBMITTED
    assert translation.hooks.modules == ("__future__", "decimal", "gateway.kernel.trees", "re")


def test_a_partner_without_translate_py_has_its_table_alone(tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(SAMPLE, encoding="utf-8")
    translation = load_translation(tmp_path)
    assert "envelope" not in translation.outbound(submitted()).document


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise ValueError(str(tree))", "translate.py failed: ValueError"),
        ("return []", "gave no tree"),
        ("return {'a': ['x'] * 30000}", "gave no tree within bounds"),
    ],
)
def test_a_hook_that_fails_is_told_by_its_error_alone(tmp_path: Path, body: str, told: str) -> None:
    folder = _folder(tmp_path, f"def inbound(operation, tree):\n    {body}\n")
    with pytest.raises(Fault) as refused:
        load_translation(folder).inbound("apply", {"name": "示例甲"})
    assert refused.value.code is FaultCode.MAPPING_VALUE_INVALID
    assert told in refused.value.detail and "示例" not in str(refused.value)


def test_a_tree_without_bounds_never_reaches_a_hook(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "def inbound(operation, tree):\n    raise ValueError\n")
    deep: Value = "x"
    for _ in range(1_000):
        deep = [deep]
    document: Tree = {"deep": deep}
    with pytest.raises(Fault, match="too deep"):
        load_translation(folder).inbound("apply", document)


def test_a_folder_without_a_table_is_told_what_to_copy(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match="partners/_template"):
        load_translation(tmp_path)


def test_every_mistake_of_the_table_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text("version = 2", encoding="utf-8")
    with pytest.raises(ConfigProblem) as refused:
        load_translation(tmp_path)
    assert len(refused.value.messages) == 3
