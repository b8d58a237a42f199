"""The item list (事项清单): browsing and searching it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from gateway.edge.portal_http.answers import json_answer
from gateway.edge.portal_http.context import ActorHandler, Portal
from gateway.edge.portal_http.parameters import page_size, query, whole_number
from gateway.flow.desk import Actor, View
from gateway.flow.item_list import Since
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, is_gateway_id
from gateway.kernel.instants import CHINA_STANDARD_TIME, from_datetime

_PATH: Final = "/v1/item-list"
_CODE: Final = re.compile(r"[0-9A-Z]{0,40}\Z")


async def item_list(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`GET /v1/item-list?q=&region=&limit=&cursor=`; `Link: rel="next"` (RFC 8288) leads on.

    With `q`, the rows of `region`, or of every region, that have every word of it; without, a
    region's rows by code, this gateway's own if none is named. `cursor` is the `next` of the page
    before, under the same query.
    """
    given = query(request, ("q", "region", "limit", "cursor"))
    limit = page_size(given)
    region = region_in(given)
    if "q" in given:
        after = whole_number(given, "cursor", 0)
        views, last = await portal.item_lists.search(actor, given["q"], region, after, limit)
        following = str(last)
    else:
        code = given.get("cursor", "")
        if _CODE.match(code) is None:
            raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "cursor is not a code of the list")
        views = await portal.item_lists.page(actor, region, code, limit)
        following = str(views[-1]["code"]) if views else ""
    answer: View = {"items": list(views), "next": following if len(views) == limit else None}
    headers = {}
    if len(views) == limit:
        kept = {**given, "limit": str(limit), "cursor": following}
        headers["Link"] = f'<{_PATH}?{urlencode(kept)}>; rel="next"'
    return json_answer(answer, headers=headers)


async def editions(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`GET /v1/item-list/editions?region=`: what changed a region's list and when, latest first."""
    given = query(request, ("region",))
    found = await portal.item_lists.editions(actor, region_in(given))
    return json_answer({"editions": list(found)})


async def changes(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`GET /v1/item-list/changes?since_edition=|since=&region=&limit=&cursor=`, by code.

    What is otherwise now than in the edition of that number (0: before the first), or than at the
    end of that day in China. A page may hold fewer than `limit`, even none, and have a `next`.
    """
    given = query(request, ("region", "since", "since_edition", "limit", "cursor"))
    limit, region, since = page_size(given), region_in(given), _since(given)
    code = given.get("cursor", "")
    if _CODE.match(code) is None:
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "cursor is not a code of the list")
    views, following = await portal.item_lists.changes(actor, region, since, code, limit)
    headers = {}
    if following is not None:
        kept = {**given, "limit": str(limit), "cursor": following}
        headers["Link"] = f'<{_PATH}/changes?{urlencode(kept)}>; rel="next"'
    return json_answer({"changes": list(views), "next": following}, headers=headers)


def _since(given: dict[str, str]) -> Since:
    """Return what the list is compared with.

    Raises:
        Fault: `portal.request_invalid`: neither or both are given, or it is no day.
    """
    if ("since" in given) == ("since_edition" in given):
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "give since or since_edition")
    if "since_edition" in given:
        return Since(whole_number(given, "since_edition", 0))
    try:
        day = datetime.strptime(given["since"], "%Y-%m-%d").replace(tzinfo=CHINA_STANDARD_TIME)
        return Since(None, from_datetime(day + timedelta(days=1)) - 1)
    except (ValueError, OverflowError):
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "since is a day as 2021-05-27") from None


def region_in(given: dict[str, str]) -> GatewayId | None:
    """Return the parameter `region`, or None.

    Raises:
        Fault: `portal.request_invalid`: it is no region's code.
    """
    region = given.get("region")
    if region is not None and not is_gateway_id(region):
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "region is not a code of six digits")
    return None if region is None else GatewayId(region)


ROUTES: tuple[tuple[str, str, str, ActorHandler], ...] = (
    ("GET", _PATH, "cases:read", item_list),
    ("GET", f"{_PATH}/editions", "cases:read", editions),
    ("GET", f"{_PATH}/changes", "cases:read", changes),
)
"""(method, path, scope, handler)."""
