"""Messages of a mapping file: which document of theirs is which kind of ours, and its rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.kernel.envelope import CASELESS, Kind
from gateway.kernel.trees import MISSING, Missing, Steps, Tree, Value, get, pointer_of
from gateway.rules.mapping import running
from gateway.rules.mapping.code_tables import key_of
from gateway.rules.mapping.rows import RowReader, RowSet, RowView, clashes
from gateway.rules.mapping.running import Run
from gateway.rules.mapping.taking import Plain, Taken

KINDS: Final = {kind.name.lower(): kind for kind in Kind if kind not in CASELESS}
"""What can be said of a case."""
_ITEM: Final = re.compile(r"[0-9]{11}[0-9Y]([0-9]{2})?", re.ASCII)
_NUMBER: Final = ("message", "number")
_CASE_NAMES: Final = (("case", "id"), ("case", "applicant_number"), ("case", "handling_number"))
_SUBMITTED: Final = (
    ("message", "item_code"),
    ("message", "item_version"),
    ("message", "mode"),
    ("message", "purpose"),
    ("case", "applicant_number"),
)


class Condition(NamedTuple):
    """What must stand at a place of theirs for a document to be of a kind."""

    at: Steps
    keys: frozenset[str]
    """By `key_of`."""
    present: bool | None = None
    """True: anything may stand there; False: nothing may."""

    def holds(self, document: Value) -> bool:
        """Tell whether the document fulfils it."""
        found = get(document, self.at)
        there = not isinstance(found, Missing) and found is not None and found != ""
        if self.present is not None:
            return there is self.present
        return not isinstance(found, Missing) and key_of(found) in self.keys

    def __str__(self) -> str:
        if self.present is not None:
            return f"{pointer_of(self.at)} {'present' if self.present else 'absent'}"
        return f"{pointer_of(self.at)} = {' | '.join(sorted(self.keys))}"


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of message, as theirs say it. Immutable."""

    kind: Kind
    direction: str
    operation: str
    items: frozenset[str]
    """Item codes it is for; empty: any."""
    when: tuple[Condition, ...]
    outward: tuple[Run, ...]
    back: tuple[Run, ...]
    views: tuple[RowView, ...]
    path: str

    @property
    def goes_out(self) -> bool:
        """Tell whether we say it."""
        return self.direction != "in"

    @property
    def comes_in(self) -> bool:
        """Tell whether they say it."""
        return self.direction != "out"


