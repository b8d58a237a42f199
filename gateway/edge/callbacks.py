"""The door that partners' own platforms call back at: `/callbacks/<gateway id>/...` (回调).

It bounds and counts before anything is believed, and knows no dialect: each partner's handler
proves its caller and answers in the partner's form. A partner that has none here does not exist.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from aiohttp import web

from gateway.edge.admission import Places, Rates, Reading
from gateway.edge.portal_http.admission import Bounds, Stopping
from gateway.edge.portal_http.problems import problems
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import ARRIVAL_BYTES_MAX, CALLBACK_SMALL_BYTES
from gateway.ports.callbacks import CallbackAnswer, CallbackHandler, CallbackRequest
from gateway.ports.directory import Directory
from gateway.ports.telemetry import EventLog
from gateway.rules.trust import require_caller, require_peer

Handlers = Callable[[GatewayId], CallbackHandler | None]
"""The inbound side of a partner; None if it has none over HTTP."""


@dataclass(slots=True)
class Callbacks:
    """What the door needs; also what `PortalServer` needs of a house."""

    handlers: Handlers
    directory: Directory
    pin_of: Callable[[bytes], bytes]
    """Transport pin of a certificate in DER."""
    log: EventLog
    rates: Rates
    bounds: Bounds = field(default_factory=Bounds)
    stopping: Stopping = field(default_factory=Stopping)
    places: Places = field(default_factory=Places)
    reading: Reading = field(default_factory=Reading)
    """Large bodies that are held at a time: nobody knows yet who sent them."""


_HOST: Final = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")
CALLBACKS = web.AppKey("callbacks", Callbacks)


def make_callbacks(house: Callbacks) -> web.Application:
    """Make the application; `PortalServer` serves it, over TLS outside loopback."""
    app = web.Application(
        middlewares=[problems(house.log, lambda: house.stopping.begun)],
        client_max_size=ARRIVAL_BYTES_MAX,
    )
    app[CALLBACKS] = house
    app.router.add_route("*", "/callbacks/{partner:[1-9][0-9]{5}}{path:(/.*)?}", _called)
    return app


async def _called(request: web.Request) -> web.StreamResponse:
    house = request.app[CALLBACKS]
    if house.stopping.begun:
        raise Fault(FaultCode.DELIVERY_STOPPING)
    gateway_id = GatewayId(request.match_info["partner"])
    partner = require_peer(house.directory.current().partners.get(gateway_id))
    require_caller(partner, request.remote or "")
    handler = house.handlers(gateway_id)
    if handler is None:
        raise Fault(FaultCode.PORTAL_NOT_FOUND)
    await house.rates.admit(partner)
    with house.places.taken(partner, "calls"):
        answering = partial(_answered, request, house, gateway_id, handler)
        # What is small may come while large bodies, whoever sends them, fill their places.
        size = request.content_length
        small = size is not None and size <= CALLBACK_SMALL_BYTES
        answer = await (answering() if small else house.reading.turn(gateway_id, answering))
    return web.Response(
        status=answer.status,
        body=answer.body,
        headers={**answer.headers, "Content-Type": answer.content_type},
    )


async def _answered(
    request: web.Request, house: Callbacks, gateway_id: GatewayId, handler: CallbackHandler
) -> CallbackAnswer:
    _require_plain_target(request)
    asked = CallbackRequest(
        request.method,
        _below(request, gateway_id),
        request.raw_path.partition("?")[2],
        _headers(request),
        await _body(request, house.bounds),
        request.raw_path,
        request.headers.get("Host", ""),
        _pin(request, house),
    )
    return await handler.handle(asked)


def _require_plain_target(request: web.Request) -> None:
    """Refuse what would let a caller choose which URL its signature is compared with.

    Raises:
        Fault: `portal.request_invalid`.
    """
    if _HOST.fullmatch(request.headers.get("Host", "")) is None:
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "header host")
    if not request.raw_path.startswith("/callbacks/") or "#" in request.raw_path:
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "request target")


def _below(request: web.Request, partner: GatewayId) -> str:
    path = request.raw_path.partition("?")[0]
    return path.removeprefix(f"/callbacks/{partner}") or "/"


def _headers(request: web.Request) -> Mapping[str, str]:
    """Return the headers by lower-case name; which of two counts is for nobody to choose.

    Raises:
        Fault: `portal.request_invalid`.
    """
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        if not value.isprintable():  # nor bytes that are no UTF-8, which come as surrogates
            raise Fault(FaultCode.PORTAL_REQUEST_INVALID, f"header {name.lower()}")
        if found.setdefault(name.lower(), value) is not value:
            raise Fault(FaultCode.PORTAL_REQUEST_INVALID, f"header {name.lower()} twice")
    return found


async def _body(request: web.Request, bounds: Bounds) -> bytes:
    """Read the body as it came; nothing is decompressed.

    Raises:
        Fault: `portal.too_large`, `portal.too_slow`, `portal.request_invalid` if it is cut off.
    """
    if (request.content_length or 0) > ARRIVAL_BYTES_MAX:
        raise Fault(FaultCode.PORTAL_TOO_LARGE, f"over {ARRIVAL_BYTES_MAX} bytes")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Fault(FaultCode.PORTAL_MEDIA_TYPE, "content-encoding")
    body = bytearray()
    try:
        async with asyncio.timeout(bounds.body_timeout_s):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > ARRIVAL_BYTES_MAX:
                    raise Fault(FaultCode.PORTAL_TOO_LARGE, f"over {ARRIVAL_BYTES_MAX} bytes")
    except TimeoutError as late:
        raise Fault(FaultCode.PORTAL_TOO_SLOW) from late
    except web.RequestPayloadError as broken:
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "the body was cut off") from broken
    return bytes(body)


def _pin(request: web.Request, house: Callbacks) -> bytes:
    line = request.transport
    tls = None if line is None else line.get_extra_info("ssl_object")
    if not isinstance(tls, ssl.SSLObject):
        return b""
    certificate = tls.getpeercert(binary_form=True)
    return house.pin_of(certificate) if certificate else b""
