"""SOAP services of the police's style, over TLS: hostile answers and calls first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from gateway.adapters.outlets.dialect import DialectAnswer
from gateway.adapters.outlets.https import HttpsAccess, HttpsLine, client_tls
from gateway.adapters.outlets.soap.dialect import Soap, SoapFeedback
from gateway.adapters.outlets.soap.envelope import Call, read_call, read_inside, write_call
from gateway.adapters.outlets.soap.settings import SoapSettings
from gateway.kernel.envelope import Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.trees import Tree
from gateway.ports.callbacks import CallbackRequest
from gateway.ports.outlet import OutletDown
from tests.fakes.telemetry import HeardEvents
from tests.simulators.http_platform import HttpPlatform, http_platform
from tests.simulators.reception import HeldReception, said_tree
from tests.simulators.tls import Authority, make_authority, server_tls

POLICE = GatewayId("320500")
NUMBER = "019e0000-0000-7000-8000-000000000001"
SPACE = "http://service.sample.example/"
PACKAGE: Tree = {
    "PACKAGE": {
        "PACKAGEHEAD": {"YWXTBH": "示例协同编号1"},
        "DATA": {"RECORD": {"XM": "示例㛃𬭊 <&>"}},
    }
}
BOMB = (
    '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;"><!ENTITY z "&y;&y;&y;&y;">]><a>&z;</a>'
)


def answered(inside: str, status: int = 200) -> web.Response:
    body = write_call(SPACE, Call("pushResponse", {"pushReturn": inside}))
    return web.Response(body=body, status=status, content_type="text/xml")


class Service:
    """Our side of a SOAP partner, and what it answers."""

    def __init__(self, authority: Authority, platform: HttpPlatform) -> None:
        self.platform = platform
        self.settings = SoapSettings(
            url=f"{platform.url}/service", namespace=SPACE, licence_file="-"
        )
        self.access = HttpsAccess(self.settings.url, client_tls(authority.pem), timeout_s=2.0)
        self.line = HttpsLine(self.access)
        self.dialect = Soap(self.settings, self.line, "sample-licence")

    def answers(self, *responses: web.Response) -> None:
        waiting = list(responses)

        async def answer(_: web.Request) -> web.StreamResponse:
            return waiting.pop(0)

        self.platform.answer = answer

    async def push(self) -> DialectAnswer:
        answer = await self.dialect.send("push", PACKAGE, NUMBER, 5.0)
        assert isinstance(answer, DialectAnswer)
        return answer


async def silent(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.fixture
def authority() -> Authority:
    return make_authority()


@pytest.fixture
async def service(authority: Authority, tmp_path: Path) -> AsyncIterator[Service]:
    async with http_platform(silent, server_tls(authority, tmp_path)) as platform:
        made = Service(authority, platform)
        yield made
        await made.line.close()


# --- hostile answers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "told"),
    [
        (web.Response(text="<html><body>维护中</body></html>", content_type="text/html"), "unread"),
        (web.Response(body=BOMB.encode(), content_type="text/xml"), "unread"),
        (answered(BOMB), "unread"),
        (answered("<PACKAGE><half>"), "unread"),
        (web.Response(status=302, headers={"Location": "https://127.0.0.1:1/"}), "redirect"),
        (web.Response(status=307, headers={"Location": "/elsewhere"}), "redirect"),
        (web.Response(status=503), "http_503"),
        (web.Response(body=b"x" * 20_000), "too_large"),
        (web.Response(body=b"x", headers={"Content-Encoding": "gzip"}), "compressed"),
        (
            web.Response(
                status=200,
                text='<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
                "<s:Fault><faultcode>s:Server</faultcode></s:Fault></s:Body></s:Envelope>",
            ),
            "soap_fault",
        ),
    ],
)
async def test_an_answer_that_is_none_is_no_receipt(
    service: Service, response: web.Response, told: str
) -> None:
    service.line = HttpsLine(replace(service.access, bytes_max=10_000))
    service.dialect = Soap(service.settings, service.line, "sample-licence")
    service.answers(response)
    with pytest.raises(OutletDown, match=told):
        await service.push()


async def test_a_platform_that_never_answers_costs_its_time_and_no_more(service: Service) -> None:
    service.line = HttpsLine(replace(service.access, timeout_s=0.2))
    service.dialect = Soap(service.settings, service.line, "sample-licence")
    with pytest.raises(OutletDown, match="TimeoutError"):
        await service.push()


async def test_a_certificate_for_another_name_gets_nothing(
    authority: Authority, tmp_path: Path
) -> None:
    tls = server_tls(authority, tmp_path, "other.sample.example")
    async with http_platform(silent, tls) as platform:
        service = Service(authority, platform)
        with pytest.raises(OutletDown, match="Certificate"):
            await service.push()
        assert platform.asked == []
        await service.line.close()


async def test_a_certificate_of_another_authority_gets_nothing(
    service: Service, tmp_path: Path
) -> None:
    line = HttpsLine(replace(service.access, tls=client_tls(make_authority().pem)))
    with pytest.raises(OutletDown, match="Certificate"):
        await Soap(service.settings, line, "sample-licence").send("push", PACKAGE, NUMBER, 5.0)
    assert service.platform.asked == []
    await line.close()


# --- hostile calls -------------------------------------------------------------------------------


class Feedback:
    """The partner's calls at us."""

    def __init__(self, **changes: object) -> None:
        settings = SoapSettings.model_validate(
            {
                "url": "https://sample.example/",
                "namespace": SPACE,
                "licence_file": "-",
                **changes,
            }
        )
        self.reception, self.log = HeldReception(), HeardEvents()
        self.handler = SoapFeedback(
            POLICE, settings, "their-licence", self.reception, said_tree, self.log
        )

    async def call(
        self, information: str, licence: str = "their-licence", pin: bytes = b""
    ) -> tuple[int, bytes]:
        body = write_call(
            SPACE, Call("resultFeedback", {"licence": licence, "information": information})
        )
        return await self.post(body, pin)

    async def post(self, body: bytes, pin: bytes = b"", method: str = "POST") -> tuple[int, bytes]:
        request = CallbackRequest(method, "/", "", {}, body, peer_pin=pin)
        answer = await self.handler.handle(request)
        return answer.status, answer.body


