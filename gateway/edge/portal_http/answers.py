"""Answers: JSON, and files on their way out."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from aiohttp import web

from gateway.edge.portal_http.context import Portal, line_of
from gateway.edge.portal_http.problems import route_of
from gateway.edge.portal_http.requests import MEDIA_TYPE_PATTERN
from gateway.flow.desk import Download, View

_MEDIA_TYPE: Final = re.compile(MEDIA_TYPE_PATTERN)
_ALWAYS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def json_answer(
    view: View, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Write a view as JSON; its `revision`, if it has one, becomes the `ETag`."""
    answer = web.Response(
        status=status,
        body=json.dumps(view, ensure_ascii=False, allow_nan=False).encode(),
        content_type="application/json",
        headers={**_ALWAYS, **(headers or {})},
    )
    revision = view.get("revision")
    if isinstance(revision, int):
        answer.headers["ETag"] = f'"{revision}"'
    return answer


async def file_answer(
    request: web.Request, portal: Portal, download: Download
) -> web.StreamResponse:
    """Send a file in chunks. If it breaks off, the line is cut so that nobody takes it as whole.

    Nothing of a file is ever shown by a browser: it is an attachment, whatever its type.
    """
    known = _MEDIA_TYPE.match(download.media_type) is not None
    answer = web.StreamResponse(
        headers={
            **_ALWAYS,
            "Content-Type": download.media_type if known else "application/octet-stream",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(download.name, safe='')}",
        }
    )
    answer.content_length = download.size
    await answer.prepare(request)
    sent = 0
    try:
        async for chunk in download.chunks:
            sent += len(chunk)
            async with asyncio.timeout(portal.bounds.answer_timeout_s):
                await answer.write(chunk)
    except Exception as error:  # noqa: BLE001 - the head is out: only the line itself can say no
        _break_off(request, portal, type(error).__name__)
        return answer
    if sent != download.size:
        _break_off(request, portal, "size")
    return answer


def _break_off(request: web.Request, portal: Portal, error: str) -> None:
    portal.log.event("http_download_broken", route=route_of(request), error=error)
    line_of(request).cut()
