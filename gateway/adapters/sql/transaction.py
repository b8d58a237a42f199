"""Writes of the journal on a driver's cursor."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256

from gateway.adapters.sql.agreements import SqlAgreementTransaction
from gateway.adapters.sql.announced import SqlAnnouncedWrites
from gateway.adapters.sql.arrivals import SqlArrivalWrites
from gateway.adapters.sql.assisted import SqlAssistedWrites
from gateway.adapters.sql.clocks import SqlClockWrites
from gateway.adapters.sql.item_list import SqlItemListWriter
from gateway.adapters.sql.joint import SqlJointWrites
from gateway.adapters.sql.lanes import SqlLaneWrites
from gateway.adapters.sql.operators import SqlOperatorWrites
from gateway.adapters.sql.rows import (
    OUTBOX_COLUMNS,
    Row,
    case_row,
    material_row,
    message_row,
    outbox_of,
    outbox_row,
    received_row,
    void_row,
)
from gateway.adapters.sql.snapshot import SqlSnapshot
from gateway.kernel.case import CaseRecord
from gateway.kernel.envelope import Outcome
from gateway.kernel.identifiers import GatewayId, MessageRef
from gateway.kernel.stages import Refused, TakenIn
from gateway.ports.journal import (
    Direction,
    Evidence,
    Material,
    OutboxEntry,
    OutboxStatus,
    ReceiptRecord,
    Remembered,
    StoredMessage,
    VoidRecord,
)

_CASE_CHANGES = "case_changes"


def _pending(kind: str, ref: tuple[str, bytes], receipt: bytes, at_ms: int) -> Row:
    return (kind, *ref, sha256(receipt).digest(), at_ms)


class SqlTransaction(
    SqlAgreementTransaction,
    SqlClockWrites,
    SqlAssistedWrites,
    SqlJointWrites,
    SqlArrivalWrites,
    SqlOperatorWrites,
    SqlLaneWrites,
    SqlAnnouncedWrites,
    SqlSnapshot,
):
    """Implements `ports.journal.Transaction`; begun and ended by the engine.

    A key that is taken raises the driver's integrity error, which the engine turns to ValueError.
    """

    @property
    def item_list(self) -> SqlItemListWriter:
        """See `Transaction`."""
        return SqlItemListWriter(self._cursor, self._sql)

    def _outcomes(self, refs: Collection[MessageRef]) -> Mapping[tuple[str, bytes], Row]:
        return {(row[0], row[1]): row for row in self._look_up(self._sql.outcomes, refs)}

    def append(self, taken: Sequence[TakenIn]) -> None:
        """See `Transaction`.

        Raises:
            ValueError: a (sender, message id) is known already.
        """
        rows, pending = [], []
        for one in taken:
            seen = one.authorised.conformant.authenticated
            row = received_row(seen, Outcome.TAKEN_IN, "", one.receipt)
            rows.append(row)
            pending.append(
                _pending("message", (row[0], row[1]), one.receipt, seen.received.received_at_ms)
            )
        self._write(self._sql.add_message, rows)
        self._write(self._sql.add_pending, pending)

    def refuse(self, refused: Sequence[Refused]) -> None:
        """See `Transaction`.

        Raises:
            ValueError: this very header was answered before.
        """
        refs = [r.authenticated.received.header.ref for r in refused]
        known = {ref: row[2] for ref, row in self._outcomes(refs).items()}
        first, second, pending = [], [], []
        for one in refused:
            received = one.authenticated.received
            ref, at_ms = received.header.ref, received.received_at_ms
            pending.append(_pending("refusal", ref, one.receipt, at_ms))
            if known.get(ref) == received.header_digest:
                raise ValueError("this header has a receipt already")
            if ref in known:
                second.append((*ref, received.header_digest, one.rule, at_ms, one.receipt))
            else:
                known[ref] = received.header_digest
                first.append(
                    received_row(one.authenticated, Outcome.REFUSED, one.rule, one.receipt)
                )
        self._write(self._sql.add_message, first)
        self._write(self._sql.add_second_receipt, second)
        self._write(self._sql.add_pending, pending)

    def void(self, voids: Sequence[VoidRecord]) -> None:
        """See `Transaction`.

        Raises:
            ValueError: a (sender, message id) is known already.
        """
        self._write(self._sql.add_message, map(void_row, voids))
        self._write(
            self._sql.add_pending,
            (_pending("void", v.ref, v.receipt, v.received_at_ms) for v in voids),
        )

    def seal(self, messages: Sequence[StoredMessage]) -> None:
        """See `Transaction`.

        Raises:
            ValueError: a (sender, message id) is known already.
        """
        self._write(self._sql.add_message, map(message_row, messages))

    def receipted(self, receipts: Sequence[ReceiptRecord]) -> None:
        """See `Transaction`. The same receipt once more is no error and writes nothing.

        Raises:
            ValueError: it is not for a message of ours, or that one has another receipt.
        """
        held = {
            ref: row[5] if row[4] is not None else None
            for ref, row in self._outcomes([r.ref for r in receipts]).items()
            if row[3] == Direction.OUT.value
        }
        new = []
        for one in receipts:
            if one.ref not in held:
                raise ValueError("a receipt for no message of ours")
            before = held[one.ref]
            if before is None:
                held[one.ref] = one.receipt
                new.append(one)
            elif before != one.receipt:
                raise ValueError("a message has another receipt already")
        self._write(
            self._sql.receipt_message,
            ((int(r.outcome), r.rule, r.received_at_ms, r.receipt, *r.ref) for r in new),
        )
        self._write(
            self._sql.add_pending,
            (_pending("receipt", r.ref, r.receipt, r.received_at_ms) for r in new),
        )

    def save_cases(self, cases: Sequence[CaseRecord]) -> None:
        """See `Transaction`."""
        last = self._add(self._sql.count, _CASE_CHANGES, len(cases))
        first = last - len(cases) + 1
        self._write(
            self._sql.save_case,
            (case_row(case, number) for number, case in enumerate(cases, first)),
        )

    def put_outbox(self, entries: Sequence[OutboxEntry]) -> None:
        """See `Transaction`."""
        self._write(self._sql.put_outbox, map(outbox_row, entries))

    def drop_outbox(self, draft_ids: Sequence[bytes]) -> None:
        """See `Transaction`."""
        self._write(self._sql.drop_outbox, ((draft_id,) for draft_id in draft_ids))

    def claim(
        self,
        partner: GatewayId,
        status: OutboxStatus,
        *,
        now_ms: int,
        leased_until_ms: int,
        limit: int,
    ) -> Sequence[OutboxEntry]:
        """See `Transaction`."""
        rows = self._rows(self._sql.claimable, partner, status.value, now_ms, now_ms, limit)
        entries = []
        for row in rows:
            entry = outbox_of(row, row[OUTBOX_COLUMNS])
            entries.append(
                entry._replace(attempts=entry.attempts + 1, leased_until_ms=leased_until_ms)
            )
        self._write(self._sql.lease, ((e.attempts, e.leased_until_ms, e.draft_id) for e in entries))
        return entries

    def release_leases(self) -> int:
        """See `Transaction`."""
        self._cursor.execute(self._sql.release.text, self._sql.release.tail)
        return self._cursor.rowcount

    def put_materials(self, materials: Sequence[Material]) -> None:
        """See `Transaction`."""
        self._write(self._sql.put_material, map(material_row, materials))

    def remember(self, answers: Sequence[Remembered]) -> None:
        """See `Transaction`.

        Raises:
            ValueError: an answer was given under such a key already.
        """
        self._write(
            self._sql.remember,
            ((a.unit, a.key, a.request_digest, a.recorded_at_ms, a.answer) for a in answers),
        )

    def put_evidence(self, documents: Sequence[Evidence]) -> None:
        """See `Transaction`."""
        self._write(self._sql.put_evidence, documents)

    def next_serial(self, scope: str, count: int = 1) -> int:
        """See `Transaction`."""
        return self._add(self._sql.next_serial, scope, count) - count + 1
