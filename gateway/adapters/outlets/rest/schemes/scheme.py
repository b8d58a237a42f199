"""What every signing scheme does. Nothing here reads a clock, a file or a socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from gateway.kernel.envelope import Strength
from gateway.kernel.faults import Fault, FaultCode


class Call(NamedTuple):
    """A request, ours before it is sent, or a partner's as it came."""

    method: str
    url: str
    """Whole and absolute, as the receiver sees it."""
    operation: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class Proof(NamedTuple):
    """What a partner's request proves."""

    strength: Strength
    body: bytes
    """The document's bytes, decrypted if they were encrypted."""
    nonce: str
    """What may come only once, until `nonce_until_ms`."""
    nonce_until_ms: int
    operation: str = ""
    """Where the scheme names it; empty: the path does."""


class Scheme(Protocol):
    """Signs our calls and judges theirs."""

    def sign(self, call: Call, now_ms: int, nonce: str) -> Call:
        """Return a call with what the scheme adds, its body encrypted if the scheme does so."""
        ...

    def verify(self, call: Call, now_ms: int) -> Proof:
        """Judge a partner's call.

        Raises:
            Fault: `partner.unsigned`, `partner.signature_invalid`, `partner.clock_skew`,
                `partner.document_unreadable`.
        """
        ...

    def open_answer(self, body: bytes, now_ms: int) -> Proof:
        """Return an answer's document, and how far it is proven beside the connection's.

        Where an answer is signed itself, the proof has a nonce: another use of it is a replay.

        Raises:
            Fault: `partner.signature_invalid`, `partner.unsigned`, `partner.clock_skew`.
        """
        ...


def plain_answer(body: bytes) -> Proof:
    """Return an answer that only its connection proves: it came over TLS that was checked."""
    return Proof(Strength.AUTHENTICATED, body, "", 0)


def header(call: Call, name: str) -> str:
    """Return a header that the scheme needs.

    Raises:
        Fault: `partner.unsigned`.
    """
    found = call.headers.get(name, "")
    if not found:
        raise Fault(FaultCode.PARTNER_UNSIGNED, name)
    return found


def require_now(given: str, unit_ms: int, now_ms: int, skew_ms_max: int) -> int:
    """Return an instant in ms that stands as a whole number of `unit_ms`, near `now_ms`.

    Raises:
        Fault: `partner.clock_skew`; `partner.unsigned` if it is no number.
    """
    if not (given.isascii() and given.isdigit() and len(given) <= 15):
        raise Fault(FaultCode.PARTNER_UNSIGNED, "timestamp")
    at_ms = int(given) * unit_ms
    if abs(now_ms - at_ms) > skew_ms_max:
        raise Fault(FaultCode.PARTNER_CLOCK_SKEW, f"{(at_ms - now_ms) // 1000} s")
    return at_ms


def require_same(held: bool, what: str) -> None:
    """Check that a comparison in constant time held.

    Raises:
        Fault: `partner.signature_invalid`.
    """
    if not held:
        raise Fault(FaultCode.PARTNER_SIGNATURE_INVALID, what)
