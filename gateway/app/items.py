"""Items from files: one folder an item, with `item.toml` and the schemas of its forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from gateway.app.problems import ConfigProblem
from gateway.app.toml_files import (
    CreditCode,
    Instant,
    ItemCode,
    LicenceType,
    Name,
    Strict,
    days_ms,
    read_table,
    twice,
)
from gateway.kernel.digests import digest
from gateway.kernel.envelope import Mode
from gateway.kernel.faults import Fault
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.instants import from_datetime
from gateway.rules.catalogue import (
    Item,
    ItemVersion,
    JointLimits,
    MaterialForm,
    MaterialRequirement,
    Scope,
)
from gateway.rules.schema import BUSINESS_LICENCE, FormSchemas
from gateway.rules.schema.strict_json import parse

_ITEM_FILE: Final = "item.toml"
_MediaType = Annotated[str, Field(pattern=r"^[a-z]+/[a-z0-9][a-z0-9.+-]*$")]
_SchemaFile = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]*\.json$")]
_Days = Annotated[int, Field(ge=0, le=366)]


class _Material(Strict):
    code: Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,16}$")]
    name_zh: Name
    name_en: Name
    required: bool
    media_types: list[_MediaType]
    copies_max: Annotated[int, Field(ge=1, le=100)]
    forms: list[Literal["original", "copy", "e_licence"]] = Field(default_factory=list)
    licence_types: list[LicenceType] = Field(default_factory=list)
    licence_field: Annotated[str, Field(pattern=r"^((/[A-Za-z][A-Za-z0-9_]{0,63}){1,8})?$")] = ""


class _Version(Strict):
    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z.-]{1,16}$")]
    valid_from: Instant
    superseded_at: Instant | None = None
    overlap_days: _Days = 0
    form_schema: _SchemaFile
    licence_face_schema: _SchemaFile | Literal[""] = ""
    materials: list[_Material]

    @property
    def schema_files(self) -> list[str]:
        """Names of the schemas it is made of."""
        return [name for name in (self.form_schema, self.licence_face_schema) if name]


class _Joint(Strict):
    statutory_days: _Days
    extension_days: _Days = 0
    answer_days: _Days


class _Document(Strict):
    code: ItemCode
    name_zh: Name
    name_en: Name
    unit: CreditCode
    implementation_code: Annotated[str, Field(pattern=r"^[0-9A-Z]{18}[1-5][0-9]{11}[0-9Y]$")]
    modes: Annotated[list[Literal["online", "collect_on_behalf", "joint"]], Field(min_length=1)]
    scope: list[Literal["city", "province", "cross_province"]] = Field(default_factory=list)
    promised_days: _Days
    statutory_days: _Days
    extension_days: _Days = 0
    joint: _Joint | None = None
    licence_type: LicenceType | Literal[""]
    versions: Annotated[list[_Version], Field(min_length=1)]


@dataclass
class _Gathered:
    items: list[Item] = field(default_factory=list)
    schemas: dict[bytes, bytes] = field(default_factory=dict)
    documents: dict[bytes, tuple[str, bytes]] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)


def load_items(
    folder: Path, region: GatewayId
) -> tuple[list[Item], dict[bytes, bytes], dict[bytes, tuple[str, bytes]]]:
    """Read every `<code>/item.toml` of `folder` as an item that `region` decides.

    Returns the items, their form schemas by digest, and the documents that evidence will need by
    digest, as (kind, bytes). A folder that is not there holds no items.

    Raises:
        ConfigProblem: naming everything that is wrong, in every file.
    """
    found = _Gathered()
    for home in sorted(path for path in folder.glob("*") if path.is_dir()):
        try:
            _load_item(home, region, found)
        except ConfigProblem as problem:
            found.problems.append(problem)
    if len(found.problems) == 1:
        raise found.problems[0]
    if found.problems:
        raise ConfigProblem(
            folder,
            [f"{p.path.relative_to(folder)}: {m}" for p in found.problems for m in p.messages],
        )
    return found.items, found.schemas, found.documents


def _load_item(home: Path, region: GatewayId, found: _Gathered) -> None:
    path = home / _ITEM_FILE
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise ConfigProblem(path, [f"cannot be read: {problem.strerror}"]) from None
    document = read_table(raw, _Document, path)
    wrong = _contradictions(document, home.name)
    schemas: dict[str, bytes] = {}
    for version in document.versions:
        for name in version.schema_files:
            try:
                schemas[name] = schemas.get(name) or _read_schema(home / name)
            except ValueError as problem:
                wrong.append(f"versions.{version.version}: {name}: {_first_line(problem)}")
        if version.form_schema in schemas:
            wrong += _unnamed_licences(version, schemas[version.form_schema])
    if wrong:
        raise ConfigProblem(path, wrong)
    found.documents[digest(raw)] = ("item", raw)
    faces = {version.licence_face_schema for version in document.versions}
    for name, schema in schemas.items():
        found.schemas[digest(schema)] = schema
        kind = "licence_face_schema" if name in faces else "form_schema"
        found.documents[digest(schema)] = (kind, schema)
    addresses = {name: digest(schema) for name, schema in schemas.items()}
    versions = {v.version: _version(v, addresses, digest(raw)) for v in document.versions}
    found.items.append(_item(document, region, versions))


def _contradictions(document: _Document, folder: str) -> list[str]:
    wrong = []
    if folder != document.code:
        wrong.append(f"code: differs from the folder's name {folder}")
    if document.implementation_code[:18] != document.unit:
        wrong.append("implementation_code: does not begin with unit")
    if document.implementation_code[19:] != document.code[:12]:
        wrong.append("implementation_code: does not end with the basic code")
    if document.promised_days > document.statutory_days:
        wrong.append("promised_days: is more than statutory_days")
    if document.joint is not None and "joint" not in document.modes:
        wrong.append("joint: modes does not list joint")
    wrong += [f"scope: {scope} stands twice" for scope in twice(list(document.scope))]
    names = [v.version for v in document.versions]
    wrong += [f"versions: {name} stands twice" for name in twice(names)]
    for v in document.versions:
        codes = [m.code for m in v.materials]
        wrong += [f"versions.{v.version}.materials: {c} stands twice" for c in twice(codes)]
        for material in v.materials:
            place = f"versions.{v.version}.materials.{material.code}"
            wrong += [f"{place}.{what}" for what in _contradicting_forms(material)]
        if bool(v.licence_face_schema) != (document.licence_type not in ("", BUSINESS_LICENCE)):
            wrong.append(
                f"versions.{v.version}.licence_face_schema: goes with a licence_type other than"
                f" the business licence's {BUSINESS_LICENCE}, and it with the schema"
            )
        if v.superseded_at is not None and v.superseded_at <= v.valid_from:
            wrong.append(f"versions.{v.version}.superseded_at: is not after valid_from")
        if v.superseded_at is None and v.overlap_days:
            wrong.append(f"versions.{v.version}.overlap_days: nothing supersedes it")
    return wrong


def _contradicting_forms(material: _Material) -> list[str]:
    wrong = [f"forms: {form} stands twice" for form in twice(list(material.forms))]
    e_licence = "e_licence" in material.forms
    if bool(material.licence_types) != e_licence:
        wrong.append("licence_types: go with the form e_licence, and it with them")
    if bool(material.licence_field) != e_licence:
        wrong.append("licence_field: goes with the form e_licence, and it with licence_field")
    if bool(material.media_types) == (material.forms == ["e_licence"]):
        wrong.append("media_types: files have types; what is an e-licence alone has none")
    return wrong


def _unnamed_licences(version: _Version, schema: bytes) -> list[str]:
    """Say which `licence_field` leads to no `licence-id` of the form: nothing would check it."""
    wrong = []
    for material in version.materials:
        place: object = parse(schema)
        for name in material.licence_field.split("/")[1:]:
            properties = place.get("properties") if isinstance(place, dict) else None
            place = properties.get(name) if isinstance(properties, dict) else None
        checked = isinstance(place, dict) and place.get("format") == "licence-id"
        if material.licence_field and not checked:
            wrong.append(
                f"versions.{version.version}.materials.{material.code}.licence_field:"
                " is no property of the form with format licence-id"
            )
    return wrong


def _read_schema(path: Path) -> bytes:
    """Return a form's schema after compiling it once.

    Raises:
        ValueError: it cannot be read or is not a valid schema.
    """
    try:
        raw = path.read_bytes()
        FormSchemas({digest(raw): raw})
    except OSError as problem:
        raise ValueError(f"cannot be read: {problem.strerror}") from None
    except Fault as fault:
        raise ValueError(str(fault)) from None
    return raw


def _first_line(problem: Exception) -> str:
    return str(problem).partition("\n")[0]


def _version(version: _Version, addresses: Mapping[str, bytes], document: bytes) -> ItemVersion:
    ended = version.superseded_at
    return ItemVersion(
        version=version.version,
        valid_from_ms=from_datetime(version.valid_from),
        superseded_at_ms=None if ended is None else from_datetime(ended),
        overlap_ms=days_ms(version.overlap_days),
        form_schema=addresses[version.form_schema],
        materials=tuple(
            MaterialRequirement(
                m.code,
                m.name_zh,
                m.name_en,
                m.required,
                frozenset(m.media_types),
                m.copies_max,
                frozenset(map(MaterialForm, m.forms)),
                frozenset(m.licence_types),
                m.licence_field,
            )
            for m in version.materials
        ),
        document=document,
        licence_face_schema=addresses.get(version.licence_face_schema, b""),
    )


def _item(document: _Document, region: GatewayId, versions: dict[str, ItemVersion]) -> Item:
    return Item(
        code=document.code,
        name_zh=document.name_zh,
        name_en=document.name_en,
        region=region,
        unit=document.unit,
        implementation_code=document.implementation_code,
        modes=frozenset(Mode[mode.upper()] for mode in document.modes),
        promised_days=document.promised_days,
        statutory_days=document.statutory_days,
        licence_type=document.licence_type,
        versions=versions,
        scope=frozenset(map(Scope, document.scope)),
        extension_days=document.extension_days,
        joint=_joint(document.joint),
    )


def _joint(limits: _Joint | None) -> JointLimits | None:
    if limits is None:
        return None
    return JointLimits(limits.statutory_days, limits.extension_days, limits.answer_days)
