"""Scans of what a partner without a system wrote (扫描件), beside the answer typed from them.

A scan lies in the vault of this partner and case, under SHA-256 over a salt of its own and the
content. The typed answer names it, so it stands in the record that the attestation's digest is of.
It is no material of the case and no part of the message: the partner never signed it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from gateway.flow.assisted_desk import TypedFile
from gateway.flow.desk import Download, View
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseKey, GatewayId
from gateway.kernel.limits import (
    CASE_ATTACHMENT_BYTES_MAX,
    CASE_ATTACHMENTS_MAX,
    SALT_BYTES,
)
from gateway.kernel.media import MAGIC
from gateway.ports.assisted import WorkItem
from gateway.ports.clock import Entropy
from gateway.ports.vault import Vault, VaultScope


class Scans:
    """Keeps scans and proves that those a typed answer names are here."""

    def __init__(self, vault: Vault, entropy: Entropy) -> None:
        self._vault = vault
        self._entropy = entropy

    async def keep(
        self,
        item: WorkItem,
        media_type: str,
        size: int,
        sha256: bytes,
        chunks: AsyncIterator[bytes],
    ) -> View:
        """Store one scan; return what a typed answer names it by.

        The same scan twice lies there twice. Two uploads at once may exceed the case's quota by
        one file: the people of one office are trusted that far.

        Raises:
            Fault: `attachment.type`, `attachment.size`, `attachment.digest`, `limit.quota`.
        """
        if media_type not in MAGIC:
            raise Fault(FaultCode.ATTACHMENT_TYPE, f"one of {', '.join(sorted(MAGIC))}")
        scope = VaultScope(item.partner, item.case_key)
        usage = await self._vault.usage(scope)
        if usage.files >= CASE_ATTACHMENTS_MAX:
            raise Fault(FaultCode.LIMIT_QUOTA, "files of a case")
        if usage.size + size > CASE_ATTACHMENT_BYTES_MAX:
            raise Fault(FaultCode.LIMIT_QUOTA, "bytes of a case")
        salt = self._entropy.token(SALT_BYTES)
        stored = await self._vault.put(scope, salt, chunks, size=size, sha256=sha256)
        return TypedFile(stored.commitment, media_type, stored.size).view()

    async def require(self, partner: GatewayId, key: CaseKey, files: Sequence[TypedFile]) -> None:
        """Check that every scan is here whole, of its size, and begins as its type does.

        Raises:
            Fault: `portal.request_invalid` if one is named twice, `attachment.absent`,
                `attachment.size`, `attachment.type`.
        """
        if not files:
            return
        scope = VaultScope(partner, key)
        commitments = [f.commitment for f in files]
        if len(set(commitments)) != len(commitments):
            wrong = (("/files", "names one twice"),)
            raise Fault(FaultCode.PORTAL_REQUEST_INVALID, "files", errors=wrong)
        held = await self._vault.held(scope, commitments)
        for file in files:
            found = held.get(file.commitment)
            if found is None:
                raise Fault(FaultCode.ATTACHMENT_ABSENT, file.commitment.hex()[:16])
            if found.size != file.size:
                raise Fault(FaultCode.ATTACHMENT_SIZE, f"is {found.size} bytes")
            magic = MAGIC.get(file.media_type)
            if magic is None or not (await self._head(scope, file, len(magic))).startswith(magic):
                raise Fault(FaultCode.ATTACHMENT_TYPE, "is not of the media type named")

    async def _head(self, scope: VaultScope, file: TypedFile, size: int) -> bytes:
        head, chunks = b"", self._vault.read(scope, file.commitment)
        async for chunk in chunks:
            head += chunk
            if len(head) >= size:
                break
        return head

    def open(self, item: WorkItem, file: TypedFile) -> Download:
        """Open a scan to be read by the people of the desk."""
        scope = VaultScope(item.partner, item.case_key)
        name = f"{file.commitment.hex()[:16]}.{file.media_type.partition('/')[2]}"
        return Download(file.media_type, name, file.size, self._vault.read(scope, file.commitment))
