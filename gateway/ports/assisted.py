"""The work list of partners without a system, and what is typed back (人工协办)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gateway.kernel.assisted import TypingStatus, WorkStatus
from gateway.kernel.envelope import Kind
from gateway.kernel.identifiers import CaseKey, GatewayId


class WorkItem(NamedTuple):
    """A message of ours that people carry to the partner."""

    message_id: bytes
    """Ours; the item's own id."""
    partner: GatewayId
    unit: str
    """Credit code of the unit whose people carry it."""
    case_key: CaseKey
    kind: Kind
    header_digest: bytes
    listed_at_ms: int
    status: WorkStatus
    method: str = ""
    handed_over_at_ms: int = 0
    handed_over_by: str = ""
    """Pseudonym within the unit."""


class Typing(NamedTuple):
    """An answer of the partner as one person typed it, and what became of it."""

    partner: GatewayId
    natural_key: str
    work_id: bytes
    """The `WorkItem` it answers."""
    case_key: CaseKey
    unit: str
    kind: Kind
    number: str
    """The partner's own number of the answer."""
    status: TypingStatus
    typed_at_ms: int
    typed_by: str
    typed: bytes
    """What was typed, verbatim."""
    confirmed_at_ms: int = 0
    confirmed_by: str = ""
    message_id: bytes = b""
    envelope: bytes = b""
    """The attested message, once confirmed."""
    rule: str = ""
    """Why the intake refused it, or why it has not taken it in yet."""
    settled_at_ms: int = 0


class AssistedReads(Protocol):
    """Part of `ports.journal.Snapshot`."""

    def work_items(
        self, unit: str | None, *, done: bool, limit: int, after: bytes = b""
    ) -> Sequence[WorkItem]:
        """Return a unit's items (of any unit if None) that are done or are not, by message id.

        Only those with a message id above `after`.
        """
        ...

    def work_item(self, message_id: bytes) -> WorkItem | None:
        """Return one item."""
        ...

    def work_of_case(self, key: CaseKey) -> Sequence[WorkItem]:
        """Return a case's items, by message id."""
        ...

    def typings_of_case(self, key: CaseKey) -> Sequence[Typing]:
        """Return everything typed for a case, oldest first."""
        ...

    def typings_in(self, status: TypingStatus, *, limit: int) -> Sequence[Typing]:
        """Return typed outcomes of any case, oldest first."""
        ...


class AssistedWrites(Protocol):
    """Part of `ports.journal.Transaction`."""

    def list_work(self, items: Sequence[WorkItem]) -> None:
        """Insert items; one that is known stays as it is."""
        ...

    def save_work(self, items: Sequence[WorkItem]) -> None:
        """Insert or replace items."""
        ...

    def save_typings(self, typings: Sequence[Typing]) -> None:
        """Insert or replace typed outcomes by (partner, natural key)."""
        ...
