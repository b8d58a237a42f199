"""Items from files: the shipped ones, and everything that is wrong with a folder at once."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.app.items import load_items
from gateway.app.problems import ConfigProblem
from gateway.kernel.envelope import Mode
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.kernel.instants import to_iso
from gateway.rules.catalogue import (
    Item,
    ItemVersion,
    Level,
    Scope,
    current_version,
    licences_named,
    require_current,
)
from gateway.rules.schema import FormSchemas

PARTNERS = Path(__file__).parents[3] / "partners"
JIAYUGUAN = GatewayId("620200")
BUSINESS_LICENCE = "11100000MB0143028R001"
BRANCH, QUERY = "00013112700402", "00013112700701"
DAY_MS = 86_400_000


def shipped(code: str) -> Item:
    items, _, _ = load_items(PARTNERS / "jiayuguan" / "items", JIAYUGUAN)
    return {item.code: item for item in items}[code]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of Jiayuguan's items that may be broken."""
    shutil.copytree(PARTNERS / "jiayuguan" / "items", tmp_path / "items")
    return tmp_path / "items"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def problem_of(folder: Path) -> ConfigProblem:
    with pytest.raises(ConfigProblem) as raised:
        load_items(folder, JIAYUGUAN)
    return raised.value


@pytest.mark.parametrize(
    ("partner", "region"),
    [("jiayuguan", "620200"), ("jiuquan", "620900"), ("_template", "629900")],
)
def test_shipped_items_load_and_their_forms_compile(partner: str, region: str) -> None:
    items, schemas, documents = load_items(PARTNERS / partner / "items", GatewayId(region))
    assert items
    FormSchemas(schemas)
    for digest, raw in [*schemas.items(), *((d, raw) for d, (_, raw) in documents.items())]:
        assert sha256(raw).digest() == digest
    for item in items:
        assert item.region == region
        for version in item.versions.values():
            assert version.form_schema in schemas
            assert documents[version.document][0] == "item"
            assert documents[version.form_schema][0] == "form_schema"


def test_another_licence_than_the_business_licence_has_its_face_described() -> None:
    folder = PARTNERS / "baoshan" / "items"
    items, schemas, documents = load_items(folder, GatewayId("310113"))
    (item,) = (i for i in items if i.licence_type)
    (version,) = item.versions.values()
    assert version.licence_face_schema in schemas
    assert documents[version.licence_face_schema][0] == "licence_face_schema"
    assert "执业药师注册证" in schemas[version.licence_face_schema].decode()


def test_the_branch_registration_has_six_materials_and_two_versions() -> None:
    item = shipped(BRANCH)
    assert item.modes == {Mode.COLLECT_ON_BEHALF}
    assert (item.promised_days, item.statutory_days) == (1, 3)
    assert list(item.versions) == ["1", "2"]
    for version in item.versions.values():
        assert [m.code for m in version.materials] == ["01", "02", "03", "04", "05", "06"]
    assert item.versions["1"].form_schema != item.versions["2"].form_schema


def test_the_parents_licence_is_not_demanded_again_once_it_is_named() -> None:
    paper, shared = (shipped(BRANCH).versions[v] for v in "12")
    assert paper.materials[5].licence_field == ""
    form = {"parent_licence_id": f"1.2.156.3005.2.{BUSINESS_LICENCE}.A.1.001.X"}
    assert licences_named(paper, form) == {}
    assert licences_named(shared, form) == {"06": BUSINESS_LICENCE}


def test_scope_level_and_extension_are_read() -> None:
    item = shipped(BRANCH)
    assert item.scope == {Scope.PROVINCE, Scope.CROSS_PROVINCE}
    assert item.level is Level.CITY
    assert (item.extension_days, item.joint) == (3, None)


def test_the_old_version_is_taken_for_ninety_days_more() -> None:
    old: ItemVersion = shipped(BRANCH).versions["1"]
    assert old.superseded_at_ms is not None
    assert to_iso(old.superseded_at_ms) == "2024-01-01T00:00:00.000+08:00"
    require_current(old, old.superseded_at_ms + 90 * DAY_MS)
    with pytest.raises(Fault) as raised:
        require_current(old, old.superseded_at_ms + 90 * DAY_MS + 1)
    assert raised.value.code is FaultCode.CATALOGUE_VERSION_SUPERSEDED
    assert current_version(shipped(BRANCH), old.superseded_at_ms).version == "2"


def test_the_query_asks_for_no_material_and_issues_no_licence() -> None:
    item = shipped(QUERY)
    assert item.versions["1"].materials == ()
    assert item.licence_type == ""


