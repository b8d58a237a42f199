"""Items (事项), their versions and what they ask for. Nothing outside the list is exchanged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.kernel.envelope import Attachment, Mode
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import ATTACHMENTS_PER_MESSAGE_MAX


@dataclass(frozen=True, slots=True)
class MaterialRequirement:
    """One line of a material list (材料清单)."""

    code: str
    name_zh: str
    name_en: str
    required: bool
    media_types: frozenset[str]
    copies_max: int = 1


@dataclass(frozen=True, slots=True)
class ItemVersion:
    """One version of an item, in use from `valid_from_ms` until superseded plus the overlap."""

    version: str
    valid_from_ms: int
    superseded_at_ms: int | None
    overlap_ms: int
    form_schema: bytes
    """Digest of the form's JSON Schema."""
    materials: tuple[MaterialRequirement, ...]
    document: bytes = b""
    """Digest of the item document this was read from."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item as one region handles it."""

    code: str
    """Basic code (基本编码) and 业务办理项, as in `00013112700402`."""
    name_zh: str
    name_en: str
    region: GatewayId
    """Who decides."""
    unit: str
    """Credit code of the deciding office."""
    implementation_code: str
    """实施编码, 31 characters; the case numbers begin with it."""
    modes: frozenset[Mode]
    promised_days: int
    statutory_days: int
    licence_type: str
    versions: Mapping[str, ItemVersion]


Catalogue = Mapping[tuple[GatewayId, str], Item]
"""(deciding region, item code) to item."""


def find_item(catalogue: Catalogue, region: GatewayId, code: str) -> Item:
    """Return an item of a region.

    Raises:
        Fault: `catalogue.item_unknown`.
    """
    item = catalogue.get((region, code))
    if item is None:
        raise Fault(FaultCode.CATALOGUE_ITEM_UNKNOWN, code)
    return item


def version_of(item: Item, version: str) -> ItemVersion:
    """Return a version of an item, current or not.

    Raises:
        Fault: `catalogue.version_unknown`.
    """
    found = item.versions.get(version)
    if found is None:
        raise Fault(FaultCode.CATALOGUE_VERSION_UNKNOWN, version)
    return found


def require_current(version: ItemVersion, at_ms: int) -> None:
    """Check that new cases may be taken under a version at `at_ms`.

    Raises:
        Fault: `catalogue.version_not_yet`, `catalogue.version_superseded`.
    """
    if at_ms < version.valid_from_ms:
        raise Fault(FaultCode.CATALOGUE_VERSION_NOT_YET, version.version)
    ended = version.superseded_at_ms
    if ended is not None and at_ms > ended + version.overlap_ms:
        raise Fault(FaultCode.CATALOGUE_VERSION_SUPERSEDED, version.version)


def current_version(item: Item, at_ms: int) -> ItemVersion:
    """Return the version for a new case: the latest in use and not superseded.

    Raises:
        Fault: `catalogue.version_not_yet` if none is.
    """
    live = [
        v
        for v in item.versions.values()
        if v.valid_from_ms <= at_ms and (v.superseded_at_ms is None or at_ms < v.superseded_at_ms)
    ]
    if not live:
        raise Fault(FaultCode.CATALOGUE_VERSION_NOT_YET, item.code)
    return max(live, key=lambda v: v.valid_from_ms)


def require_materials(version: ItemVersion, attachments: Sequence[Attachment]) -> None:
    """Check a whole submission against the material list.

    Raises:
        Fault: those of `require_listed`; `catalogue.material_missing` naming each missing code.
    """
    require_listed(version, attachments)
    given = {a.material_code for a in attachments}
    missing = missing_codes(version, given)
    if missing:
        raise Fault(FaultCode.CATALOGUE_MATERIAL_MISSING, ",".join(missing))


def missing_codes(version: ItemVersion, given: Iterable[str]) -> list[str]:
    """Return the required material codes that are not among `given`, in list order."""
    held = set(given)
    return [m.code for m in version.materials if m.required and m.code not in held]


def require_listed(version: ItemVersion, attachments: Sequence[Attachment]) -> None:
    """Check that each attachment is a material of the list, of an allowed type, not too often.

    Raises:
        Fault: `limit.attachments`, `catalogue.material_unknown`, `catalogue.material_type`.
    """
    if not attachments:
        return
    if len(attachments) > ATTACHMENTS_PER_MESSAGE_MAX:
        raise Fault(FaultCode.LIMIT_ATTACHMENTS, str(len(attachments)))
    listed = {m.code: m for m in version.materials}
    seen: dict[str, int] = {}
    for attachment in attachments:
        code = attachment.material_code
        requirement = listed.get(code)
        if requirement is None:
            raise Fault(FaultCode.CATALOGUE_MATERIAL_UNKNOWN, code[:64])
        if attachment.media_type not in requirement.media_types:
            raise Fault(FaultCode.CATALOGUE_MATERIAL_TYPE, code)
        seen[code] = seen.get(code, 0) + 1
        if seen[code] > requirement.copies_max:
            raise Fault(FaultCode.LIMIT_ATTACHMENTS, code)


def require_codes(version: ItemVersion, kept: Iterable[Mapping[str, object]]) -> None:
    """Check that every `code` in an archive's list is on the material list, or is `result`.

    Raises:
        Fault: `catalogue.material_unknown`.
    """
    listed = {m.code for m in version.materials} | {"result"}  # 结果文书 is on no applicant's list
    for material in kept:
        if material["code"] not in listed:
            raise Fault(FaultCode.CATALOGUE_MATERIAL_UNKNOWN, str(material["code"]))
