"""Partners without a system (人工协办): the work list, the sheet, what two people type back."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from pydantic import AwareDatetime, Field, StringConstraints

from gateway.edge.portal_http.answers import file_answer, json_answer
from gateway.edge.portal_http.bodies import parse_json, read_json_bytes, upload, upload_head
from gateway.edge.portal_http.context import ActorHandler, Portal
from gateway.edge.portal_http.parameters import (
    commitment_in_path,
    id_in_path,
    is_digest,
    page_size,
    query,
)
from gateway.edge.portal_http.requests import (
    BodyT,
    MediaType,
    Region,
    Sha256Hex,
    StrictBody,
    read_body,
)
from gateway.edge.portal_http.sheet import STYLE_SOURCE, render_sheet
from gateway.flow.assisted_desk import AssistedDesk, Confirmation, Handover, TypedFile, TypedOutcome
from gateway.flow.desk import Actor
from gateway.kernel.assisted import HandoverMethod
from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, parse_uuid7
from gateway.kernel.instants import from_datetime
from gateway.kernel.limits import (
    ASSISTED_FILES_MAX,
    ASSISTED_TEXT_CHARS_MAX,
    ATTACHMENT_BYTES_MAX,
)

_Line = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=ASSISTED_TEXT_CHARS_MAX, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]
_KINDS = {kind.name.lower(): kind for kind in Kind}


class HandedOverBody(StrictBody):
    """`POST /v1/assisted/work/{work_id}/handed-over`. `received_by` is a post, never a name.

    `answer` is `already_decided` where a withdrawal comes too late.
    """

    method: Annotated[HandoverMethod, Field(strict=False)]
    received_by: _Line
    at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    answer: Literal["taken_in", "already_decided"] = "taken_in"
    note: Annotated[str, StringConstraints(max_length=ASSISTED_TEXT_CHARS_MAX)] = ""


class FileBody(StrictBody):
    """A scan, as the upload answered it."""

    commitment: Sha256Hex
    media_type: MediaType
    size: Annotated[int, Field(gt=0, le=ATTACHMENT_BYTES_MAX)]

    def named(self) -> TypedFile:
        """Return it as the flow knows it."""
        return TypedFile(bytes.fromhex(self.commitment), self.media_type, self.size)


class OutcomeBody(StrictBody):
    """`POST /v1/assisted/work/{work_id}/outcome`."""

    region: Region
    case_number: _Line
    kind: _Line
    number: _Line
    content: dict[str, object]
    files: Annotated[list[FileBody], Field(default_factory=list, max_length=ASSISTED_FILES_MAX)]


class ConfirmBody(StrictBody):
    """`POST /v1/assisted/work/{work_id}/confirm`: the key fields, read once more."""

    fields: dict[_Line, Annotated[str, StringConstraints(max_length=2_000)]]
    files: Annotated[list[Sha256Hex], Field(default_factory=list, max_length=ASSISTED_FILES_MAX)]


def _desk(portal: Portal) -> AssistedDesk:
    if portal.assisted is None:
        raise Fault(FaultCode.PORTAL_NOT_FOUND, "no partner here is without a system")
    return portal.assisted


async def _read(request: web.Request, portal: Portal, model: type[BodyT]) -> tuple[BodyT, bytes]:
    raw = await read_json_bytes(request, portal.bounds)
    return read_body(model, parse_json(raw, portal.bounds)), raw


async def list_work(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`GET /v1/assisted/work?done=&limit=&after=`; `Link: rel="next"` leads on."""
    given = query(request, ("done", "limit", "after"))
    limit, done = page_size(given), given.get("done", "false")
    after = parse_uuid7(given["after"]) if "after" in given else b""
    if after is None or done not in ("true", "false"):
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "after: a work id; done: true or false")
    found = list(await _desk(portal).work(actor, done == "true", limit, after))
    headers = {}
    if len(found) == limit:
        on = f"/v1/assisted/work?done={done}&limit={limit}&after={found[-1]['work_id']}"
        headers["Link"] = f'<{on}>; rel="next"'
    return json_answer({"work": found}, headers=headers)


