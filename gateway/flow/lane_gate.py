"""Whether a partner may be called now: its breaker, with the clock, and told in the log."""

from __future__ import annotations

from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import LANE_POLL_S
from gateway.ports.clock import Clock, Entropy
from gateway.ports.outlet import OutletDown
from gateway.ports.telemetry import EventLog
from gateway.rules.containment import (
    Begin,
    Breaker,
    BreakerEvent,
    Busy,
    Closed,
    Down,
    Heard,
    Idle,
    Nudged,
    Open,
    Probing,
    step,
    wait_ms,
)
from gateway.rules.delivery import retry_delay_ms


class LaneGate:
    """Lets a lane's runners through, or holds them up. Remembers nothing beyond this process."""

    def __init__(self, partner: GatewayId, clock: Clock, entropy: Entropy, log: EventLog) -> None:
        self._partner = partner
        self._clock = clock
        self._entropy = entropy
        self._log = log
        self.breaker: Breaker = Closed()

    def admitted(self, most: int) -> int:
        """Return how many messages a runner may send: `most`, one as a probe, or none.

        Who is let through MUST call `ended` after its round.
        """
        before = self.breaker
        self._hear(Begin(self._clock.monotonic_ms()))
        if isinstance(before, Open) and isinstance(self.breaker, Probing):
            return 1
        return most if self.free() else 0

    def free(self) -> bool:
        """Tell whether whole batches may be sent."""
        return isinstance(self.breaker, Closed) and not self.wait_ms()

    def wait_ms(self) -> int:
        """Return how long nobody is let through."""
        return wait_ms(self.breaker, self._clock.monotonic_ms())

    @property
    def downs(self) -> int:
        """How many calls failed, one after another."""
        return self.breaker.downs

    def rest_s(self) -> float:
        """Return how long a runner rests before it looks again."""
        return min(self.wait_ms() / 1000 or LANE_POLL_S, LANE_POLL_S)

    def ended(self, sent: int) -> None:
        """Tell that a round is over that was let through with `sent` messages."""
        if sent == 1:
            self._hear(Idle(self._clock.monotonic_ms()))

    def heard(self, *, garbled: bool = False) -> None:
        """Tell that a call was answered; `garbled` if nothing of the answer could be believed."""
        self._hear(self._down() if garbled else Heard())

    def failed(self, down: OutletDown) -> None:
        """Tell that a call had no answer, or that the partner asked for time."""
        if down.retry_after_ms:
            self._log.event("lane_held", partner=self._partner, rule=down.reason)
            self._hear(Busy(self._clock.monotonic_ms(), down.retry_after_ms))
        else:
            self._log.event("lane_down", partner=self._partner, error=down.reason)
            self._hear(self._down())

    def nudge(self) -> None:
        """Let through at once: somebody says that the partner is back."""
        self._hear(Nudged(self._clock.monotonic_ms()))

    def delay_ms(self, failures: int) -> int:
        """Return how long to wait after so many failures, with jitter."""
        return retry_delay_ms(failures, self._entropy.token(1)[0])

    def _down(self) -> Down:
        return Down(self._clock.monotonic_ms(), self.delay_ms(self.breaker.downs + 1))

    def _hear(self, event: BreakerEvent) -> None:
        before, self.breaker = self.breaker, step(self.breaker, event)
        if isinstance(self.breaker, Open) and isinstance(before, Closed):
            self._log.event("breaker_opened", error="Down", partner=self._partner)
        elif isinstance(self.breaker, Closed) and not isinstance(before, Closed):
            self._log.event("breaker_closed", partner=self._partner)
