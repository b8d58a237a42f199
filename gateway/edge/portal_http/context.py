"""What every handler needs, and who a request speaks for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from gateway.edge.portal_http.admission import Bounds, Connection, Stopping
from gateway.edge.portal_http.problems import Handler
from gateway.edge.portal_http.tokens import TokenChecker
from gateway.flow.assisted_desk import AssistedDesk
from gateway.flow.desk import Actor, ClockDesk, JointDesk, PortalDesk, TaskDesk
from gateway.flow.item_list import ItemListDesk
from gateway.kernel.faults import Fault, FaultCode
from gateway.ports.telemetry import EventLog


@dataclass(slots=True)
class Portal:
    """The desks, and what stands before them."""

    desk: PortalDesk
    task_desk: TaskDesk
    item_lists: ItemListDesk
    clock_desk: ClockDesk
    tokens: TokenChecker
    log: EventLog
    bounds: Bounds
    assisted: AssistedDesk | None = None
    """None: no partner of this gateway is without a system."""
    joint: JointDesk | None = None
    """None: this gateway asks no one to take part in its cases."""
    stopping: Stopping = field(default_factory=Stopping)


PORTAL = web.AppKey("portal", Portal)

ActorHandler = Callable[[web.Request, Portal, Actor], Awaitable[web.StreamResponse]]


def guarded(scope: str, handler: ActorHandler) -> Handler:
    """Let a request through to `handler` if its token is good and has `scope`.

    Of several, with spaces between, one is enough.

    Nothing of the body is read before.
    """

    async def guard(request: web.Request) -> web.StreamResponse:
        portal = request.app[PORTAL]
        if portal.stopping.begun:
            raise Fault(FaultCode.DELIVERY_STOPPING)
        actor = portal.tokens.check(bearer(request))
        if actor.scopes.isdisjoint(scope.split()):
            raise Fault(FaultCode.PORTAL_SCOPE_MISSING, scope)
        return await handler(request, portal, actor)

    return guard


def bearer(request: web.Request) -> str:
    """Return the bearer token of a request; a token in a query or a body is never looked for.

    Raises:
        Fault: `portal.token_missing`; `portal.token_invalid` if the header comes twice.
    """
    values = request.headers.getall("Authorization", [])
    if not values:
        raise Fault(FaultCode.PORTAL_TOKEN_MISSING)
    if len(values) > 1:
        raise Fault(FaultCode.PORTAL_TOKEN_INVALID, "more than one Authorization header")
    scheme, _, token = values[0].partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Fault(FaultCode.PORTAL_TOKEN_MISSING)
    return token.strip()


def line_of(request: web.Request) -> Connection:
    """Return the connection a request came by."""
    line = request.protocol
    assert isinstance(line, Connection), "served by PortalServer only"
    return line
