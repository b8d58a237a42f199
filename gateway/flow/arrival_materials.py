"""Files that came inside a partner's document go to the vault before their message is made."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from hashlib import sha256

from gateway.flow.arrival_message import salt_of
from gateway.kernel.envelope import Attachment
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import CaseKey
from gateway.kernel.limits import (
    ATTACHMENT_BYTES_MAX,
    ATTACHMENT_CHUNK_BYTES,
    CASE_ATTACHMENT_BYTES_MAX,
    CASE_ATTACHMENTS_MAX,
)
from gateway.kernel.media import MAGIC
from gateway.kernel.translations import Ours
from gateway.ports.journal_arrivals import StoredArrival
from gateway.ports.vault import Vault, VaultScope


async def keep_materials(
    vault: Vault, arrival: StoredArrival, key: CaseKey, ours: Ours
) -> tuple[Attachment, ...]:
    """Store the materials of an arrival; trying again stores each once.

    Raises:
        Fault: `mapping.value_invalid` if one is none, `attachment.type`, `limit.attachment_bytes`,
            `limit.quota`.
    """
    found = ours.tree.get("materials", [])
    materials = found if isinstance(found, list) else []
    scope = VaultScope(arrival.partner, key)
    kept = []
    for at, material in enumerate(materials):
        if not isinstance(material, dict):
            raise Fault(FaultCode.MAPPING_VALUE_INVALID, f"/materials/{at}")
        kept.append(await _keep(vault, scope, arrival, at, material))
    return tuple(kept)


async def _keep(
    vault: Vault, scope: VaultScope, arrival: StoredArrival, at: int, m: Mapping[str, object]
) -> Attachment:
    code, name, media_type = (str(m.get(n) or "") for n in ("code", "name", "media_type"))
    content = m.get("content")
    if not isinstance(content, bytes) or not code:
        raise Fault(FaultCode.MAPPING_VALUE_INVALID, f"/materials/{at}/content")
    if len(content) > ATTACHMENT_BYTES_MAX:
        raise Fault(FaultCode.LIMIT_ATTACHMENT_BYTES, str(len(content)))
    magic = MAGIC.get(media_type)
    if magic is None or not content.startswith(magic):
        raise Fault(FaultCode.ATTACHMENT_TYPE, f"/materials/{at}/media_type")
    salt = salt_of(arrival, f"material {at}")
    wanted = sha256(salt + content).digest()
    held = await vault.held(scope, [wanted])
    if wanted not in held:
        await _require_quota(vault, scope, len(content))
        digest = sha256(content).digest()
        await vault.put(scope, salt, _chunks(content), size=len(content), sha256=digest)
    return Attachment(code, name or code, media_type, len(content), salt, wanted)  # type: ignore[arg-type]


async def _require_quota(vault: Vault, scope: VaultScope, size: int) -> None:
    usage = await vault.usage(scope)
    if usage.files >= CASE_ATTACHMENTS_MAX:
        raise Fault(FaultCode.LIMIT_QUOTA, "files of a case")
    if usage.size + size > CASE_ATTACHMENT_BYTES_MAX:
        raise Fault(FaultCode.LIMIT_QUOTA, "bytes of a case")


async def _chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), ATTACHMENT_CHUNK_BYTES):
        yield content[start : start + ATTACHMENT_CHUNK_BYTES]
