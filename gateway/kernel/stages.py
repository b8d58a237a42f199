"""How far a delivery has come, as types: each step of the intake takes one and makes the next.

`Received → Authenticated → Conformant → Authorised → TakenIn`; a step that is skipped is a type
error. `Refused` is the other final outcome.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.kernel.case import CaseRecord
from gateway.kernel.envelope import Body, Header, Signature
from gateway.kernel.identifiers import Digest, GatewayId


class Received(NamedTuple):
    """Bytes that parse as an envelope. Nothing in it is believed yet."""

    raw: bytes
    header_bytes: bytes
    header: Header
    header_digest: Digest
    salt: bytes
    body_bytes: bytes
    signatures: tuple[Signature, ...]
    peer: GatewayId
    received_at_ms: int


class Authenticated(NamedTuple):
    """The sender's registered keys signed it, the peer may speak for the sender."""

    received: Received
    standing: bytes
    """Digest of the evidence document: certificate, directory entry as of `received_at_ms`."""


class Conformant(NamedTuple):
    """Header, body, JSON and form follow the rules."""

    authenticated: Authenticated
    body: Body
    document: object
    """The body's form, parsed."""


class Authorised(NamedTuple):
    """Agreement, item, version, mode, right, role and sequence allow it."""

    conformant: Conformant
    case: CaseRecord | None
    """The case after the message's effect; None for a caseless kind."""


class TakenIn(NamedTuple):
    """Authorised, with its signed receipt: fit for the journal."""

    authorised: Authorised
    receipt: bytes
    """Encoded SignedReceipt."""

    @property
    def received(self) -> Received:
        """The bytes this began as."""
        return self.authorised.conformant.authenticated.received


class Refused(NamedTuple):
    """Authenticated and finally refused, with its signed receipt."""

    authenticated: Authenticated
    rule: str
    receipt: bytes
