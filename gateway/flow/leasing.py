"""Leases: who has a message of ours in hand, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.flow.committer import Committer, Group
from gateway.flow.settling import unsettled
from gateway.kernel.identifiers import CaseKey, GatewayId, MessageId, MessageRef
from gateway.kernel.limits import DELIVER_BYTES_MAX, LEASE_MS
from gateway.ports.clock import Clock
from gateway.ports.journal import OutboxEntry, OutboxStatus


class Claim:
    """Leases what is due, unless the lane is paused."""

    def __init__(
        self, partner: GatewayId, status: OutboxStatus, limit: int, lease_ms: int = LEASE_MS
    ) -> None:
        self._partner = partner
        self._lease_ms = lease_ms
        self._status = status
        self._limit = limit
        self.entries: Sequence[OutboxEntry] = ()

    def refs(self) -> Iterable[MessageRef]:
        """See `Work`."""
        return ()

    def keys(self) -> Iterable[CaseKey]:
        """See `Work`."""
        return ()

    def step(self, group: Group) -> None:
        """See `Work`."""
        if group.tx.lane_record(self._partner).paused_at_ms:
            return
        self.entries = group.tx.claim(
            self._partner,
            self._status,
            now_ms=group.now_ms,
            leased_until_ms=group.now_ms + self._lease_ms,
            limit=self._limit,
        )


class Renew:
    """Leases a batch anew, but for what was settled meanwhile."""

    def __init__(
        self, entries: Sequence[OutboxEntry], home: GatewayId, lease_ms: int = LEASE_MS
    ) -> None:
        self._refs = [MessageRef(home, MessageId(e.message_id)) for e in entries]
        self._lease_ms = lease_ms

    def refs(self) -> Iterable[MessageRef]:
        """See `Work`."""
        return ()

    def keys(self) -> Iterable[CaseKey]:
        """See `Work`."""
        return ()

    def step(self, group: Group) -> None:
        """See `Work`."""
        for ref in self._refs:
            entry = unsettled(group, ref)
            if entry is not None:
                renewed = entry._replace(leased_until_ms=group.now_ms + self._lease_ms)
                group.outbox[entry.draft_id] = renewed


class Release:
    """Gives back what was leased and did not leave: it is due again, and no attempt was made."""

    def __init__(self, entries: Sequence[OutboxEntry], home: GatewayId) -> None:
        self._refs = [MessageRef(home, MessageId(e.message_id)) for e in entries]

    def refs(self) -> Iterable[MessageRef]:
        """See `Work`."""
        return ()

    def keys(self) -> Iterable[CaseKey]:
        """See `Work`."""
        return ()

    def step(self, group: Group) -> None:
        """See `Work`."""
        for ref in self._refs:
            entry = unsettled(group, ref)
            if entry is not None:
                given_back = entry._replace(leased_until_ms=0, attempts=entry.attempts - 1)
                group.outbox[entry.draft_id] = given_back


class Upkeep:
    """Keeps a batch leased while files go before it, which may take longer than a lease."""

    def __init__(self, committer: Committer, clock: Clock, renewal: Renew) -> None:
        self._committer = committer
        self._clock = clock
        self._renewal = renewal
        self._renew_at_ms = self._next_ms()

    def _next_ms(self) -> int:
        return self._clock.monotonic_ms() + LEASE_MS // 3

    async def __call__(self) -> None:
        """Renew the leases if a third of their time is over."""
        if self._clock.monotonic_ms() >= self._renew_at_ms:
            await self._committer.submit(self._renewal)
            self._renew_at_ms = self._next_ms()


def by_size(entries: Sequence[OutboxEntry]) -> Iterable[Sequence[OutboxEntry]]:
    """Cut a batch so that no call exceeds what a partner reads."""
    part: list[OutboxEntry] = []
    size = 0
    for entry in entries:
        more = len(entry.envelope) + 8
        if part and size + more > DELIVER_BYTES_MAX:
            yield part
            part, size = [], 0
        part.append(entry)
        size += more
    if part:
        yield part
