"""The portals' door put together: its desks, its tokens, its certificate."""

from __future__ import annotations

from contextlib import AsyncExitStack

from gateway.app.core import Core
from gateway.app.own_keys import door_tls
from gateway.app.problems import ConfigProblem
from gateway.app.tokens import refuse_example_portal_keys
from gateway.edge.portal_http.app import make_portal
from gateway.edge.portal_http.keys import JwksInvalid, KeyFile
from gateway.edge.portal_http.server import PortalServer
from gateway.edge.portal_http.tokens import TokenChecker
from gateway.flow.assisted import Assistance
from gateway.flow.deadlines import Deadlines
from gateway.flow.handling import ChangeBell, Handling
from gateway.flow.item_list import ItemLists
from gateway.flow.joint import JointTasks
from gateway.flow.readiness import Readiness
from gateway.flow.submission import Submission
from gateway.kernel.identifiers import GatewayId


async def open_portal(stack: AsyncExitStack, c: Core, assisted: Assistance | None) -> PortalServer:
    """Serve portals and business systems.

    Raises:
        ConfigProblem: key set or certificate cannot be used.
        OSError: the address cannot be had.
    """
    clock, settings = c.seams.clock, c.config.portal
    bell = ChangeBell()
    c.committer.listen(bell.ring)
    algorithms = frozenset(settings.algorithms)
    try:
        keys = KeyFile(settings.jwks, algorithms, c.log)
    except JwksInvalid as problem:
        raise ConfigProblem(settings.jwks, [f"portal.jwks: {problem}"]) from problem
    refuse_example_portal_keys(settings.jwks, demo=c.config.demo)
    core = (c.committer, c.journal, c.vault, c.directory)
    app = make_portal(
        desk=Submission(*core, clock, c.entropy),
        item_lists=ItemLists(c.journal, GatewayId(c.config.gateway_id)),
        task_desk=Handling(*core, bell),
        clock_desk=Deadlines(c.journal, c.directory, c.calendar, clock),
        assisted=assisted,
        joint=JointTasks(*core, c.calendar, clock, c.entropy),
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
    tls = door_tls("portal", settings.certificate, settings.key)
    portal = PortalServer(app, host=settings.host, port=settings.port, tls=tls)
    await portal.start()
    stack.push_async_callback(portal.stop)
    stack.callback(bell.close)
    return portal
