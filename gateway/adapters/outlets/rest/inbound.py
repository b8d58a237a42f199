"""What a partner's platform says to us: calls back, or entries that we fetch."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import unquote

from gateway.adapters.outlets.beside import read_beside
from gateway.adapters.outlets.dialect import said_of
from gateway.adapters.outlets.documents import read_json, write_json
from gateway.adapters.outlets.polling import OneByOne, Polling
from gateway.adapters.outlets.rest.dialect import RestLink, Secrets
from gateway.adapters.outlets.rest.schemes.scheme import Call, Proof, Scheme
from gateway.adapters.outlets.rest.settings import PollSettings
from gateway.kernel.arrivals import ArrivalStatus
from gateway.kernel.digests import digest
from gateway.kernel.envelope import Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.translations import Said
from gateway.kernel.trees import MISSING, Missing, Tree, Value, put, steps_of
from gateway.kernel.trees import get as get_at
from gateway.ports.callbacks import CallbackAnswer, CallbackRequest
from gateway.ports.clock import Clock
from gateway.ports.outlet import OutletDown
from gateway.ports.reception import Arrival, Disposition, Reception, Unreadable
from gateway.ports.telemetry import EventLog

_STATUSES: Final = {
    FaultCode.PARTNER_UNSIGNED: 401,
    FaultCode.PARTNER_SIGNATURE_INVALID: 401,
    FaultCode.PARTNER_CLOCK_SKEW: 401,
    FaultCode.PARTNER_DOCUMENT_UNREADABLE: 400,
    FaultCode.PARTNER_NONCE_REPLAYED: 409,
    FaultCode.PORTAL_METHOD: 405,
}
_ENTRIES_MAX: Final = 200


@dataclass
class RestCallbacks:
    """Implements `ports.callbacks.CallbackHandler`."""

    partner: GatewayId
    scheme: Scheme
    base_url: str
    """Where the partner calls, as it signs it; empty: as it says."""
    plain: bool
    """http on loopback, in demo mode."""
    reception: Reception
    say: Callable[[Said], Tree]
    clock: Clock
    log: EventLog

    async def handle(self, request: CallbackRequest) -> CallbackAnswer:
        """See `CallbackHandler`. Who is not proven gets the rule, and leaves nothing."""
        try:
            proof = await read_beside(len(request.body), partial(self._proven, request))
        except Fault as fault:
            return self._refused(request, fault)
        operation = proof.operation or unquote(request.path.strip("/"))
        try:
            met = await self._received(request, operation, proof)
        except Fault as fault:
            return self._refused(request, fault)
        return CallbackAnswer(200, write_json(self.say(said_of(met))))

    def _proven(self, request: CallbackRequest) -> Proof:
        if request.method != "POST":
            raise Fault(FaultCode.PORTAL_METHOD, request.method[:16])
        base = self.base_url or f"http{'' if self.plain else 's'}://{request.authority}"
        call = Call(request.method, base + request.target, "", request.headers, request.body)
        return self.scheme.verify(call, self.clock.now_ms())

    async def _received(
        self, request: CallbackRequest, operation: str, proof: Proof
    ) -> Disposition:
        try:
            document = await read_beside(len(proof.body), partial(read_json, proof.body))
        except Fault as fault:
            unread = Unreadable(
                self.partner,
                operation,
                request.body,
                proof.strength,
                fault,
                nonce=proof.nonce,
                nonce_until_ms=proof.nonce_until_ms,
            )
            return await self.reception.keep_unreadable(unread)
        return await self.reception.receive(
            Arrival(
                self.partner,
                operation,
                request.body,
                document,
                proof.strength,
                proof.nonce,
                proof.nonce_until_ms,
            )
        )

    def _refused(self, request: CallbackRequest, fault: Fault) -> CallbackAnswer:
        """Answer in the partner's form, naming the rule and nothing of what was sent.

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
        said = Said(ok=False, rule=rule, text_zh="", text_en=fault.detail)
        return CallbackAnswer(_STATUSES.get(fault.code, 503), write_json(self.say(said)))


@dataclass
class RestPoll:
    """Fetches what is new and hands it over; what was taken over is acknowledged."""

    partner: GatewayId
    settings: PollSettings
    link: RestLink
    secrets: Secrets
    reception: Reception
    clock: Clock
    log: EventLog

    async def run(self) -> None:
        """Go on until cancelled."""
        every_s = self.settings.every_s
        await Polling("poll", self.partner, every_s, self.clock, self.log).run(self.turn)

    async def turn(self) -> None:
        """Fetch once.

        Raises:
            OutletDown: no answer that holds a list.
            Fault: nothing of an entry was stored; it comes again.
        """
        s, scheme = self.settings, await self.secrets.scheme(self.link)
        answer = await self.link.call(scheme, s.path, "", b"{}")
        try:
            proof = self.link.opened(scheme, answer)
            told = await read_beside(len(proof.body), partial(read_json, proof.body))
            entries = get_at(told, steps_of(s.list_at))
        except Fault as unread:
            raise OutletDown(unread.code.value) from unread
        if entries is None or entries is MISSING:
            return
        if not isinstance(entries, list):
            raise OutletDown("answer_has_no_list")
        apart = OneByOne()
        for entry in entries[:_ENTRIES_MAX]:
            try:
                await self._entry(scheme, entry, proof.strength)
            except Fault as fault:
                apart.keep(fault)
        apart.tell()

    async def _entry(self, scheme: Scheme, entry: Value, strength: Strength) -> None:
        s = self.settings
        if not isinstance(entry, dict):
            no_object = Fault(FaultCode.SCHEMA_JSON_INVALID, "an entry that is no object")
            raw = json.dumps(entry, ensure_ascii=True, default=str).encode()
            await self.reception.keep_unreadable(
                Unreadable(self.partner, "", raw, strength, no_object)
            )
            return
        named = get_at(entry, steps_of(s.operation_at))
        operation = named if isinstance(named, str) else ""
        arrival = Arrival(self.partner, operation, write_json(entry), entry, strength)
        met = await self.reception.receive(arrival)
        ident = get_at(entry, steps_of(s.id_at))
        over = met.status is not ArrivalStatus.RECEIVED and not met.retry
        if over and not isinstance(ident, Missing):
            await self._acknowledge(scheme, ident)

    async def _acknowledge(self, scheme: Scheme, ident: Value) -> None:
        path = self.settings.acknowledge_path
        if path is None:
            return
        told: Tree = {}
        put(told, steps_of(self.settings.id_at), ident)
        await self.link.call(scheme, path, "", write_json(told))
