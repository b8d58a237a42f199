"""Faults as `application/problem+json` (RFC 9457); the same rule id as on every other wire."""

from __future__ import annotations

import json
import math
import traceback
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.kernel.faults import Fault, FaultCode
from gateway.ports.telemetry import EventLog
from gateway.wire import fault_table

PROBLEM_TYPE: Final = "application/problem+json"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_CHALLENGES: Final = {
    FaultCode.PORTAL_TOKEN_MISSING: 'Bearer realm="kuayu"',
    FaultCode.PORTAL_TOKEN_INVALID: 'Bearer realm="kuayu", error="invalid_token"',
    FaultCode.PORTAL_TOKEN_EXPIRED: 'Bearer realm="kuayu", error="invalid_token"',
    FaultCode.PORTAL_SCOPE_MISSING: 'Bearer realm="kuayu", error="insufficient_scope"',
}
_OF_STATUS: Final = {
    404: FaultCode.PORTAL_NOT_FOUND,
    405: FaultCode.PORTAL_METHOD,
    413: FaultCode.PORTAL_TOO_LARGE,
    415: FaultCode.PORTAL_MEDIA_TYPE,
}
_LANGUAGES_READ_MAX: Final = 16  # a browser sends five; the header may hold hundreds


def speaks_english(accept_language: str) -> bool:
    """Tell whether English is wanted before Chinese; Chinese (中文) is the answer to doubt."""
    wanted = {"zh": 0.0, "en": 0.0}
    for part in accept_language.split(",")[:_LANGUAGES_READ_MAX]:
        tag, _, parameter = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language in wanted:
            wanted[language] = max(wanted[language], _weight(parameter))
    return wanted["en"] > wanted["zh"]


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0


def problem(fault: Fault, accept_language: str) -> web.Response:
    """Write a fault as an answer, with `Retry-After` and `WWW-Authenticate` where they belong."""
    entry = fault_table.entry(fault.code)
    english = speaks_english(accept_language)
    body: dict[str, object] = {
        "type": f"urn:kuayu:rule:{fault.code.value}",
        "title": entry.title_en if english else entry.title_zh,
        "title_zh": entry.title_zh,
        "title_en": entry.title_en,
        "status": entry.http_status,
        "rule": fault.code.value,
        "advice": entry.advice_en if english else entry.advice_zh,
    }
    headers = {
        "Content-Language": "en" if english else "zh-CN",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    if fault.detail:
        body["detail"] = fault.detail[: fault_table.DETAIL_CHARS_MAX]
    if fault.errors:
        body["errors"] = [{"pointer": p, "detail": d} for p, d in fault.errors]
    if retry_after_ms := fault.retry_after_ms or entry.retry_after_ms:
        body["retry_after"] = math.ceil(retry_after_ms / 1000)
        headers["Retry-After"] = str(body["retry_after"])
    if fault.code in _CHALLENGES:
        headers["WWW-Authenticate"] = _CHALLENGES[fault.code]
    return web.Response(
        status=entry.http_status,
        body=json.dumps(body, ensure_ascii=False).encode(),
        content_type=PROBLEM_TYPE,
        headers=headers,
    )


def _of_http_error(error: web.HTTPException, accept_language: str) -> web.Response:
    code = _OF_STATUS.get(error.status, FaultCode.PORTAL_REQUEST_INVALID)
    answer = problem(Fault(code), accept_language)
    if "Allow" in error.headers:
        answer.headers["Allow"] = error.headers["Allow"]
    return answer


def route_of(request: web.Request) -> str:
    """Return the route's pattern, as in `/v1/cases/{case_id}`: never ids, never a query."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


def problems(log: EventLog, closing: Callable[[], bool]) -> Middleware:
    """Make the middleware that turns whatever is raised into a problem.

    An unexpected exception becomes `gateway.internal`; its type and place go to `log`, its text,
    which may hold personal data, goes nowhere. An answer that was begun cannot be taken back:
    then the line is cut. While `closing` says so, each answer is the last of its connection.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        language = request.headers.get("Accept-Language", "")
        answer: web.StreamResponse
        try:
            answer = await handler(request)
        except Fault as fault:
            log.event("http_refused", rule=fault.code.value, route=route_of(request))
            answer = problem(fault, language)
        except web.HTTPException as error:
            answer = _of_http_error(error, language)
        except Exception as error:  # noqa: BLE001 - the last net: the server stays up
            if request.transport is None:
                log.event("http_client_gone", route=route_of(request))
            else:
                last = traceback.extract_tb(error.__traceback__)[-1]
                log.event(
                    "http_internal_error",
                    route=route_of(request),
                    error=type(error).__name__,
                    where=f"{last.name}:{last.lineno}",
                )
            answer = problem(Fault(FaultCode.INTERNAL), language)
        if closing() or answer.status == 408:
            answer.force_close()
        return answer

    return middleware
