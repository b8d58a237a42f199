"""The HTTPS line to a partner's platform: one session, its own authorities, everything bounded.

No redirect is followed, nothing is decompressed, and an answer is read no further than its limit.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from gateway.kernel.limits import ARRIVAL_BYTES_MAX, DIALECT_CONNECTIONS_MAX
from gateway.ports.outlet import OutletDown

_REDIRECTS: Final = range(300, 400)
_LATER: Final = frozenset({408, 425, 429})


class HttpAnswer(NamedTuple):
    """An answer, whole. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class HttpsAccess:
    """How a platform is reached and known. `tls` is None for plaintext on loopback only."""

    base_url: str
    tls: ssl.SSLContext | None
    server_name: str | None = None
    timeout_s: float = 15.0
    bytes_max: int = ARRIVAL_BYTES_MAX
    headers: Mapping[str, str] = field(default_factory=dict)


class HttpsLine:
    """Sends requests, each within its time, at most `DIALECT_CONNECTIONS_MAX` at once."""

    def __init__(self, access: HttpsAccess) -> None:
        self._access = access
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> HttpAnswer:
        """Ask; `target` begins with `/` and is put behind the base URL as it is.

        Any status but those of redirects, of servers in trouble and of "not now" is an answer.

        Raises:
            OutletDown: no such answer was had in time; the reason names why.
        """
        a = self._access
        try:
            async with (
                asyncio.timeout(a.timeout_s),
                self._open().request(
                    method,
                    URL(a.base_url + target, encoded=True),
                    headers={**a.headers, "Accept-Encoding": "identity", **headers},
                    data=body or None,
                    allow_redirects=False,
                    ssl=a.tls if a.tls is not None else False,
                    server_hostname=a.server_name if a.tls is not None else None,
                ) as answer,
            ):
                _require_answer(answer)
                return HttpAnswer(
                    answer.status,
                    {name.lower(): value for name, value in answer.headers.items()},
                    await _whole(answer.content, a.bytes_max),
                )
        except (aiohttp.ClientError, OSError, ValueError) as broken:
            raise OutletDown(type(broken).__name__) from broken

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=DIALECT_CONNECTIONS_MAX)
            self._session = aiohttp.ClientSession(
                connector=connector,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                max_line_size=8_190,
                max_field_size=8_190,
            )
        return self._session

    async def close(self) -> None:
        """Let go of connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def _require_answer(answer: aiohttp.ClientResponse) -> None:
    status = answer.status
    if status in _REDIRECTS:
        raise OutletDown(f"http_{status}_redirect_refused")
    if status >= 500 or status in _LATER:
        raise OutletDown(f"http_{status}")
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise OutletDown("answer_compressed")


async def _whole(content: aiohttp.StreamReader, bytes_max: int) -> bytes:
    """Read a body whole, or no further than its limit.

    Raises:
        OutletDown: it is larger.
    """
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > bytes_max:
            raise OutletDown("answer_too_large")
    return bytes(body)


def client_tls(authorities: bytes, certificate: tuple[str, str] | None = None) -> ssl.SSLContext:
    """Return what a platform's certificate is checked with: its own authorities, and no others.

    `certificate` names the files of our client certificate and its key.

    Raises:
        ssl.SSLError, OSError: a file is not what it should be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=authorities.decode("ascii"))
    if certificate is not None:
        context.load_cert_chain(*certificate)
    return context


def is_plain_loopback(url: str) -> bool:
    """Tell whether a URL is plaintext on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and (parts.hostname or "") in ("127.0.0.1", "::1", "localhost")
