"""What a partner's own platform sent us, before it is a message (来件): how far it has come."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ArrivalStatus(StrEnum):
    """How far something that arrived has come."""

    RECEIVED = "received"  # 已接收: durable, the intake has not answered for good
    TAKEN_IN = "taken_in"  # 已收存
    REFUSED = "refused"  # 已拒收: by a rule, with an attested receipt
    QUARANTINED = "quarantined"  # 已隔离: cannot be read or mapped; an operator looks at it
    DROPPED = "dropped"  # 已弃置: by an operator, for good


class ArrivalEvent(StrEnum):
    """What can happen to it."""

    TAKE_IN = "take_in"
    REFUSE = "refuse"
    QUARANTINE = "quarantine"
    REPLAY = "replay"
    DROP = "drop"
    SUPERSEDE = "supersede"


OPEN: Final = frozenset({ArrivalStatus.RECEIVED, ArrivalStatus.QUARANTINED})
"""Nothing final was said of these; their raw bytes lie with them."""
