"""The way out to one partner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from gateway.kernel.envelope import AttachmentRef, AttachmentState, NotTakenIn, ReceiptQuery


class Listed:
    """A person will carry the message; its receipt comes by another way. It is not sent again."""


class OutletDown(Exception):
    """No answer was had: the partner may or may not have what was sent.

    `reason` is for operators: a rule id or a transport status, never content.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Outlet(Protocol):
    """Carries bytes to a partner and its answers back; believes none of them.

    Each call MUST end within its timeout, by an answer or by `OutletDown`. An answer MUST have as
    many entries as the question, in the same order; anything else is `OutletDown`.
    """

    async def deliver(
        self, envelopes: Sequence[bytes], timeout_s: float
    ) -> Sequence[bytes | NotTakenIn | Listed]:
        """Deliver up to 256 encoded envelopes; return encoded signed receipts, unchecked."""
        ...

    async def query_receipts(
        self, queries: Sequence[ReceiptQuery], timeout_s: float
    ) -> Sequence[bytes | NotTakenIn | Listed]:
        """Ask after up to 256 messages; return encoded signed receipts, unchecked."""
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
