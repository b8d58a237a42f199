"""What operators did, as the journal keeps it (操作留痕): every act as it was signed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gateway.kernel.identifiers import KeyId
from gateway.kernel.operators import ActStatus


class StoredOperatorAct(NamedTuple):
    """An act, verified before it was kept, and what became of it."""

    act_id: bytes
    command: str
    subject: str
    """What it is about: a partner, an agreement, an arrival, an operator; empty if nothing."""
    operator: str
    key_id: KeyId
    acted_at_ms: int
    status: ActStatus
    raw: bytes
    """As it was signed, verbatim."""
    signature: bytes
    second: bytes = b""
    """Id of the act by which a second operator agreed or declined; kept like any other."""
    rule: str = ""
    """The rule by which it was refused."""
    settled_at_ms: int = 0


class OperatorReads(Protocol):
    """Part of `ports.journal.Snapshot`."""

    def operator_act(self, act_id: bytes) -> StoredOperatorAct | None:
        """Return one act."""
        ...

    def operator_acts(
        self, *, limit: int, before: bytes = b"", status: ActStatus | None = None
    ) -> Sequence[StoredOperatorAct]:
        """Return acts, the newest first, older than `before` if it is given."""
        ...

    def operator_changes(self) -> Sequence[StoredOperatorAct]:
        """Return every act by which an operator was added or removed, in the order of doing."""
        ...


class OperatorWrites(Protocol):
    """Part of `ports.journal.Transaction`."""

    def save_operator_act(self, act: StoredOperatorAct) -> None:
        """Keep an act, in place of what was kept under its id."""
        ...
