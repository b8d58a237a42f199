"""Deadlines (时限), for both sides: what is overdue, and with whom."""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from gateway.edge.portal_http.answers import json_answer
from gateway.edge.portal_http.context import ActorHandler, Portal
from gateway.edge.portal_http.parameters import page_size, query
from gateway.flow.desk import Actor


async def list_overdue(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`GET /v1/overdue?limit=&after=`; `Link: rel="next"` (RFC 8288) leads on."""
    given = query(request, ("limit", "after"))
    limit = page_size(given)
    views, cursor = await portal.clock_desk.overdue(actor, limit, given.get("after", ""))
    headers = {}
    if cursor:
        after_this = urlencode({"limit": limit, "after": cursor})
        headers["Link"] = f'</v1/overdue?{after_this}>; rel="next"'
    return json_answer({"overdue": list(views)}, headers=headers)


async def list_to_rectify(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`GET /v1/reviews?limit=`: bad reviews (差评) that wait for an answer of this office."""
    limit = page_size(query(request, ("limit",)))
    return json_answer({"to_rectify": list(await portal.clock_desk.to_rectify(actor, limit))})


ROUTES: tuple[tuple[str, str, str, ActorHandler], ...] = (
    ("GET", "/v1/overdue", "cases:read", list_overdue),
    ("GET", "/v1/reviews", "tasks:read", list_to_rectify),
)
"""(method, path, scope, handler)."""
