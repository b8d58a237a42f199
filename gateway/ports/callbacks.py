"""What partners' platforms call back at (回调), between the door and the adapters."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol


class CallbackRequest(NamedTuple):
    """A request as it came over TLS, its body whole and within bounds, nothing decoded."""

    method: str
    path: str
    """Below the partner's own part, beginning with `/`, percent-encoding as it came."""
    query: str
    """As it came, without `?`."""
    headers: Mapping[str, str]
    """Names in lower case; a name that came twice is refused by the door."""
    body: bytes
    target: str = ""
    """The whole request target as it came, for schemes that sign it."""
    authority: str = ""
    """Host as the caller named it."""
    peer_pin: bytes = b""
    """SHA-256 of the SubjectPublicKeyInfo of the caller's certificate; empty: it showed none."""


class CallbackAnswer(NamedTuple):
    """What is answered."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = MappingProxyType({})


class CallbackHandler(Protocol):
    """One partner's inbound side over HTTP. It proves the caller before it believes anything."""

    async def handle(self, request: CallbackRequest) -> CallbackAnswer:
        """Answer in the partner's own form, faults included; never raises a Fault."""
        ...
