"""Agreements in the SQL journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.adapters.sql.cursor import SqlReader, SqlWriter
from gateway.kernel.identifiers import GatewayId
from gateway.ports.journal_agreements import (
    DroppedAgreement,
    SettledNotice,
    StoredAct,
    StoredAgreement,
    StoredNotice,
)


def _act(row: Sequence[Any]) -> StoredAct:
    return StoredAct(row[0], GatewayId(row[1]), *row[2:])


def _agreement(row: Sequence[Any], acts: Sequence[StoredAct]) -> StoredAgreement:
    digest, proposer, counterpart, recorded_at_ms, content = row
    return StoredAgreement(
        digest, GatewayId(proposer), GatewayId(counterpart), recorded_at_ms, content, tuple(acts)
    )


class SqlAgreementSnapshot(SqlReader):
    """Implements `ports.journal_agreements.AgreementSnapshot`."""

    def agreements(self) -> Sequence[StoredAgreement]:
        """See `AgreementSnapshot`."""
        acts: dict[bytes, list[StoredAct]] = {}
        for act in map(_act, self._rows(self._sql.agreement_acts)):
            acts.setdefault(act.digest, []).append(act)
        return [_agreement(row, acts.get(row[0], ())) for row in self._rows(self._sql.agreements)]

    def agreement(self, digest: bytes) -> StoredAgreement | None:
        """See `AgreementSnapshot`."""
        row = self._row(self._sql.agreement, digest)
        return None if row is None else _agreement(row, self.agreement_acts(digest))

    def agreement_acts(self, digest: bytes) -> Sequence[StoredAct]:
        """See `AgreementSnapshot`."""
        return [_act(row) for row in self._rows(self._sql.acts_on, digest)]

    def agreements_proposed_by(self, counterpart: GatewayId) -> int:
        """See `AgreementSnapshot`."""
        row = self._row(self._sql.agreements_proposed_by, counterpart)
        assert row is not None
        count: int = row[0]
        return count

    def agreement_dropped(self, digest: bytes) -> DroppedAgreement | None:
        """See `AgreementSnapshot`."""
        row = self._row(self._sql.dropped, digest)
        return None if row is None else DroppedAgreement(*row)

    def notices(self) -> Sequence[StoredNotice]:
        """See `AgreementSnapshot`."""
        return [StoredNotice(r[0], GatewayId(r[1]), *r[2:]) for r in self._rows(self._sql.notices)]


class SqlAgreementTransaction(SqlAgreementSnapshot, SqlWriter):
    """Implements `ports.journal_agreements.AgreementTransaction`."""

    def put_agreement(self, agreement: StoredAgreement) -> None:
        """See `AgreementTransaction`."""
        self._write(self._sql.put_agreement, [agreement[:-1]])
        self._write(self._sql.forget_dropped, [(agreement.digest,)])

    def drop_agreement(self, dropped: DroppedAgreement) -> None:
        """See `AgreementTransaction`."""
        self._write(self._sql.drop_agreement, [(dropped.digest,)])
        self._write(self._sql.put_dropped, [dropped])

    def put_notice(self, notice: StoredNotice) -> None:
        """See `AgreementTransaction`."""
        self._write(self._sql.put_notice, [notice])

    def settle_notice(self, settled: SettledNotice) -> None:
        """See `AgreementTransaction`."""
        self._write(self._sql.settle_notice, [(*settled[1:], settled.draft_id)])

    def put_act(self, act: StoredAct) -> None:
        """See `AgreementTransaction`."""
        self._write(self._sql.put_act, [act])
