"""The way out to one partner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple, Protocol

from gateway.kernel.envelope import (
    AttachmentRef,
    AttachmentState,
    NotTakenIn,
    ReceiptQuery,
    Strength,
)
from gateway.kernel.faults import FaultCode


class Listed:
    """A person will carry the message; its receipt comes by another way. It is not sent again."""


class Answered(NamedTuple):
    """The partner's platform answered without a signature of a gateway: our adapter attests it."""

    raw: bytes
    """Its answer, verbatim."""
    strength: Strength
    """How far the answer is proven to be the partner's."""
    refused_by: FaultCode | None = None
    """The rule that its refusal stands for; None: it took the message over."""
    text: str = ""
    """What it said of a refusal, for people."""
    number: str = ""
    """The partner's own number of the case, if it gave one."""


class OutletDown(Exception):
    """No answer was had: the partner may or may not have what was sent.

    `reason` is for operators: a rule id or a transport status, never content.
    """

    def __init__(self, reason: str, retry_after_ms: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_ms = retry_after_ms
        """Set if the partner did answer: that it takes no more for so long."""


class Outlet(Protocol):
    """Carries bytes to a partner and its answers back; believes none of them.

    Each call MUST end within its timeout, by an answer or by `OutletDown`. An answer MUST have as
    many entries as the question, in the same order; anything else is `OutletDown`.
    """

    @property
    def batch_max(self) -> int:
        """How many messages one `deliver` takes: 1 to 256."""
        ...

    async def deliver(
        self, envelopes: Sequence[bytes], timeout_s: float
    ) -> Sequence[bytes | NotTakenIn | Listed | Answered]:
        """Deliver up to `batch_max` encoded envelopes; return signed receipts, unchecked."""
        ...

    async def query_receipts(
        self, queries: Sequence[ReceiptQuery], timeout_s: float
    ) -> Sequence[bytes | NotTakenIn | Listed | Answered]:
        """Ask after up to `batch_max` messages; return encoded signed receipts, unchecked."""
        ...

    async def attachment_status(self, ref: AttachmentRef, timeout_s: float) -> AttachmentState:
        """Ask how much of an attachment the partner holds.

        Raises:
            Fault: the partner named a rule.
        """
        ...

    async def upload(
        self, ref: AttachmentRef, offset: int, chunks: AsyncIterator[bytes], timeout_s: float
    ) -> AttachmentState:
        """Send an attachment from `offset` on.

        Raises:
            Fault: the partner named a rule.
        """
        ...

    async def close(self) -> None:
        """Let go of connections. Calls under way end with `OutletDown`."""
        ...
