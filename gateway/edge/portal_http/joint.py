"""Joint cases (多地联办): the deciding side asks other regions, lists and takes back."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field, StringConstraints

from gateway.edge.portal_http.answers import json_answer
from gateway.edge.portal_http.bodies import read_json
from gateway.edge.portal_http.context import ActorHandler, Portal
from gateway.edge.portal_http.parameters import id_in_path, idempotency_key, query
from gateway.edge.portal_http.requests import (
    Reason,
    Region,
    ShortText,
    StrictBody,
    WithdrawBody,
    read_body,
)
from gateway.flow.desk import Actor, JointAsk, JointDesk
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import ATTACHMENTS_PER_MESSAGE_MAX
from gateway.rules.schema.words import POINTER

_Pointer = Annotated[str, StringConstraints(pattern=POINTER)]
_Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class AskedBody(StrictBody):
    """What is asked, in the words of a person."""

    zh: Reason
    en: Reason | None = None


class JointTaskBody(StrictBody):
    """`POST /v1/tasks/{task_id}/joint-tasks`."""

    region: Region
    asked: AskedBody
    due_on: _Day | None = None
    form_fields: Annotated[list[_Pointer], Field(max_length=100)] = Field(default_factory=list)
    materials: Annotated[list[ShortText], Field(max_length=ATTACHMENTS_PER_MESSAGE_MAX)] = Field(
        default_factory=list
    )

    def wish(self) -> JointAsk:
        """Return it as the flow knows it."""
        return JointAsk(
            GatewayId(self.region),
            self.asked.zh,
            self.asked.en or "",
            self.due_on or "",
            tuple(self.form_fields),
            tuple(self.materials),
        )


def _desk(portal: Portal) -> JointDesk:
    if portal.joint is None:
        raise Fault(FaultCode.PORTAL_NOT_FOUND)
    return portal.joint


async def ask(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`POST /v1/tasks/{task_id}/joint-tasks` (请协办)."""
    task_id = id_in_path(request, "task_id")
    query(request, ())
    key = idempotency_key(request)
    body = read_body(JointTaskBody, await read_json(request, portal.bounds))
    view = await _desk(portal).ask(actor, task_id, body.wish(), key)
    place = f"/v1/tasks/{request.match_info['task_id']}/joint-tasks"
    return json_answer(view, status=201, headers={"Location": place})


async def list_tasks(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`GET /v1/tasks/{task_id}/joint-tasks`."""
    query(request, ())
    views = await _desk(portal).tasks(actor, id_in_path(request, "task_id"))
    return json_answer({"joint_tasks": list(views)})


async def withdraw(request: web.Request, portal: Portal, actor: Actor) -> web.StreamResponse:
    """`POST /v1/tasks/{task_id}/joint-tasks/{joint_task_id}/withdraw`."""
    task_id, joint_id = id_in_path(request, "task_id"), id_in_path(request, "joint_task_id")
    query(request, ())
    key = idempotency_key(request)
    body = read_body(WithdrawBody, await read_json(request, portal.bounds))
    return json_answer(await _desk(portal).withdraw(actor, task_id, joint_id, body.reason, key))


_TASKS = "/v1/tasks/{task_id}/joint-tasks"
ROUTES: tuple[tuple[str, str, str, ActorHandler], ...] = (
    ("GET", _TASKS, "tasks:read", list_tasks),
    ("POST", _TASKS, "tasks:act", ask),
    ("POST", _TASKS + "/{joint_task_id}/withdraw", "tasks:act", withdraw),
)
"""(method, path, scope, handler)."""