async def show_work(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`GET /v1/assisted/work/{work_id}`."""
    query(request, ())
    return json_answer(await _desk(portal).item(actor, id_in_path(request, "work_id")))


async def sheet(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`GET /v1/assisted/work/{work_id}/sheet`: one HTML page to print. Nothing in it runs."""
    query(request, ())
    view = await _desk(portal).sheet(actor, id_in_path(request, "work_id"))
    return web.Response(
        body=render_sheet(view).encode(),
        content_type="text/html",
        charset="utf-8",
        headers={
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": f"default-src 'none'; style-src {STYLE_SOURCE}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer",
        },
    )


async def material(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`GET /v1/assisted/work/{work_id}/materials/{commitment}`."""
    query(request, ())
    work_id = id_in_path(request, "work_id")
    commitment = commitment_in_path(request, "commitment")
    download = await _desk(portal).material(actor, work_id, commitment)
    return await file_answer(request, portal, download)


async def add_file(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`POST /v1/assisted/work/{work_id}/files?sha256=`: a scan as it is, streamed."""
    work_id = id_in_path(request, "work_id")
    sha256 = query(request, ("sha256",)).get("sha256", "")
    if not is_digest(sha256):
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "sha256: of the file, in lower-case hex")
    media_type, size = upload_head(request)
    chunks = upload(request, portal.bounds, media_type)
    view = await _desk(portal).add_file(
        actor, work_id, media_type, size, bytes.fromhex(sha256), chunks
    )
    return json_answer(view, status=201)


async def file(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`GET /v1/assisted/work/{work_id}/files/{commitment}`."""
    query(request, ())
    work_id = id_in_path(request, "work_id")
    commitment = commitment_in_path(request, "commitment")
    return await file_answer(request, portal, await _desk(portal).file(actor, work_id, commitment))


async def handed_over(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`POST /v1/assisted/work/{work_id}/handed-over`."""
    work_id = id_in_path(request, "work_id")
    query(request, ())
    body, raw = await _read(request, portal, HandedOverBody)
    at_ms = None if body.at is None else from_datetime(body.at)
    late = body.answer == "already_decided"
    told = Handover(body.method, body.received_by, at_ms, late, raw)
    return json_answer(await _desk(portal).handed_over(actor, work_id, told))


async def outcome(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`POST /v1/assisted/work/{work_id}/outcome`: what one person reads or hears."""
    work_id = id_in_path(request, "work_id")
    query(request, ())
    body, raw = await _read(request, portal, OutcomeBody)
    kind = _KINDS.get(body.kind)
    if kind is None:
        wrong = (("/kind", "is no kind of message"),)
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "1 errors", errors=wrong)
    region = GatewayId(body.region)
    files = [f.named() for f in body.files]
    typed = TypedOutcome(region, body.case_number, kind, body.number, body.content, files, raw)
    return json_answer(await _desk(portal).outcome(actor, work_id, typed))


async def confirm(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`POST /v1/assisted/work/{work_id}/confirm`: what another person reads."""
    work_id = id_in_path(request, "work_id")
    query(request, ())
    body, raw = await _read(request, portal, ConfirmBody)
    seen = [bytes.fromhex(commitment) for commitment in body.files]
    given = Confirmation(body.fields, seen, raw)
    return json_answer(await _desk(portal).confirm(actor, work_id, given))


_EITHER = "assisted:type assisted:confirm"
_ITEM = "/v1/assisted/work/{work_id}"
ROUTES: tuple[tuple[str, str, str, ActorHandler], ...] = (
    ("GET", "/v1/assisted/work", _EITHER, list_work),
    ("GET", _ITEM, _EITHER, show_work),
    ("GET", _ITEM + "/sheet", _EITHER, sheet),
    ("GET", _ITEM + "/materials/{commitment}", _EITHER, material),
    ("POST", _ITEM + "/files", "assisted:type", add_file),
    ("GET", _ITEM + "/files/{commitment}", _EITHER, file),
    ("POST", _ITEM + "/handed-over", "assisted:type", handed_over),
    ("POST", _ITEM + "/outcome", "assisted:type", outcome),
    ("POST", _ITEM + "/confirm", "assisted:confirm", confirm),
)
"""(method, path, scopes of which one is enough, handler)."""