class MessageReader:
    """Reads `[[messages]]`."""

    def __init__(self, rows: RowReader) -> None:
        self._rows = rows

    def read(self, table: Taken) -> Message:
        """Read one message; what is wrong is kept in the table's problems."""
        kind = KINDS[table.choice("kind", KINDS)]
        direction = table.choice("direction", ("both", "out", "in"), "both")
        operation = table.text("operation")
        items = frozenset(table.texts("items"))
        if not all(map(_ITEM.fullmatch, items)):
            table.wrong("items", "is a list of item codes such as 00013112700402")
        found = RowSet()
        for name in table.texts("use"):
            self._add(table, found, self._rows.named(name, table, "use"))
        self._add(table, found, self._rows.read(table.tables("rows")))
        when = self._conditions(table, found, direction)
        if direction != "out":
            self._require_words(table, kind, found, items)
        table.finish()
        if not found.views:
            table.wrong("rows", "has no row; or name a set with use")
        return Message(
            kind, direction, operation, items, when, tuple(found.outward), found.back,
            tuple(found.views), table.path,
        )  # fmt: skip

    def _add(self, table: Taken, found: RowSet, more: RowSet) -> None:
        for side, places, others in (
            ("theirs", more.sent_to, found.sent_to),
            ("ours", more.written_to, found.written_to),
        ):
            if () in places:
                table.wrong("rows", f'{side} = "" is for elements of a list (each)')
            for steps in clashes(places, others):
                table.wrong("use", f"{side} {pointer_of(steps)} is written by two sets of rows")
        found.add(more)

    def _conditions(self, table: Taken, found: RowSet, direction: str) -> tuple[Condition, ...]:
        """Read `when`; what it demands is written where no row does.

        Of a message that only comes in too: the check of a mapping goes there and back.
        """
        conditions = []
        raw = table.raw("when")
        alone = [Taken(raw, table.at("when"), table.problems)] if isinstance(raw, dict) else []
        for one in alone or table.tables("when"):
            condition, first = _condition(one)
            conditions.append(condition)
            if condition.present is not None or not condition.at:
                continue
            if any(clashes([condition.at], [steps]) for steps in found.sent_to):
                continue
            if len(condition.keys) > 1 and direction != "in":
                one.wrong("is", "has several values and no row says which of them is sent")
            value = self._rows.theirs(first)
            found.outward.append(running.constant(condition.at, value))
            found.views.append(
                RowView((), (pointer_of(condition.at),), "constant", str(first), "out", False, "")
            )
            found.sent_to.append(condition.at)
        return tuple(conditions)

    def _require_words(
        self, table: Taken, kind: Kind, found: RowSet, items: frozenset[str]
    ) -> None:
        """Keep a problem for every word that an inbound message cannot do without."""
        written = set(found.written_to)
        needed = [_NUMBER, *(_SUBMITTED if kind is Kind.SUBMITTED else ())]
        if kind is Kind.SUBMITTED and len(items) == 1 and ("message", "item_code") not in written:
            code = next(iter(items))
            found.inward.append(running.constant(("message", "item_code"), code))
            written.add(("message", "item_code"))
        for steps in needed:
            if steps not in written:
                table.wrong("rows", f"has no row that gives {pointer_of(steps)} inbound")
        if kind is not Kind.SUBMITTED and not written & set(_CASE_NAMES):
            names = ", ".join(map(pointer_of, _CASE_NAMES))
            table.wrong("rows", f"has no row that names the case inbound: one of {names}")


def _condition(table: Taken) -> tuple[Condition, Plain]:
    at = table.pointer("at")
    if not at:
        table.wrong("at", "is the place of theirs that is looked at, such as /data/status")
    if "present" in table:
        found = Condition(at, frozenset(), table.flag("present"))
        table.finish()
        return found, ""
    values = table.plains("is")
    table.finish()
    return Condition(at, frozenset(str(key_of(v)) for v in values)), values[0] if values else ""


def lacking(kind: Kind, tree: Tree) -> list[str]:
    """List the words (pointers of ours) that an inbound message must have and has not."""
    needed = [_NUMBER, *(_SUBMITTED if kind is Kind.SUBMITTED else ())]
    gone = [pointer_of(steps) for steps in needed if get(tree, steps) in (MISSING, "", None)]
    if all(get(tree, steps) in (MISSING, "", None) for steps in _CASE_NAMES):
        gone.append(pointer_of(_CASE_NAMES[0]))
    return gone


def unreachable(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """List (path, what is wrong) of messages that another one always hides."""
    found = []
    for place, later in enumerate(messages):
        for earlier in messages[:place]:
            if _takes_all(earlier, later):
                found.append((later.path, f"never comes in: {earlier.path} takes all of it"))
            if _says_same(earlier, later):
                found.append((later.path, f"never goes out: {earlier.path} is for the same"))
    return found


def _takes_all(earlier: Message, later: Message) -> bool:
    """Tell whether inbound, in the order of the file, nothing is left for `later`."""
    if not (earlier.comes_in and later.comes_in and earlier.operation == later.operation):
        return False
    return all(
        any(
            one.at == other.at and one.present is other.present and other.keys <= one.keys
            for other in later.when
        )
        for one in earlier.when
    )


def _says_same(earlier: Message, later: Message) -> bool:
    if not (earlier.goes_out and later.goes_out and earlier.kind is later.kind):
        return False
    return bool(earlier.items & later.items) or not (earlier.items or later.items)
