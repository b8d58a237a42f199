"""Instant rules from files: `instant/<id>.v<version>.toml` in the gateway's own folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from gateway.app.instant_fields import misfits
from gateway.app.problems import ConfigProblem
from gateway.app.toml_files import Instant, ItemCode, LicenceType, Name, Strict, read_table, twice
from gateway.kernel.digests import digest
from gateway.kernel.instants import from_datetime
from gateway.rules.catalogue import Item
from gateway.rules.instant import (
    AllIn,
    Between,
    CodeSeries,
    Condition,
    Equals,
    NotEmpty,
    OneOf,
    Result,
    RuleSet,
    ScopeClass,
)

_LICENCE_FIELDS: Final = frozenset(
    {"entname", "enttypeCn", "name", "opscope", "dom", "regorgCn"}
)  # what the gateway itself does not make
_OPTIONAL_FIELDS: Final = frozenset({"opto"})
_Pointer = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9_.~-]{1,64}){1,8}$")]
_Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")]
_Version = Annotated[str, Field(pattern=r"^[0-9A-Za-z.-]{1,16}$")]
_Value = str | int | float | bool
_Text = Annotated[str, Field(min_length=1, max_length=2_000)]


class _Class(Strict):
    id: _Id
    name_zh: Name
    name_en: Name
    scopes: Annotated[list[Name], Field(min_length=1, max_length=1_000)]


class _Equals(Strict):
    test: Literal["equals"]
    field: _Pointer
    value: _Value


class _OneOf(Strict):
    test: Literal["one_of"]
    field: _Pointer
    values: Annotated[list[_Value], Field(min_length=1)]


class _AllIn(Strict):
    test: Literal["all_in_classes"]
    field: _Pointer
    classes: Annotated[list[_Id], Field(min_length=1)]


class _Between(Strict):
    test: Literal["between"]
    field: _Pointer
    minimum: float
    maximum: float


class _NotEmpty(Strict):
    test: Literal["not_empty"]
    field: _Pointer


_Condition = Annotated[
    _Equals | _OneOf | _AllIn | _Between | _NotEmpty, Field(discriminator="test")
]


class _Codes(Strict):
    prefix: Annotated[str, Field(pattern=r"^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{2}$")]
    first: Annotated[int, Field(ge=0, le=999_999)]
    last: Annotated[int, Field(ge=0, le=999_999)]
    sample: bool


class _Result(Strict):
    text_zh: _Text
    text_en: _Text
    decision_number: Annotated[str, Field(pattern=r"^[^{}]*\{year\}[^{}]*\{serial\}[^{}]*$")]
    licence_type: LicenceType
    serial_series: Annotated[str, Field(pattern=r"^[A-Z]{1,8}$")]
    from_form: dict[str, _Pointer]
    fixed: dict[str, Name]
    codes: _Codes


class _Document(Strict):
    id: _Id
    version: _Version
    name_zh: Name
    name_en: Name
    valid_from: Instant
    superseded_at: Instant | None = None
    item_code: ItemCode
    item_versions: Annotated[list[_Version], Field(min_length=1)]
    materials: list[Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,16}$")]]
    classes: list[_Class]
    conditions: Annotated[list[_Condition], Field(min_length=1)]
    result: _Result


def load_instant(
    folder: Path, own: Mapping[str, Item], schemas: Mapping[bytes, bytes]
) -> tuple[tuple[RuleSet, ...], dict[bytes, tuple[str, bytes]]]:
    """Read every rule of `folder`; `own` are the items that this gateway decides, by code.

    `schemas` are their form schemas by digest: a rule must look at fields that a form can hold,
    and compare them with what they can be; what a schema leaves open, `fields_unknown` names.
    Returns the rules and the documents that evidence will need by digest, as (kind, bytes). A
    folder that is not there holds no rules.

    Raises:
        ConfigProblem: naming everything that is wrong, in every file.
    """
    rules: list[RuleSet] = []
    documents: dict[bytes, tuple[str, bytes]] = {}
    wrong: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            raw = path.read_bytes()
            document = read_table(raw, _Document, path)
        except ConfigProblem as problem:
            wrong += [f"{path.name}: {m}" for m in problem.messages]
            continue
        except OSError as problem:
            wrong.append(f"{path.name}: cannot be read: {problem.strerror}")
            continue
        rule = _rule(document, digest(raw))
        found = _contradictions(document, path.name, own)
        found += misfits(rule, own.get(rule.item_code), schemas, raw)
        wrong += [f"{path.name}: {m}" for m in found]
        if not found:
            rules.append(rule)
            documents[digest(raw)] = ("instant_rule", raw)
    wrong += _overlaps(rules)
    if wrong:
        raise ConfigProblem(folder, wrong)
    return tuple(rules), documents


def _contradictions(document: _Document, name: str, own: Mapping[str, Item]) -> list[str]:
    wrong = []
    if name != f"{document.id}.v{document.version}.toml":
        wrong.append(f"id, version: the file's name is not {document.id}.v{document.version}.toml")
    if document.superseded_at is not None and document.superseded_at <= document.valid_from:
        wrong.append("superseded_at: is not after valid_from")
    wrong += _item_contradictions(document, own.get(document.item_code))
    ids = [c.id for c in document.classes]
    wrong += [f"classes: {each} stands twice" for each in twice(ids)]
    scopes = [s for c in document.classes for s in c.scopes]
    wrong += [f"classes: the scope {each} stands twice" for each in twice(scopes)]
    for condition in document.conditions:
        if isinstance(condition, _AllIn):
            unknown = sorted(set(condition.classes) - set(ids))
            wrong += [f"conditions.{condition.field}: no class {each}" for each in unknown]
        if isinstance(condition, _Between) and not condition.minimum <= condition.maximum:
            wrong.append(f"conditions.{condition.field}: minimum is above maximum")
    return wrong + _result_contradictions(document.result)


def _item_contradictions(document: _Document, item: Item | None) -> list[str]:
    if item is None:
        return [f"item_code: {document.item_code} is no item that this gateway decides"]
    wrong = []
    if item.licence_type != document.result.licence_type:
        wrong.append("result.licence_type: is not what the item issues")
    for name in document.item_versions:
        if name not in item.versions:
            continue  # of a version that is gone or still to come: it decides nothing now
        listed = {m.code for m in item.versions[name].materials}
        unknown = sorted(set(document.materials) - listed)
        wrong += [f"materials: version {name} of the item lists no {each}" for each in unknown]
    return wrong


def _result_contradictions(result: _Result) -> list[str]:
    given = {*result.from_form, *result.fixed}
    wrong = [f"result: {f} is neither from_form nor fixed" for f in sorted(_LICENCE_FIELDS - given)]
    unknown = given - _LICENCE_FIELDS - _OPTIONAL_FIELDS
    wrong += [f"result: {f} is no field a rule may fill" for f in sorted(unknown)]
    twice_filled = sorted(result.from_form.keys() & result.fixed.keys())
    wrong += [f"result: {f} stands in from_form and in fixed" for f in twice_filled]
    if result.codes.last < result.codes.first:
        wrong.append("result.codes.last: is below first")
    return wrong


def _overlaps(rules: list[RuleSet]) -> list[str]:
    """Refuse two versions of one rule that hold at the same time: both would match, ever after."""
    wrong = []
    latest: dict[str, RuleSet] = {}
    for rule in sorted(rules, key=lambda r: (r.id, r.valid_from_ms)):
        before = latest.get(rule.id)
        if before is not None and (
            before.superseded_at_ms is None or before.superseded_at_ms > rule.valid_from_ms
        ):
            wrong.append(f"{rule.id}: versions {before.version} and {rule.version} overlap")
        latest[rule.id] = rule
    return wrong


def _rule(document: _Document, address: bytes) -> RuleSet:
    ended, result = document.superseded_at, document.result
    return RuleSet(
        id=document.id,
        version=document.version,
        name_zh=document.name_zh,
        name_en=document.name_en,
        valid_from_ms=from_datetime(document.valid_from),
        superseded_at_ms=None if ended is None else from_datetime(ended),
        item_code=document.item_code,
        item_versions=frozenset(document.item_versions),
        materials=frozenset(document.materials),
        classes=tuple(
            ScopeClass(c.id, c.name_zh, c.name_en, frozenset(c.scopes)) for c in document.classes
        ),
        conditions=tuple(_condition(c) for c in document.conditions),
        result=Result(
            text_zh=result.text_zh,
            text_en=result.text_en,
            decision_number=result.decision_number,
            licence_type=result.licence_type,
            serial_series=result.serial_series,
            from_form=result.from_form,
            fixed=result.fixed,
            codes=CodeSeries(**result.codes.model_dump()),
        ),
        document=address,
    )


def _condition(condition: _Equals | _OneOf | _AllIn | _Between | _NotEmpty) -> Condition:
    match condition:
        case _Equals():
            return Equals(condition.field, condition.value)
        case _OneOf():
            return OneOf(condition.field, tuple(condition.values))
        case _AllIn():
            return AllIn(condition.field, tuple(condition.classes))
        case _Between():
            return Between(condition.field, condition.minimum, condition.maximum)
        case _NotEmpty():
            return NotEmpty(condition.field)
