"""The table of one partner: its file read into what translates both ways."""

from __future__ import annotations

import hashlib
import tomllib
from typing import Final

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import (
    MAPPING_DEPTH_MAX,
    MAPPING_FILE_BYTES_MAX,
    MAPPING_NODES_MAX,
    MAPPING_ROWS_MAX,
    MAPPING_TABLES_MAX,
)
from gateway.kernel.translations import Ours, Said, Theirs, Verdict
from gateway.kernel.trees import Tree, Value, get, is_within, pointer_of
from gateway.rules.mapping.answers import Answers, Says, read_answers, read_says
from gateway.rules.mapping.code_tables import CodeTable, read_table
from gateway.rules.mapping.codec import Setting
from gateway.rules.mapping.messages import Message, MessageReader, lacking, unreachable
from gateway.rules.mapping.problems import MappingProblem, Problem, Wrong
from gateway.rules.mapping.rows import RowReader
from gateway.rules.mapping.running import Error, Trouble, run_all
from gateway.rules.mapping.taking import Taken

DOCUMENTS: Final = ("json", "xml", "flat")
"""JSON; XML; rows of a table or a CSV. Every leaf of the latter two is text."""
_VERSION: Final = 1


class Mapping:
    """Between our words and one partner's. Immutable; see `ports.translation.Translation`."""

    def __init__(
        self,
        documents: str,
        messages: tuple[Message, ...],
        tables: dict[str, CodeTable],
        answers: Answers | None,
        says: Says | None,
        accepted: tuple[tuple[str, str], ...] = (),
        unread: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.documents = documents
        self.messages = messages
        self.tables = tables
        self.answers = answers
        self.says = says
        self.accepted = accepted
        """(pointer of ours, why) of what the table knowingly loses."""
        self.unread = unread
        """(pointer of theirs, why) of what it knowingly does not read."""
        self._operations = frozenset(m.operation for m in messages if m.comes_in)

    def outbound(self, ours: Tree) -> Theirs:
        """Return a message of ours in the partner's words.

        Raises:
            Fault: `mapping.*` with at most 20 errors, each naming a field of ours, never a value.
        """
        message = self.message_for(ours)
        document: Tree = {}
        trouble = Trouble([])
        run_all(message.outward, ours, document, trouble)
        raise_if(trouble.found)
        return Theirs(message.operation, document)

    def message_for(self, ours: Tree) -> Message:
        """Return by which message a tree of ours goes out: of its item before of any.

        Raises:
            Fault: `mapping.kind_unmapped`.
        """
        kind, code = get(ours, ("message", "kind")), get(ours, ("message", "item_code"))
        general = None
        for message in self.messages:
            if not message.goes_out or message.kind.name.lower() != kind:
                continue
            if code in message.items:
                return message
            if not message.items:
                general = message
        if general is None:
            raise Fault(
                FaultCode.MAPPING_KIND_UNMAPPED, "/message/kind has no row set of this item"
            )
        return general

    def inbound(self, operation: str, document: Tree) -> Ours:
        """Return a document of the partner's in our words.

        Raises:
            Fault: `mapping.*` with at most 20 errors, each naming a field of theirs (of ours, if a
                word of ours came to nothing), never a value.
        """
        if not is_within(document, depth_max=MAPPING_DEPTH_MAX, nodes_max=MAPPING_NODES_MAX):
            raise Fault(
                FaultCode.MAPPING_VALUE_INVALID,
                f"the document is deeper than {MAPPING_DEPTH_MAX} or has more than "
                f"{MAPPING_NODES_MAX} values",
            )
        message = self.message_of(operation, document)
        tree: Tree = {"message": {"kind": message.kind.name.lower()}, "form": {}, "materials": []}
        trouble = Trouble([])
        run_all(message.back, document, tree, trouble)
        _fill_materials(tree, trouble.found)
        if not trouble.found:
            trouble.found.extend(
                Error(FaultCode.MAPPING_FIELD_MISSING, pointer, "is given by nothing in it")
                for pointer in lacking(message.kind, tree)
            )
        raise_if(trouble.found)
        return Ours(message.kind, tree)

    def message_of(self, operation: str, document: Tree) -> Message:
        """Return by which message a document of theirs comes in.

        Raises:
            Fault: `mapping.kind_unmapped`, naming the places that would tell.
        """
        if operation not in self._operations:
            raise Fault(FaultCode.MAPPING_KIND_UNMAPPED, "the table names no such operation")
        asked: list[str] = []
        for message in self.messages:
            if message.comes_in and message.operation == operation:
                if all(condition.holds(document) for condition in message.when):
                    return message
                asked += [str(condition).partition(" ")[0] for condition in message.when]
        raise Fault(
            FaultCode.MAPPING_KIND_UNMAPPED,
            f"operation {operation}: {', '.join(dict.fromkeys(asked))} names no kind",
        )

    def answer(self, document: Tree) -> Verdict:
        """Return what the partner's answer to a push of ours means.

        Raises:
            Fault: `mapping.*`; an answer that says neither yes nor no.
        """
        if self.answers is None:
            raise Fault(FaultCode.MAPPING_KIND_UNMAPPED, "the table has no [answers]")
        try:
            return self.answers.read(document)
        except Wrong as wrong:
            raise_if([Error(wrong.code, wrong.at, wrong.reason)])
            raise AssertionError from wrong

    def say(self, said: Said) -> Tree:
        """Return our word on a push of the partner's, in its form.

        Raises:
            Fault: `mapping.kind_unmapped`; the table has no [says].
        """
        if self.says is None:
            raise Fault(FaultCode.MAPPING_KIND_UNMAPPED, "the table has no [says]")
        return self.says.write(said)


def raise_if(errors: list[Error]) -> None:
    """Raise the first error, if any, as the fault, with all of them beside it.

    Raises:
        Fault: `mapping.*`.
    """
    if not errors:
        return
    code, pointer, reason = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    raise Fault(
        code,
        f"{pointer or '/'} {reason}{more}",
        errors=tuple((pointer, f"{code.value}: {reason}") for code, pointer, reason in errors),
    )


def _fill_materials(tree: Tree, errors: list[Error]) -> None:
    """Give every material whose content is there its size and SHA-256."""
    materials = tree["materials"]
    if not isinstance(materials, list):
        errors.append(Error(FaultCode.MAPPING_VALUE_INVALID, "/materials", "is not a list"))
        return
    for place, material in enumerate(materials):
        content = material.get("content") if isinstance(material, dict) else None
        if not isinstance(material, dict) or not isinstance(content, bytes):
            continue
        is_so: dict[str, Value] = {
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        for name, value in is_so.items():
            if material.setdefault(name, value) != value:
                where = f"/materials/{place}/{name}"
                reason = "is not that of the content"
                errors.append(Error(FaultCode.MAPPING_VALUE_INVALID, where, reason))


def parse_mapping(raw: bytes) -> Mapping:
    """Read a mapping file.

    That it covers what the agreement demands is *not* checked: `kuayu mapping check` does.

    Raises:
        MappingProblem: naming everything that is wrong in it and what to write instead.
    """
    problems: list[Problem] = []
    mapping = _read(_toml(raw), problems)
    if problems:
        raise MappingProblem(problems)
    return mapping


def _toml(raw: bytes) -> dict[str, object]:
    if len(raw) > MAPPING_FILE_BYTES_MAX:
        raise MappingProblem([Problem("document", f"has more than {MAPPING_FILE_BYTES_MAX} bytes")])
    try:
        return tomllib.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as problem:
        raise MappingProblem([Problem("document", f"is not TOML: {problem}")]) from None


def _read(raw: dict[str, object], problems: list[Problem]) -> Mapping:
    top = Taken(raw, "", problems)
    if top.raw("version") != _VERSION:
        top.wrong("version", f"is {_VERSION}")
    documents = top.choice("documents", DOCUMENTS)
    text_only = documents != "json"
    tables = _tables(top, text_only=text_only)
    sets = {}
    holder = top.table("sets")
    if holder is not None:
        sets = {name: holder.tables(name) for name in holder.names()}
    rows = RowReader(Setting(text_only, tables), sets)
    messages = tuple(MessageReader(rows).read(each) for each in top.tables("messages"))
    if not messages:
        top.wrong("messages", "has at least one: [[messages]] with kind, operation and rows")
    for name in sets.keys() - rows.used:
        top.wrong(f"sets.{name}", "is used by no message and no row")
    if rows.count > MAPPING_ROWS_MAX:
        top.wrong("", f"has more than {MAPPING_ROWS_MAX} rows, sets counted where they are used")
    problems += [Problem(path, what) for path, what in unreachable(messages)]
    answers, says = top.table("answers"), top.table("says")
    found_answers = None if answers is None else read_answers(answers)
    found_says = None if says is None else read_says(says, rows)
    if answers is None and any(m.goes_out for m in messages):
        top.wrong("answers", "is missing: how their answers to what we send are read")
    if says is None and any(m.comes_in for m in messages):
        top.wrong("says", "is missing: how we answer what they send")
    accepted, unread = _reasons(top, "losses", "ours"), _reasons(top, "unread", "theirs")
    top.finish()
    return Mapping(documents, messages, tables, found_answers, found_says, accepted, unread)


def _reasons(top: Taken, name: str, side: str) -> tuple[tuple[str, str], ...]:
    """Read `losses` or `unread`: a place each, `*` for any place in a list, and why."""
    found = []
    for row in top.tables(name):
        found.append((pointer_of(row.pointer(side)), row.text("because")))
        row.finish()
    return tuple(found)


def _tables(top: Taken, *, text_only: bool) -> dict[str, CodeTable]:
    holder = top.table("tables")
    if holder is None:
        return {}
    names = list(holder.names())
    if len(names) > MAPPING_TABLES_MAX:
        holder.wrong("", f"has more than {MAPPING_TABLES_MAX} tables")
    return {n: read_table(n, holder.raw(n), holder, text_only=text_only) for n in names}
