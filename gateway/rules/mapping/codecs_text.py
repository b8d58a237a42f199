"""Codecs of texts: as it is, codes, yes and no, regions, lists in one text."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from gateway.kernel.trees import Value
from gateway.rules.mapping.code_tables import CodeTable
from gateway.rules.mapping.codec import Codec, Setting
from gateway.rules.mapping.problems import Wrong
from gateway.rules.mapping.taking import Taken

_REGION: Final = re.compile(r"[1-9][0-9]{5}", re.ASCII)
_REGION_OF_12: Final = re.compile(r"([1-9][0-9]{5})([0-9]{6})", re.ASCII)


def require_text(value: Value) -> str:
    """Return a value that is text.

    Raises:
        Wrong: it is not; what it is instead is not told.
    """
    if not isinstance(value, str):
        raise Wrong("is not a text")
    return value


def text(row: Taken, setting: Setting) -> Codec:
    """Text as it is, both ways. Nothing is trimmed."""
    return Codec(require_text, require_text)


def as_is(row: Taken, setting: Setting) -> Codec:
    """Any JSON value as it is, objects and lists too."""
    if setting.text_only:
        row.wrong("as", 'as_is is for JSON; use "text", "number", "bool" or "each"')
    return Codec(_same, _same)


def _same(value: Value) -> Value:
    return value


def code(row: Taken, setting: Setting) -> Codec:
    """A code by one of the file's tables."""
    name = row.text("table")
    table = setting.tables.get(name)
    if table is None:
        if name:
            known = ", ".join(sorted(setting.tables)) or "none"
            row.wrong("table", f"names no table of this file; there are {known}")
        table = CodeTable(name, text_only=setting.text_only)
    return Codec(table.out, table.back, f"table {name}")


def boolean(row: Taken, setting: Setting) -> Codec:
    """True and false as their two codes."""
    table = CodeTable("true/false", text_only=setting.text_only)
    for ours in (True, False):
        name = "true" if ours else "false"
        table.add(ours, row.plain(name), out=True, back=True)
    if len(table.theirs) != 2:
        row.wrong("false", "is another value than that of true")

    def out(value: Value) -> Value:
        if not isinstance(value, bool):
            raise Wrong("is neither true nor false")
        return table.out(value)

    return Codec(out, table.back)


def region(row: Taken, setting: Setting) -> Codec:
    """A region's code: six digits here (GB/T 2260), twelve there (统计用区划代码).

    Inbound the last six must be zeros, unless `truncate = true` gives the township away.
    """
    truncate = row.flag("truncate")

    def out(value: Value) -> Value:
        if _REGION.fullmatch(require_text(value)) is None:
            raise Wrong("is not a region of 6 digits")
        return f"{value}000000"

    def back(value: Value) -> Value:
        digits = str(value) if isinstance(value, int) else require_text(value)
        found = _REGION_OF_12.fullmatch(digits)
        if found is None:
            raise Wrong("is not a region of 12 digits")
        if found[2] != "000000" and not truncate:
            raise Wrong("names a township or village, which 6 digits cannot (see truncate)")
        return found[1]

    return Codec(out, back, "6 ↔ 12" + (", truncate" if truncate else ""))


def listed(row: Taken, setting: Setting) -> Codec:
    """A list of texts here, one text with separators there."""
    separator = row.text("separator")

    def out(value: Value) -> Value:
        if not isinstance(value, list):
            raise Wrong("is not a list")
        texts = [require_text(each) for each in value]
        if any(separator in each or not each for each in texts):
            raise Wrong("has an entry that is empty or holds the separator")
        return separator.join(texts)

    def back(value: Value) -> Value:
        texts: list[Value] = [*require_text(value).split(separator)] if value != "" else []
        if not all(texts):
            raise Wrong("has an empty entry")
        return texts

    return Codec(out, back, f"separator {separator!r}")


class Parts:
    """One text on one side, its parts on the other: by separator or by widths in characters."""

    def __init__(self, separator: str, widths: tuple[int, ...], count: int) -> None:
        self._separator = separator
        self._widths = widths
        self._count = count

    def join(self, parts: list[str]) -> str:
        """Return the whole.

        Raises:
            Wrong: the whole could not be taken apart again.
        """
        whole = self._separator.join(parts)
        if self.split(whole) != parts:
            raise Wrong("has a part of another width, or one that holds the separator")
        return whole

    def split(self, whole: str) -> list[str]:
        """Return the parts.

        Raises:
            Wrong: there are not as many, or not so wide.
        """
        if not self._widths:
            parts = whole.split(self._separator)
            if len(parts) != self._count:
                raise Wrong(f"does not have {self._count} parts")
            return parts
        if len(whole) != sum(self._widths):
            raise Wrong(f"does not have {sum(self._widths)} characters")
        ends = [sum(self._widths[:place]) for place in range(self._count + 1)]
        return [whole[begin:end] for begin, end in pairwise(ends)]


def read_parts(row: Taken, count: int) -> Parts:
    """Read how a row's parts stand together."""
    separator, widths = "", []
    if "widths" in row:
        raw = row.raw("widths")
        widths = [w for w in raw if type(w) is int and w > 0] if isinstance(raw, list) else []
        if len(widths) != count:
            row.wrong("widths", f"is a list of {count} widths in characters")
            widths = [1] * count
    else:
        separator = row.text("separator")
    return (
        Parts(separator or "\0", tuple(widths), count)
        if not widths
        else Parts("", tuple(widths), count)
    )