def test_every_object_of_every_shipped_form_is_closed() -> None:
    def open_objects(schema: object) -> list[object]:
        if isinstance(schema, list):
            return [o for inner in schema for o in open_objects(inner)]
        if not isinstance(schema, dict):
            return []
        own = "properties" in schema and schema.get("additionalProperties") is not False
        return [schema] * own + [o for inner in schema.values() for o in open_objects(inner)]

    forms = sorted(PARTNERS.glob("*/items/*/*.schema.json"))
    assert forms
    for path in forms:
        assert open_objects(json.loads(path.read_text(encoding="utf-8"))) == [], path


def test_a_folder_that_is_not_there_holds_no_items(tmp_path: Path) -> None:
    assert load_items(tmp_path / "items", JIAYUGUAN) == ([], {}, {})


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ('name_en = "', 'surprise = 1\nname_en = "', "surprise"),
        ('code = "00013112700402"', 'code = "00013112700403"', "folder"),
        ('code = "00013112700402"', 'code = "000131127004"', "folder"),
        ('"11620200MB0000000U" # the', '"11620200MB0000000V" # the', "credit code"),
        ("3000131127004", "3000131127005", "basic code"),
        ('"11620200MB0000000U3', '"11620900MB000000003', "does not begin with unit"),
        ('modes = ["collect_on_behalf"]', "modes = []", "modes"),
        ("promised_days = 1", "promised_days = -1", "promised_days"),
        ("promised_days = 1", 'promised_days = "1"', "promised_days"),
        ('version = "2"', 'version = "1"', "stands twice"),
        ("2021-05-27T00:00:00+08:00", "2021-05-27T00:00:00", "valid_from"),
        ("superseded_at = 2024", "superseded_at = 2020", "superseded_at"),
        ("superseded_at = 2024-01-01T00:00:00+08:00\n", "", "nothing supersedes it"),
        ('"form.v1.schema.json"', '"../form.v1.schema.json"', "form_schema"),
        ('"form.v1.schema.json"', '"form.v9.schema.json"', "cannot be read"),
        (
            "materials = [",
            'licence_face_schema = "form.v1.schema.json"\nmaterials = [',
            "goes with",
        ),
        ('"11100000MB0143028R001" # 营业执照', '"11310113MB0000001C001"', "licence_face_schema"),
        ('code = "02"', 'code = "01"', "stands twice"),
        ('"image/png"', '"any"', "media_types"),
        ("copies_max = 1,", "copies_max = 0,", "copies_max"),
        ("[[versions]]", "[[versions", "not TOML"),
        ("promised_days = 1", "promised_days = 4", "more than statutory_days"),
        ("extension_days = 3", "extension_days = 367", "extension_days"),
        ("extension_days = 3", "joint = { statutory_days = 45, answer_days = 5 }", "joint: modes"),
        ('scope = ["province"', 'scope = ["planet"', "scope"),
        ('scope = ["province"', 'scope = ["cross_province"', "cross_province stands twice"),
        ('forms = ["copy", "e_licence"]', 'forms = ["copy"]', "06.licence_types"),
        ('forms = ["copy", "e_licence"]', 'forms = ["e_licence"]', "06.media_types"),
        ('forms = ["copy", "e_licence"]', 'forms = ["copy", "copy"]', "copy stands twice"),
        ('licence_types = ["11100000MB0143028R001"], ', "", "06.licence_types"),
        (', licence_field = "/parent_licence_id"', "", "06.licence_field"),
        ('"/parent_licence_id"', '"/parent_uscc"', "no property of the form"),
        ('"/parent_licence_id"', '"/agent/licence_id"', "no property of the form"),
        ('"/parent_licence_id"', '"parent_licence_id"', "licence_field"),
    ],
)
def test_a_wrong_item_is_named_with_its_error(folder: Path, old: str, new: str, names: str) -> None:
    path = folder / BRANCH / "item.toml"
    change(path, old, new)
    problem = problem_of(folder)
    assert names in str(problem)
    assert problem.path == path


@pytest.mark.parametrize(
    "schema", ['{"a": 1, "a": 2}', '{"format": "no-such"}', '{"$ref": "http://x/"}', "[]", "{"]
)
def test_a_schema_that_does_not_compile_is_named(folder: Path, schema: str) -> None:
    (folder / BRANCH / "form.v2.schema.json").write_text(schema, encoding="utf-8")
    assert "form.v2.schema.json" in str(problem_of(folder))


def test_everything_wrong_in_every_file_is_named_at_once(folder: Path) -> None:
    change(folder / BRANCH / "item.toml", "promised_days = 1", "promised_days = -1")
    change(folder / BRANCH / "item.toml", "copies_max = 1,", "copies_max = 0,")
    change(folder / QUERY / "item.toml", 'modes = ["online"]', 'modes = ["pigeon"]')
    problem = problem_of(folder)
    assert len(problem.messages) == 3
    assert problem.path == folder


def test_a_folder_without_an_item_is_named(folder: Path) -> None:
    (folder / "00013112700999").mkdir()
    assert "00013112700999" in str(problem_of(folder))
