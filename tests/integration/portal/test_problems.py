from __future__ import annotations

import asyncio

import pytest

from gateway.edge.portal_http.problems import speaks_english
from gateway.kernel.faults import Fault, FaultCode

from .conftest import World
from .fakes import bearer


async def test_an_unexpected_exception_shows_nothing_of_itself(world: World) -> None:
    world.desk.raises = RuntimeError("张三示例 620902199001011234")
    async with world.client.get("/v1/items", headers=bearer()) as answer:
        text = await answer.text()
    assert answer.status == 500
    assert "gateway.internal" in text
    assert "张三" not in text and "RuntimeError" not in text and "Traceback" not in text
    ((name, fields),) = world.log.events
    assert (name, fields["route"], fields["error"]) == (
        "http_internal_error",
        "/v1/items",
        "RuntimeError",
    )
    assert "张三" not in str(world.log.events)


@pytest.mark.parametrize(
    ("method", "path", "rule"),
    [
        ("GET", "/nothing", "portal.not_found"),
        ("DELETE", "/v1/cases", "portal.method"),
        ("PUT", "/healthz", "portal.method"),
        ("PATCH", "/v1/items", "portal.method"),
    ],
)
async def test_what_is_not_served_is_a_problem_too(
    world: World, method: str, path: str, rule: str
) -> None:
    async with world.client.request(method, path) as answer:
        body = await answer.json(content_type="application/problem+json")
    assert body["rule"] == rule
    assert body["status"] == answer.status
    assert (answer.status == 405) == ("Allow" in answer.headers)


@pytest.mark.parametrize(
    "raw",
    [
        b"NOT HTTP\r\n\r\n",
        b"GET /v1/items HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX\x00Y: 1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_what_is_not_http_is_a_problem_and_ends_the_line(world: World, raw: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.server.port)
    writer.write(raw)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.0 400")
    assert b"application/problem+json" in answer
    assert b"portal.request_invalid" in answer


async def test_a_problem_says_when_to_come_again(world: World) -> None:
    world.desk.raises = Fault(FaultCode.DELIVERY_JOURNAL_DOWN, retry_after_ms=1_500)
    async with world.client.get("/v1/items", headers=bearer()) as answer:
        body = await answer.json(content_type="application/problem+json")
    assert (answer.status, answer.headers["Retry-After"], body["retry_after"]) == (503, "2", 2)
    assert body["type"] == "urn:kuayu:rule:delivery.journal_down"


async def test_a_problem_speaks_the_language_that_is_wanted(world: World) -> None:
    for wanted, got in (("en-GB,en;q=0.9", "en"), ("zh-CN", "zh-CN"), ("", "zh-CN")):
        async with world.client.get("/v1/items", headers={"Accept-Language": wanted}) as answer:
            body = await answer.json(content_type="application/problem+json")
        assert answer.headers["Content-Language"] == got
        assert body["title"] == body["title_en" if got == "en" else "title_zh"]
        assert body["title_zh"] != body["title_en"]


@pytest.mark.parametrize(
    ("header", "english"),
    [
        ("en", True),
        ("zh;q=0.5, en", True),
        ("en;q=0.5, zh", False),
        ("de, en;q=0.1", True),
        ("en;q=x", False),
        ("en;q=nan", False),
        ("en;q=9", False),
        ("*", False),
        ("fr", False),
        (",;,=", False),
    ],
)
def test_chinese_answers_doubt(header: str, english: bool) -> None:
    assert speaks_english(header) is english


async def test_a_gateway_that_is_not_ready_says_what_is_wrong(world: World) -> None:
    async with world.client.get("/readyz") as answer:
        assert answer.status == 200
    world.wrong.append("delivery.journal_down")
    async with world.client.get("/readyz") as answer:
        assert answer.status == 503
        assert (await answer.json())["problems"] == ["delivery.journal_down"]
    async with world.client.get("/healthz") as answer:
        assert answer.status == 200


async def test_a_probe_that_fails_is_not_ready(world: World) -> None:
    world.probe_raises = RuntimeError("disk /dev/sda")
    async with world.client.get("/readyz") as answer:
        assert answer.status == 503
        assert "sda" not in await answer.text()
