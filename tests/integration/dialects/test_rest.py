"""JSON over TLS under each signing scheme: hostile answers and calls first."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.adapters.outlets.dialect import DialectAnswer
from gateway.adapters.outlets.https import HttpsAccess, HttpsLine, client_tls
from gateway.adapters.outlets.rest.dialect import Held, Renewing, Rest, RestLink, Secrets
from gateway.adapters.outlets.rest.inbound import RestCallbacks, RestPoll
from gateway.adapters.outlets.rest.schemes.gjzwfwpt import Gjzwfwpt
from gateway.adapters.outlets.rest.schemes.scheme import Call
from gateway.adapters.outlets.rest.settings import (
    JpaasSettings,
    PollSettings,
    Renewal,
    RestSettings,
)
from gateway.adapters.system.clock import SystemEntropy
from gateway.kernel.envelope import Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.trees import Tree
from gateway.ports.callbacks import CallbackAnswer, CallbackRequest
from gateway.ports.outlet import OutletDown
from tests.fakes.clock import FixedClock
from tests.fakes.telemetry import HeardEvents
from tests.simulators.http_platform import HttpPlatform, http_platform
from tests.simulators.reception import HeldReception, said_tree
from tests.simulators.tls import Authority, make_authority, server_tls
from tests.unit.adapters.rest.test_schemes import NOW_MS, SCHEMES

BAOSHAN = GatewayId("310113")
NUMBER = "019e0000-0000-7000-8000-000000000001"
DOCUMENT: Tree = {"sblsh": "KY-1", "xm": "示例㛃𬭊 <&>"}
OK = {"code": 200, "msg": "成功", "data": {"slbh": "BS-1"}}


class Interface:
    """Our side of a REST partner, and what it answers."""

    def __init__(
        self, authority: Authority, platform: HttpPlatform, name: str = "gjzwfwpt"
    ) -> None:
        self.platform = platform
        self.scheme = SCHEMES[name][0]()
        jpaas = JpaasSettings(app_id="a")
        self.settings = RestSettings(
            url=platform.url, path="/api/{operation}", scheme="jpaas", jpaas=jpaas
        )
        self.clock = FixedClock(NOW_MS)
        self.access = HttpsAccess(platform.url, client_tls(authority.pem), timeout_s=2.0)
        self.reception = HeldReception()
        self.log = HeardEvents()
        self.wire(self.access)

    def wire(self, access: HttpsAccess, secrets: Secrets | None = None) -> None:
        self.link = RestLink(self.settings, HttpsLine(access), self.clock, SystemEntropy())
        self.dialect = Rest(self.settings, self.link, secrets or Held(self.scheme))

    def answers(self, *made: Callable[[], web.Response]) -> None:
        waiting = list(made)

        async def answer(_: web.Request) -> web.StreamResponse:
            return waiting.pop(0)()

        self.platform.answer = answer

    async def push(self) -> DialectAnswer:
        answer = await self.dialect.send("pushCase", DOCUMENT, NUMBER, 5.0)
        assert isinstance(answer, DialectAnswer)
        return answer

    @property
    def callbacks(self) -> RestCallbacks:
        return RestCallbacks(
            BAOSHAN,
            self.scheme,
            "https://us.example",
            False,
            self.reception,
            said_tree,
            self.clock,
            self.log,
        )

    def called(self, document: Tree, nonce: str = "00ff" * 8) -> CallbackRequest:
        """Return a call of the partner's, signed as its scheme does."""
        target = "/callbacks/310113/status"
        body = json.dumps(document, ensure_ascii=False).encode()
        call = Call("POST", f"https://us.example{target}", "status", {"content-type": "a/b"}, body)
        return as_request(self.scheme.sign(call, self.clock.now_ms(), nonce), target)


def as_request(call: Call, target: str) -> CallbackRequest:
    return CallbackRequest("POST", "/status", "", call.headers, call.body, target, "us.example")


def told(document: object, **more: Any) -> Callable[[], web.Response]:
    return lambda: web.json_response(document, **more)


