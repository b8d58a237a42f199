"""What a translation between our words and a partner's gives back."""

from __future__ import annotations

from typing import NamedTuple

from gateway.kernel.envelope import Kind
from gateway.kernel.trees import Tree


class Theirs(NamedTuple):
    """A message of ours in the partner's words."""

    operation: str
    """The partner's own name of what is called, of the table or of the kind of file."""
    document: Tree


class Ours(NamedTuple):
    """A partner's document in our words."""

    kind: Kind
    tree: Tree


class Verdict(NamedTuple):
    """What a partner's answer to a push of ours means."""

    ok: bool
    retry: bool = False
    """Not now: the same may be sent again."""
    rule: str = ""
    """The rule id that a refusal stands for."""
    text: str = ""
    """What the partner said, for people."""
    number: str = ""
    """The partner's own number of the case, if it gave one."""


class Said(NamedTuple):
    """What we say to a push of a partner's, before it is put in its words."""

    ok: bool
    rule: str = ""
    text_zh: str = ""
    text_en: str = ""
    retry: bool = False
    number: str = ""
    """Our own number of the case (办件编号), if there is one."""
