"""The applicant's side (申请地): items, cases, material."""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from gateway.edge.portal_http.answers import json_answer
from gateway.edge.portal_http.bodies import read_json, upload, upload_head
from gateway.edge.portal_http.context import ActorHandler, Portal
from gateway.edge.portal_http.item_list import region_in
from gateway.edge.portal_http.parameters import id_in_path, idempotency_key, page_size, query
from gateway.edge.portal_http.requests import (
    DeliveredBody,
    OpenCaseBody,
    SupplementBody,
    WithdrawBody,
    form_bytes,
    read_body,
)
from gateway.flow.desk import Actor, ItemsWish, SideAct
from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import parse_uuid7
from gateway.kernel.limits import HEADER_TEXT_CHARS_MAX, ITEMS_PAGE_MAX


async def items(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`GET /v1/items?query=&region=&limit=&cursor=`; `next`, if there is any, leads on."""
    given = query(request, ("query", "region", "limit", "cursor"))
    limit = page_size(given) if "limit" in given else ITEMS_PAGE_MAX
    wish = ItemsWish(given.get("query"), region_in(given), given.get("cursor", ""), limit)
    views, following = await portal.desk.items(actor, wish)
    if following is None:
        return json_answer({"items": list(views)})
    kept = urlencode({**given, "cursor": following})
    headers = {"Link": f'</v1/items?{kept}>; rel="next"'}
    return json_answer({"items": list(views), "next": following}, headers=headers)


async def open_case(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`POST /v1/cases`."""
    query(request, ())
    key = idempotency_key(request)
    body = read_body(OpenCaseBody, await read_json(request, portal.bounds))
    view = await portal.desk.open_case(actor, body.wish(), key)
    return json_answer(view, status=201, headers={"Location": f"/v1/cases/{view['case_id']}"})


async def list_cases(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`GET /v1/cases?limit=&before=`; `Link: rel="next"` (RFC 8288) leads on."""
    given = query(request, ("limit", "before"))
    limit = page_size(given)
    before = parse_uuid7(given["before"]) if "before" in given else b""
    if before is None:
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "before is not a case id")
    views = list(await portal.desk.cases(actor, limit, before))
    headers = {}
    if len(views) == limit:
        after_this = f"/v1/cases?limit={limit}&before={views[-1]['case_id']}"
        headers["Link"] = f'<{after_this}>; rel="next"'
    return json_answer({"cases": views}, headers=headers)


async def show_case(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`GET /v1/cases/{case_id}`."""
    query(request, ())
    case_id = id_in_path(request, "case_id")
    case = await portal.desk.case(actor, case_id)
    return json_answer({**case, "deadlines": await portal.clock_desk.clocks(actor, case_id)})


async def add_material(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`POST /v1/cases/{case_id}/materials?material=`: the file as it is, streamed."""
    case_id = id_in_path(request, "case_id")
    code = query(request, ("material",)).get("material", "")
    if not 0 < len(code) <= HEADER_TEXT_CHARS_MAX:
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "material: the code of a declared file")
    media_type, size = upload_head(request)
    chunks = upload(request, portal.bounds, media_type)
    view = await portal.desk.add_material(actor, case_id, code, media_type, size, chunks)
    return json_answer(view)


async def supplement(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`POST /v1/cases/{case_id}/supplement` (补正)."""
    case_id = id_in_path(request, "case_id")
    query(request, ())
    key = idempotency_key(request)
    body = read_body(SupplementBody, await read_json(request, portal.bounds))
    form = None if body.form is None else form_bytes(body.form)
    materials = tuple(m.declared() for m in body.materials)
    return json_answer(
        await portal.desk.supplement(
            actor, case_id, form, materials, key, verified_originals=body.verified_originals
        )
    )


async def withdraw(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`POST /v1/cases/{case_id}/withdraw` (撤回)."""
    case_id = id_in_path(request, "case_id")
    query(request, ())
    key = idempotency_key(request)
    body = read_body(WithdrawBody, await read_json(request, portal.bounds))
    return json_answer(await portal.desk.withdraw(actor, case_id, body.reason, key))


async def delivered(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`POST /v1/cases/{case_id}/delivered` (送达)."""
    case_id = id_in_path(request, "case_id")
    query(request, ())
    key = idempotency_key(request)
    body = read_body(DeliveredBody, await read_json(request, portal.bounds))
    return json_answer(await portal.desk.confirm_delivered(actor, case_id, body.method, key))


def _act(kind: Kind) -> ActorHandler:
    """Make the handler that says `kind`; the form of each kind is the flow's to judge."""

    async def handler(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
        case_id = id_in_path(request, "case_id")
        query(request, ())
        key = idempotency_key(request)
        document = await read_json(request, portal.bounds)
        if not isinstance(document, dict):
            wrong = (("", "not an object"),)
            raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "1 errors", errors=wrong)
        act = SideAct(kind, form_bytes(document))
        return json_answer(await portal.desk.act(actor, case_id, act, key))

    return handler


ACTS = {
    "request-materials": Kind.MATERIALS_REQUESTED,  # 一次性告知, if it is delegated
    "accept": Kind.ACCEPTED,  # 受理, likewise
    "not-accept": Kind.NOT_ACCEPTED,
    "archived": Kind.ARCHIVED,
    "reviews": Kind.REVIEWED,
}
"""Last part of the path to the kind of message that follows."""

ROUTES: tuple[tuple[str, str, str, ActorHandler], ...] = (
    ("GET", "/v1/items", "cases:read", items),
    ("POST", "/v1/cases", "cases:write", open_case),
    ("GET", "/v1/cases", "cases:read", list_cases),
    ("GET", "/v1/cases/{case_id}", "cases:read", show_case),
    ("POST", "/v1/cases/{case_id}/materials", "cases:write", add_material),
    ("POST", "/v1/cases/{case_id}/supplement", "cases:write", supplement),
    ("POST", "/v1/cases/{case_id}/withdraw", "cases:write", withdraw),
    ("POST", "/v1/cases/{case_id}/delivered", "cases:write", delivered),
    *(
        ("POST", f"/v1/cases/{{case_id}}/{name}", "cases:write", _act(kind))
        for name, kind in ACTS.items()
    ),
)
"""(method, path, scope, handler)."""
