"""Code tables (码表): which value of ours is which of theirs, refused where there is none."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Final

from gateway.kernel.faults import FaultCode
from gateway.kernel.limits import MAPPING_CODES_MAX
from gateway.kernel.trees import Value
from gateway.rules.mapping.problems import Wrong
from gateway.rules.mapping.taking import Plain, Taken

_CODE_BELOW: Final = 10**18  # codes are short; a number of a million digits is none
_PREFERENCES: Final = ("out", "in", "both")


def key_of(value: Value) -> str | None:
    """Return what a code is compared by: `1` and `"1"` are one code, true and `"true"` too."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int():
            return str(value) if abs(value) < _CODE_BELOW else None
        case float():
            return str(int(value)) if abs(value) < _CODE_BELOW and value.is_integer() else None
        case Decimal():
            small = value.is_finite() and -_CODE_BELOW < value < _CODE_BELOW
            return str(int(value)) if small and value == int(value) else None
        case None | bytes() | list() | dict():
            return None


class CodeTable:
    """A table by name, both ways. Immutable once read."""

    def __init__(self, name: str, *, text_only: bool) -> None:
        self.name = name
        self._text_only = text_only
        self._out: dict[str, Plain] = {}
        self._back: dict[str, Plain] = {}

    def add(self, ours: Plain, theirs: Plain, *, out: bool, back: bool) -> None:
        """Add a pair for the ways named."""
        if out:
            self._out[str(key_of(ours))] = str(key_of(theirs)) if self._text_only else theirs
        if back:
            self._back[str(key_of(theirs))] = ours

    def out(self, value: Value) -> Value:
        """Return their code.

        Raises:
            Wrong: `mapping.code_unmapped`, naming the table.
        """
        return self._find(self._out, value)

    def back(self, value: Value) -> Value:
        """Return our code.

        Raises:
            Wrong: `mapping.code_unmapped`, naming the table.
        """
        return self._find(self._back, value)

    def _find(self, way: dict[str, Plain], value: Value) -> Value:
        key = key_of(value)
        if key is None or key not in way:
            raise Wrong(f"table {self.name} has no such code", FaultCode.MAPPING_CODE_UNMAPPED)
        return way[key]

    @property
    def ours(self) -> frozenset[str]:
        """Every value of ours that can be sent."""
        return frozenset(self._out)

    @property
    def theirs(self) -> frozenset[str]:
        """Every value of theirs that is understood."""
        return frozenset(self._back)

    @property
    def pairs(self) -> list[tuple[str, str, str]]:
        """List (ours, theirs, ways) for people."""
        found = [
            (ours, str(key_of(theirs)), self._ways(ours, theirs))
            for ours, theirs in self._out.items()
        ]
        return found + [
            (str(key_of(ours)), theirs, "in")
            for theirs, ours in self._back.items()
            if key_of(self._out.get(str(key_of(ours)))) != theirs
        ]

    def _ways(self, ours: str, theirs: Plain) -> str:
        back = self._back.get(str(key_of(theirs)))
        return "both" if back is not None and key_of(back) == ours else "out"


def read_table(name: str, raw: object, holder: Taken, *, text_only: bool) -> CodeTable:
    """Read `[tables.<name>]` (ours = theirs) or `[[tables.<name>]]` (ours, theirs, prefer)."""
    table = CodeTable(name, text_only=text_only)
    entries = _entries(name, raw, holder)
    if not entries or len(entries) > MAPPING_CODES_MAX:
        holder.wrong(name, f"holds from 1 to {MAPPING_CODES_MAX} codes")
    for side, way, place in (("ours", "out", 0), ("theirs", "in", 1)):
        for key in _unsettled(entries, place, way):
            holder.wrong(
                name,
                f"has {side} {key!r} more than once; write it as [[tables.{name}]] with ours, "
                f'theirs, and prefer = "{way}" (or "both") in exactly one of them',
            )
    times = [Counter(key_of(entry[place]) for entry in entries) for place in (0, 1)]
    for ours, theirs, prefer in entries:
        table.add(
            ours,
            theirs,
            out=times[0][key_of(ours)] == 1 or prefer in ("out", "both"),
            back=times[1][key_of(theirs)] == 1 or prefer in ("in", "both"),
        )
    return table


_Entry = tuple[Plain, Plain, str]


def _entries(name: str, raw: object, holder: Taken) -> list[_Entry]:
    if isinstance(raw, list):
        found = []
        for row in holder.tables(name):
            prefer = row.choice("prefer", _PREFERENCES, "") if "prefer" in row else ""
            found.append((row.plain("ours"), row.plain("theirs"), prefer))
            row.finish()
        return found
    table = Taken(raw, holder.at(name), holder.problems)
    return [(ours, table.plain(ours), "") for ours in table.names()]


def _unsettled(entries: list[_Entry], place: int, way: str) -> list[str]:
    """List the values of a side that stand more than once without one being preferred."""
    found: dict[str, list[str]] = {}
    for entry in entries:
        found.setdefault(str(key_of(entry[place])), []).append(entry[2])
    return [
        key
        for key, prefers in found.items()
        if len(prefers) > 1 and sum(prefer in (way, "both") for prefer in prefers) != 1
    ]
