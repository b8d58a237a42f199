"""Every item of every shipped partner: its form compiles, and judges its own golden samples.

`partners/<partner>/vectors/<case>/golden.json` lists, for each version of an item, the submission
that passes, the material handed in as files with it, and those that fail with the JSON pointer of
what is wrong.
"""

from __future__ import annotations

import copy
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.app.agreements import parse_agreement
from gateway.app.items import load_items
from gateway.app.partner_file import PartnerFile
from gateway.kernel.digests import digest
from gateway.kernel.envelope import Attachment, Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.rules.catalogue import (
    Item,
    ItemVersion,
    MaterialForm,
    current_version,
    licences_named,
    require_in_scope,
    require_materials,
)
from gateway.rules.schema import FormSchemas, require_body

PARTNERS = Path(__file__).parents[3] / "partners"
FOLDERS = sorted(path.parent for path in PARTNERS.glob("*/partner.toml"))
HOME = GatewayId("620900")
TODAY_MS = 1_780_272_000_000  # 2026-06-01T08:00:00+08:00


@dataclass(frozen=True)
class Golden:
    """One version of one item with its samples."""

    folder: Path
    item_code: str
    item_version: str
    submitted: str
    files: tuple[str, ...]
    invalid: tuple[tuple[str, str], ...]

    def document(self, name: str) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads((self.folder / name).read_bytes()))


def goldens() -> list[Golden]:
    return [
        Golden(
            path.parent,
            entry["item_code"],
            entry["item_version"],
            entry["submitted"],
            tuple(entry["files"]),
            tuple(entry["invalid"].items()),
        )
        for path in sorted(PARTNERS.glob("*/vectors/*/golden.json"))
        for entry in json.loads(path.read_bytes())
    ]


def region(folder: Path) -> GatewayId:
    entry = tomllib.loads((folder / "partner.toml").read_text(encoding="utf-8"))
    return GatewayId(entry["gateway_id"])


def items_of(folder: Path) -> tuple[dict[str, Item], FormSchemas]:
    items, schemas, _ = load_items(folder / "items", region(folder))
    return {item.code: item for item in items}, FormSchemas(schemas)


def attached(version: ItemVersion, codes: tuple[str, ...]) -> list[Attachment]:
    types = {m.code: sorted(m.media_types) for m in version.materials}
    return [
        Attachment(code, f"{code}.pdf", types[code][0], 3, bytes(32), digest(code.encode()))
        for code in codes
    ]


def without(form: dict[str, Any], pointer: str) -> dict[str, Any]:
    """Return the form without what `pointer` leads to."""
    changed = copy.deepcopy(form)
    *path, last = pointer.split("/")[1:]
    place = changed
    for name in path:
        place = place[name]
    del place[last]
    return changed


@pytest.mark.parametrize(
    "golden", goldens(), ids=lambda g: f"{g.folder.parts[-3]}-{g.folder.name}-{g.item_version}"
)
def test_an_item_judges_its_golden_samples(golden: Golden) -> None:
    items, schemas = items_of(golden.folder.parents[1])
    version = items[golden.item_code].versions[golden.item_version]
    check = version.form_schema

    assert golden.invalid
    for name, pointer in golden.invalid:
        with pytest.raises(Fault) as raised:
            require_body(Kind.SUBMITTED, golden.document(name), item_schema=check, schemas=schemas)
        assert raised.value.code is FaultCode.SCHEMA_FORM_INVALID
        assert [where for where, _ in raised.value.errors] == [pointer], name

    document = golden.document(golden.submitted)
    require_body(Kind.SUBMITTED, document, item_schema=check, schemas=schemas)
    form = document["form"]
    files = attached(version, golden.files)
    require_materials(version, files, form)
    for left_out in files:
        with pytest.raises(Fault) as raised:
            require_materials(version, [f for f in files if f is not left_out], form)
        assert raised.value.code is FaultCode.CATALOGUE_MATERIAL_MISSING
        assert raised.value.detail == left_out.material_code
    _judge_licences(version, files, form)


def _judge_licences(version: ItemVersion, files: list[Attachment], form: dict[str, Any]) -> None:
    """Each licence the form names stands for its material, and nothing else does."""
    for material in version.materials:
        if material.code not in licences_named(version, form):
            continue
        unnamed = without(form, material.licence_field)
        if material.required:
            with pytest.raises(Fault) as raised:
                require_materials(version, files, unnamed)
            assert raised.value.code is FaultCode.CATALOGUE_MATERIAL_MISSING
            assert raised.value.detail == material.code
        if material.forms != {MaterialForm.E_LICENCE}:
            require_materials(version, [*files, *attached(version, (material.code,))], unnamed)
        else:
            assert not material.media_types


def test_every_version_of_every_shipped_item_has_golden_samples() -> None:
    shipped = {
        (folder.name, item.code, version)
        for folder in FOLDERS
        for item in items_of(folder)[0].values()
        for version in item.versions
    }
    assert shipped == {(g.folder.parts[-3], g.item_code, g.item_version) for g in goldens()}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_every_shipped_item_says_how_far_and_in_what_form(folder: Path) -> None:
    for item in items_of(folder)[0].values():
        assert item.scope, item.code
        assert all(m.forms for v in item.versions.values() for m in v.materials), item.code
        assert (item.joint is not None) == ("JOINT" in {m.name for m in item.modes}), item.code


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_a_shipped_partner_is_marked_as_invented(folder: Path) -> None:
    raw = (folder / "partner.toml").read_text(encoding="utf-8")
    entry = PartnerFile.model_validate(tomllib.loads(raw))
    assert entry.simulated
    assert "示例" in entry.name_zh
    files = [folder / "agreement.toml", *folder.glob("items/*/item.toml")]
    files += [*folder.glob("items/*/*.schema.json"), *folder.glob("vectors/*/submitted*.json")]
    for path in files:
        assert "示例" in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize(
    "folder", [f for f in FOLDERS if not f.name.startswith("_")], ids=lambda f: f.name
)
def test_what_a_shipped_agreement_grants_can_be_asked_for(folder: Path) -> None:
    """Every grant names items, versions, modes and licence types that its deciding side has."""
    agreement = parse_agreement((folder / "agreement.toml").read_bytes())
    catalogue = {
        (item.region, item.code): item for one in FOLDERS for item in items_of(one)[0].values()
    }
    for (origin, deciding, code), grants in agreement.grants_of.items():
        item = catalogue[deciding, code]
        require_in_scope(item, origin)
        for grant in grants:
            assert current_version(item, TODAY_MS).version in grant.items[code]
            assert grant.items[code] <= item.versions.keys()
            assert grant.modes <= item.modes
            needed = {
                t for v in item.versions.values() for m in v.materials for t in m.licence_types
            }
            if item.licence_type:
                needed.add(item.licence_type)
            assert needed <= grant.licence_types, code
    assert all(HOME in pair for pair in ((o, d) for o, d, _ in agreement.grants_of))
