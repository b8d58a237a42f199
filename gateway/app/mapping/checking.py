"""Does a mapping lose anything: ours → theirs → ours over documents made from the forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gateway.app.mapping.agreed import UNSTATED, AgreedItem
from gateway.app.mapping.documents import Documents
from gateway.app.mapping.loading import PartnerTranslation
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.trees import Steps, Tree, Value, pointer_of
from gateway.rules.form_samples import CannotMake
from gateway.rules.mapping.messages import Message
from gateway.rules.mapping.rows import RowView
from gateway.rules.mapping.running import Trouble, run_all
from gateway.rules.mapping.table import raise_if

_PARTS: Final = ("form", "identity", "authorisation", "materials")
"""What must come back whole; words of message and case must not come back changed."""
_WORDS: Final = ("message", "case")

UNSENT: Final = "no row sends it"
ONE_WAY: Final = "is sent, and no row reads it back"
GONE: Final = "does not come back"
CHANGED: Final = "comes back changed"
GAINED: Final = "comes back though it was not there"


class Finding(NamedTuple):
    """One place, what happens there, and in how many documents."""

    pointer: str
    why: str
    documents: int
    accepted: str = ""
    """Why the table says that this is right; empty: nobody said so."""


@dataclass
class Checked:
    """What became of the documents of one message, for one item if it is an application."""

    message: Message
    item: AgreedItem | None
    documents: int = 0
    whole: int = 0
    """Documents that came back as they went."""
    not_theirs: int = 0
    """Documents of a message that only they say, and that their words cannot say."""
    refused: list[Finding] = field(default_factory=list)
    lost: list[Finding] = field(default_factory=list)
    not_made: str = ""
    """Why no document could be made."""

    @property
    def is_good(self) -> bool:
        """Tell whether nothing is lost that was not accepted, and everything was tried."""
        open_ = [f for f in (*self.refused, *self.lost) if not f.accepted]
        return not open_ and not self.not_made


def check_message(
    translation: PartnerTranslation,
    message: Message,
    item: AgreedItem | None,
    *,
    documents: int,
    seed: int,
) -> Checked:
    """Try one message with as many documents."""
    found = Checked(message, item)
    counts: dict[tuple[str, str, str], int] = {}
    source = Documents(message.kind, item, seed, theirs_alone=not message.goes_out)
    for index in range(documents):
        try:
            ours = source.make(index)
        except CannotMake as problem:
            found.not_made = str(problem)
            return found
        found.documents += 1
        try:
            back = _there_and_back(translation, message, ours)
        except Fault as fault:
            if not message.goes_out and _is_of(fault, ours):
                found.not_theirs += 1
                continue
            for pointer, why in fault.errors or (("/", fault.detail),):
                _count(counts, "refused", pointer, why)
            continue
        losses = list(_differences(message, ours, back))
        if _must_be_form(message, ours) and not source.is_valid(back.get("form")):
            losses.append(("/form", "what comes back is no form of this kind"))
        found.whole += not losses
        for pointer, why in losses:
            _count(counts, "lost", pointer, why)
    if found.documents == found.not_theirs:
        found.not_made = "none of the documents can be put in their words"
    accepted = translation.table.accepted
    for (what, pointer, why), count in counts.items():
        one = Finding(pointer, why, count, _accepted(accepted, pointer))
        (found.refused if what == "refused" else found.lost).append(one)
    return found


def _must_be_form(message: Message, ours: Tree) -> bool:
    """Tell whether what comes back must be a form of the kind.

    Not where only they say it, and `ours` holds what their words cannot say: they never said it.
    """
    if message.goes_out:
        return message.comes_in
    sent, _ = covered(message.views)
    return all(
        covers(sent, starred(pointer_of(steps))) for steps, _ in _flat(ours) if steps[0] == "form"
    )


def _count(counts: dict[tuple[str, str, str], int], what: str, pointer: str, why: str) -> None:
    key = (what, starred(pointer), why)
    counts[key] = counts.get(key, 0) + 1


def starred(pointer: str) -> str:
    """Write a pointer with `*` for every place in a list."""
    return "/".join("*" if step.isdigit() else step for step in pointer.split("/"))


def _accepted(accepted: Sequence[tuple[str, str]], pointer: str) -> str:
    return next(
        (because for at, because in accepted if pointer == at or pointer.startswith(at + "/")), ""
    )


def _is_of(fault: Fault, ours: Tree) -> bool:
    """Tell whether a refusal is of our own document: one that we never send."""
    pointer = fault.errors[0][0] if fault.errors else ""
    return pointer.split("/")[1:2] != [] and pointer.split("/")[1] in ours


def _there_and_back(translation: PartnerTranslation, message: Message, ours: Tree) -> Tree:
    """Return what comes back of `ours`, by this message's rows.

    Raises:
        Fault: as the table refuses.
    """
    document: Tree = {}
    trouble = Trouble([])
    run_all(message.outward, ours, document, trouble)
    raise_if(trouble.found)
    document = translation.finished(document)
    if message.comes_in:
        prepared = translation.prepared(message.operation, document)
        read_as = translation.table.message_of(message.operation, prepared)
        if read_as is not message:
            said = f"is read as {read_as.kind.name.lower()}, {read_as.path}: see `when`"
            raise Fault(FaultCode.MAPPING_KIND_UNMAPPED, said, errors=(("/when", said),))
        return translation.table.inbound(message.operation, prepared).tree
    tree: Tree = {"message": {}, "form": {}, "materials": []}
    prepared = translation.prepared(message.operation, document)
    run_all(message.back, prepared, tree, trouble)
    raise_if(trouble.found)
    return tree


def _differences(message: Message, ours: Tree, back: Tree) -> Iterator[tuple[str, str]]:
    """Yield (pointer, why) of everything that is not as it was."""
    sent, read = covered(message.views)
    before, after = dict(_flat(ours)), dict(_flat(back))
    for steps, value in before.items():
        pointer = pointer_of(steps)
        same = steps in after and _same(value, after[steps])
        if same or _is_beside(steps, after) or value == UNSTATED:
            continue
        if steps in after:
            yield pointer, CHANGED
        elif not covers(sent, starred(pointer)):
            if message.goes_out:
                yield pointer, UNSENT
        elif not covers(read, starred(pointer)):
            if message.comes_in:
                yield pointer, ONE_WAY
        else:
            yield pointer, GONE
    for steps in after.keys() - before.keys():
        if steps[0] in _PARTS and not any(b[: len(steps)] == steps for b in before):
            yield pointer_of(steps), GAINED


def _is_beside(steps: Steps, after: Mapping[Steps, Value]) -> bool:
    """Tell whether a place need not come back."""
    if steps[0] in _WORDS:
        return steps not in after
    # A file's size and digest are of its content, which is compared itself.
    return steps[0] not in _PARTS or (steps[0] == "materials" and steps[-1] in ("size", "sha256"))


def _flat(value: Value, prefix: Steps = ()) -> Iterator[tuple[Steps, Value]]:
    """Yield every leaf; an empty list or object below the parts is one too."""
    if isinstance(value, dict) and (value or len(prefix) < 2):
        for name, part in value.items():
            yield from _flat(part, (*prefix, name))
    elif isinstance(value, list) and (value or len(prefix) < 2):
        for place, part in enumerate(value):
            yield from _flat(part, (*prefix, str(place)))
    else:
        yield prefix, value


def _same(one: Value, other: Value) -> bool:
    return one == other and isinstance(one, bool) is isinstance(other, bool)


def covered(views: Sequence[RowView]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the places of ours that rows send, and those that rows read back."""
    sent, read = set(), set()
    for at, view in _all(views, "", "ours"):
        if view.direction != "in":
            sent.add(at)
        if view.direction != "out":
            read.add(at)
    return frozenset(sent), frozenset(read)


def read_of_theirs(views: Sequence[RowView]) -> frozenset[str]:
    """Return the places of theirs that rows read or check."""
    return frozenset(at for at, view in _all(views, "", "theirs") if view.direction != "out")


def _all(views: Sequence[RowView], prefix: str, side: str) -> Iterator[tuple[str, RowView]]:
    for view in views:
        for at in view.ours if side == "ours" else view.theirs:
            if view.rows:
                yield from _all(view.rows, f"{prefix}{at}/*", side)
            else:
                yield prefix + at, view


def covers(places: frozenset[str], pointer: str) -> bool:
    """Tell whether a pointer is one of the places, lies within one, or holds one."""
    return pointer in places or any(
        pointer.startswith(at + "/") or at.startswith(pointer + "/") for at in places
    )
