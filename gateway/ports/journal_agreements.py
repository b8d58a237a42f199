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


class DroppedAgreement(NamedTuple):
    """A proposal that an operator let go of. What was said of it stays."""

    digest: bytes
    operator: str
    dropped_at_ms: int


class StoredNotice(NamedTuple):
    """Our own verdict on its way to a partner, or what became of it there.

    `kind` is the message's; `outcome` is a number of the wire, 0 until the receipt has come;
    `rule` and texts are the partner's.
    """

    digest: bytes
    partner: GatewayId
    kind: int
    draft_id: bytes
    said_at_ms: int
    outcome: int = 0
    settled_at_ms: int = 0
    rule: str = ""
    text_zh: str = ""
    text_en: str = ""


class SettledNotice(NamedTuple):
    """What a partner's receipt says of the notice that `draft_id` names."""

    draft_id: bytes
    outcome: int
    settled_at_ms: int
    rule: str
    text_zh: str
    text_en: str


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

    def agreements_proposed_by(self, counterpart: GatewayId) -> int:
        """Return how many agreements are stored that a partner proposed."""
        ...

    def agreement_dropped(self, digest: bytes) -> DroppedAgreement | None:
        """Return who let go of a proposal and when; None if nobody did, or it came again."""
        ...

    def notices(self) -> Sequence[StoredNotice]:
        """Return what became of every verdict of ours, in the order of saying."""
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

    def drop_agreement(self, dropped: DroppedAgreement) -> None:
        """Let go of an agreement's content; its acts stay. `put_agreement` takes it back."""
        ...

    def put_notice(self, notice: StoredNotice) -> None:
        """Keep a notice, in place of an earlier one of the same kind to the same partner."""
        ...

    def settle_notice(self, settled: SettledNotice) -> None:
        """Keep what became of a notice; an unknown one is no error."""
        ...