async def silent(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.fixture
def authority() -> Authority:
    return make_authority()


@pytest.fixture
async def platform(authority: Authority, tmp_path: Path) -> AsyncIterator[HttpPlatform]:
    async with http_platform(silent, server_tls(authority, tmp_path)) as running:
        yield running


@pytest.fixture
async def interface(authority: Authority, platform: HttpPlatform) -> AsyncIterator[Interface]:
    made = Interface(authority, platform)
    yield made
    await made.link.close()


# --- hostile answers -----------------------------------------------------------------------------

HTML = "<html><body>系统维护中</body></html>"
HOSTILE: list[tuple[Callable[[], web.Response], str]] = [
    (lambda: web.Response(text=HTML, content_type="text/html"), "answer_is_html"),
    (lambda: web.Response(text=HTML, content_type="application/json"), "answer_is_html"),
    (lambda: web.Response(text='{"code": 200', content_type="application/json"), "no_json"),
    (lambda: web.Response(text='{"code": 1, "code": 2}'), "no_json"),
    (lambda: web.Response(text="[200]"), "no_json"),
    (lambda: web.Response(body='{"msg": "成功"}'.encode("gbk")), "partner.encoding_invalid"),
    (lambda: web.Response(status=302, headers={"Location": "https://127.0.0.1:1/"}), "redirect"),
    (lambda: web.Response(status=308, headers={"Location": "/elsewhere"}), "redirect"),
    (lambda: web.Response(status=502), "http_502"),
    (lambda: web.Response(status=429), "http_429"),
    (lambda: web.Response(status=401, text="{}"), "http_401"),
    (lambda: web.Response(body=b"x" * 20_000), "too_large"),
    (lambda: web.Response(body=b"x", headers={"Content-Encoding": "gzip"}), "compressed"),
]


@pytest.mark.parametrize(("response", "reason"), HOSTILE)
async def test_an_answer_that_is_none_is_no_receipt(
    interface: Interface, response: Callable[[], web.Response], reason: str
) -> None:
    interface.wire(replace(interface.access, bytes_max=10_000))
    interface.answers(response)
    with pytest.raises(OutletDown, match=reason):
        await interface.push()


async def test_a_platform_that_never_answers_costs_its_time_and_no_more(
    interface: Interface,
) -> None:
    interface.wire(replace(interface.access, timeout_s=0.2))
    with pytest.raises(OutletDown, match="TimeoutError"):
        await interface.push()


async def test_a_certificate_for_another_name_gets_nothing(
    authority: Authority, tmp_path: Path
) -> None:
    tls = server_tls(authority, tmp_path, "other.sample.example")
    async with http_platform(silent, tls) as platform:
        interface = Interface(authority, platform)
        with pytest.raises(OutletDown, match="Certificate"):
            await interface.push()
        assert platform.asked == []
        await interface.link.close()


async def test_an_answer_that_should_be_wrapped_and_is_not_is_no_receipt(
    authority: Authority, platform: HttpPlatform
) -> None:
    interface = Interface(authority, platform, "x_tif wrapped")
    interface.answers(told(OK))
    with pytest.raises(OutletDown, match=r"partner\.unsigned"):
        await interface.push()
    await interface.link.close()


# --- hostile calls -------------------------------------------------------------------------------


async def refused(interface: Interface, request: CallbackRequest) -> tuple[int, str]:
    answer = await interface.callbacks.handle(request)
    assert interface.reception.arrivals == [] == interface.reception.unreadable
    return answer.status, rule_of(answer)


def rule_of(answer: CallbackAnswer) -> str:
    return str(json.loads(answer.body)["RESULT"]["RULE"])


@pytest.mark.parametrize("name", SCHEMES)
async def test_a_call_that_proves_nothing_leaves_nothing(
    authority: Authority, platform: HttpPlatform, name: str
) -> None:
    interface = Interface(authority, platform, name)
    right = interface.called(DOCUMENT)
    bare = right._replace(headers={"content-type": "a/b"}, body=b"{}")
    assert (await refused(interface, bare))[0] in (400, 401)
    interface.clock.step(-400_000)
    assert await refused(interface, right) == (401, "partner.clock_skew")
    event, told = interface.log.events[-1]
    assert (event, told["rule"]) == ("callback_refused", "partner.clock_skew")
    assert told["digest"] == sha256(right.body).hexdigest()
    interface.clock.step(400_000)
    assert (await refused(interface, right._replace(method="GET")))[0] == 405
    stranger = Interface(authority, platform, name)
    if name in ("x_tif wrapped", "ed25519", "ecdsa"):
        foreign = stranger.called(DOCUMENT)
        if name != "x_tif wrapped":  # its keys are the tests' own for every interface
            assert await refused(interface, foreign) == (401, "partner.signature_invalid")


@pytest.mark.parametrize("name", SCHEMES)
async def test_a_replayed_call_is_refused_and_the_first_stays(
    authority: Authority, platform: HttpPlatform, name: str
) -> None:
    interface = Interface(authority, platform, name)
    request = interface.called(DOCUMENT)
    first = await interface.callbacks.handle(request)
    again = await interface.callbacks.handle(request)
    assert (first.status, again.status) == (200, 409)
    assert rule_of(again) == "partner.nonce_replayed"
    (arrival,) = interface.reception.arrivals
    assert arrival.document == DOCUMENT
    assert arrival.strength is SCHEMES[name][1]
    assert arrival.operation == "status"
    assert arrival.raw == request.body, "verbatim, as it came"


async def test_what_is_proven_and_cannot_be_read_is_kept(interface: Interface) -> None:
    call = Call("POST", "https://us.example/callbacks/310113/status", "status", {}, b'{"a": ')
    signed = interface.scheme.sign(call, NOW_MS, "00")
    answer = await interface.callbacks.handle(as_request(signed, "/callbacks/310113/status"))
    assert answer.status == 200
    (kept,) = interface.reception.unreadable
    assert (kept.raw, kept.fault.code) == (b'{"a": ', FaultCode.SCHEMA_JSON_INVALID)
    again = await interface.callbacks.handle(as_request(signed, "/callbacks/310113/status"))
    assert (again.status, rule_of(again)) == (409, "partner.nonce_replayed")
    assert interface.reception.unreadable == [kept]


async def test_trouble_here_is_no_refusal(interface: Interface) -> None:
    interface.reception.fault = Fault(FaultCode.DELIVERY_JOURNAL_DOWN)
    answer = await interface.callbacks.handle(interface.called(DOCUMENT))
    assert answer.status == 503


# --- right ones ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCHEMES)
async def test_a_push_is_what_the_partner_can_verify(
    authority: Authority, platform: HttpPlatform, name: str
) -> None:
    interface = Interface(authority, platform, name)
    scheme = interface.scheme
    wrapped = name == "x_tif wrapped"

    async def answer(request: web.Request) -> web.StreamResponse:
        headers = {n.lower(): v for n, v in request.headers.items()}
        raw = platform.asked[-1][1]
        url = f"{platform.url}{request.raw_path}"
        proof = scheme.verify(Call(request.method, url, "", headers, raw), NOW_MS)
        assert json.loads(proof.body) == DOCUMENT
        assert request.path == "/api/pushCase" and proof.operation in ("", "pushCase")
        said = json.dumps(OK).encode()
        if wrapped:
            said = scheme.sign(Call("POST", url, "", {}, said), NOW_MS, "aa" * 16).body
        return web.Response(body=said, content_type="application/json")

    platform.answer = answer
    got = await interface.push()
    assert got.document == OK
    assert got.strength is (Strength.SIGNED if wrapped else Strength.AUTHENTICATED)
    await interface.link.close()


async def test_a_secret_of_two_steps_is_fetched_once_and_again_when_it_is_refused(
    authority: Authority, platform: HttpPlatform
) -> None:
    interface = Interface(authority, platform)
    founding = interface.scheme
    assert isinstance(founding, Gjzwfwpt)
    secrets = Renewing(founding, Renewal(path="/secret"), interface.clock)
    interface.wire(interface.access, secrets)
    served: list[str] = []
    good = {"secret": "short-1"}

    async def answer(request: web.Request) -> web.StreamResponse:
        served.append(request.path)
        known = b"key" if request.path == "/secret" else good["secret"].encode()
        scheme = replace(founding, inbound_secret=known)
        headers = {n.lower(): v for n, v in request.headers.items()}
        call = Call("POST", f"{platform.url}{request.path}", "", headers, b"")
        try:
            scheme.verify(call, interface.clock.now_ms())
        except Fault:
            return web.json_response({"code": 401}, status=401)
        if request.path == "/secret":
            return web.json_response({"data": {"secret": good["secret"], "expires": 600}})
        return web.json_response(OK)

    platform.answer = answer
    await asyncio.gather(*(interface.push() for _ in range(5)))
    assert served.count("/secret") == 1
    good["secret"] = "short-2"
    with pytest.raises(OutletDown, match="401"):
        await interface.push()
    await interface.push()
    assert served.count("/secret") == 2
    interface.clock.step(600_000)
    await interface.push()
    assert served.count("/secret") == 3, "before it is over"
    await interface.link.close()


async def test_what_is_new_there_is_fetched_and_acknowledged_once_it_is_taken_over(
    interface: Interface,
) -> None:
    entries: list[dict[str, Any]] = [{"id": n, "op": "status", "zt": n} for n in (1, 2)]
    acknowledged: list[Any] = []

    async def answer(_: web.Request) -> web.StreamResponse:
        request, raw = interface.platform.asked[-1]
        if request.path == "/ack":
            acknowledged.append(json.loads(raw)["id"])
            return web.json_response(OK)
        left = [e for e in entries if e["id"] not in acknowledged]
        return web.json_response({"code": 200, "data": left})

    interface.platform.answer = answer
    settings = PollSettings(path="/new", operation_at="/op", acknowledge_path="/ack")
    poll = RestPoll(
        BAOSHAN,
        settings,
        interface.link,
        Held(interface.scheme),
        interface.reception,
        interface.clock,
        interface.log,
    )
    interface.reception.fault = Fault(FaultCode.DELIVERY_JOURNAL_DOWN)
    with pytest.raises(Fault):
        await poll.turn()
    assert acknowledged == []
    interface.reception.fault = None
    await poll.turn()
    await poll.turn()
    assert acknowledged == [1, 2]
    assert [a.document["zt"] for a in interface.reception.arrivals] == [1, 2]
    assert {a.operation for a in interface.reception.arrivals} == {"status"}


async def test_an_entry_that_cannot_be_taken_over_holds_up_none_behind_it(
    interface: Interface,
) -> None:
    entries: list[Any] = [{"id": 1, "zt": "reused"}, "no object", {"id": 3, "zt": "good"}]
    acknowledged: list[Any] = []

    async def answer(_: web.Request) -> web.StreamResponse:
        request, raw = interface.platform.asked[-1]
        if request.path == "/ack":
            acknowledged.append(json.loads(raw)["id"])
        return web.json_response({"code": 200, "data": entries})

    interface.platform.answer = answer
    interface.reception.about["reused"] = Fault(FaultCode.PARTNER_NUMBER_REUSED)
    poll = RestPoll(
        BAOSHAN,
        PollSettings(path="/new", acknowledge_path="/ack"),
        interface.link,
        Held(interface.scheme),
        interface.reception,
        interface.clock,
        interface.log,
    )
    with pytest.raises(Fault, match=r"partner\.number_reused"):
        await poll.turn()
    assert [a.document["zt"] for a in interface.reception.arrivals] == ["good"]
    assert acknowledged == [3]
    (kept,) = interface.reception.unreadable
    assert (kept.raw, kept.fault.code) == (b'"no object"', FaultCode.SCHEMA_JSON_INVALID)


async def test_a_list_that_is_none_is_waited_out(interface: Interface) -> None:
    settings = PollSettings(path="/new")
    poll = RestPoll(
        BAOSHAN,
        settings,
        interface.link,
        Held(interface.scheme),
        interface.reception,
        interface.clock,
        interface.log,
    )
    for said in ({"data": {"a": 1}}, {"data": "x"}):
        interface.answers(told(said))
        with pytest.raises(OutletDown, match="no_list"):
            await poll.turn()
    without: list[dict[str, Any]] = [{"data": []}, {"data": None}, {"code": 200}]
    for nothing in without:
        interface.answers(told(nothing))
        await poll.turn()
    assert interface.reception.arrivals == []
