"""Takes away attachments that no message can name any more: of cases never submitted, or refused.

What our own portals gave us is theirs, however long a case is being gathered: the journal knows it,
and only uploads that were never completed go. What was copied for a joint task that was then not
given goes too.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.flow.uploads import AttachmentIntake
from gateway.kernel.faults import Fault
from gateway.kernel.identifiers import CaseKey, GatewayId
from gateway.kernel.limits import (
    CASES_LOOKED_UP_MAX,
    HOUSEKEEPING_MS,
    MESSAGE_LIFE_MS_MAX,
    SKEW_MS_MAX,
)
from gateway.ports.clock import Clock
from gateway.ports.directory import Directory
from gateway.ports.journal import Journal, JournalDown
from gateway.ports.telemetry import EventLog
from gateway.ports.vault import Usage, Vault, VaultScope


class Housekeeping:
    """Sweeps the vault every `HOUSEKEEPING_MS`.

    A case may be submitted between the look into the journal and the removal. Its message then
    asked for its files a moment ago (`Vault.held`), and what was used is not swept; one that asks
    after the removal is not taken in, and its sender uploads again.
    """

    def __init__(
        self,
        vault: Vault,
        journal: Journal,
        directory: Directory,
        uploads: AttachmentIntake,
        clock: Clock,
        log: EventLog,
    ) -> None:
        self._vault = vault
        self._journal = journal
        self._directory = directory
        self._uploads = uploads
        self._clock = clock
        self._log = log

    async def run(self) -> None:
        """Go on until cancelled; trouble of journal or disk is told and waited out."""
        while True:
            try:
                await self.turn()
            except Fault as fault:
                self._log.event("housekeeping_waits", rule=fault.code.value)
            except JournalDown as down:
                self._log.event("housekeeping_waits", error=type(down).__name__)
            await self._clock.sleep_ms(HOUSEKEEPING_MS)

    async def turn(self) -> None:
        """Sweep what every partner's cases have lain idle for too long.

        Raises:
            Fault: the vault cannot be had now. What was swept before stays swept.
            JournalDown: the journal cannot be read now.
        """
        for partner in sorted(await self._vault.partners()):
            await self._sweep(partner)

    async def _sweep(self, partner: GatewayId) -> None:
        before_ms = self._clock.now_ms() - MESSAGE_LIFE_MS_MAX - SKEW_MS_MAX
        idle = await self._vault.idle(partner, before_ms)
        keys, cases, swept = sorted(idle), 0, Usage(0, 0)
        for start in range(0, len(keys), CASES_LOOKED_UP_MAX):
            batch = keys[start : start + CASES_LOOKED_UP_MAX]
            kept = await self._kept(batch)
            for key in batch:
                scope, gone = VaultScope(partner, key), Usage(0, 0)
                if key not in kept:
                    gone = await self._vault.sweep(scope, before_ms)
                elif idle[key]:
                    gone = await self._vault.sweep_parts(scope, before_ms)
                cases += gone.files > 0
                swept = Usage(swept.files + gone.files, swept.size + gone.size)
        if swept.files:
            self._uploads.recount(partner)
            self._log.event(
                "vault_swept", partner=partner, cases=cases, files=swept.files, bytes=swept.size
            )

    async def _kept(self, keys: Sequence[CaseKey]) -> set[CaseKey]:
        """Return the cases whose whole files stay: those that the journal knows."""
        return set(await self._journal.read(lambda s: s.cases(keys)))
