"""Calls to a partner's SOAP service, and its feedback calls at us.

A push is an operation with two texts: the licence, and a document as XML. The answer is one text.
What comes of a case later, the partner tells by operations of its own, the feedback of each pair.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from gateway.adapters.outlets.beside import read_beside
from gateway.adapters.outlets.dialect import DialectAnswer, said_of
from gateway.adapters.outlets.https import HttpsLine
from gateway.adapters.outlets.soap.envelope import (
    CONTENT_TYPE,
    Call,
    SoapFault,
    read_call,
    read_inside,
    write_call,
    write_fault,
    write_inside,
)
from gateway.adapters.outlets.soap.settings import SoapSettings
from gateway.kernel.digests import digest
from gateway.kernel.envelope import Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.translations import Said
from gateway.kernel.trees import Tree
from gateway.ports.callbacks import CallbackAnswer, CallbackRequest
from gateway.ports.outlet import Listed, OutletDown
from gateway.ports.reception import Arrival, Disposition, Reception, Unreadable
from gateway.ports.telemetry import EventLog

PROVEN = Strength.AUTHENTICATED
"""Out: the service's certificate. In: the licence that only the partner has, over TLS."""


class Soap:
    """Implements `adapters.outlets.dialect.Dialect`."""

    def __init__(self, settings: SoapSettings, line: HttpsLine, licence: str) -> None:
        self._settings = settings
        self._line = line
        self._licence = licence

    async def send(
        self, operation: str, document: Tree, number: str, timeout_s: float
    ) -> DialectAnswer | Listed:
        """See `Dialect`: one call, answered at once."""
        s = self._settings
        parameters = {s.licence: self._licence, s.information: write_inside(document)}
        raw = write_call(s.namespace, Call(operation, parameters))
        headers = {"Content-Type": CONTENT_TYPE, "SOAPAction": f'"{s.namespace}{operation}"'}
        answer = await self._line.request("POST", "", headers, raw)
        try:
            read = partial(_inside, answer.body, s.bare_number_at)
            inside = await read_beside(len(answer.body), read)
        except SoapFault as fault:
            raise OutletDown("soap_fault") from fault
        except Fault as unread:
            raise OutletDown(unread.code.value) from unread
        return DialectAnswer(answer.body, inside, PROVEN)

    async def close(self) -> None:
        """See `Dialect`."""
        await self._line.close()


def _inside(body: bytes, bare_number_at: str) -> Tree:
    return read_inside(_one(read_call(body)), bare_number_at)


def _one(call: Call) -> str:
    """Return the only text of an answer.

    Raises:
        Fault: `partner.document_unreadable`.
    """
    if len(call.parameters) != 1:
        raise Fault(FaultCode.PARTNER_DOCUMENT_UNREADABLE, "one text in the answer")
    return next(iter(call.parameters.values()))


@dataclass
class SoapFeedback:
    """Implements `ports.callbacks.CallbackHandler`: the partner's feedback operations."""

    partner: GatewayId
    settings: SoapSettings
    licence: str = field(repr=False)
    """What the partner's calls must name."""
    reception: Reception
    say: Callable[[Said], Tree]
    log: EventLog

    async def handle(self, request: CallbackRequest) -> CallbackAnswer:
        """See `CallbackHandler`. Who does not name the licence gets a fault and leaves nothing."""
        s = self.settings
        if request.method != "POST":
            return self._fault(request, 405, Fault(FaultCode.PORTAL_METHOD))
        try:
            call = await read_beside(len(request.body), partial(read_call, request.body))
        except (Fault, SoapFault):
            return self._fault(request, 400, Fault(FaultCode.PARTNER_DOCUMENT_UNREADABLE))
        if not self._is_proven(request, call.parameters.get(s.licence, "")):
            return self._fault(request, 403, Fault(FaultCode.TRUST_PEER_UNKNOWN))
        try:
            said = said_of(await self._received(call))
        except Fault as fault:
            if fault.code is FaultCode.PARTNER_NUMBER_REUSED:
                said = Said(ok=False, rule=fault.code.value, text_en=fault.detail)
            else:
                return self._fault(request, 500, fault)
        told = write_inside(self.say(said))
        name = f"{call.operation}Response"
        body = write_call(s.namespace, Call(name, {f"{call.operation}Return": told}))
        return CallbackAnswer(200, body, CONTENT_TYPE)

    def _is_proven(self, request: CallbackRequest, licence: str) -> bool:
        pins = self.settings.inbound_pins
        known = not pins or request.peer_pin.hex() in pins
        return known and hmac.compare_digest(licence.encode(), self.licence.encode())

    async def _received(self, call: Call) -> Disposition:
        """Hand over what was said. The licence around it is a secret, and is not kept."""
        information = call.parameters.get(self.settings.information, "")
        raw = information.encode()
        try:
            document = await read_beside(len(raw), partial(read_inside, information))
        except Fault as fault:
            unread = Unreadable(self.partner, call.operation, raw, PROVEN, fault)
            return await self.reception.keep_unreadable(unread)
        arrival = Arrival(self.partner, call.operation, raw, document, PROVEN)
        return await self.reception.receive(arrival)

    def _fault(self, request: CallbackRequest, status: int, fault: Fault) -> CallbackAnswer:
        """Answer with a SOAP fault that names the rule, and nothing of what was sent.

        The digest is for whoever compares it with what the partner has in its own log.
        """
        rule, body = fault.code.value, request.body
        self.log.event(
            "callback_refused",
            partner=self.partner,
            rule=rule,
            field=fault.detail,
            bytes=len(body),
            digest=digest(body).hex(),
        )
        code = "Client" if status < 500 else "Server"
        return CallbackAnswer(status, write_fault(code, fault.code.value), CONTENT_TYPE)
