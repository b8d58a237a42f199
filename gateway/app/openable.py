"""Partners whose adapters cannot be opened are put aside, each for itself; nobody else waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from gateway.adapters.system.clock import SystemClock, SystemEntropy
from gateway.app.dialects.opening import Opened, Opening
from gateway.app.dialects.registry import DIALECTS
from gateway.app.mapping.loading import load_translation
from gateway.app.problems import ConfigProblem
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.ports.clock import Clock
from gateway.ports.directory import Book, BrokenPartner
from gateway.ports.reception import Arrival, Disposition, LateAnswer, Unreadable
from gateway.rules.arrivals import ATTESTED
from gateway.rules.trust import EXCHANGING, Partner

Open = Callable[[Partner], Opened]


def openable(book: Book, open_: Open | None, *, calls_back: bool) -> Book:
    """Put aside the partners that exchange messages and whose adapters cannot be opened here.

    `open_` is None where there is no adapter key; `calls_back`: whether there is a door for
    callbacks.
    """
    broken = list(book.broken)
    for gateway_id, partner in book.partners.items():
        exchanges = partner.state in EXCHANGING and gateway_id != book.home.gateway_id
        if exchanges and (problems := adapter_problems(partner, open_, calls_back=calls_back)):
            folder = book.folders.get(gateway_id, gateway_id)
            broken.append(BrokenPartner(folder, gateway_id, tuple(problems)))
    aside: set[GatewayId | str] = {b.gateway_id for b in broken}
    partners = {g: p for g, p in book.partners.items() if g not in aside}
    catalogue = {key: item for key, item in book.catalogue.items() if key[0] not in aside}
    return replace(book, partners=partners, catalogue=catalogue, broken=tuple(broken))


def adapter_problems(partner: Partner, open_: Open | None, *, calls_back: bool) -> list[str]:
    """Return why a partner's adapter cannot be opened; none for partners that sign."""
    if partner.outlet not in ATTESTED:
        return []
    if open_ is None:
        return ["keys.adapter: is needed, since it does not sign; set it, then restart"]
    if partner.platform is None:
        return []
    try:
        opened = open_(partner)
    except ConfigProblem as problem:
        return [f"{problem.path}: {line}" for line in problem.messages]
    if opened.handler is not None and not calls_back:
        return ["callbacks.listen: is needed, since it calls back; set it, then restart"]
    return []


def open_beside(
    partner: Partner, *, demo: bool, folder: Path | None = None, clock: Clock | None = None
) -> Opened:
    """Open a partner's adapter beside a gateway or without one; nothing is received by it.

    `folder` is where its files are read, the partner's own if none; `clock` the machine's if none.

    Raises:
        ConfigProblem: they cannot be used.
    """
    assert partner.platform is not None, "a partner with a dialect has a platform"
    kind, own = DIALECTS[partner.outlet], Path(partner.platform.folder)
    ports = (_Nobody(), clock or SystemClock(), SystemEntropy(), _Silent())
    opening = Opening(partner, folder or own, load_translation(own), *ports, demo)
    return kind.open(kind.settings.model_validate(partner.platform.settings), opening)


class _Nobody:
    """Implements `Reception`: nothing is received; it stays where it lies."""

    async def receive(self, arrival: Arrival) -> Disposition:
        raise Fault(FaultCode.TRUST_PARTNER_NOT_ACTIVE)

    async def answered(self, answer: LateAnswer) -> bool:
        raise Fault(FaultCode.TRUST_PARTNER_NOT_ACTIVE)

    async def parked(self, partner: GatewayId) -> Sequence[bytes]:
        return ()

    async def keep_unreadable(self, unreadable: Unreadable) -> Disposition:
        raise Fault(FaultCode.TRUST_PARTNER_NOT_ACTIVE)


class _Silent:
    """Implements `EventLog`: who opens it says what there is to say."""

    def event(self, name: str, /, **fields: str | int | float) -> None:
        pass
