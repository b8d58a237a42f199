"""Places for each partner: what one has under way here never takes another's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.rules.trust import Partner


class Places:
    """Counts what each partner has under way."""

    def __init__(self) -> None:
        self._taken: dict[tuple[GatewayId, str], int] = {}

    @contextmanager
    def taken(self, partner: Partner, kind: str) -> Iterator[None]:
        """Hold a place of `kind` (`calls` or `uploads`) while the block runs.

        Raises:
            Fault: `limit.rate`; the partner has as many under way as its entry allows.
        """
        most = partner.uploads_max if kind == "uploads" else partner.calls_max
        key = (partner.gateway_id, kind)
        held = self._taken.get(key, 0)
        if held >= most:
            raise Fault(FaultCode.LIMIT_RATE, f"{kind}_max is {most}")
        self._taken[key] = held + 1
        try:
            yield
        finally:
            self._taken[key] -= 1
