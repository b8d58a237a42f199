"""Where adapters hand over what a partner's own platform sent (来件)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gateway.kernel.arrivals import ArrivalStatus
from gateway.kernel.envelope import Strength
from gateway.kernel.faults import Fault
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.trees import Tree


class Arrival(NamedTuple):
    """Something a partner's platform sent: proven as far as `strength` says, and parsed."""

    partner: GatewayId
    operation: str
    """The partner's own name of what was called, of the table or of the kind of file."""
    raw: bytes
    """Verbatim, as received: the body, the row as JSON, the file."""
    document: Tree
    strength: Strength
    nonce: str = ""
    """Used once by this partner until `nonce_until_ms`; empty: its convention has none."""
    nonce_until_ms: int = 0
    source: str = ""
    """File name or row id, for operators; never personal data."""


class Unreadable(NamedTuple):
    """Something an authenticated partner sent that its adapter cannot read."""

    partner: GatewayId
    operation: str
    raw: bytes
    strength: Strength
    fault: Fault
    source: str = ""
    nonce: str = ""
    nonce_until_ms: int = 0


class LateAnswer(NamedTuple):
    """A partner's answer to a message of ours that came by itself: a result file, a flag."""

    partner: GatewayId
    message_id: bytes
    """Ours, as `Dialect.send` was given it."""
    raw: bytes
    document: Tree
    strength: Strength


class Disposition(NamedTuple):
    """What became of it. Texts are for the partner, in Chinese and English."""

    status: ArrivalStatus
    rule: str = ""
    """Why it was refused or quarantined, or waits."""
    text_zh: str = ""
    text_en: str = ""
    retry: bool = False
    """The same may be sent again and meet another answer."""
    message_id: bytes = b""
    arrival_id: bytes = b""
    number: str = ""
    """Our own number of the case (办件编号), where we gave one."""

    @property
    def taken_in(self) -> bool:
        """Whether it counts."""
        return self.status is ArrivalStatus.TAKEN_IN


class Reception(Protocol):
    """Takes over arrivals.

    What it answers for is durable before it returns. The same arrival again gets the same
    disposition, and has no second effect; so does one that comes after a crash.
    """

    async def receive(self, arrival: Arrival) -> Disposition:
        """Have an arrival judged.

        Raises:
            Fault: nothing was stored: `partner.nonce_replayed`, `trust.partner_not_active`,
                `limit.quota`, `delivery.journal_down` and the like.
        """
        ...

    async def answered(self, answer: LateAnswer) -> bool:
        """Settle a message of ours that lay ready for the partner (`Listed`), by its answer.

        Returns whether it was waiting: an answer to what is settled, or unknown, changes nothing.

        Raises:
            Fault: nothing was stored: `mapping.*` if the answer says neither yes nor no,
                `delivery.journal_down` and the like.
        """
        ...

    async def parked(self, partner: GatewayId) -> Sequence[bytes]:
        """Return our messages that lie ready for a partner and have no answer, oldest first.

        At most `PARKED_MAX` ids.
        """
        ...

    async def keep_unreadable(self, unreadable: Unreadable) -> Disposition:
        """Quarantine what cannot be read, under its bytes.

        Raises:
            Fault: nothing was stored, as above.
        """
        ...
