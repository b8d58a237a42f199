"""Bodies of requests as bytes: refused before they are read where that can be."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError

from gateway.edge.portal_http.admission import Bounds
from gateway.edge.portal_http.parameters import content_digests
from gateway.edge.portal_http.requests import MEDIA_TYPE_PATTERN
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import ATTACHMENT_BYTES_MAX, ATTACHMENT_CHUNK_BYTES
from gateway.kernel.media import MAGIC, MAGIC_BYTES
from gateway.rules.schema import strict_json

_EXPECTS: Final = web.RequestKey("expects_continue", bool)
_MEDIA_TYPE: Final = re.compile(MEDIA_TYPE_PATTERN)


async def expect(request: web.Request) -> None:
    """Note `Expect: 100-continue`; it is granted when the body is wanted, not before."""
    request[_EXPECTS] = request.headers.get("Expect", "").lower() == "100-continue"


async def _invite(request: web.Request) -> None:
    if request.get(_EXPECTS, False):
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer proper has not begun
        request[_EXPECTS] = False


@asynccontextmanager
async def _reading(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise Fault(FaultCode.PORTAL_TOO_SLOW, f"nothing for {seconds:g} s") from error
    except (RequestPayloadError, ConnectionError) as error:
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "the body ended early") from error


def _require_plain(request: web.Request) -> None:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Fault(FaultCode.PORTAL_MEDIA_TYPE, "Content-Encoding")


async def read_json(request: web.Request, bounds: Bounds, *, may_be_empty: bool = False) -> object:
    """Read and parse a JSON body; an empty one is `{}` if it may be.

    Raises:
        Fault: `portal.media_type`, `portal.too_large` (before anything is read if the length is
            declared), `portal.too_slow`, `portal.request_invalid`, those of `strict_json.parse`.
    """
    if may_be_empty and not request.body_exists:
        return {}
    raw = await read_json_bytes(request, bounds)
    return {} if may_be_empty and not raw else parse_json(raw, bounds)


async def read_json_bytes(request: web.Request, bounds: Bounds) -> bytes:
    """Read a JSON body and return it verbatim, for `parse_json`.

    Raises:
        Fault: as `read_json`, before anything is parsed.
    """
    _require_plain(request)
    if request.content_type != "application/json" or (request.charset or "utf-8") != "utf-8":
        raise Fault(FaultCode.PORTAL_MEDIA_TYPE, "application/json")
    if (request.content_length or 0) > bounds.json_bytes_max:
        raise Fault(FaultCode.PORTAL_TOO_LARGE, f"at most {bounds.json_bytes_max} bytes")
    await _invite(request)
    raw = bytearray()
    async with _reading(bounds.body_timeout_s):
        while chunk := await request.content.readany():
            raw += chunk
            if len(raw) > bounds.json_bytes_max:
                raise Fault(FaultCode.PORTAL_TOO_LARGE, f"at most {bounds.json_bytes_max} bytes")
    return bytes(raw)


def parse_json(raw: bytes, bounds: Bounds) -> object:
    """Parse a JSON body.

    Raises:
        Fault: those of `strict_json.parse`.
    """
    return strict_json.parse(raw, bytes_max=bounds.json_bytes_max)


def upload_head(request: web.Request) -> tuple[str, int]:
    """Return (media type, size in bytes) of an upload from its head.

    Raises:
        Fault: `portal.media_type`, `portal.request_invalid` (no length), `limit.attachment_bytes`.
    """
    _require_plain(request)
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if _MEDIA_TYPE.match(media_type) is None:
        raise Fault(FaultCode.PORTAL_MEDIA_TYPE, "Content-Type")
    size = request.content_length
    if size is None or size < 1:
        raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "Content-Length is required")
    if size > ATTACHMENT_BYTES_MAX:
        raise Fault(FaultCode.LIMIT_ATTACHMENT_BYTES, f"at most {ATTACHMENT_BYTES_MAX} bytes")
    return media_type, size


async def upload(request: web.Request, bounds: Bounds, media_type: str) -> AsyncIterator[bytes]:
    """Yield an upload in bounded chunks; the last one only after `Content-Digest` was matched.

    The first bytes of PDF, JPEG and PNG files are checked; those of other types are *not*.

    Raises:
        Fault: `attachment.type`, `attachment.digest`, `portal.too_slow`,
            `portal.request_invalid` if the sender goes away.
    """
    expected = content_digests(request)
    running = {name: hashlib.new(name.replace("-", "")) for name in expected}
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + bounds.upload_timeout_s
    await _invite(request)
    held = await _first(request, bounds, media_type)
    while held:
        if loop.time() > ends_at:
            raise Fault(FaultCode.PORTAL_TOO_SLOW, f"{bounds.upload_timeout_s:g} s for a file")
        for h in running.values():
            h.update(held)
        chunk = await _read(request, bounds, ATTACHMENT_CHUNK_BYTES)
        if not chunk and any(running[n].digest() != d for n, d in expected.items()):
            raise Fault(FaultCode.ATTACHMENT_DIGEST, "Content-Digest")
        yield held
        held = chunk


async def _read(request: web.Request, bounds: Bounds, size: int) -> bytes:
    async with _reading(bounds.upload_idle_s):
        return await request.content.read(size)
    raise AssertionError("reading either answers or raises")


async def _first(request: web.Request, bounds: Bounds, media_type: str) -> bytes:
    head = b""
    while len(head) < MAGIC_BYTES:
        chunk = await _read(request, bounds, ATTACHMENT_CHUNK_BYTES)
        if not chunk:
            break
        head += chunk
    if not head.startswith(MAGIC.get(media_type, b"")):
        raise Fault(FaultCode.ATTACHMENT_TYPE, media_type)
    return head
