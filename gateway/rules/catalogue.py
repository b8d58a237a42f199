"""Items (事项), their versions and what they ask for. Nothing outside the list is exchanged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from gateway.kernel.envelope import Attachment, Mode
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.limits import ATTACHMENTS_PER_MESSAGE_MAX

_LICENCE_TYPE_AT: Final = 5  # among the parts of 1.2.156.3005.2.<type>.<authority>...


class Level(IntEnum):
    """Who exercises the power (行使层级). Numbers are those of the implementation code."""

    NATION = 1  # 国家
    PROVINCE = 2  # 省
    CITY = 3  # 市
    COUNTY = 4  # 县
    TOWNSHIP = 5  # 乡


class Scope(StrEnum):
    """How far apart the places of application and of handling may lie (通办范围)."""

    CITY = "city"  # 市内通办
    PROVINCE = "province"  # 省内通办
    CROSS_PROVINCE = "cross_province"  # 跨省通办


class MaterialForm(StrEnum):
    """In what form a material is accepted (材料形式)."""

    ORIGINAL = "original"  # 原件
    COPY = "copy"  # 复印件
    E_LICENCE = "e_licence"  # 电子证照


@dataclass(frozen=True, slots=True)
class JointLimits:
    """Limits of a case that several places handle together (多地联办), in working days."""

    statutory_days: int
    extension_days: int
    answer_days: int
    """For a participating place to answer."""


@dataclass(frozen=True, slots=True)
class MaterialRequirement:
    """One line of a material list (材料清单).

    A required material is there as a file, or as an e-licence of one of `licence_types` whose id
    the form gives at `licence_field`: what can be had by sharing is not demanded again
    (政务数据共享条例).
    """

    code: str
    name_zh: str
    name_en: str
    required: bool
    media_types: frozenset[str]
    copies_max: int = 1
    forms: frozenset[MaterialForm] = frozenset()
    """Empty: the list does not say."""
    licence_types: frozenset[str] = frozenset()
    """Type codes of e-licences that satisfy it."""
    licence_field: str = ""
    """JSON pointer into the form to the e-licence's id."""


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
    licence_face_schema: bytes = b""
    """Digest of the JSON Schema of its licence's face; empty: a business licence, or none."""


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
    scope: frozenset[Scope] = frozenset()
    """Empty: the item does not say, and agreements alone decide."""
    extension_days: int = 0
    """By how many working days the statutory limit may be extended with approval."""
    joint: JointLimits | None = None
    """None: the item's own limits apply."""

    @property
    def level(self) -> Level:
        """Who exercises the power, as the implementation code says."""
        return Level(int(self.implementation_code[18]))


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


def reach(origin: GatewayId, deciding: GatewayId) -> Scope:
    """Return how far apart two regions lie, by their GB/T 2260 codes: 2 digits province, 4 city."""
    if origin[:4] == deciding[:4]:
        return Scope.CITY
    return Scope.PROVINCE if origin[:2] == deciding[:2] else Scope.CROSS_PROVINCE


def require_in_scope(item: Item, origin: GatewayId) -> None:
    """Check that an application taken at `origin` lies within the item's scope, if it has one.

    A wider scope does not include a narrower one: each is listed by itself (通办范围).

    Raises:
        Fault: `catalogue.out_of_scope`.
    """
    needed = reach(origin, item.region)
    if item.scope and needed not in item.scope:
        raise Fault(FaultCode.CATALOGUE_OUT_OF_SCOPE, needed.value)


def require_mode(item: Item, mode: Mode) -> None:
    """Check that the item itself is handled in a mode; what agreements grant is *not* checked.

    Raises:
        Fault: `catalogue.mode_unlisted`.
    """
    if mode not in item.modes:
        raise Fault(FaultCode.CATALOGUE_MODE_UNLISTED, mode.name.lower())


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


def require_materials(
    version: ItemVersion, attachments: Sequence[Attachment], form: object = None
) -> None:
    """Check a whole submission against the material list: its files, and licences its form names.

    Raises:
        Fault: those of `require_listed` and `licences_named`; `catalogue.material_missing` naming
            each missing code.
    """
    require_listed(version, attachments)
    given = {a.material_code for a in attachments} | licences_named(version, form).keys()
    missing = missing_codes(version, given)
    if missing:
        raise Fault(FaultCode.CATALOGUE_MATERIAL_MISSING, ",".join(missing))


def missing_codes(version: ItemVersion, given: Iterable[str]) -> list[str]:
    """Return the required material codes that are not among `given`, in list order."""
    held = set(given)
    return [m.code for m in version.materials if m.required and m.code not in held]


def licences_named(version: ItemVersion, form: object) -> dict[str, str]:
    """Return, by material code, the type code of each e-licence that a form names for a material.

    That the id is well formed is the form schema's to check; that the licence exists, is in force
    and belongs to the applicant is *not* checked.

    Raises:
        Fault: `catalogue.licence_unfit` if a type does not satisfy its material.
    """
    found: dict[str, str] = {}
    for material in version.materials:
        named = _text_at(form, material.licence_field) if material.licence_field else ""
        if not named:
            continue
        licence_type = "".join(named.split(".")[_LICENCE_TYPE_AT : _LICENCE_TYPE_AT + 1])
        if licence_type not in material.licence_types:
            raise Fault(FaultCode.CATALOGUE_LICENCE_UNFIT, material.code)
        found[material.code] = licence_type
    return found


def _text_at(form: object, pointer: str) -> str:
    """Return the text where `pointer` leads through objects; empty if there is none."""
    for name in pointer.split("/")[1:]:
        if not isinstance(form, dict):
            return ""
        form = form.get(name)
    return form if isinstance(form, str) else ""


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
