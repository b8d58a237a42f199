"""Paths, queries and headers of requests."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection
from typing import Final

from aiohttp import web

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import parse_uuid7
from gateway.kernel.limits import IDEMPOTENCY_KEY_CHARS_MAX, PAGE_DEFAULT, PAGE_MAX

_REVISION: Final = re.compile(r'"([0-9]{1,15})"\Z')
_COMMITMENT: Final = re.compile(r"[0-9a-f]{64}\Z")
_NUMBER: Final = re.compile(r"[0-9]{1,15}\Z")
_DIGEST_MEMBER: Final = re.compile(r"([a-z0-9-]+)=:([A-Za-z0-9+/=]*):\Z")


def _invalid(detail: str) -> Fault:
    return Fault(FaultCode.PORTAL_REQUEST_INVALID, detail)


def id_in_path(request: web.Request, name: str) -> bytes:
    """Return a case id of the path; what is no id is not found.

    Raises:
        Fault: `portal.not_found`.
    """
    found = parse_uuid7(request.match_info[name])
    if found is None:
        raise Fault(FaultCode.PORTAL_NOT_FOUND)
    return found


def commitment_in_path(request: web.Request, name: str) -> bytes:
    """Return a commitment of the path, 64 lower-case hex digits.

    Raises:
        Fault: `portal.not_found`.
    """
    text = request.match_info[name]
    if _COMMITMENT.match(text) is None:
        raise Fault(FaultCode.PORTAL_NOT_FOUND)
    return bytes.fromhex(text)


def is_digest(text: str) -> bool:
    """Tell whether a text is a SHA-256 in 64 lower-case hex digits."""
    return _COMMITMENT.match(text) is not None


def query(request: web.Request, known: Collection[str]) -> dict[str, str]:
    """Return the query parameters.

    Raises:
        Fault: `portal.request_invalid` if one is not among `known` or comes twice.
    """
    if any(name not in known for name in request.query):
        raise _invalid("the query may hold: " + (", ".join(sorted(known)) or "nothing"))
    if len(request.query) != len(set(request.query)):
        raise _invalid("a query parameter came twice")
    return dict(request.query)


def whole_number(given: dict[str, str], name: str, default: int) -> int:
    """Return a non-negative integer parameter.

    Raises:
        Fault: `portal.request_invalid`.
    """
    text = given.get(name)
    if text is None:
        return default
    if _NUMBER.match(text) is None:
        raise _invalid(f"{name} is not a whole number")
    return int(text)


def page_size(given: dict[str, str]) -> int:
    """Return `limit`, 1 to `PAGE_MAX`; more is cut to that.

    Raises:
        Fault: `portal.request_invalid`.
    """
    limit = whole_number(given, "limit", PAGE_DEFAULT)
    if limit < 1:
        raise _invalid("limit is at least 1")
    return min(limit, PAGE_MAX)


def _single(request: web.Request, name: str) -> str | None:
    values = request.headers.getall(name, [])
    if len(values) > 1:
        raise _invalid(f"{name} came twice")
    return values[0] if values else None


def idempotency_key(request: web.Request) -> str | None:
    """Return the `Idempotency-Key`: printable ASCII, of bounded length.

    Raises:
        Fault: `portal.request_invalid`.
    """
    key = _single(request, "Idempotency-Key")
    if key is None:
        return None
    if not 0 < len(key) <= IDEMPOTENCY_KEY_CHARS_MAX or not (key.isascii() and key.isprintable()):
        raise _invalid(f"Idempotency-Key: 1 to {IDEMPOTENCY_KEY_CHARS_MAX} printable characters")
    return key


def revision(request: web.Request) -> int | None:
    """Return the revision named by `If-Match`, as in `"7"`; None without one or for `*`.

    Raises:
        Fault: `portal.request_invalid`.
    """
    text = _single(request, "If-Match")
    if text is None or text.strip() == "*":
        return None
    match = _REVISION.match(text.strip())
    if match is None:
        raise _invalid("If-Match is not an ETag of ours")
    return int(match[1])


def content_digests(request: web.Request) -> dict[str, bytes]:
    """Return the digests of `Content-Digest` (RFC 9530) in algorithms we know.

    Algorithms we do not know are passed over, as the RFC lets a recipient do.

    Raises:
        Fault: `portal.request_invalid`.
    """
    text = _single(request, "Content-Digest")
    if text is None:
        return {}
    digests: dict[str, bytes] = {}
    for member in text.split(","):
        match = _DIGEST_MEMBER.match(member.strip())
        if match is None:
            raise _invalid("Content-Digest")
        if match[1] in ("sha-256", "sha-512"):
            try:
                digests[match[1]] = base64.b64decode(match[2], validate=True)
            except binascii.Error as error:
                raise _invalid("Content-Digest") from error
    return digests
