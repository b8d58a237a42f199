"""HTTP message signatures (RFC 9421) over method, target, Content-Digest (RFC 9530) and a nonce."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)
from http_message_signatures.exceptions import HTTPMessageSignaturesException

from gateway.adapters.outlets.rest.schemes.scheme import Call, Proof, header, plain_answer
from gateway.kernel.envelope import Strength
from gateway.kernel.faults import Fault, FaultCode

_COVERED: Final = ("@method", "@target-uri", "content-type")
ALGORITHMS: Final[dict[str, Any]] = {
    "ed25519": algorithms.ED25519,
    "ecdsa-p256-sha256": algorithms.ECDSA_P256_SHA256,
    "hmac-sha256": algorithms.HMAC_SHA256,
}


@dataclass
class _Message:
    """A request as the library sees it."""

    method: str
    url: str
    headers: dict[str, str]


@dataclass(frozen=True)
class _Keys(HTTPSignatureKeyResolver):
    own: Any = field(repr=False)
    theirs: Any = field(repr=False)
    their_id: str

    def resolve_private_key(self, key_id: str) -> Any:
        return self.own

    def resolve_public_key(self, key_id: str) -> Any:
        if key_id != self.their_id:
            raise Fault(FaultCode.PARTNER_SIGNATURE_INVALID, "keyid")
        return self.theirs


@dataclass(frozen=True)
class HttpSignatures:
    """Implements `Scheme`. Keys are bytes for HMAC, else key objects of `cryptography`."""

    algorithm: str
    key_id: str
    own: Ed25519PrivateKey | EllipticCurvePrivateKey | bytes = field(repr=False)
    their_id: str
    theirs: Any = field(repr=False)
    skew_ms_max: int
    tag: str
    """Names the application, so that a signature made for another is none here."""

    @property
    def _proven(self) -> Strength:
        return Strength.AUTHENTICATED if self.algorithm == "hmac-sha256" else Strength.SIGNED

    @property
    def _keys(self) -> _Keys:
        return _Keys(self.own, self.theirs, self.their_id)

    def sign(self, call: Call, now_ms: int, nonce: str) -> Call:
        """See `Scheme`."""
        message = _Message(call.method, call.url, dict(call.headers))
        created = datetime.fromtimestamp(now_ms // 1_000, UTC)
        HTTPMessageSigner(
            signature_algorithm=ALGORITHMS[self.algorithm], key_resolver=self._keys
        ).sign(
            message,
            key_id=self.key_id,
            created=created,
            expires=created + timedelta(milliseconds=self.skew_ms_max),
            nonce=nonce,
            tag=self.tag,
            covered_component_ids=_COVERED,
            body=call.body,
        )
        return call._replace(headers={n.lower(): v for n, v in message.headers.items()})

    def verify(self, call: Call, now_ms: int) -> Proof:
        """See `Scheme`. What is not covered by the signature is not looked at."""
        for name in ("signature", "signature-input", "content-digest"):
            header(call, name)
        message = _Message(call.method, call.url, dict(call.headers))
        verifier = HTTPMessageVerifier(
            signature_algorithm=ALGORITHMS[self.algorithm], key_resolver=self._keys
        )
        verifier.max_clock_skew = timedelta(days=36_500)  # time is judged below, by our clock
        try:
            (found,) = verifier.verify(
                message,
                max_age=None,
                expect_tag=self.tag,
                require_components=(*_COVERED, "content-digest"),
                body=call.body,
            )
        except (HTTPMessageSignaturesException, ValueError, KeyError, TypeError) as problem:
            detail = type(problem).__name__
            raise Fault(FaultCode.PARTNER_SIGNATURE_INVALID, detail) from None
        created, nonce = found.parameters.get("created"), found.parameters.get("nonce")
        if not isinstance(created, int) or not isinstance(nonce, str) or not nonce:
            raise Fault(FaultCode.PARTNER_UNSIGNED, "created, nonce")
        expires = found.parameters.get("expires", created + self.skew_ms_max // 1_000)
        if isinstance(expires, int) and expires * 1_000 < now_ms:
            raise Fault(FaultCode.PARTNER_CLOCK_SKEW, "expired")
        if abs(now_ms - created * 1_000) > self.skew_ms_max:
            raise Fault(FaultCode.PARTNER_CLOCK_SKEW, f"{created - now_ms // 1_000} s")
        until_ms = created * 1_000 + self.skew_ms_max + 1_000
        return Proof(self._proven, call.body, f"rfc9421 {nonce[:200]}", until_ms)

    def open_answer(self, body: bytes, now_ms: int) -> Proof:
        """See `Scheme`: answers are not signed."""
        return plain_answer(body)
