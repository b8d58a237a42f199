"""The adapters of partners that run platforms of their own, opened when first needed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from gateway.adapters.outlets.dialect import DialectOutlet
from gateway.adapters.pki.certificates import transport_pin
from gateway.app.assisted import read_attester
from gateway.app.core import Core, intake_of
from gateway.app.dialects.opening import Opened, Opening
from gateway.app.dialects.registry import DIALECTS
from gateway.app.mapping.loading import load_translation
from gateway.app.own_keys import door_tls
from gateway.app.problems import ConfigProblem
from gateway.app.settings import parse_host_port
from gateway.edge.admission import Rates
from gateway.edge.callbacks import Callbacks, make_callbacks
from gateway.edge.portal_http.server import PortalServer
from gateway.flow.attested_answers import AttestedAnswers
from gateway.flow.attesting import Attester
from gateway.flow.intake import Intake
from gateway.flow.late_answers import LateAnswers
from gateway.flow.receiving import Receiving
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.ports.callbacks import CallbackHandler
from gateway.ports.journal import JournalDown
from gateway.ports.outlet import Outlet
from gateway.ports.telemetry import EventLog
from gateway.ports.translation import Translation
from gateway.rules.trust import EXCHANGING, Partner


class Platforms:
    """Opens each partner's adapter once; a partner whose folder changed is opened anew."""

    def __init__(self, core: Core, receiving: Receiving, attested: AttestedAnswers) -> None:
        self._core = core
        self.attested = attested
        self.receiving = receiving
        self._held: dict[GatewayId, tuple[Partner, Opened, Translation]] = {}
        self._polls: dict[GatewayId, tuple[Partner, asyncio.Task[None]]] = {}

    def outlet(self, partner: Partner) -> Outlet:
        """Return the way out to a partner.

        Raises:
            ConfigProblem: its files cannot be used.
        """
        c = self._core
        opened, translation = self._ready(partner)
        return DialectOutlet(opened.dialect, translation, c.journal, c.vault)

    def opened(self, partner: Partner) -> Opened:
        """Return a partner's adapter, opened for its entry as it is.

        Raises:
            ConfigProblem: its files cannot be used.
        """
        return self._ready(partner)[0]

    def _ready(self, partner: Partner) -> tuple[Opened, Translation]:
        held = self._held.get(partner.gateway_id)
        if held is None or held[0] != partner:
            translation = _translation(partner)
            held = (partner, self._open(partner, translation), translation)
            self._held[partner.gateway_id] = held
        return held[1:]

    def _open(self, partner: Partner, translation: Translation) -> Opened:
        c, platform = self._core, partner.platform
        assert platform is not None, "a partner with a dialect has a platform"
        kind = DIALECTS[partner.outlet]
        opening = Opening(
            partner,
            Path(platform.folder),
            translation,
            self.receiving,
            c.seams.clock,
            c.entropy,
            c.log,
            c.config.demo,
        )
        return kind.open(kind.settings.model_validate(platform.settings), opening)

    def handler(self, gateway_id: GatewayId) -> CallbackHandler | None:
        """Return what answers a partner's callbacks; None if it has none over HTTP."""
        partner = self._core.directory.current().partners.get(gateway_id)
        if partner is None or partner.platform is None:
            return None
        try:
            return self.opened(partner).handler
        except ConfigProblem:
            return None  # told when its lane was opened

    def listen(self, stack: AsyncExitStack) -> None:
        """Begin to poll every active partner that is polled, and to resume what was left."""
        c = self._core
        stack.callback(self._rest)
        self.follow()
        c.committer.listen(self.receiving.notice)
        resuming = _resume(self.receiving, c.log)
        stack.callback(c.owner.start("arrivals", resuming).cancel)

    def follow(self) -> None:
        """Poll those partners that are active in the book as it is now, by their entries there.

        What is not active any more is let go of; its lane closes the adapter.

        Raises:
            ConfigProblem: a partner's files cannot be used.
        """
        partners = self._core.directory.current().partners.items()
        active = {g: p for g, p in partners if p.platform and p.state in EXCHANGING}
        for gateway_id in self._held.keys() - active.keys():
            del self._held[gateway_id]
        ended = {g: held for g, held in self._polls.items() if active.get(g) != held[0]}
        for gateway_id, (_, task) in ended.items():
            task.cancel()
            del self._polls[gateway_id]
        for gateway_id, partner in active.items():
            if gateway_id not in self._polls and (run := self.opened(partner).listen):
                before = [ended[gateway_id][1]] if gateway_id in ended else []
                task = self._core.owner.start(f"arrivals-{gateway_id}", _after(before, run))
                self._polls[gateway_id] = partner, task

    def _rest(self) -> None:
        for _, task in self._polls.values():
            task.cancel()


