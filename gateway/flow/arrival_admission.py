"""Arrivals are kept, once each, before anything is made of them; the unreadable is put aside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.flow.attested_answers import RAW_ARRIVAL
from gateway.flow.committer import Group
from gateway.kernel.arrivals import ArrivalEvent, ArrivalStatus
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseKey, MessageRef
from gateway.kernel.limits import ARRIVALS_HELD_BYTES_MAX, ARRIVALS_HELD_MAX
from gateway.ports.journal import Evidence
from gateway.ports.journal_arrivals import StoredArrival
from gateway.rules.arrivals import require_same_content, require_unused, step


class _ArrivalWork:
    """A work that looks up no message and no case."""

    def refs(self) -> Iterable[MessageRef]:
        """See `Work`."""
        return ()

    def keys(self) -> Iterable[CaseKey]:
        """See `Work`."""
        return ()


class Admission(_ArrivalWork):
    """Keeps a fresh arrival, or finds the one that said the same before.

    `stored` is what the journal has then. One that was quarantined is received again: the table
    may have been mended since. `told` is the rule and place that it was quarantined for.
    """

    def __init__(self, fresh: StoredArrival, nonce: str, nonce_until_ms: int) -> None:
        self._fresh = fresh
        self._nonce = nonce
        self._nonce_until_ms = nonce_until_ms
        self.stored = fresh
        self.told = ("", "")

    def step(self, group: Group) -> None:
        """See `Work`."""
        tx, fresh = group.tx, self._fresh
        if self._nonce:
            require_unused(tx.nonce_used(fresh.partner, self._nonce))
        named = tx.arrivals_named(fresh.partner, fresh.natural_key)
        self.stored = self._of(group, named)
        if self._nonce:
            tx.use_nonce(fresh.partner, self._nonce, self._nonce_until_ms, group.now_ms)
        tx.save_arrivals([self.stored])

    def _of(self, group: Group, named: Sequence[StoredArrival]) -> StoredArrival:
        fresh = self._fresh
        same = [a for a in named if a.content_digest == fresh.content_digest]
        if not same:
            standing = {a.content_digest for a in named if a.status in _STANDING}
            require_same_content(standing, fresh.content_digest)
            _require_place(group, fresh)
            return fresh
        found = group.tx.arrival(same[-1].arrival_id)
        assert found is not None, "it was listed in this transaction"
        if found.status is ArrivalStatus.QUARANTINED:
            status = step(found.status, ArrivalEvent.REPLAY)
            self.told = (found.rule, found.detail)
            return found._replace(status=status, rule="", detail="", received_at_ms=group.now_ms)
        return found


_STANDING = frozenset({ArrivalStatus.RECEIVED, ArrivalStatus.TAKEN_IN})


def _require_place(group: Group, fresh: StoredArrival) -> None:
    held = group.tx.arrivals_held(fresh.partner)
    if held.arrivals >= ARRIVALS_HELD_MAX:
        raise Fault(FaultCode.LIMIT_QUOTA, f"{ARRIVALS_HELD_MAX} arrivals are open")
    if held.size + fresh.size > ARRIVALS_HELD_BYTES_MAX:
        raise Fault(FaultCode.LIMIT_QUOTA, f"over {ARRIVALS_HELD_BYTES_MAX} bytes are open")


class Quarantine(_ArrivalWork):
    """Puts an arrival aside with the rule that it breaks, for an operator."""

    def __init__(self, arrival: StoredArrival, fault: Fault) -> None:
        self.settled = arrival._replace(
            status=step(arrival.status, ArrivalEvent.QUARANTINE),
            rule=fault.code.value,
            detail=fault.detail,
        )

    def step(self, group: Group) -> None:
        """See `Work`."""
        current = group.tx.arrival(self.settled.arrival_id)
        if current is not None and current.status is ArrivalStatus.RECEIVED:
            group.tx.save_arrivals([self.settled])


class Waiting(_ArrivalWork):
    """Notes why an arrival that stays received is not judged yet."""

    def __init__(self, arrival: StoredArrival, code: FaultCode) -> None:
        self._arrival = arrival._replace(rule=code.value)

    def step(self, group: Group) -> None:
        """See `Work`."""
        current = group.tx.arrival(self._arrival.arrival_id)
        if current is not None and current.status is ArrivalStatus.RECEIVED:
            group.tx.save_arrivals([self._arrival])


class Renaming(_ArrivalWork):
    """Gives an arrival that could not be read before the name it has by today's table.

    One whose words came again meanwhile, and stand, is let go of: it has no second effect.
    """

    def __init__(self, arrival: StoredArrival) -> None:
        self.stored = arrival

    def step(self, group: Group) -> None:
        """See `Work`."""
        a = self.stored
        others = group.tx.arrivals_named(a.partner, a.natural_key)
        standing = {o.content_digest for o in others if o.status in _STANDING and o[0] != a[0]}
        require_same_content(standing, a.content_digest)
        if standing:
            self.stored = a._replace(
                status=step(a.status, ArrivalEvent.SUPERSEDE),
                settled_at_ms=group.now_ms,
                document=b"",
                raw=b"",
            )
            group.keep_evidence([Evidence(a.raw_digest, RAW_ARRIVAL, a.raw)])
        group.tx.save_arrivals([self.stored])
