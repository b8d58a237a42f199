"""What a row does to a document, as closures made once when the file is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from gateway.kernel.faults import FaultCode
from gateway.kernel.trees import MISSING, Missing, Steps, Tree, Value, get, pointer_of, put
from gateway.rules.mapping.code_tables import key_of
from gateway.rules.mapping.codec import Change
from gateway.rules.mapping.codecs_files import Agrees
from gateway.rules.mapping.codecs_text import Parts, require_text
from gateway.rules.mapping.problems import Wrong

ERRORS_MAX: Final = 20  # more do not help whoever corrects the document
_WHOLE: Final = ""
"""The name under which an element that is no object stands until its rows have run."""


class Error(NamedTuple):
    """One thing wrong with a document: the rule, where in the source, and why."""

    code: FaultCode
    pointer: str
    reason: str


class Trouble(NamedTuple):
    """The errors of one document, and where in it the rows now look."""

    found: list[Error]
    at: str = ""

    def under(self, pointer: str) -> Trouble:
        """Return the same errors, seen from below `pointer`."""
        return Trouble(self.found, self.at + pointer)


Run = Callable[[Value, Tree, Trouble], None]
"""Reads the source and writes the target."""


def run_all(runs: Sequence[Run], source: Value, target: Tree, trouble: Trouble) -> None:
    """Run rows one after another; what goes wrong in one does not stop the next."""
    for run in runs:
        try:
            run(source, target, trouble)
        except Wrong as wrong:
            if len(trouble.found) < ERRORS_MAX:
                trouble.found.append(Error(wrong.code, trouble.at + wrong.at, wrong.reason))


class Absence(NamedTuple):
    """When a value counts as absent, and what then."""

    optional: bool
    fallback: Value | Missing
    """Written in its place."""
    sign: str | None = None
    """The value that stands for absence, by `key_of`."""
    empty: bool = False
    """Empty text and empty elements stand for absence."""
    null: bool = True
    """Null stands for absence."""

    def holds(self, value: Value | Missing) -> bool:
        """Tell whether `value` stands for absence."""
        if value is MISSING:
            return True
        assert not isinstance(value, Missing)
        if value is None:
            return self.null
        if self.empty and value in ("", {}):
            return True
        return self.sign is not None and key_of(value) == self.sign


def missing() -> Wrong:
    """Return the error of a field that is not there."""
    return Wrong("is missing", FaultCode.MAPPING_FIELD_MISSING)


def write(target: Tree, steps: Steps, value: Value) -> None:
    """Put a value, or make it the whole of an element."""
    if steps:
        put(target, steps, value)
    else:
        target[_WHOLE] = value


def one(source_at: Steps, target_at: Steps, change: Change, absence: Absence) -> Run:
    """Change one value."""
    pointer = pointer_of(source_at)

    def run(source: Value, target: Tree, trouble: Trouble) -> None:
        value = get(source, source_at)
        if absence.holds(value):
            if not isinstance(absence.fallback, Missing):
                write(target, target_at, absence.fallback)
            elif not absence.optional:
                raise _at(missing(), pointer)
            return
        assert not isinstance(value, Missing)
        try:
            write(target, target_at, change(value))
        except Wrong as wrong:
            raise _at(wrong, pointer) from None

    return run


def _at(wrong: Wrong, pointer: str) -> Wrong:
    wrong.at = pointer + wrong.at
    return wrong


def constant(target_at: Steps, value: Value) -> Run:
    """Write a value that is always the same."""

    def run(source: Value, target: Tree, trouble: Trouble) -> None:
        write(target, target_at, value)

    return run


def expected(source_at: Steps, value: Value) -> Run:
    """Refuse a document that says anything else there."""
    pointer, key = pointer_of(source_at), key_of(value)

    def run(source: Value, target: Tree, trouble: Trouble) -> None:
        found = get(source, source_at)
        if isinstance(found, Missing):
            raise _at(missing(), pointer)
        if key_of(found) != key:
            raise _at(Wrong("is not the one value that the table states"), pointer)

    return run


def joined(sources: tuple[Steps, ...], target_at: Steps, parts: Parts, absence: Absence) -> Run:
    """Write several texts as one."""

    def run(source: Value, target: Tree, trouble: Trouble) -> None:
        found = [get(source, at) for at in sources]
        gone = [absence.holds(value) for value in found]
        if all(gone) and absence.optional:
            return
        texts = []
        for at, value, absent in zip(sources, found, gone, strict=True):
            try:
                if absent or isinstance(value, Missing):
                    raise missing()
                texts.append(require_text(value))
            except Wrong as wrong:
                raise _at(wrong, pointer_of(at)) from None
        try:
            write(target, target_at, parts.join(texts))
        except Wrong as wrong:
            raise _at(wrong, pointer_of(sources[0])) from None

    return run


def taken_apart(
    source_at: Steps, targets: tuple[Steps, ...], parts: Parts, absence: Absence
) -> Run:
    """Write one text as several."""

    def run(source: Value, target: Tree, trouble: Trouble) -> None:
        value = get(source, source_at)
        try:
            if absence.holds(value) or isinstance(value, Missing):
                if absence.optional:
                    return
                raise missing()
            texts = parts.split(require_text(value))
        except Wrong as wrong:
            raise _at(wrong, pointer_of(source_at)) from None
        for at, text in zip(targets, texts, strict=True):
            write(target, at, text)

    return run


def each(source_at: Steps, target_at: Steps, runs: Sequence[Run], absence: Absence) -> Run:
    """Change every element of a list; one element alone is a list of one, as XML has it."""
    pointer = pointer_of(source_at)

    def run(source: Value, target: Tree, trouble: Trouble) -> None:
        found = get(source, source_at)
        if absence.holds(found) or isinstance(found, Missing):
            if absence.fallback == []:
                write(target, target_at, [])
            elif not absence.optional:
                raise _at(missing(), pointer)
            return
        listed = found if isinstance(found, list) else [found]
        if not isinstance(found, list | dict) and not absence.empty:
            raise _at(Wrong("is not a list"), pointer)
        changed: list[Value] = []
        for place, element in enumerate(listed):
            holder: Tree = {}
            run_all(runs, element, holder, trouble.under(f"{pointer}/{place}"))
            changed.append(holder.get(_WHOLE, holder))
        write(target, target_at, changed)

    return run


def compared(told_at: Steps, content_at: Steps, agrees: Agrees, absence: Absence) -> Run:
    """Compare what was told of a content with the content, once its row has run."""
    pointer = pointer_of(told_at)

    def run(source: Value, target: Tree, trouble: Trouble) -> None:
        value, content = get(source, told_at), get(target, content_at)
        if absence.holds(value) or isinstance(value, Missing):
            if not absence.optional:
                raise _at(missing(), pointer)
            return
        if not isinstance(content, bytes):
            return  # the content's own row tells what is wrong with it
        try:
            agrees(value, content)
        except Wrong as wrong:
            raise _at(wrong, pointer) from None

    return run
