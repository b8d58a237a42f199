"""Which announced keys count, and how many may lie here.

A key that signs an announcement may have been stolen: it never vouches for its successor. What
counts is the organisation's certificate chain, or an operator's word out of band.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.kernel.announced import AnnouncedKey, KeyProof
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import KeyId
from gateway.kernel.limits import ANNOUNCED_KEYS_MAX


def counts(key: AnnouncedKey) -> bool:
    """Tell whether a key may be believed, within its own validity."""
    return key.proof is not KeyProof.NONE and not key.dropped


def heard_again(known: AnnouncedKey, heard: AnnouncedKey) -> AnnouncedKey:
    """Return what is kept of a key that is announced once more: nothing is taken back by it.

    Raises:
        Fault: `key.announcement_invalid` if it is for another use now.
    """
    if known.use is not heard.use:
        told = f"was announced for {known.use.value}; a key has one use"
        raise Fault(FaultCode.KEY_ANNOUNCEMENT_INVALID, told)
    better = known.proof is KeyProof.NONE and heard.proof is not KeyProof.NONE
    return known._replace(proof=heard.proof, certificate=heard.certificate) if better else known


def require_room(kept: Sequence[AnnouncedKey], heard: AnnouncedKey, now_ms: int) -> None:
    """Check that a partner's announcements do not pile up: proven and unproven ones apart.

    Raises:
        Fault: `limit.quota`.
    """
    proven = heard.proof is not KeyProof.NONE
    alike = [k for k in kept if (k.proof is not KeyProof.NONE) is proven]
    if sum(k.not_after_ms > now_ms for k in alike) >= ANNOUNCED_KEYS_MAX:
        raise Fault(FaultCode.LIMIT_QUOTA, f"{ANNOUNCED_KEYS_MAX} announced keys; drop some there")


def find_announced(kept: Iterable[AnnouncedKey], start: str) -> AnnouncedKey:
    """Return the key whose id begins so.

    Raises:
        Fault: `trust.key_unknown` if there is none, or more than one.
    """
    found = [k for k in kept if start and k.key_id.hex().startswith(start)]
    if len(found) != 1:
        raise Fault(FaultCode.TRUST_KEY_UNKNOWN, f"{len(found)} announced keys begin so")
    return found[0]


def require_its_own(named: str, sender: str, not_after_ms: int, now_ms: int) -> None:
    """Check that a certificate is its sender's, and not over.

    Raises:
        Fault: `key.announcement_invalid`.
    """
    if named != sender:
        raise Fault(FaultCode.KEY_ANNOUNCEMENT_INVALID, f"names gateway {named[:6]}")
    if not_after_ms <= now_ms:
        raise Fault(FaultCode.KEY_ANNOUNCEMENT_INVALID, "has expired")


def require_unclaimed(key_id: KeyId, others: Iterable[KeyId]) -> None:
    """Check that a key is nobody else's: a certificate over another's public key proves nothing.

    Its chain says what the partner's authority calls it, and not that the partner has the key.

    Raises:
        Fault: `key.announcement_invalid`.
    """
    if key_id in set(others):
        raise Fault(FaultCode.KEY_ANNOUNCEMENT_INVALID, "is another gateway's key")


def require_new(key_id: KeyId, registered: Iterable[KeyId]) -> None:
    """Check that a key is not registered already: its entry's own dates hold.

    Raises:
        Fault: `key.announcement_invalid`.
    """
    if key_id in set(registered):
        raise Fault(FaultCode.KEY_ANNOUNCEMENT_INVALID, "is registered already")


def require_untold(key_id: KeyId, in_use: Iterable[KeyId]) -> None:
    """Check that a key of ours is not the only one in use: whoever can be told has it already.

    Raises:
        Fault: `key.announcement_invalid`.
    """
    if set(in_use) == {key_id}:
        told = "is in use, and no other: partners have it already; announce the next one"
        raise Fault(FaultCode.KEY_ANNOUNCEMENT_INVALID, told)
