"""Keys that partners announced before they use them (预告密钥)."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from gateway.kernel.identifiers import GatewayId, KeyId


class KeyUse(StrEnum):
    """What a key is for."""

    SIGNING = "signing"  # 签名
    TRANSPORT = "transport"  # 传输


class KeyProof(StrEnum):
    """Why an announced key counts. That a known key signed the announcement is no proof."""

    NONE = ""  # it does not count
    CHAIN = "chain"  # its certificate chains to the partner's registered authorities
    OPERATOR = "operator"  # confirmed out of band (电话核实)


class AnnouncedKey(NamedTuple):
    """A partner's key as it was announced, and whether it counts."""

    partner: GatewayId
    key_id: KeyId
    """SHA-256 of the SubjectPublicKeyInfo; of a transport key its pin."""
    use: KeyUse
    suite: str
    public_key: bytes
    not_before_ms: int
    not_after_ms: int
    certificate: bytes
    """PEM, with its chain as it was verified, if it was."""
    announced_at_ms: int
    proof: KeyProof
    operator: str = ""
    """Who confirmed or dropped it."""
    settled_at_ms: int = 0
    dropped: bool = False
    """An operator let go of it: it does not count, and does not come again by itself."""
