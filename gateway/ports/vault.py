"""Attachments at rest: content-addressed within (partner, case)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from typing import NamedTuple, Protocol

from gateway.kernel.envelope import AttachmentState
from gateway.kernel.identifiers import CaseKey, Digest, GatewayId


class VaultScope(NamedTuple):
    """Nothing stored under one scope can be seen, or counted, from another."""

    partner: GatewayId
    case_key: CaseKey


class Stored(NamedTuple):
    """A whole attachment: commitment = SHA-256(salt ‖ content), sha256 of the content, bytes."""

    commitment: Digest
    sha256: Digest
    size: int


class Held(NamedTuple):
    """A whole attachment as it lies: the salt its commitment was checked with, and its bytes."""

    salt: bytes
    size: int


class Usage(NamedTuple):
    """What a scope holds, whole and partial attachments together; salts do not count."""

    files: int
    size: int


class Vault(Protocol):
    """Keeps attachments.

    An attachment that `put` or `append` reported whole MUST survive a power cut. A part MAY be
    lost. Memory use MUST NOT grow with the size of an attachment. Content under a commitment never
    changes; storing the same content again is no error. The salt is kept with the content, so that
    what lies there proves its commitment by itself. A salt is 32 bytes.
    """

    async def state(self, scope: VaultScope, commitment: bytes) -> AttachmentState:
        """Return how much is held."""
        ...

    async def held(self, scope: VaultScope, commitments: Collection[bytes]) -> Mapping[bytes, Held]:
        """Return those of `commitments` that are held whole."""
        ...

    async def usage(self, scope: VaultScope) -> Usage:
        """Return what the scope holds."""
        ...

    async def cases_of(self, partner: GatewayId) -> set[CaseKey]:
        """Return the cases in which this partner holds attachments, whole or in part."""
        ...

    async def partners(self) -> set[GatewayId]:
        """Return the partners with which attachments are, or were, held."""
        ...

    async def idle(self, partner: GatewayId, before_ms: int) -> Mapping[CaseKey, bool]:
        """Return the cases last used before `before_ms` (Unix ms), and whether parts lie there.

        A case is used when an upload begins, is written or ends, and when `held` asks for it.
        Cases of which nothing but an empty place is left are among them.
        """
        ...

    async def sweep(self, scope: VaultScope, before_ms: int) -> Usage:
        """Remove everything of a case unless it was used at `before_ms` or later; tell what.

        Looking and removing are one step to every use: what `held` or an upload found or began
        is not removed under it. After a crash the case is there whole, or not at all.
        """
        ...

    async def sweep_parts(self, scope: VaultScope, before_ms: int) -> Usage:
        """Remove uploads never completed and not written since `before_ms`; tell what."""
        ...

    async def put(
        self,
        scope: VaultScope,
        salt: bytes,
        chunks: AsyncIterator[bytes],
        *,
        size: int,
        sha256: bytes,
    ) -> Stored:
        """Store a local upload whose digest is declared.

        Raises:
            Fault: `attachment.size` or `attachment.digest`; then nothing is held.
        """
        ...

    async def append(
        self,
        scope: VaultScope,
        salt: bytes,
        commitment: bytes,
        chunks: AsyncIterator[bytes],
        *,
        offset: int,
        size: int,
    ) -> AttachmentState:
        """Store a partner's upload from `offset` on; what arrived before a break is kept.

        Raises:
            Fault: `attachment.offset` if `offset` is not what is held; `attachment.size` if more
                than `size` arrives; `attachment.digest` if the whole does not match, or `salt` is
                not the one the part began with, and then the part is thrown away.
        """
        ...

    def read(
        self, scope: VaultScope, commitment: bytes, *, offset: int = 0
    ) -> AsyncIterator[bytes]:
        """Yield the content from `offset` in chunks of at most `ATTACHMENT_CHUNK_BYTES`.

        Raises:
            Fault: `attachment.absent`.
        """
        ...
