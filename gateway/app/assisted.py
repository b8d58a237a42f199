"""The assisted desk put together, and the adapter key that it and every adapter attest with."""

from __future__ import annotations

from contextlib import AsyncExitStack

from gateway.app.core import Core
from gateway.app.own_keys import read_adapter
from gateway.app.problems import ConfigProblem
from gateway.flow.assisted import Assistance
from gateway.flow.attesting import Attester
from gateway.flow.intake import Intake
from gateway.kernel.limits import ASSISTED_RESUME_MS
from gateway.ports.clock import Clock
from gateway.ports.journal import JournalDown
from gateway.ports.telemetry import EventLog
from gateway.rules.arrivals import ATTESTED
from gateway.rules.trust import EXCHANGING


def read_attester(c: Core) -> Attester | None:
    """Return what attests for partners without keys; None without an adapter key.

    Raises:
        ConfigProblem: the key cannot be used, or a partner needs one and there is none.
    """
    book = c.directory.current()
    signer = read_adapter(c.config, book.home, c.seams.clock.now_ms())
    if signer is not None:
        return Attester(signer)
    for gateway_id, partner in book.partners.items():
        if partner.outlet in ATTESTED and partner.state in EXCHANGING:
            told = f"keys.adapter: is needed, since partner {gateway_id} does not sign; set it"
            raise ConfigProblem(c.config.partners_dir, [f"{told} (outlet {partner.outlet})"])
    return None


def open_assisted(stack: AsyncExitStack, c: Core, intake: Intake, attester: Attester) -> Assistance:
    """Return the desk, already taking in what a crash left behind."""
    clock = c.seams.clock
    desk = Assistance(
        c.committer,
        c.journal,
        c.vault,
        c.directory,
        intake,
        attester,
        clock,
        c.entropy,
        c.log,
    )
    resuming = c.owner.start("assisted", _resume(desk, clock, c.log))
    stack.callback(resuming.cancel)
    return desk


async def _resume(desk: Assistance, clock: Clock, log: EventLog) -> None:
    while True:
        try:
            await desk.resume()
        except JournalDown as down:
            log.event("journal_down", error=str(down))
        await clock.sleep_ms(ASSISTED_RESUME_MS)
