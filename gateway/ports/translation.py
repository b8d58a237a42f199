"""Between our words and a partner's: its table, and what its table cannot say (映射)."""

from __future__ import annotations

from typing import Protocol

from gateway.kernel.translations import Ours, Said, Theirs, Verdict
from gateway.kernel.trees import Tree


class Translation(Protocol):
    """Translates for one partner. Pure: the same in gives the same out."""

    def outbound(self, ours: Tree) -> Theirs:
        """Return a message of ours in the partner's words.

        Raises:
            Fault: `mapping.*` naming the field, never a value.
        """
        ...

    def inbound(self, operation: str, document: Tree) -> Ours:
        """Return a document of the partner's in our words.

        Raises:
            Fault: `mapping.*` naming the field, never a value.
        """
        ...

    def answer(self, document: Tree) -> Verdict:
        """Return what the partner's answer to a push of ours means.

        Raises:
            Fault: `mapping.*`; an answer that says neither yes nor no.
        """
        ...

    def say(self, said: Said) -> Tree:
        """Return our word on a push of the partner's, in its form."""
        ...
