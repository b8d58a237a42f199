"""Instant rules from files: everything that is wrong is told at once, and nothing half-read."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.app.instant import load_instant
from gateway.app.instant_trial import REASONS
from gateway.app.items import load_items
from gateway.app.problems import ConfigProblem
from gateway.kernel.identifiers import GatewayId
from gateway.rules.catalogue import Item
from gateway.rules.instant import Reason
from tests.support.instant import FOLDER, RULE_FILE
from tests.support.world import PARTNERS

ITEMS, SCHEMAS, _ = load_items(PARTNERS / "jiayuguan" / "items", GatewayId("620200"))


@pytest.fixture
def own() -> dict[str, Item]:
    return {i.code: i for i in ITEMS}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(FOLDER, tmp_path / "instant")
    return tmp_path / "instant"


def change(path: Path, *pairs: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")


def problems(folder: Path, own: dict[str, Item]) -> str:
    with pytest.raises(ConfigProblem) as raised:
        load_instant(folder, own, SCHEMAS)
    return "\n".join(raised.value.messages)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('id = "individual-business"', 'id = "other"', "file's name"),
        ('item_code = "00013112700603"', 'item_code = "00013112700499"', "no item"),
        ('materials = ["01"]', 'materials = ["77"]', "lists no 77"),
        ("valid_from = 2021-05-27T00:00:00+08:00", "valid_from = 2021-05-27", "valid_from"),
        ('"retail", "resident-services"', '"nowhere", "resident-services"', "no class nowhere"),
        ('"洗染服务"', '"家政服务"', "家政服务 stands twice"),
        ('test = "not_empty"', 'test = "python"', "conditions"),
        ("maximum = 8", "maximum = -1", "minimum is above maximum"),
        ('field = "/premises_use"', 'field = "premises_use"', "conditions"),
        ("{serial}", "{anything}", "decision_number"),
        ('dom = "/premises_address"', "", "dom is neither"),
        ('dom = "/premises_address"', 'uniscid = "/premises_address"', "uniscid is no field"),
        ('prefix = "92620200MA"', 'prefix = "92620200"', "prefix"),
        ("last = 999999", "last = -1", "last"),
        ('licence_type = "11100000MB0143028R001"', f'licence_type = "{"1" * 21}"', "licence_type"),
        ("sample = true", "sample = 1", "sample"),
    ],
)
def test_what_is_wrong_with_a_rule_is_named(
    folder: Path, own: dict[str, Item], old: str, new: str, told: str
) -> None:
    change(folder / RULE_FILE, (old, new))
    assert told in problems(folder, own)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'field = "/employees"',
            'field = "/employes"',
            "conditions.3 (line 85): /employes is no field of the form, in version 1 of the item",
        ),
        (
            'field = "/operator/citizen_id"',
            'field = "/operator/citizen-id"',
            "conditions.7 (line 107): /operator/citizen-id is no field",
        ),
        (
            'field = "/promise_true"\nvalue = true',
            'field = "/promise_true"\nvalue = "true"',
            "conditions.6 (line 102): /promise_true is never a text",
        ),
        (
            'value = "commercial"',
            'value = "Commercial"',
            "/premises_use is never that value: the form lists others",
        ),
        (
            'field = "/business_scopes"',
            'field = "/premises_address"',
            "/premises_address is never a list of texts",
        ),
        ('field = "/capital_10k"', 'field = "/business_name"', "/business_name is never a number"),
        (
            'field = "/operator/citizen_id"',
            'field = "/employees"',
            "/employees is never a text",
        ),
        (
            'name = "/operator/name"',
            'name = "/operator"',
            "result.from_form.name (line 118): /operator is never a text or a list of texts",
        ),
        (
            'opscope = "/business_scopes"',
            'opscope = "/business_scopes/0"',
            "/business_scopes/0 is no field of the form",
        ),
    ],
)
def test_a_field_that_can_never_be_as_the_rule_asks_keeps_the_rule_out(
    folder: Path, own: dict[str, Item], old: str, new: str, told: str
) -> None:
    change(folder / RULE_FILE, (old, new))
    assert told in problems(folder, own)


def test_a_damaged_file_and_a_wrong_one_are_told_together(
    folder: Path, own: dict[str, Item]
) -> None:
    (folder / "damaged.v1.toml").write_bytes((folder / RULE_FILE).read_bytes()[:300] + b"\xff")
    change(folder / RULE_FILE, ("maximum = 8", "maximum = -1"), ('["01"]', '["77"]'))
    found = problems(folder, own)
    assert "damaged.v1.toml: not TOML" in found
    assert "minimum is above maximum" in found
    assert "lists no 77" in found


def test_two_versions_that_hold_at_the_same_time_are_refused(
    folder: Path, own: dict[str, Item]
) -> None:
    second = folder / "individual-business.v2.toml"
    shutil.copy(folder / RULE_FILE, second)
    start = "valid_from = 2021-05-27T00:00:00+08:00"
    later = "valid_from = 2024-01-01T00:00:00+08:00"
    change(second, ('version = "1"', 'version = "2"'), (start, later))
    assert "versions 1 and 2 overlap" in problems(folder, own)
    ended = f"{start}\nsuperseded_at = 2024-01-01T00:00:00+08:00"
    change(folder / RULE_FILE, (start, ended))
    rules, documents = load_instant(folder, own, SCHEMAS)
    assert sorted(r.version for r in rules) == ["1", "2"]
    assert len(documents) == 2


def test_a_rule_of_a_version_the_item_does_not_have_loads_and_decides_nothing(
    folder: Path, own: dict[str, Item]
) -> None:
    change(folder / RULE_FILE, ('item_versions = ["1"]', 'item_versions = ["9"]'))
    (rule,) = load_instant(folder, own, SCHEMAS)[0]
    assert rule.item_versions == {"9"}


def test_the_shipped_rule_loads_under_the_digest_of_its_bytes(own: dict[str, Item]) -> None:
    (rule,), documents = load_instant(FOLDER, own, SCHEMAS)
    raw = (FOLDER / RULE_FILE).read_bytes()
    assert documents == {sha256(raw).digest(): ("instant_rule", raw)}
    assert rule.document == sha256(raw).digest()


def test_no_folder_means_no_rules(tmp_path: Path, own: dict[str, Item]) -> None:
    assert load_instant(tmp_path / "instant", own, {}) == ((), {})


def test_every_reason_has_words_in_both_languages() -> None:
    assert set(REASONS) == set(Reason)
    assert all(zh and en for zh, en in REASONS.values())
