"""The composition root: which adapter keeps which promise. Doors close first, the disk last."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from gateway.adapters.memory.directory import HeldDirectory
from gateway.adapters.pki.certificates import transport_pin
from gateway.app.assisted import open_assisted, read_attester
from gateway.app.config import Config
from gateway.app.core import Core, Seams, intake_of, open_core, tell_broken
from gateway.app.openable import openable
from gateway.app.operations import Operations
from gateway.app.outlets import outlets_of
from gateway.app.own_keys import own_transport
from gateway.app.platforms import Platforms, open_callbacks, open_platforms
from gateway.app.portal_door import open_portal
from gateway.app.reloading import PartnerReload
from gateway.edge.client_trust import authorities_of
from gateway.edge.operator_socket import OperatorSocket
from gateway.edge.partner_grpc import PartnerServer
from gateway.flow.collecting import Collector
from gateway.flow.dispatch import Dispatcher
from gateway.flow.downloads import Downloads
from gateway.flow.gathering import Gathering
from gateway.flow.housekeeping import Housekeeping
from gateway.flow.intake import Intake
from gateway.flow.key_watch import KeyWatch
from gateway.flow.lane_watch import LaneWatch
from gateway.flow.list_keeper import ListKeeper
from gateway.flow.uploads import AttachmentIntake
from gateway.ports.telemetry import EventLog

__all__ = ["Running", "Seams", "run_gateway"]


@dataclass(frozen=True)
class Running:
    """A gateway that serves; the ports it listens on."""

    exchange_port: int
    portal_port: int
    directory: HeldDirectory
    callbacks_port: int = 0
    """0: no partner calls back here."""
    reload: Callable[[], None] = lambda: None
    """Has the partners' files read again; told in the log."""


@asynccontextmanager
async def run_gateway(
    config: Config, log: EventLog, seams: Seams | None = None
) -> AsyncIterator[Running]:
    """Serve until the block is left; then stop so that nothing is lost.

    Raises:
        ConfigProblem: directory, keys or certificates cannot be used.
        JournalDown: the journal cannot be opened.
        OSError: an address cannot be had.
    """
    async with AsyncExitStack() as stack:
        core = await open_core(stack, config, log, seams or Seams())
        intake = intake_of(core)
        attester = read_attester(core)
        platforms = open_platforms(core, intake, attester) if attester else None
        await _put_aside(core, platforms)
        assisted = open_assisted(stack, core, intake, attester) if attester else None
        dispatcher = _dispatch(stack, core, platforms)
        _keep_lists(stack, core)
        if platforms is not None:
            platforms.listen(stack)
        exchange = await _exchange(stack, core, intake)
        callbacks = await open_callbacks(stack, core, platforms)
        portal = await open_portal(stack, core, assisted)
        reloading = PartnerReload(core, dispatcher, platforms, calls_back=callbacks != 0)
        receiving = platforms.receiving if platforms else None
        acts = Operations(core, receiving, reloading, dispatcher.lane_of)
        door = OperatorSocket(config.operator.socket, acts.perform, acts.consume, log)
        await door.start()
        stack.push_async_callback(door.stop)
        yield Running(exchange.port, portal.port, core.directory, callbacks, reloading.soon)


async def _put_aside(c: Core, platforms: Platforms | None) -> None:
    """Begin without the partners whose adapters cannot be opened; the log tells of each."""
    book = c.directory.current()
    calls_back = c.config.callbacks.listen is not None
    kept = openable(book, platforms.opened if platforms else None, calls_back=calls_back)
    if kept.broken != book.broken:
        await c.accords.found(kept)
        tell_broken(kept, c.log)


def _dispatch(stack: AsyncExitStack, c: Core, platforms: Platforms | None) -> Dispatcher:
    clock = c.seams.clock
    dispatcher = Dispatcher(
        c.committer,
        c.vault,
        c.directory,
        c.authenticity,
        clock,
        c.entropy,
        c.log,
        outlets_of(c, platforms),
        platforms.attested if platforms else None,
    )
    stack.push_async_callback(dispatcher.close)
    dispatcher.start(c.owner)
    stack.push_async_callback(dispatcher.drain)
    return dispatcher


def _keep_lists(stack: AsyncExitStack, c: Core) -> None:
    keeper = ListKeeper(c.committer, c.journal, c.directory, c.seams.clock, c.log, c.press)
    stack.callback(c.owner.start("item-lists", keeper.run()).cancel)


async def _exchange(stack: AsyncExitStack, c: Core, intake: Intake) -> PartnerServer:
    watch = KeyWatch(c.directory, [own_transport(c.config)], c.seams.clock, c.log)
    stack.callback(c.owner.start("key-watch", watch.run()).cancel)
    lanes = LaneWatch(c.journal, c.directory, c.seams.clock, c.log)
    stack.callback(c.owner.start("lane-watch", lanes.run()).cancel)
    uploads = AttachmentIntake(c.vault, c.journal, c.directory, c.seams.clock)
    home = Housekeeping(c.vault, c.journal, c.directory, uploads, c.seams.clock, c.log)
    stack.callback(c.owner.start("housekeeping", home.run()).cancel)
    clock = c.seams.clock
    server = PartnerServer(
        Gathering(intake, c.owner),
        uploads,
        Collector(c.committer, c.journal, c.directory, c.authenticity, clock, c.log),
        Downloads(c.committer, c.journal, c.vault, c.directory, clock),
        c.directory,
        c.log,
        transport_pin,
        clock,
    )
    await server.start(
        c.config.exchange.listen,
        key=c.tls.key,
        certificate_chain=c.tls.certificate,
        authorities=authorities_of(c.directory, c.tls.authorities),
    )
    stack.push_async_callback(server.stop)
    return server
