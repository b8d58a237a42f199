"""What a codec is: a change of one value each way, made once from its row of the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from gateway.kernel.trees import Value
from gateway.rules.mapping.code_tables import CodeTable
from gateway.rules.mapping.taking import Taken

Change = Callable[[Value], Value]


class Codec(NamedTuple):
    """How one value is changed. Both raise `Wrong`."""

    out: Change
    """Ours to theirs."""
    back: Change
    """Theirs to ours."""
    about: str = ""
    """Its settings, for people."""


class Setting(NamedTuple):
    """What of the whole file a codec must know."""

    text_only: bool
    """Every leaf of their documents is text: XML, rows of a table, CSV."""
    tables: Mapping[str, CodeTable]


Factory = Callable[[Taken, Setting], Codec]


def written_as(row: Taken, setting: Setting) -> bool:
    """Tell whether theirs is written as text rather than as a number."""
    chosen = row.choice("written", ("text", "number"), "text" if setting.text_only else "number")
    if setting.text_only and chosen == "number":
        row.wrong("written", 'is "text": every value of such documents is text')
    return chosen == "text"
