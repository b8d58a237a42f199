"""The HTTP application: every route, its scope and its handler."""

from __future__ import annotations

from aiohttp import web

from gateway.edge import health
from gateway.edge.portal_http import assisted as assisted_routes
from gateway.edge.portal_http import cases, deadlines, item_list, tasks
from gateway.edge.portal_http import joint as joint_routes
from gateway.edge.portal_http.admission import Bounds
from gateway.edge.portal_http.bodies import expect
from gateway.edge.portal_http.context import PORTAL, Portal, guarded
from gateway.edge.portal_http.problems import problems
from gateway.edge.portal_http.tokens import TokenChecker
from gateway.flow.assisted_desk import AssistedDesk
from gateway.flow.desk import ClockDesk, JointDesk, PortalDesk, TaskDesk
from gateway.flow.item_list import ItemListDesk
from gateway.ports.telemetry import EventLog

ROUTES = (
    *cases.ROUTES,
    *item_list.ROUTES,
    *tasks.ROUTES,
    *joint_routes.ROUTES,
    *deadlines.ROUTES,
    *assisted_routes.ROUTES,
)
"""(method, path, scope, handler) of every route that a token opens."""


def make_portal(
    *,
    desk: PortalDesk,
    task_desk: TaskDesk,
    item_lists: ItemListDesk,
    clock_desk: ClockDesk,
    tokens: TokenChecker,
    ready: health.Ready,
    log: EventLog,
    bounds: Bounds | None = None,
    assisted: AssistedDesk | None = None,
    joint: JointDesk | None = None,
) -> web.Application:
    """Make the application; `PortalServer` serves it.

    `ready` returns what keeps the gateway from its work; see `gateway.edge.health`.
    """
    portal = Portal(
        desk, task_desk, item_lists, clock_desk, tokens, log, bounds or Bounds(), assisted, joint
    )
    app = web.Application(middlewares=[problems(log, lambda: portal.stopping.begun)])
    app[PORTAL] = portal
    for method, path, scope, handler in ROUTES:
        app.router.add_route(method, path, guarded(scope, handler), expect_handler=expect)
    app.router.add_get("/healthz", health.healthz)
    app.router.add_get("/readyz", health.readyz(ready, lambda: portal.stopping.begun, log))
    return app