@pytest.mark.parametrize("licence", ["", "their-licenc", "their-licence ", "THEIR-LICENCE"])
async def test_a_call_without_the_licence_leaves_nothing(licence: str) -> None:
    feedback = Feedback()
    status, body = await feedback.call("<R><A>1</A></R>", licence)
    assert status == 403
    assert b"trust.peer_unknown" in body
    assert not feedback.reception.arrivals
    assert not feedback.reception.unreadable


async def test_a_call_from_another_certificate_leaves_nothing() -> None:
    feedback = Feedback(inbound_pins=("aa" * 32,))
    assert (await feedback.call("<R><A>1</A></R>", pin=b"\xbb" * 32))[0] == 403
    assert (await feedback.call("<R><A>1</A></R>"))[0] == 403
    assert (await feedback.call("<R><A>1</A></R>", pin=b"\xaa" * 32))[0] == 200


@pytest.mark.parametrize("body", [b"", b"{}", b"<a/>", BOMB.encode(), b"\xff\xfe\x00"])
async def test_what_is_no_envelope_is_told_so_and_leaves_nothing(body: bytes) -> None:
    feedback = Feedback()
    status, answer = await feedback.post(body)
    assert (status, b"partner.document_unreadable" in answer) == (400, True)
    assert (await feedback.post(body, method="GET"))[0] == 405
    assert not feedback.reception.unreadable


async def test_an_element_of_many_attributes_is_refused_before_they_are_read() -> None:
    """Reading n attributes takes n squared steps: 80,000 of them took the gateway 8 seconds."""
    many = " ".join(f'a{n}=""' for n in range(80_000))
    feedback = Feedback()
    status, answer = await feedback.post(f"<a {many}/>".encode())
    assert (status, b"partner.document_unreadable" in answer) == (400, True)
    with pytest.raises(Fault, match="more than 64 attributes"):
        read_inside(f"<a {many}/>")


@pytest.mark.parametrize("inside", [BOMB, "<R><half>", "", "not XML"])
async def test_what_is_proven_and_cannot_be_read_is_kept_without_the_licence(inside: str) -> None:
    feedback = Feedback()
    status, body = await feedback.call(inside)
    assert status == 200
    told = read_inside(next(iter(read_call(body).parameters.values())))
    assert told == {"RESULT": {"CODE": "1", "RULE": "partner.document_unreadable", "NO": ""}}
    (kept,) = feedback.reception.unreadable
    assert kept.raw == inside.encode()
    assert b"their-licence" not in kept.raw


async def test_while_our_journal_is_down_the_partner_is_told_to_come_again() -> None:
    feedback = Feedback()
    feedback.reception.fault = Fault(FaultCode.DELIVERY_JOURNAL_DOWN)
    status, body = await feedback.call("<R><A>1</A></R>")
    assert status == 500
    assert b"delivery.journal_down" in body


# --- the road ------------------------------------------------------------------------------------


async def test_a_document_crosses_inside_soap_and_its_answer_is_read(service: Service) -> None:
    service.answers(answered("<RESULT><CODE>0</CODE><BH>示例1</BH></RESULT>"), answered("-3"))
    answer = await service.push()
    assert answer.document == {"RESULT": {"CODE": "0", "BH": "示例1"}}
    assert answer.strength is Strength.AUTHENTICATED
    request, body = service.platform.asked[0]
    assert request.headers["SOAPAction"] == f'"{SPACE}push"'
    call = read_call(body)
    assert (call.operation, call.parameters["licence"]) == ("push", "sample-licence")
    assert read_inside(call.parameters["information"]) == PACKAGE
    assert (await service.push()).document == {"code": "-3"}


async def test_a_feedback_call_is_an_arrival_and_is_answered_in_its_own_form() -> None:
    feedback = Feedback()
    status, body = await feedback.call("<PACKAGE><DATA><XM>示例㛃</XM></DATA></PACKAGE>")
    assert status == 200
    call = read_call(body)
    assert call.operation == "resultFeedbackResponse"
    told = read_inside(call.parameters["resultFeedbackReturn"])
    assert told == {"RESULT": {"CODE": "0", "RULE": "", "NO": "JQ-1"}}
    (arrival,) = feedback.reception.arrivals
    assert (arrival.operation, arrival.strength) == ("resultFeedback", Strength.AUTHENTICATED)
    assert arrival.document == {"PACKAGE": {"DATA": {"XM": "示例㛃"}}}
