"""The translation of one partner: its table, and its translate.py around the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from gateway.app.mapping.hooks import FILE as HOOKS_FILE
from gateway.app.mapping.hooks import Hooks, load_hooks
from gateway.app.problems import ConfigProblem
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import MAPPING_DEPTH_MAX, MAPPING_FILE_BYTES_MAX, MAPPING_NODES_MAX
from gateway.kernel.translations import Ours, Said, Theirs, Verdict
from gateway.kernel.trees import Tree, is_within
from gateway.rules.mapping import Mapping, MappingProblem, parse_mapping

MAPPING_FILE: Final = "mapping.toml"


class PartnerTranslation:
    """A table with its hooks; see `ports.translation.Translation`."""

    def __init__(self, table: Mapping, hooks: Hooks) -> None:
        self.table = table
        self.hooks = hooks

    def outbound(self, ours: Tree) -> Theirs:
        """Return a message of ours in the partner's words.

        Raises:
            Fault: `mapping.*`; a hook that fails is `mapping.value_invalid`, naming its error.
        """
        theirs = self.table.outbound(ours)
        return Theirs(theirs.operation, self.finished(theirs.document))

    def finished(self, document: Tree) -> Tree:
        """Return a document of the table's after `outbound` of translate.py.

        Raises:
            Fault: `mapping.value_invalid`.
        """
        hook = self.hooks.outbound
        return document if hook is None else _hooked(lambda: hook(document))

    def prepared(self, operation: str, document: Tree) -> Tree:
        """Return a document of theirs after `inbound` of translate.py, as the table takes it.

        Raises:
            Fault: `mapping.value_invalid`.
        """
        hook = self.hooks.inbound
        if hook is None:
            return document
        # Before the hook too: its loops are not the ones whose depth is bounded.
        if not is_within(document, depth_max=MAPPING_DEPTH_MAX, nodes_max=MAPPING_NODES_MAX):
            raise Fault(FaultCode.MAPPING_VALUE_INVALID, "the document is too deep or too wide")
        return _hooked(lambda: hook(operation, document))

    def inbound(self, operation: str, document: Tree) -> Ours:
        """Return a document of the partner's in our words.

        Raises:
            Fault: `mapping.*`; a hook that fails is `mapping.value_invalid`, naming its error.
        """
        return self.table.inbound(operation, self.prepared(operation, document))

    def answer(self, document: Tree) -> Verdict:
        """Return what the partner's answer means; see the table."""
        return self.table.answer(document)

    def say(self, said: Said) -> Tree:
        """Return our word in the partner's form; see the table."""
        return self.table.say(said)


def _hooked(call: Callable[[], Tree]) -> Tree:
    """Call a hook; its error text may hold what a document said, so only its name is told."""
    try:
        found = call()
    except Fault:
        raise
    except Exception as error:
        detail = f"{HOOKS_FILE} failed: {type(error).__name__}"
        raise Fault(FaultCode.MAPPING_VALUE_INVALID, detail) from error
    is_tree = isinstance(found, dict)
    if not is_tree or not is_within(
        found, depth_max=MAPPING_DEPTH_MAX, nodes_max=MAPPING_NODES_MAX
    ):
        raise Fault(FaultCode.MAPPING_VALUE_INVALID, f"{HOOKS_FILE} gave no tree within bounds")
    return found


def load_translation(folder: Path) -> PartnerTranslation:
    """Read `mapping.toml` and, if there is one, `translate.py` of a partner's folder.

    Raises:
        ConfigProblem: naming everything that is wrong.
    """
    path = folder / MAPPING_FILE
    try:
        with path.open("rb") as file:
            raw = file.read(MAPPING_FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        advice = "is missing; copy that of partners/_template and go through every line"
        raise ConfigProblem(path, [advice]) from None
    except OSError as problem:
        raise ConfigProblem(path, [f"cannot be read: {problem.strerror}"]) from None
    try:
        table = parse_mapping(raw)
    except MappingProblem as problem:
        raise ConfigProblem(path, [f"{at}: {what}" for at, what in problem.problems]) from None
    return PartnerTranslation(table, load_hooks(folder))
