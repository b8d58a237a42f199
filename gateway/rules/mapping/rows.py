"""Rows of a mapping file: each reads strictly into what it does outbound and inbound."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gateway.kernel.limits import MAPPING_LENGTH_MAX
from gateway.kernel.trees import MISSING, Missing, Steps, Value, pointer_of
from gateway.rules.mapping import codecs_files, codecs_numbers, codecs_text, codecs_times, running
from gateway.rules.mapping.code_tables import key_of
from gateway.rules.mapping.codec import Change, Factory, Setting
from gateway.rules.mapping.problems import Wrong
from gateway.rules.mapping.running import Absence, Run
from gateway.rules.mapping.taking import Plain, Taken

_CODECS: Final[Mapping[str, Factory]] = {
    "text": codecs_text.text,
    "as_is": codecs_text.as_is,
    "code": codecs_text.code,
    "bool": codecs_text.boolean,
    "region": codecs_text.region,
    "list": codecs_text.listed,
    "number": codecs_numbers.number,
    "amount": codecs_numbers.amount,
    "date": codecs_times.day,
    "time": codecs_times.time,
    "base64": codecs_files.inline,
}
_TOLD: Final = {"digest": codecs_files.digest, "size": codecs_files.size}
CODECS: Final = (*_CODECS, *_TOLD, "parts", "each")
"""Every value of `as`."""
_LENGTHS: Final = ("characters", "utf-8", "gb18030")
# What XML 1.0 cannot hold, and lone halves of a character, which no encoding can.
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class RowView(NamedTuple):
    """A row for people and for the check."""

    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    codec: str
    about: str
    direction: str
    optional: bool
    note: str
    rows: tuple[RowView, ...] = ()


@dataclass
class RowSet:
    """Rows that run together."""

    outward: list[Run] = field(default_factory=list)
    inward: list[Run] = field(default_factory=list)
    late: list[Run] = field(default_factory=list)
    """Inward ones that compare with what the others wrote."""
    views: list[RowView] = field(default_factory=list)
    sent_to: list[Steps] = field(default_factory=list)
    """Where of theirs it writes."""
    written_to: list[Steps] = field(default_factory=list)
    """Where of ours it writes."""

    def add(self, other: RowSet) -> None:
        """Take in the rows of another set."""
        self.outward += other.outward
        self.inward += other.inward
        self.late += other.late
        self.views += other.views
        self.sent_to += other.sent_to
        self.written_to += other.written_to

    @property
    def back(self) -> tuple[Run, ...]:
        """Everything that runs inbound, in order."""
        return (*self.inward, *self.late)


class RowReader:
    """Reads rows; named sets are read where they are used."""

    def __init__(self, setting: Setting, sets: Mapping[str, list[Taken]]) -> None:
        self._setting = setting
        self._sets = sets
        self._open: list[str] = []
        self.used: set[str] = set()
        self.count = 0

    def named(self, name: str, row: Taken, entry: str) -> RowSet:
        """Read the set `name` that `row` names at `entry`."""
        if name not in self._sets:
            known = ", ".join(sorted(self._sets)) or "none"
            row.wrong(entry, f"names no set of this file; there are {known}")
            return RowSet()
        if name in self._open:
            row.wrong(entry, f"set {name} holds itself")
            return RowSet()
        first = name not in self.used
        self.used.add(name)
        self._open.append(name)
        # A set that two messages use has its problems told once.
        rows = self._sets[name] if first else [_quiet(each) for each in self._sets[name]]
        found = self.read(rows)
        self._open.pop()
        return found

    def read(self, rows: list[Taken]) -> RowSet:
        """Read rows in order."""
        found = RowSet()
        for row in rows:
            self.count += 1
            one = self._row(row)
            row.finish()
            for told, places, others in (
                ("theirs", one.sent_to, found.sent_to),
                ("ours", one.written_to, found.written_to),
            ):
                for steps in clashes(places, others):
                    row.wrong(
                        told,
                        f"{pointer_of(steps) or 'the whole'} is written by a row above, or lies "
                        'within what one writes; give one of them a direction = "in" or "out"',
                    )
            found.add(one)
        return found

    def _row(self, row: Taken) -> RowSet:
        direction = row.choice("direction", ("both", "out", "in"), "both")
        ours, theirs = row.pointers("ours"), row.pointers("theirs")
        note = row.text("note", "")
        if "value" in row:
            return self._constant(row, ours, theirs, note)
        if not ours or not theirs:
            row.wrong("", "has both ours and theirs, or one of them and a value")
            return RowSet()
        name = row.choice("as", CODECS, "text" if len(ours) == len(theirs) == 1 else "parts")
        if len(ours) + len(theirs) > 2 and name != "parts":
            row.wrong("as", "is parts where a side has several places, and only one side has")
            return RowSet()
        if name == "parts":
            found, about = self._parts(row, ours, theirs), ""
        elif name == "each":
            return self._each(row, ours[0], theirs[0], direction, note)
        elif name in _TOLD:
            found, about = self._told(row, name, ours[0], theirs[0])
        else:
            found, about = self._codec(row, name, ours[0], theirs[0])
        view = RowView(
            tuple(map(pointer_of, ours)), tuple(map(pointer_of, theirs)), name, about,
            direction, row.flag("optional") or "absent" in row, note,
        )  # fmt: skip
        return _only(found, direction, view)

    def _codec(self, row: Taken, name: str, ours: Steps, theirs: Steps) -> tuple[RowSet, str]:
        codec = _CODECS[name](row, self._setting)
        out, back = self._absences(row, null=name != "as_is", empty_is_value=name == "base64")
        change = self._limited(row, codec.out)
        found = RowSet(sent_to=[theirs], written_to=[ours])
        found.outward.append(running.one(ours, theirs, change, out))
        found.inward.append(running.one(theirs, ours, codec.back, back))
        return found, codec.about

    def _told(self, row: Taken, name: str, ours: Steps, theirs: Steps) -> tuple[RowSet, str]:
        told, agrees, about = _TOLD[name](row, self._setting)
        optional = row.flag("optional")
        found = RowSet(sent_to=[theirs])
        change: Change = lambda value: told(codecs_files.require_bytes(value))  # noqa: E731
        found.outward.append(running.one(ours, theirs, change, Absence(optional, MISSING)))
        absence = Absence(optional, MISSING, empty=self._setting.text_only)
        found.late.append(running.compared(theirs, ours, agrees, absence))
        return found, about

    def _parts(self, row: Taken, ours: tuple[Steps, ...], theirs: tuple[Steps, ...]) -> RowSet:
        if (len(ours) > 1 and len(theirs) > 1) or len(ours) == len(theirs):
            row.wrong("", "has several places on one side, and one on the other")
            return RowSet()
        optional = row.flag("optional")
        parts = codecs_text.read_parts(row, max(len(ours), len(theirs)))
        out = Absence(optional, MISSING)
        back = Absence(optional, MISSING, empty=self._setting.text_only)
        found = RowSet(sent_to=[*theirs], written_to=[*ours])
        if len(ours) > 1:
            found.outward.append(running.joined(ours, theirs[0], parts, out))
            found.inward.append(running.taken_apart(theirs[0], ours, parts, back))
        else:
            found.outward.append(running.taken_apart(ours[0], theirs, parts, out))
            found.inward.append(running.joined(theirs, ours[0], parts, back))
        return found

    def _each(self, row: Taken, ours: Steps, theirs: Steps, direction: str, note: str) -> RowSet:
        optional = row.flag("optional")
        inner = self.named(row.text("rows"), row, "rows")
        out = Absence(optional, MISSING)
        # XML has no empty list: where a list is needed, none of its elements is one.
        nothing: Value | Missing = [] if self._setting.text_only and not optional else MISSING
        back = Absence(optional, nothing, empty=self._setting.text_only)
        found = RowSet(sent_to=[theirs], written_to=[ours])
        found.outward.append(running.each(ours, theirs, tuple(inner.outward), out))
        found.inward.append(running.each(theirs, ours, inner.back, back))
        view = RowView(
            (pointer_of(ours),), (pointer_of(theirs),), "each", str(row.raw("rows")),
            direction, optional, note, tuple(inner.views),
        )  # fmt: skip
        return _only(found, direction, view)

    def _constant(
        self, row: Taken, ours: tuple[Steps, ...], theirs: tuple[Steps, ...], note: str
    ) -> RowSet:
        value, check = row.plain("value"), row.flag("check")
        if len(ours) + len(theirs) != 1:
            row.wrong("value", "stands with one place: of ours (inbound) or of theirs (outbound)")
            return RowSet()
        if ours:
            view = RowView((pointer_of(ours[0]),), (), "constant", str(value), "in", False, note)
            inward = [running.constant(ours[0], value)]
            return RowSet(inward=inward, views=[view], written_to=[ours[0]])
        view = RowView((), (pointer_of(theirs[0]),), "constant", str(value), "out", False, note)
        found = RowSet(views=[view], sent_to=[theirs[0]])
        found.outward.append(running.constant(theirs[0], self.theirs(value)))
        if check:
            found.inward.append(running.expected(theirs[0], value))
        return found

    def theirs(self, value: Plain) -> Value:
        """Return a value as their documents write it."""
        return key_of(value) if self._setting.text_only else value

    def _absences(self, row: Taken, *, null: bool, empty_is_value: bool) -> tuple[Absence, Absence]:
        """Read when each side counts as absent.

        `empty_is_value`: an empty text that is needed is an empty file, not none.
        """
        fallback: Value | Missing = MISSING
        sign = None
        if "absent" in row:
            absent = row.plain("absent")
            fallback, sign = self.theirs(absent), key_of(absent)
        elif "default_theirs" in row:
            fallback = self.theirs(row.plain("default_theirs"))
        default = row.plain("default_ours") if "default_ours" in row else MISSING
        optional = row.flag("optional")
        empty = self._setting.text_only and (optional or not empty_is_value)
        empty = row.flag("empty_is_absent") or empty
        return (
            Absence(optional, fallback, null=null),
            Absence(optional or sign is not None, default, sign, empty, null),
        )

    def _limited(self, row: Taken, change: Change) -> Change:
        """Refuse what is too long for them, and what XML cannot hold. Nothing is cut off."""
        longest = row.whole("length_max", 1, MAPPING_LENGTH_MAX)
        unit = row.choice("length_in", _LENGTHS, "characters")
        text_only = self._setting.text_only

        def limited(value: Value) -> Value:
            changed = change(value)
            if not isinstance(changed, str):
                return changed
            if text_only and _NOT_XML.search(changed):
                raise Wrong("holds a character that XML cannot")
            if longest is not None and _length(changed, unit) > longest:
                raise Wrong(f"is longer than the {longest} {unit} that theirs holds")
            return changed

        return limited if longest is not None or text_only else change


def _length(text: str, unit: str) -> int:
    if unit == "characters":
        return len(text)
    return len(text.encode(unit, errors="replace"))


def _quiet(row: Taken) -> Taken:
    return Taken({name: row.raw(name) for name in row.names()}, row.path, [])


def _only(found: RowSet, direction: str, view: RowView) -> RowSet:
    """Leave out the way that the row does not go."""
    if direction == "out":
        found.inward, found.late, found.written_to = [], [], []
    elif direction == "in":
        found.outward, found.sent_to = [], []
    found.views = [view]
    return found


def clashes(places: list[Steps], others: list[Steps]) -> list[Steps]:
    """List the places that are, hold or lie within another."""
    return [
        place
        for place in places
        if any(place[: len(other)] == other[: len(place)] for other in others)
    ]