async def _after(
    before: Sequence[asyncio.Task[None]], run: Callable[[], Coroutine[object, object, None]]
) -> None:
    """Poll once the poller before has ended: no two look into one folder."""
    if before:
        await asyncio.wait(before)
    await run()


def open_platforms(core: Core, intake: Intake, attester: Attester) -> Platforms:
    """Return the adapters of a gateway's partners; none is opened yet."""
    clock = core.seams.clock
    attested = AttestedAnswers(attester, core.directory, clock)
    receiving = Receiving(
        core.committer,
        core.journal,
        core.vault,
        core.directory,
        intake,
        attester,
        LateAnswers(core.committer, core.journal, attested),
        translations_of(core),
        clock,
        core.entropy,
        core.log,
    )
    return Platforms(core, receiving, attested)


def receiving_beside(core: Core) -> Receiving | None:
    """Return what takes arrivals up again while no gateway runs; None without an adapter key.

    Raises:
        ConfigProblem: the key cannot be used, or a partner needs one and there is none.
    """
    attester = read_attester(core)
    if attester is None:
        return None
    return open_platforms(core, intake_of(core), attester).receiving


def translations_of(core: Core) -> Callable[[GatewayId], Translation]:
    """Return what finds a partner's translation, made once for each state of its folder."""
    made: dict[GatewayId, tuple[object, Translation]] = {}

    def find(gateway_id: GatewayId) -> Translation:
        partner = core.directory.current().partners.get(gateway_id)
        if partner is None or partner.platform is None:
            raise Fault(FaultCode.TRUST_PARTNER_NOT_ACTIVE, "no mapping")
        held = made.get(gateway_id)
        if held is None or held[0] != partner.platform:
            held = (partner.platform, _translation(partner))
            made[gateway_id] = held
        return held[1]

    return find


def _translation(partner: Partner) -> Translation:
    assert partner.platform is not None, "a partner with a dialect has a platform"
    return load_translation(Path(partner.platform.folder))


async def _resume(receiving: Receiving, log: EventLog) -> None:
    while True:
        try:
            await receiving.resume()
        except JournalDown as down:
            log.event("journal_down", error=str(down))
        except Exception as broken:  # noqa: BLE001 - any bug: told, and tried again
            log.event("arrivals_broke", error=type(broken).__name__)
        await receiving.pause()


async def open_callbacks(stack: AsyncExitStack, core: Core, platforms: Platforms | None) -> int:
    """Open the door that partners' platforms call back at; return its port, 0 without one.

    Raises:
        ConfigProblem: a partner has callbacks and there is no address for them, or the door's
            certificate cannot be used.
        OSError: the address cannot be had.
    """
    settings = core.config.callbacks
    address = parse_host_port(settings.listen or "")
    if platforms is None or address is None:
        _require_no_callbacks(core, platforms)
        return 0
    rates = Rates(core.seams.clock)
    house = Callbacks(platforms.handler, core.directory, _pin, core.log, rates)
    tls = door_tls("callbacks", settings.certificate, settings.key)
    server = PortalServer(
        make_callbacks(house), host=address.host, port=address.port, tls=tls, house=house
    )
    await server.start()
    stack.push_async_callback(server.stop)
    return server.port


def _pin(der: bytes) -> bytes:
    return transport_pin(ssl.DER_cert_to_PEM_cert(der).encode())


def _require_no_callbacks(core: Core, platforms: Platforms | None) -> None:
    partners = core.directory.current().partners.values() if platforms else ()
    for partner in partners:
        if platforms is not None and platforms.handler(partner.gateway_id) is not None:
            told = f"callbacks.listen: is needed, since partner {partner.gateway_id} calls back"
            raise ConfigProblem(core.config.partners_dir, [f"{told}; set it"])
