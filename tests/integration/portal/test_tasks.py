from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import ClientError

from gateway.edge.portal_http.tasks import ACTS
from gateway.kernel.envelope import Kind
from gateway.kernel.identifiers import uuid_text

from .conftest import World
from .fakes import COMMITMENT, FILE, OTHER_UNIT, TASK_ID, bearer, eventually

TASK = f"/v1/tasks/{uuid_text(TASK_ID)}"
FILE_PATH = f"{TASK}/materials/{COMMITMENT.hex()}"


async def test_a_task_of_another_unit_is_not_found(world: World) -> None:
    stranger = bearer(unit=OTHER_UNIT)
    for method, path in (("GET", TASK), ("GET", FILE_PATH), ("POST", f"{TASK}/accept")):
        async with world.client.request(method, path, headers=stranger) as answer:
            body = await answer.json(content_type="application/problem+json")
        assert (answer.status, body["rule"]) == (404, "portal.not_found")


async def test_an_act_on_a_stale_revision_is_refused(world: World) -> None:
    headers = {**bearer(), "If-Match": '"2"'}
    async with world.client.post(f"{TASK}/accept", json={}, headers=headers) as answer:
        body = await answer.json(content_type="application/problem+json")
    assert body["rule"] == "portal.stale"
    assert answer.status in (409, 412)
    assert world.task_desk.acts == []


@pytest.mark.parametrize("etag", ["3", 'W/"3"', '"x"', '"3", "4"', '"-1"'])
async def test_an_etag_that_is_not_ours_is_refused(world: World, etag: str) -> None:
    headers = {**bearer(), "If-Match": etag}
    async with world.client.post(f"{TASK}/accept", json={}, headers=headers) as answer:
        assert answer.status == 400
    assert world.task_desk.acts == []


@pytest.mark.parametrize("raw", [b"[]", b'"x"', b'{"a":1,"a":2}'])
async def test_an_act_whose_form_is_no_sound_object_is_refused(world: World, raw: bytes) -> None:
    headers = {**bearer(), "Content-Type": "application/json"}
    async with world.client.post(f"{TASK}/decide", data=raw, headers=headers) as answer:
        assert answer.status == 400
    assert world.task_desk.acts == []


@pytest.mark.parametrize("name", ACTS)
async def test_every_act_reaches_the_desk(world: World, name: str) -> None:
    headers = {**bearer(), "If-Match": '"3"', "Idempotency-Key": "k-1"}
    form = {"结果": "准予 㛃"}
    async with world.client.post(f"{TASK}/{name}", json=form, headers=headers) as answer:
        assert (answer.status, answer.headers["ETag"]) == (200, '"4"')
    ((act, revision, key),) = world.task_desk.acts
    assert (act.kind, json.loads(act.form), revision, key) == (ACTS[name], form, 3, "k-1")


async def test_an_act_may_come_without_a_body(world: World) -> None:
    async with world.client.post(f"{TASK}/acknowledge", headers=bearer()) as answer:
        assert answer.status == 200
    ((act, revision, key),) = world.task_desk.acts
    assert (act.form, revision, key) == (b"{}", None, None)


async def test_a_correction_that_names_no_decision_never_reaches_the_desk(world: World) -> None:
    path = f"{TASK}/correct"
    async with world.client.post(path, json={"result": "refused"}, headers=bearer()) as answer:
        body = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["rule"]) == (400, "portal.request_invalid")
    assert world.task_desk.acts == []
    form = {"result": "refused", "corrects": "ab" * 32}
    async with world.client.post(path, json=form, headers=bearer()) as answer:
        assert answer.status == 200
    ((act, _, _),) = world.task_desk.acts
    assert (act.kind, json.loads(act.form)) == (Kind.DECIDED, form)


async def test_an_unknown_act_is_not_found(world: World) -> None:
    async with world.client.post(f"{TASK}/approve", json={}, headers=bearer()) as answer:
        assert answer.status == 404


async def test_a_long_poll_is_answered_when_a_task_arrives(world: World) -> None:
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(_poll(world, "wait_s=15&limit=3"))
        await world.task_desk.waiting.wait()
        assert not poll.done()
        world.task_desk.arrived.set()
    body = poll.result()
    assert body == {"tasks": [{"task_id": uuid_text(TASK_ID), "limit": 3}], "cursor": 7}


async def test_a_poll_without_waiting_is_answered_at_once(world: World) -> None:
    assert await _poll(world, "after=5") == {"tasks": [], "cursor": 5}
    assert not world.task_desk.waiting.is_set()


async def test_a_client_that_goes_away_ends_its_long_poll(world: World) -> None:
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(_poll(world, "wait_s=20"))
        await world.task_desk.waiting.wait()
        poll.cancel()
    await eventually(lambda: world.task_desk.waits_ended)


@pytest.mark.parametrize("query", ["wait_s=-1", "wait_s=inf", "after=1.5", "limit=0"])
async def test_a_poll_that_is_not_understood_is_refused(world: World, query: str) -> None:
    async with world.client.get(f"/v1/tasks?{query}", headers=bearer()) as answer:
        assert answer.status == 400


async def _poll(world: World, query: str) -> object:
    async with world.client.get(f"/v1/tasks?{query}", headers=bearer()) as answer:
        assert answer.status == 200
        return await answer.json()


async def test_a_file_comes_whole_and_only_as_an_attachment(world: World) -> None:
    async with world.client.get(FILE_PATH, headers=bearer()) as answer:
        assert await answer.read() == FILE
    assert answer.headers["Content-Length"] == str(len(FILE))
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E8%90")


async def test_names_and_types_of_a_partner_cannot_write_headers(world: World) -> None:
    world.task_desk.name = 'a"; filename=b\r\nX-Evil: 1'
    world.task_desk.media_type = "text/html\r\nX-Evil: 1"
    async with world.client.get(FILE_PATH, headers=bearer()) as answer:
        await answer.read()
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert "X-Evil" not in answer.headers


async def test_a_file_that_breaks_off_is_never_taken_as_whole(world: World) -> None:
    world.task_desk.breaks_after = 200_000
    with pytest.raises(ClientError):
        async with world.client.get(FILE_PATH, headers=bearer()) as answer:
            await answer.read()
    assert world.log.names() == ["http_download_broken"]


async def test_a_file_shorter_than_it_says_is_never_taken_as_whole(world: World) -> None:
    world.task_desk.size += 1
    with pytest.raises(ClientError):
        async with world.client.get(FILE_PATH, headers=bearer()) as answer:
            await answer.read()
    assert world.log.names() == ["http_download_broken"]


async def test_an_absent_file_is_a_problem_not_a_broken_line(world: World) -> None:
    path = f"{TASK}/materials/{'0' * 64}"
    async with world.client.get(path, headers=bearer()) as answer:
        body = await answer.json(content_type="application/problem+json")
    assert body["rule"] == "attachment.absent"
    async with world.client.get(f"{TASK}/materials/xyz", headers=bearer()) as answer:
        assert answer.status == 404
