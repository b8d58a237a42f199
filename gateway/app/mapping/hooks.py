"""`translate.py` of a partner: what a table cannot say, as two pure functions.

    def outbound(tree): ...              # their document, after the table
    def inbound(operation, tree): ...    # their document, before the table

The file is the operator's own, beside mapping.toml. It is held to pure code so that a translation
never reaches a disk, a network or a clock: imports are judged from its syntax tree before any of
it runs, and it runs without the builtins that lead outside. That is a guard against mistakes, not
a sandbox against an operator who wants to harm the own gateway.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

from gateway.app.problems import ConfigProblem
from gateway.kernel.limits import TRANSLATE_FILE_BYTES_MAX
from gateway.kernel.trees import Tree

FILE: Final = "translate.py"
PACKAGES: Final = ("gateway.kernel", "gateway.rules")
STANDARD: Final = frozenset(
    [
        "__future__",
        "base64",
        "collections",
        "collections.abc",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
        "functools",
        "hashlib",
        "itertools",
        "math",
        "re",
        "string",
        "typing",
        "unicodedata",
    ]
)
"""Modules of the standard library that a translation may use."""
_BUILTINS_REFUSED: Final = frozenset(
    [
        "breakpoint",
        "compile",
        "copyright",
        "credits",
        "delattr",
        "eval",
        "exec",
        "exit",
        "globals",
        "help",
        "input",
        "license",
        "locals",
        "memoryview",
        "open",
        "quit",
        "setattr",
        "vars",
    ]
)
_METHODS_REFUSED: Final = frozenset({"now", "today", "utcnow", "fromtimestamp", "file_digest"})
_ARGUMENTS: Final = {"outbound": 1, "inbound": 2}


class Hooks(NamedTuple):
    """The functions of a partner's translate.py; None where it has none."""

    outbound: Callable[[Tree], Tree] | None = None
    inbound: Callable[[str, Tree], Tree] | None = None
    modules: tuple[str, ...] = ()
    """What it imports."""


def load_hooks(folder: Path) -> Hooks:
    """Read the folder's translate.py; none is none.

    Raises:
        ConfigProblem: it cannot be read, is no Python, is not pure, or defines no hook.
    """
    path = folder / FILE
    if not path.exists() and not path.is_symlink():
        return Hooks()
    tree = _parse(path, folder)
    wrong, modules = _judge(tree)
    if wrong:
        raise ConfigProblem(path, wrong)
    found = _run(tree, path)
    hooks = {name: found[name] for name in _ARGUMENTS if callable(found.get(name))}
    wrong = [
        f"{name} takes {_ARGUMENTS[name]} argument(s): see docs/mapping.md"
        for name, hook in hooks.items()
        if not _takes(hook, _ARGUMENTS[name])
    ]
    if not hooks:
        wrong = ["defines neither outbound(tree) nor inbound(operation, tree)"]
    if wrong:
        raise ConfigProblem(path, wrong)
    return Hooks(hooks.get("outbound"), hooks.get("inbound"), tuple(sorted(modules)))


def _parse(path: Path, folder: Path) -> ast.Module:
    if path.is_symlink() or path.resolve().parent != folder.resolve() or not path.is_file():
        raise ConfigProblem(path, ["is a link or no file; put the file itself into the folder"])
    with path.open("rb") as file:
        raw = file.read(TRANSLATE_FILE_BYTES_MAX + 1)
    if len(raw) > TRANSLATE_FILE_BYTES_MAX:
        raise ConfigProblem(path, [f"has more than {TRANSLATE_FILE_BYTES_MAX} bytes"])
    try:
        return ast.parse(raw.decode("utf-8"), str(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        where = f"line {problem.lineno}: " if isinstance(problem, SyntaxError) else ""
        reason = problem.msg if isinstance(problem, SyntaxError) else type(problem).__name__
        raise ConfigProblem(path, [f"is no Python: {where}{reason}"]) from None


def _judge(tree: ast.Module) -> tuple[list[str], set[str]]:
    """Return what is not pure, and what is imported."""
    wrong: list[str] = []
    modules: set[str] = set()
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        for name in _imported(node):
            modules.add(name)
            if not _may_import(name):
                wrong.append(f"line {line}: imports {name or 'a neighbour'}; {_ADVICE}")
        if isinstance(node, ast.Name) and (node.id in _BUILTINS_REFUSED or _is_dunder(node.id)):
            wrong.append(f"line {line}: uses {node.id}; a translation is pure")
        if isinstance(node, ast.Attribute) and (
            node.attr in _METHODS_REFUSED or _is_dunder(node.attr)
        ):
            wrong.append(f"line {line}: uses .{node.attr}; a translation is pure")
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.Global):
            wrong.append(f"line {line}: is asynchronous or keeps state; a translation is pure")
    return wrong, modules


_ADVICE: Final = "only gateway.kernel, gateway.rules and " + ", ".join(sorted(STANDARD))


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return ["" if node.level else str(node.module)]
    return []


def _may_import(name: str) -> bool:
    return name in STANDARD or any(
        name == package or name.startswith(package + ".") for package in PACKAGES
    )


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _run(tree: ast.Module, path: Path) -> Mapping[str, Any]:
    def import_judged(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: tuple[str, ...] = (),
        level: int = 0,
    ) -> ModuleType:
        if level or not _may_import(name):
            raise ImportError(name)
        return __import__(name, globals, locals, fromlist, level)

    allowed = {n: v for n, v in vars(builtins).items() if n not in _BUILTINS_REFUSED}
    space: dict[str, Any] = {
        "__builtins__": {**allowed, "__import__": import_judged},
        "__name__": "translate",
        "__file__": str(path),
    }
    try:
        exec(compile(tree, str(path), "exec"), space)  # noqa: S102 - judged above; the operator's
    except Exception as problem:
        line = _line_of(problem, str(path))
        told = f"line {line}: {type(problem).__name__} while it was read"
        raise ConfigProblem(path, [told]) from problem
    return space


def _line_of(problem: BaseException, file: str) -> int:
    at, line = problem.__traceback__, 0
    while at is not None:
        if at.tb_frame.f_code.co_filename == file:
            line = at.tb_lineno
        at = at.tb_next
    return line


def _takes(hook: Callable[..., object], count: int) -> bool:
    try:
        inspect.signature(hook).bind(*[None] * count)
    except (TypeError, ValueError):
        return False
    return True
