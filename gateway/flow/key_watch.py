"""Tells, once for each threshold, that a key of ours or of a partner runs out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from gateway.kernel.identifiers import GatewayId
from gateway.ports.clock import Clock
from gateway.ports.directory import Directory
from gateway.ports.telemetry import EventLog
from gateway.rules.expiry import days_left, warning
from gateway.rules.trust import EXCHANGING, Partner

_LOOK_MS: Final = 3_600_000


class Watched(NamedTuple):
    """A key, and when it ends. One that another of its owner and suite outlives is not watched."""

    owner: GatewayId
    key: str
    suite: str
    not_after_ms: int


class KeyWatch:
    """Looks every hour. `transport` are our own certificates, which no entry has the end of."""

    def __init__(
        self, directory: Directory, transport: Sequence[Watched], clock: Clock, log: EventLog
    ) -> None:
        self._directory = directory
        self._transport = transport
        self._clock = clock
        self._log = log
        self._told: dict[tuple[str, str], int] = {}

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            self.look()
            await self._clock.sleep_ms(_LOOK_MS)

    def look(self) -> None:
        """Tell of each key that crossed a threshold since it was told of last."""
        now_ms = self._clock.now_ms()
        for key in self._watched():
            crossed = warning(key.not_after_ms, now_ms)
            if crossed < 0 or self._told.get((key.owner, key.key)) == crossed:
                continue
            self._told[key.owner, key.key] = crossed
            self._log.event(
                "key_expires",
                error="KeyExpires",
                partner=key.owner,
                key_id=key.key[:16],
                suite=key.suite,
                count=days_left(key.not_after_ms, now_ms),
            )

    def _watched(self) -> Iterator[Watched]:
        book = self._directory.current()
        yield from self._transport
        for partner in (book.home, *book.partners.values()):
            if partner.state in EXCHANGING:
                yield from _last_of_each_suite(partner)


def _last_of_each_suite(partner: Partner) -> Iterator[Watched]:
    for keys in (partner.keys, partner.adapter_keys):
        last: dict[str, Watched] = {}
        for key in keys.values():
            found = Watched(partner.gateway_id, key.key_id.hex(), key.suite, key.not_after_ms)
            held = last.get(key.suite)
            if held is None or held.not_after_ms < found.not_after_ms:
                last[key.suite] = found
        yield from last.values()
