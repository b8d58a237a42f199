"""The deciding side (办理地), or the participating one (协办地): tasks for a business system."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from gateway.edge.portal_http.answers import file_answer, json_answer
from gateway.edge.portal_http.bodies import read_json
from gateway.edge.portal_http.context import ActorHandler, Portal, line_of
from gateway.edge.portal_http.parameters import (
    commitment_in_path,
    id_in_path,
    idempotency_key,
    page_size,
    query,
    revision,
    whole_number,
)
from gateway.edge.portal_http.requests import form_bytes
from gateway.flow.desk import Actor, TaskAct, View
from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault, FaultCode


async def list_tasks(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`GET /v1/tasks?after=&wait_s=&limit=`; waits for tasks at most `LONG_POLL_S_MAX`."""
    given = query(request, ("after", "wait_s", "limit"))
    after, limit = whole_number(given, "after", 0), page_size(given)
    wait_s = min(float(whole_number(given, "wait_s", 0)), portal.bounds.long_poll_s_max)
    tasks, cursor = await _poll(request, portal, actor, after, wait_s, limit)
    return json_answer({"tasks": list(tasks), "cursor": cursor})


async def _poll(
    request: web.Request, portal: Portal, actor: Actor, after: int, wait_s: float, limit: int
) -> tuple[Sequence[View], int]:
    """Wait for tasks; when the server stops or the client is gone, take what there is at once."""
    if wait_s > 0:
        try:
            async with portal.stopping.ends(line_of(request)):
                return await portal.task_desk.tasks(actor, after, wait_s, limit)
        except TimeoutError:
            pass
    return await portal.task_desk.tasks(actor, after, 0.0, limit)


async def show_task(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`GET /v1/tasks/{task_id}`."""
    query(request, ())
    return json_answer(await portal.task_desk.task(actor, id_in_path(request, "task_id")))


async def material(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`GET /v1/tasks/{task_id}/materials/{commitment}`."""
    query(request, ())
    task_id = id_in_path(request, "task_id")
    commitment = commitment_in_path(request, "commitment")
    download = await portal.task_desk.material(actor, task_id, commitment)
    return await file_answer(request, portal, download)


def _act(kind: Kind, must_have: str = "") -> ActorHandler:
    """Make the handler that does `kind`; its body has the member `must_have`, if one is named.

    The request's body is the form of the message's body.

    Only its being a sound JSON object is checked here; the form of each kind is the flow's.
    """

    async def handler(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
        task_id = id_in_path(request, "task_id")
        query(request, ())
        key, at = idempotency_key(request), revision(request)
        document = await read_json(request, portal.bounds, may_be_empty=True)
        if not isinstance(document, dict):
            raise Fault(
                FaultCode.PORTAL_REQUEST_INVALID, "1 errors", errors=(("", "not an object"),)
            )
        if must_have and must_have not in document:
            missing = (f"/{must_have}", "is required")
            raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "1 errors", errors=(missing,))
        act = TaskAct(kind, form_bytes(document))
        return json_answer(await portal.task_desk.act(actor, task_id, act, at, key))

    return handler


ACTS = {
    "acknowledge": Kind.ACKNOWLEDGED,
    "request-materials": Kind.MATERIALS_REQUESTED,
    "accept": Kind.ACCEPTED,
    "not-accept": Kind.NOT_ACCEPTED,
    "suspend": Kind.CLOCK_SUSPENDED,
    "resume": Kind.CLOCK_RESUMED,
    "decide": Kind.DECIDED,
    "deliver": Kind.DELIVERED,
    "archived": Kind.ARCHIVED,
    "answer-review": Kind.REVIEWED,  # 整改反馈
    "answer": Kind.JOINT_ANSWER,  # 协办答复, where our unit participates
}
"""Last part of the path to the kind of message that follows."""

ROUTES: tuple[tuple[str, str, str, ActorHandler], ...] = (
    ("GET", "/v1/tasks", "tasks:read", list_tasks),
    ("GET", "/v1/tasks/{task_id}", "tasks:read", show_task),
    ("GET", "/v1/tasks/{task_id}/materials/{commitment}", "tasks:read", material),
    ("POST", "/v1/tasks/{task_id}/correct", "tasks:act", _act(Kind.DECIDED, "corrects")),
    *(
        ("POST", f"/v1/tasks/{{task_id}}/{name}", "tasks:act", _act(kind))
        for name, kind in ACTS.items()
    ),
)
"""(method, path, scope, handler)."""
