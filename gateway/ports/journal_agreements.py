"""Agreements of mutual recognition that came over the wire or were proposed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gateway.kernel.identifiers import GatewayId


class StoredAct(NamedTuple):
    """A party's verdict, verified before it was stored. `verdict` is a number of the wire."""

    digest: bytes
    party: GatewayId
    verdict: int
    recorded_at_ms: int
    signed: bytes
    """Encoded SignedAgreementAct, verbatim."""


class StoredAgreement(NamedTuple):
    """Content under its digest, and the verdicts on it by party, then verdict."""

    digest: bytes
    proposer: GatewayId
    counterpart: GatewayId
    recorded_at_ms: int
    content: bytes
    acts: tuple[StoredAct, ...] = ()


class AgreementSnapshot(Protocol):
    """Reads of agreements; part of `ports.journal.Snapshot`."""

    def agreements(self) -> Sequence[StoredAgreement]:
        """Return every agreement with its acts, in the order of recording."""
        ...

    def agreement(self, digest: bytes) -> StoredAgreement | None:
        """Return one agreement; None if its content is not here. Acts alone have no content."""
        ...

    def agreement_acts(self, digest: bytes) -> Sequence[StoredAct]:
        """Return the stored acts on an agreement, whether or not its content is stored."""
        ...

    def agreements_with(self, counterpart: GatewayId) -> int:
        """Return how many agreements with a partner are stored."""
        ...


class AgreementTransaction(AgreementSnapshot, Protocol):
    """Writes of agreements; part of `ports.journal.Transaction`."""

    def put_agreement(self, agreement: StoredAgreement) -> None:
        """Keep content under its digest; a known digest is no error and changes nothing.

        `agreement.acts` is *not* written: see `put_act`.
        """
        ...

    def put_act(self, act: StoredAct) -> None:
        """Keep a verdict; the same party's same verdict once more changes nothing."""
        ...
