"""Digests, salted commitments and the encoding that is signed."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from gateway.kernel.identifiers import Digest

# One type per purpose, so that a signature made for one can never be shown as another.
TYPE_HEADER: Final = b"application/vnd.kuayu.v1.header"
TYPE_RECEIPT: Final = b"application/vnd.kuayu.v1.receipt"
TYPE_BATCH_HEAD: Final = b"application/vnd.kuayu.v1.batch-head"
TYPE_AGREEMENT_ACT: Final = b"application/vnd.kuayu.v1.agreement-act"
TYPE_ATTESTATION: Final = b"application/vnd.kuayu.v1.attestation"
TYPE_OPERATOR_ACT: Final = b"application/vnd.kuayu.v1.operator-act"
TYPE_CONFORMANCE_REPORT: Final = b"application/vnd.kuayu.v1.conformance-report"
TYPE_INVITATION: Final = b"application/vnd.kuayu.v1.invitation"


def digest(raw: bytes) -> Digest:
    """Return SHA-256 of `raw`."""
    return Digest(sha256(raw).digest())


def commitment(salt: bytes, content: bytes) -> Digest:
    """Return SHA-256(salt ‖ content), which tells nothing about `content` without the salt."""
    h = sha256(salt)
    h.update(content)
    return Digest(h.digest())


def pae(kind: bytes, raw: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding of `raw` under the type `kind`.

    Source: github.com/secure-systems-lab/dsse, protocol.md, version 1.
    """
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(raw), raw)
