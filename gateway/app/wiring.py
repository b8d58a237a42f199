"""The composition root: which adapter keeps which promise. Doors close first, the disk last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from gateway.adapters.memory.directory import HeldDirectory
from gateway.adapters.pki.certificates import transport_pin
from gateway.app.assisted import open_assisted
from gateway.app.config import Config
from gateway.app.core import Core, Seams, open_core
from gateway.app.operations import Operations
from gateway.app.outlets import outlets_of
from gateway.app.own_keys import portal_tls
from gateway.app.problems import ConfigProblem
from gateway.app.tokens import refuse_example_portal_keys
from gateway.edge.operator_socket import OperatorSocket
from gateway.edge.partner_grpc import PartnerServer
from gateway.edge.portal_http.app import make_portal
from gateway.edge.portal_http.keys import JwksInvalid, KeyFile
from gateway.edge.portal_http.server import PortalServer
from gateway.edge.portal_http.tokens import TokenChecker
from gateway.flow.assisted import Assistance
from gateway.flow.deadlines import Deadlines
from gateway.flow.dispatch import Dispatcher
from gateway.flow.gathering import Gathering
from gateway.flow.handling import ChangeBell, Handling
from gateway.flow.housekeeping import Housekeeping
from gateway.flow.intake import Intake
from gateway.flow.item_list import ItemLists
from gateway.flow.joint import JointTasks
from gateway.flow.readiness import Readiness
from gateway.flow.submission import Submission
from gateway.flow.uploads import AttachmentIntake
from gateway.kernel.identifiers import GatewayId
from gateway.ports.telemetry import EventLog

__all__ = ["Running", "Seams", "run_gateway"]


@dataclass(frozen=True)
class Running:
    """A gateway that serves; the ports it listens on."""

    exchange_port: int
    portal_port: int
    directory: HeldDirectory


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
        _dispatch(stack, core)
        intake = Intake(
            core.committer,
            core.journal,
            core.vault,
            core.directory,
            core.authenticity,
            core.accords,
            core.seams.clock,
        )
        assisted = open_assisted(stack, core, intake)
        exchange = await _exchange(stack, core, intake)
        portal = await _portal(stack, core, assisted)
        door = OperatorSocket(config.operator.socket, Operations(core).perform, log)
        await door.start()
        stack.push_async_callback(door.stop)
        yield Running(exchange.port, portal.port, core.directory)


def _dispatch(stack: AsyncExitStack, c: Core) -> None:
    clock = c.seams.clock
    dispatcher = Dispatcher(
        c.committer, c.vault, c.directory, c.authenticity, clock, c.entropy, c.log, outlets_of(c)
    )
    stack.push_async_callback(dispatcher.close)
    dispatcher.start(c.owner)
    stack.push_async_callback(dispatcher.drain)


async def _exchange(stack: AsyncExitStack, c: Core, intake: Intake) -> PartnerServer:
    uploads = AttachmentIntake(c.vault, c.journal, c.directory, c.seams.clock)
    home = Housekeeping(c.vault, c.journal, c.directory, uploads, c.seams.clock, c.log)
    stack.callback(c.owner.start("housekeeping", home.run()).cancel)
    server = PartnerServer(Gathering(intake, c.owner), uploads, c.directory, c.log, transport_pin)
    trusted = {p.authorities for p in c.directory.current().partners.values()}
    await server.start(
        c.config.exchange.listen,
        key=c.tls.key,
        certificate_chain=c.tls.certificate,
        authorities=b"".join(sorted(trusted)) or c.tls.authorities,
    )
    stack.push_async_callback(server.stop)
    return server


async def _portal(stack: AsyncExitStack, c: Core, assisted: Assistance | None) -> PortalServer:
    clock, settings = c.seams.clock, c.config.portal
    bell = ChangeBell()
    c.committer.listen(bell.ring)
    algorithms = frozenset(settings.algorithms)
    try:
        keys = KeyFile(settings.jwks, algorithms, c.log)
    except JwksInvalid as problem:
        raise ConfigProblem(settings.jwks, [f"portal.jwks: {problem}"]) from problem
    refuse_example_portal_keys(settings.jwks, demo=c.config.demo)
    app = make_portal(
        desk=Submission(c.committer, c.journal, c.vault, c.directory, clock, c.entropy),
        item_lists=ItemLists(c.journal, GatewayId(c.config.gateway_id)),
        task_desk=Handling(c.committer, c.journal, c.vault, c.directory, bell),
        clock_desk=Deadlines(c.journal, c.directory, c.calendar, clock),
        assisted=assisted,
        joint=JointTasks(
            c.committer, c.journal, c.vault, c.directory, c.calendar, clock, c.entropy
        ),
        tokens=TokenChecker(
            keys,
            issuer=settings.issuer,
            audience=settings.audience,
            algorithms=algorithms,
            clock=clock,
        ),
        ready=Readiness(c.journal, clock, c.owner).problems,
        log=c.log,
    )
    portal = PortalServer(app, host=settings.host, port=settings.port, tls=portal_tls(c.config))
    await portal.start()
    stack.push_async_callback(portal.stop)
    stack.callback(bell.close)
    return portal
