"""Agreements in the memory journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway.adapters.memory.undo import Table, UndoLog
from gateway.kernel.identifiers import GatewayId
from gateway.ports.journal_agreements import (
    DroppedAgreement,
    SettledNotice,
    StoredAct,
    StoredAgreement,
    StoredNotice,
)

if TYPE_CHECKING:
    from gateway.adapters.memory.state import State


class AgreementTables:
    """The tables."""

    def __init__(self, log: UndoLog) -> None:
        self.contents: Table[bytes, StoredAgreement] = Table(log)
        self.acts: Table[tuple[bytes, GatewayId, int], StoredAct] = Table(log)
        self.notices: Table[tuple[bytes, GatewayId, int], StoredNotice] = Table(log)
        self.dropped: Table[bytes, DroppedAgreement] = Table(log)


class MemoryAgreementSnapshot:
    """Implements `ports.journal_agreements.AgreementSnapshot`."""

    if TYPE_CHECKING:
        _state: State

    def agreements(self) -> Sequence[StoredAgreement]:
        """See `AgreementSnapshot`."""
        rows = self._state.agreements.contents.rows.values()
        return [self._whole(r) for r in sorted(rows, key=lambda r: (r.recorded_at_ms, r.digest))]

    def agreement(self, digest: bytes) -> StoredAgreement | None:
        """See `AgreementSnapshot`."""
        row = self._state.agreements.contents.rows.get(digest)
        return None if row is None else self._whole(row)

    def agreement_acts(self, digest: bytes) -> Sequence[StoredAct]:
        """See `AgreementSnapshot`."""
        found = [act for act in self._state.agreements.acts.rows.values() if act.digest == digest]
        return sorted(found, key=lambda a: (a.party, a.verdict))

    def agreements_proposed_by(self, counterpart: GatewayId) -> int:
        """See `AgreementSnapshot`."""
        rows = self._state.agreements.contents.rows.values()
        return sum(row.counterpart == counterpart == row.proposer for row in rows)

    def agreement_dropped(self, digest: bytes) -> DroppedAgreement | None:
        """See `AgreementSnapshot`."""
        return self._state.agreements.dropped.rows.get(digest)

    def notices(self) -> Sequence[StoredNotice]:
        """See `AgreementSnapshot`."""
        rows = self._state.agreements.notices.rows.values()
        return sorted(rows, key=lambda n: (n.said_at_ms, n.partner, n.kind))

    def _whole(self, row: StoredAgreement) -> StoredAgreement:
        return row._replace(acts=tuple(self.agreement_acts(row.digest)))


class MemoryAgreementTransaction(MemoryAgreementSnapshot):
    """Implements `ports.journal_agreements.AgreementTransaction`."""

    def put_agreement(self, agreement: StoredAgreement) -> None:
        """See `AgreementTransaction`."""
        if agreement.digest not in self._state.agreements.contents.rows:
            self._state.agreements.contents.put(agreement.digest, agreement._replace(acts=()))
        self._state.agreements.dropped.drop(agreement.digest)

    def drop_agreement(self, dropped: DroppedAgreement) -> None:
        """See `AgreementTransaction`."""
        self._state.agreements.contents.drop(dropped.digest)
        self._state.agreements.dropped.put(dropped.digest, dropped)

    def put_notice(self, notice: StoredNotice) -> None:
        """See `AgreementTransaction`."""
        self._state.agreements.notices.put((notice.digest, notice.partner, notice.kind), notice)

    def settle_notice(self, settled: SettledNotice) -> None:
        """See `AgreementTransaction`."""
        for key, notice in list(self._state.agreements.notices.rows.items()):
            if notice.draft_id == settled.draft_id:
                self._state.agreements.notices.put(key, notice._replace(**settled._asdict()))

    def put_act(self, act: StoredAct) -> None:
        """See `AgreementTransaction`."""
        key = (act.digest, act.party, act.verdict)
        if key not in self._state.agreements.acts.rows:
            self._state.agreements.acts.put(key, act)
