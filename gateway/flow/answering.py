"""What a partner is told: a receipt of now or of before, a void, or that nothing was stored."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.flow.committer import Group
from gateway.kernel.digests import TYPE_RECEIPT, pae
from gateway.kernel.envelope import NotTakenIn, Outcome, Receipt, ReceiptQuery, Signature
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseKey, GatewayId, MessageRef
from gateway.ports.journal import Snapshot, VoidRecord
from gateway.rules.delivery import require_burnable
from gateway.wire.fault_table import entry, texts
from gateway.wire.receipts import encode_receipt, encode_signed_receipt

Answer = bytes | NotTakenIn


def not_taken_in(fault: Fault) -> NotTakenIn:
    """Write a fault as the answer that stores nothing."""
    zh, en = texts(fault.code, fault.detail)
    row = entry(fault.code)
    wait_ms = fault.retry_after_ms or row.retry_after_ms
    return NotTakenIn(fault.code.value, zh, en, row.retry, wait_ms, fault.expected_sequence)


class Answering:
    """A work that ends in a receipt: its own, or that of a twin in the same group."""

    _receipt = b""
    _twin: Answering | None = None

    def result(self) -> bytes:
        """Return the encoded signed receipt, once the group is committed; empty: none."""
        return self._twin.result() if self._twin is not None else self._receipt

    def _begin(self, twin: object) -> bool:
        """Forget what a group that failed has left; tell whether `twin` answers for this one."""
        self._receipt = b""
        self._twin = twin if isinstance(twin, Answering) else None
        return self._twin is not None


class QueryWork(Answering):
    """Looks one receipt up, or burns its id."""

    def __init__(self, home: GatewayId, peer: GatewayId, query: ReceiptQuery) -> None:
        self._home = home
        self._ref = MessageRef(peer, query.message_id)
        self._query = query

    def refs(self) -> Iterable[MessageRef]:
        """See `Work`."""
        return (self._ref,)

    def keys(self) -> Iterable[CaseKey]:
        """See `Work`."""
        return ()

    def answer(self) -> Answer:
        """Return the receipt, or that it is not known."""
        return self.result() or not_taken_in(Fault(FaultCode.RECEIPT_NOT_KNOWN))

    def look_up(self, snapshot: Snapshot) -> Answer:
        """Answer without burning."""
        stored = snapshot.messages([self._ref]).get(self._ref)
        if stored is not None and stored.header_digest == self._query.header_digest:
            self._receipt = stored.receipt
        elif stored is not None:
            second = snapshot.second_receipt(self._ref, self._query.header_digest)
            self._receipt = second or stored.receipt
        return self.answer()

    def step(self, group: Group) -> None:
        """Find the receipt, or sign a void if the id is free and may be burnt."""
        if self._begin(group.twins.get((self._ref, self._query.header_digest))):
            return
        self.look_up(group.tx)
        if self._receipt or not self._query.burn:
            return
        # Another header may have taken the id in this very group: then it is not free to burn.
        if self._begin(next((w for (ref, _), w in group.twins.items() if ref == self._ref), None)):
            return
        now_ms = group.now_ms
        require_burnable(self._ref.message_id, now_ms)
        group.twins[self._ref, self._query.header_digest] = self
        receipt = encode_receipt(
            Receipt(
                self._ref.sender,
                self._home,
                self._ref.message_id,
                self._query.header_digest,
                now_ms,
                Outcome.VOID,
            )
        )

        def finish(signatures: tuple[Signature, ...]) -> None:
            self._receipt = encode_signed_receipt(receipt, signatures)
            group.voids.append(
                VoidRecord(self._ref, self._query.header_digest, now_ms, self._receipt)
            )

        group.sign(pae(TYPE_RECEIPT, receipt), finish)
