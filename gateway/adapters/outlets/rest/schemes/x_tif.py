"""`x-tif`: headers paasid, timestamp, nonce and a digest around a token; a body under SM4 and SM2.

`x-tif-signature` = SHA-256 hex of timestamp + token + nonce + timestamp, in seconds. The optional
body is `{encData, signData, encType, signType, timestamp}`: the document under SM4-CBC (or SM2),
and an SM2 signature over the document with the timestamp behind it. Public code of Guangdong and of
medical insurance; layouts differ and are settings.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Literal, NamedTuple

from gateway.adapters.outlets.documents import read_json
from gateway.adapters.outlets.rest.schemes.scheme import (
    Call,
    Proof,
    header,
    plain_answer,
    require_now,
    require_same,
)
from gateway.kernel.envelope import Strength
from gateway.kernel.faults import Fault, FaultCode
from gateway.ports.national_crypto import CipherOrder, NationalCrypto, SignatureForm, Sm2Key

_ID, _TIME, _NONCE, _SIGN = (
    f"x-tif-{name}" for name in ("paasid", "timestamp", "nonce", "signature")
)
_IV: Final = 16
_SECOND: Final = 1_000


def signature(timestamp: str, token: str, nonce: str) -> str:
    """Return what `x-tif-signature` must be."""
    return sha256(f"{timestamp}{token}{nonce}{timestamp}".encode()).hexdigest()


class Unwrapped(NamedTuple):
    """A document that was signed, and when."""

    document: bytes
    timestamp: str
    mark: str
    """Of its signature, which is another for each message: it counts once."""


@dataclass(frozen=True)
class Wrapping:
    """How bodies are encrypted and signed."""

    crypto: NationalCrypto
    own: Sm2Key
    theirs: Sm2Key
    user_id: bytes
    form: SignatureForm
    cipher: Literal["sm4-cbc", "sm2"]
    sm4_key: bytes = field(repr=False)
    """16 bytes; empty under `sm2`."""
    order: CipherOrder

    def wrap(self, document: bytes, timestamp: str, iv: bytes) -> bytes:
        """Encrypt and sign a document; `iv` is drawn anew for each, and goes before the text."""
        if self.cipher == "sm2":
            sealed = self.theirs.encrypt(document, self.order)
        else:
            sealed = iv + self.crypto.sm4_cbc_encrypt(self.sm4_key, iv, document)
        signed = self.own.sign(document + timestamp.encode(), self.user_id, self.form)
        told = {
            "encData": base64.b64encode(sealed).decode(),
            "signData": base64.b64encode(signed).decode(),
            "encType": "SM2" if self.cipher == "sm2" else "SM4",
            "signType": "SM2",
            "timestamp": timestamp,
        }
        return json.dumps(told).encode()

    def unwrap(self, body: bytes, timestamp: str | None) -> Unwrapped:
        """Return the document; one answer for whatever is wrong, so that nothing can be tried out.

        A wrong padding takes as long as a wrong signature.

        Raises:
            Fault: `partner.unsigned` for a bare body, `partner.signature_invalid`.
        """
        told = read_json(body)
        given = {name: told.get(name) for name in ("encData", "signData", "timestamp")}
        if not all(isinstance(value, str) for value in given.values()):
            raise Fault(FaultCode.PARTNER_UNSIGNED, "encData, signData, timestamp")
        stamp = str(given["timestamp"])
        sealed, signed = (_base64(str(given[name])) for name in ("encData", "signData"))
        document = self._decrypted(sealed)
        judged = sealed if document is None else document
        held = self.theirs.verify(signed, judged + stamp.encode(), self.user_id, self.form)
        require_same(held and document is not None and timestamp in (None, stamp), "signData")
        assert document is not None, "it held"
        return Unwrapped(document, stamp, f"x-tif signed {sha256(signed).hexdigest()}")

    def _decrypted(self, sealed: bytes) -> bytes | None:
        if self.cipher == "sm2":
            return self.own.decrypt(sealed, self.order)
        return self.crypto.sm4_cbc_decrypt(self.sm4_key, sealed[:_IV], sealed[_IV:])


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


@dataclass(frozen=True)
class XTif:
    """Implements `Scheme`."""

    paas_id: str
    token: str = field(repr=False)
    inbound_paas_id: str
    inbound_token: str = field(repr=False)
    skew_ms_max: int
    wrapping: Wrapping | None = None

    def sign(self, call: Call, now_ms: int, nonce: str) -> Call:
        """See `Scheme`. The nonce is drawn from 16 random bytes or more; the IV comes of it."""
        time = str(now_ms // _SECOND)
        made = signature(time, self.token, nonce)
        added = {_ID: self.paas_id, _TIME: time, _NONCE: nonce, _SIGN: made}
        body = call.body
        if self.wrapping is not None:
            iv = sha256(b"iv" + nonce.encode()).digest()[:_IV]
            body = self.wrapping.wrap(body, time, iv)
        return call._replace(headers={**call.headers, **added}, body=body)

    def verify(self, call: Call, now_ms: int) -> Proof:
        """See `Scheme`: signed where bodies are, else the headers prove the caller alone.

        A signed body counts once, whatever path and nonce it comes with: neither is signed.
        """
        caller, time, nonce, given = (header(call, name) for name in (_ID, _TIME, _NONCE, _SIGN))
        wanted = signature(time, self.inbound_token, nonce)
        held = hmac.compare_digest(given.lower().encode(), wanted.encode())
        require_same(held and caller == self.inbound_paas_id, _SIGN)
        at_ms = require_now(time, _SECOND, now_ms, self.skew_ms_max)
        until_ms = at_ms + self.skew_ms_max + _SECOND
        if self.wrapping is None:
            return Proof(Strength.AUTHENTICATED, call.body, f"x-tif {nonce}", until_ms)
        inside = self.wrapping.unwrap(call.body, time)
        return Proof(Strength.SIGNED, inside.document, inside.mark, until_ms)

    def open_answer(self, body: bytes, now_ms: int) -> Proof:
        """See `Scheme`: answers are wrapped as calls are.

        The signature says that the partner wrote this now; that it answers this very call, the
        connection says.
        """
        if self.wrapping is None:
            return plain_answer(body)
        inside = self.wrapping.unwrap(body, None)
        at_ms = require_now(inside.timestamp, _SECOND, now_ms, self.skew_ms_max)
        until_ms = at_ms + self.skew_ms_max + _SECOND
        return Proof(Strength.SIGNED, inside.document, inside.mark, until_ms)
