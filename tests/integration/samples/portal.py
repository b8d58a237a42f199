"""Rules a portal or business system meets, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping

from gateway.app.tokens import issue_token
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import uuid_text
from gateway.kernel.limits import HTTP_JSON_BYTES_MAX
from tests.integration.exchange.worlds import World
from tests.integration.samples.sample import Ask, LiveSample, said_of

HOUR_S = 3_600


async def task_of(world: World) -> str:
    """Have Jiuquan submit a case and return the path of its task."""
    sealed = world.jiuquan.submission()
    assert await said_of(world, sealed) == ""
    return f"/v1/tasks/{uuid_text(sealed.header.case_id)}"


async def said(
    world: World,
    method: str,
    path: str,
    *,
    token: str | None = "",
    headers: Mapping[str, str] | None = None,
    data: bytes | None = None,
) -> str:
    """Make a request and return the rule of its problem; `token` None sends none."""
    sent = dict(headers or {})
    if token is not None:
        sent["Authorization"] = f"Bearer {token or world.node.token()}"
    async with world.node.http.request(
        method, world.node.url + path, headers=sent, data=data
    ) as response:
        raw = await response.read()
        if response.status < 400:
            return ""
        assert response.content_type == "application/problem+json"
        return str(json.loads(raw)["rule"])


def lists(token: str | None = "") -> Ask:
    return lambda world: said(world, "GET", "/v1/tasks", token=token)


def lists_with_age(age_s: int) -> Ask:
    async def ask(world: World) -> str:
        token = issue_token(
            world.node.config,
            unit=world.node.site.identity.unit,
            subject="staff-7",
            scopes=("tasks:read",),
            now_s=world.clock.now_ms() // 1_000 - age_s,
            life_s=HOUR_S,
        )
        return await said(world, "GET", "/v1/tasks", token=token)

    return ask


def lists_with_scope(scope: str) -> Ask:
    async def ask(world: World) -> str:
        return await said(world, "GET", "/v1/tasks", token=world.node.token(scopes=(scope,)))

    return ask


def looks_as(unit: str | None) -> Ask:
    async def ask(world: World) -> str:
        return await said(world, "GET", await task_of(world), token=world.node.token(unit))

    return ask


def acknowledges(
    data: bytes = b"{}", method: str = "POST", media_type: str = "application/json"
) -> Ask:
    async def ask(world: World) -> str:
        path = await task_of(world) + "/acknowledge"
        return await said(world, method, path, headers={"Content-Type": media_type}, data=data)

    return ask


def acknowledges_at(revision: int) -> Ask:
    async def ask(world: World) -> str:
        path = await task_of(world)
        headers = {"Content-Type": "application/json", "If-Match": f'"{revision}"'}
        return await said(world, "POST", path + "/acknowledge", headers=headers, data=b"{}")

    return ask


def acknowledges_twice(second: bytes) -> Ask:
    async def ask(world: World) -> str:
        path = await task_of(world) + "/acknowledge"
        headers = {"Content-Type": "application/json", "Idempotency-Key": path[-48:]}
        first = b'{"handling_number": "1"}'
        assert await said(world, "POST", path, headers=headers, data=first) == ""
        return await said(world, "POST", path, headers=headers, data=second)

    return ask


SAMPLES: dict[F, LiveSample] = {
    F.PORTAL_TOKEN_MISSING: LiveSample(lists(), lists(None)),
    F.PORTAL_TOKEN_INVALID: LiveSample(lists(), lists("not.a.token")),
    F.PORTAL_TOKEN_EXPIRED: LiveSample(lists_with_age(0), lists_with_age(2 * HOUR_S)),
    F.PORTAL_SCOPE_MISSING: LiveSample(
        lists_with_scope("tasks:read"), lists_with_scope("cases:read")
    ),
    F.PORTAL_NOT_FOUND: LiveSample(looks_as(None), looks_as("11620900MB00000000")),
    F.PORTAL_REQUEST_INVALID: LiveSample(acknowledges(), acknowledges(b"[]")),
    F.PORTAL_METHOD: LiveSample(acknowledges(), acknowledges(method="PUT")),
    F.PORTAL_MEDIA_TYPE: LiveSample(acknowledges(), acknowledges(media_type="text/plain")),
    F.PORTAL_TOO_LARGE: LiveSample(
        acknowledges(), acknowledges(b"{}" + b" " * HTTP_JSON_BYTES_MAX)
    ),
    F.PORTAL_IDEMPOTENCY_REUSED: LiveSample(
        acknowledges_twice(b'{"handling_number": "1"}'),
        acknowledges_twice(b'{"handling_number": "2"}'),
    ),
    F.PORTAL_STALE: LiveSample(acknowledges_at(1), acknowledges_at(0)),
}
