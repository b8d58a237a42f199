"""The assisted desk put together, where a partner needs it."""

from __future__ import annotations

from contextlib import AsyncExitStack

from gateway.app.core import Core
from gateway.app.own_keys import read_adapter
from gateway.app.problems import ConfigProblem
from gateway.flow.assisted import Assistance
from gateway.flow.attesting import Attester
from gateway.flow.intake import Intake
from gateway.kernel.assisted import ADAPTER
from gateway.kernel.limits import ASSISTED_RESUME_MS
from gateway.ports.clock import Clock
from gateway.ports.journal import JournalDown
from gateway.ports.telemetry import EventLog
from gateway.rules.trust import PartnerState


def open_assisted(stack: AsyncExitStack, c: Core, intake: Intake) -> Assistance | None:
    """Return the desk, already taking in what a crash left behind; None without an adapter key.

    Raises:
        ConfigProblem: the key cannot be used, or a partner needs one and there is none.
    """
    book, clock = c.directory.current(), c.seams.clock
    signer = read_adapter(c.config, book.home, clock.now_ms())
    if signer is None:
        for gateway_id, partner in book.partners.items():
            if partner.outlet == ADAPTER and partner.state is PartnerState.ACTIVE:
                told = f"keys.adapter: is needed, since partner {gateway_id} is assisted; set it"
                raise ConfigProblem(c.config.partners_dir, [told])
        return None
    desk = Assistance(
        c.committer,
        c.journal,
        c.vault,
        c.directory,
        intake,
        Attester(signer),
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
