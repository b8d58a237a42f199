"""Health and reflection, and methods that nobody serves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from gateway.edge import partner_grpc
from gateway.kernel.limits import GUEST_CALLS_MAX
from gateway.wire import calls
from gateway.wire.rpc_status import DETAILS_KEY
from tests.support.peer import Refusal

from .outcomes import call_refused, is_chinese, still_serves
from .worlds import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_status_of_a_refused_call_says_rule_texts_and_whether_to_try_again(
    world: World,
) -> None:
    made: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = world.jiuquan.line.channel.unary_unary(
        f"/{calls.SERVICE}/Deliver"
    )
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await made(b"\xff", timeout=10)
    trailers = dict(told.value.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailers[DETAILS_KEY])
    assert status.code == told.value.code().value[0]
    assert status.message == told.value.details()
    (packed,) = status.details
    info = error_details_pb2.ErrorInfo()
    assert packed.Unpack(info)
    assert (info.reason, info.domain) == ("wire.unparseable", "kuayu.v1")
    assert info.metadata.keys() == {"text_zh", "text_en", "retry", "retry_after_ms"}
    assert (info.metadata["retry"], info.metadata["retry_after_ms"]) == ("false", "0")
    assert is_chinese(info.metadata["text_zh"])
    assert not is_chinese(info.metadata["text_en"])


HEALTH = "/grpc.health.v1.Health/Check"
WATCH = "/grpc.health.v1.Health/Watch"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


@pytest.mark.parametrize("method", ["Deliver2", "", "../Deliver"])
async def test_a_method_nobody_serves_is_told_so(world: World, method: str) -> None:
    said = await call_refused(world.jiuquan, method, b"")
    assert said == Refusal(grpc.StatusCode.UNIMPLEMENTED, None)
    await still_serves(world)


async def check(world: World, service: str) -> health_pb2.HealthCheckResponse:
    made: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = world.jiuquan.line.channel.unary_unary(
        HEALTH
    )
    asked = health_pb2.HealthCheckRequest(service=service).SerializeToString()
    answer = await made(asked, timeout=10)
    return health_pb2.HealthCheckResponse.FromString(answer)


@pytest.mark.parametrize("service", [calls.SERVICE, ""])
async def test_the_health_service_says_that_the_exchange_serves(world: World, service: str) -> None:
    assert (await check(world, service)).status == health_pb2.HealthCheckResponse.SERVING


async def test_the_health_service_knows_no_other_service(world: World) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as said:
        await check(world, "kuayu.v1.Other")
    assert said.value.code() is grpc.StatusCode.NOT_FOUND


_METHODS = (
    *(b"Deliver", b"QueryReceipts", b"Collect"),
    *(b"UploadAttachment", b"AttachmentStatus", b"FetchAttachment"),
)


async def reflect(world: World, **asked: str) -> reflection_pb2.ServerReflectionResponse:
    made: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = (
        world.jiuquan.line.channel.stream_stream(REFLECTION)
    )
    call = made(timeout=10)
    await call.write(reflection_pb2.ServerReflectionRequest(**asked).SerializeToString())
    answer = await call.read()
    await call.done_writing()
    assert isinstance(answer, bytes)
    return reflection_pb2.ServerReflectionResponse.FromString(answer)


async def test_the_reflection_service_lists_what_is_served(world: World) -> None:
    answer = await reflect(world, list_services="*")
    names = {service.name for service in answer.list_services_response.service}
    assert {calls.SERVICE, "grpc.health.v1.Health"} <= names


async def test_the_reflection_service_describes_the_exchange(world: World) -> None:
    answer = await reflect(world, file_containing_symbol=calls.SERVICE)
    described = b"".join(answer.file_descriptor_response.file_descriptor_proto)
    for method in _METHODS:
        assert method in described


async def test_calls_that_anyone_may_make_never_take_the_partners_places(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partner_grpc, "GUEST_CALL_S", 1.0)
    never = asyncio.Event()

    async def silent() -> AsyncIterator[bytes]:
        await never.wait()
        yield b""

    channel = world.zhangye.line.channel
    ask: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(HEALTH)
    waiting = [ask(silent()) for _ in range(GUEST_CALLS_MAX + 4)]
    looks: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(WATCH)
    watch = looks(b"")
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await anext(aiter(watch))
    assert told.value.code() is grpc.StatusCode.UNIMPLEMENTED
    await still_serves(world)
    ended = []
    for call in waiting:
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await call
        ended.append(told.value.code())
    never.set()
    assert ended.count(grpc.StatusCode.RESOURCE_EXHAUSTED) == 4
    assert ended.count(grpc.StatusCode.DEADLINE_EXCEEDED) == GUEST_CALLS_MAX
