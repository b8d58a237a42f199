"""What partners' platforms sent, as the journal keeps it (来件登记), and the names they use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gateway.kernel.arrivals import ArrivalStatus
from gateway.kernel.envelope import Strength
from gateway.kernel.identifiers import CaseKey, GatewayId


class StoredArrival(NamedTuple):
    """Something that arrived, and what became of it."""

    arrival_id: bytes
    """UUIDv7 of when it came."""
    partner: GatewayId
    adapter: str
    operation: str
    strength: Strength
    natural_key: str
    content_digest: bytes
    """Of what it says; empty where that could not be read."""
    raw_digest: bytes
    size: int
    """Of the raw bytes."""
    received_at_ms: int
    status: ArrivalStatus
    source: str = ""
    rule: str = ""
    detail: str = ""
    """Where the rule is broken: a pointer or a name, never a value."""
    case_key: CaseKey | None = None
    message_id: bytes = b""
    settled_at_ms: int = 0
    operator: str = ""
    """Who replayed or dropped it last."""
    reason: str = ""
    salt: bytes = b""
    """32 random bytes that all salts of its message are drawn from; gone once it is settled."""
    document: bytes = b""
    """What its adapter read, as JSON, while it is open; empty if it could not be read."""
    raw: bytes = b""
    """Verbatim while it is open; later it stands among the evidence, under `raw_digest`."""


class Held(NamedTuple):
    """What lies with a partner's open arrivals."""

    arrivals: int
    size: int


class ArrivalReads(Protocol):
    """Part of `ports.journal.Snapshot`."""

    def arrivals_named(self, partner: GatewayId, natural_key: str) -> Sequence[StoredArrival]:
        """Return what came under a natural key, oldest first, without raw bytes and document."""
        ...

    def arrival(self, arrival_id: bytes) -> StoredArrival | None:
        """Return one whole."""
        ...

    def arrivals_in(
        self, status: ArrivalStatus, *, limit: int, after: bytes = b""
    ) -> Sequence[StoredArrival]:
        """Return those of any partner by arrival id above `after`, without bytes and document."""
        ...

    def arrivals_held(self, partner: GatewayId) -> Held:
        """Return how much of a partner's is open."""
        ...

    def case_named(self, partner: GatewayId, number: str) -> CaseKey | None:
        """Return the case that a number stands for in this partner's mouth."""
        ...

    def parked(self, partner: GatewayId, limit: int) -> Sequence[bytes]:
        """Return ids of our messages that are listed for a partner, oldest first."""
        ...

    def nonce_used(self, partner: GatewayId, nonce: str) -> bool:
        """Tell whether a nonce was used and is still remembered."""
        ...


class ArrivalWrites(Protocol):
    """Part of `ports.journal.Transaction`."""

    def save_arrivals(self, arrivals: Sequence[StoredArrival]) -> None:
        """Insert or replace by arrival id."""
        ...

    def name_case(self, partner: GatewayId, number: str, key: CaseKey) -> None:
        """Keep what a number stands for; one that is known stays as it is."""
        ...

    def use_nonce(self, partner: GatewayId, nonce: str, until_ms: int, now_ms: int) -> None:
        """Remember a nonce until `until_ms`; forget this partner's that ended before `now_ms`."""
        ...
