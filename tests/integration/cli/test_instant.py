"""`kuayu instant`: rules are listed, shown and tried; nothing is done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.app.provision import Site
from tests.support.instant import INDIVIDUAL, RULE_FILE, instant_form

from .console import answer, kuayu


@pytest.fixture
def config(pair: tuple[Site, Site]) -> Path:
    return pair[1].config


def written(folder: Path, **changes: object) -> Path:
    path = folder / "application.json"
    path.write_text(json.dumps(instant_form(**changes), ensure_ascii=False), encoding="utf-8")
    return path


def test_a_rule_file_that_is_damaged_is_named_and_nothing_is_shown(
    pair: tuple[Site, Site],
) -> None:
    rule = pair[1].own_entry / "instant" / RULE_FILE
    rule.write_bytes(rule.read_bytes()[:500])
    done = kuayu("instant", "list", "--config", pair[1].config)
    assert (done.returncode, done.stdout) == (78, "")
    assert RULE_FILE in done.stderr
    assert "Traceback" not in done.stderr


def test_a_rule_that_looks_at_no_field_of_the_form_is_refused_with_key_and_line(
    pair: tuple[Site, Site],
) -> None:
    rule = pair[1].own_entry / "instant" / RULE_FILE
    rule.write_text(
        rule.read_text(encoding="utf-8").replace('"/employees"', '"/employes"'), encoding="utf-8"
    )
    done = kuayu("instant", "list", "--config", pair[1].config)
    assert (done.returncode, done.stdout) == (78, "")
    assert f"{RULE_FILE}: conditions.3 (line 85): /employes is no field of the form" in done.stderr


def test_what_could_not_be_checked_is_said_by_each_command(
    pair: tuple[Site, Site], config: Path, tmp_path: Path
) -> None:
    rule = pair[1].own_entry / "instant" / RULE_FILE
    text = rule.read_text(encoding="utf-8")
    rule.write_text(text.replace('item_versions = ["1"]', 'item_versions = ["9"]'), "utf-8")
    [row] = answer("instant", "list", "--config", config)
    assert (row["fields_unknown"], row["item_versions_unchecked"]) == ([], ["9"])
    assert "not checked: 9" in kuayu("instant", "show", row["rule"], "--config", config).stdout
    given = (written(tmp_path), "--item", INDIVIDUAL, "--material", "01", "--config", config)
    found = answer("instant", "try", *given)
    assert (found["reason"], found["unknown"][0]["item_versions_unchecked"]) == (
        "item_version",
        ["9"],
    )
    assert "not checked: 9" in kuayu("instant", "try", *given).stdout


def test_a_form_that_is_no_such_form_would_not_be_taken_in(config: Path, tmp_path: Path) -> None:
    path = written(tmp_path, employees=-1)
    done = kuayu("instant", "try", path, "--item", INDIVIDUAL, "--config", config)
    assert done.returncode == 2
    assert "/employees" in done.stderr


@pytest.mark.parametrize("arguments", [("absent.json",), ("absent.json", "--json")])
def test_a_form_that_is_not_there_is_named(config: Path, arguments: tuple[str, ...]) -> None:
    done = kuayu("instant", "try", *arguments, "--item", INDIVIDUAL, "--config", config)
    assert done.returncode == 2
    assert "absent.json cannot be read" in done.stderr


def test_an_unknown_rule_is_told_with_those_that_are_known(config: Path) -> None:
    done = kuayu("instant", "show", "nope", "--config", config)
    assert done.returncode == 1
    assert "known: individual-business@1" in done.stderr


def test_a_scope_outside_is_left_to_a_person_with_the_reason(config: Path, tmp_path: Path) -> None:
    path = written(tmp_path, business_scopes=["烟花爆竹零售"])
    given = (path, "--item", INDIVIDUAL, "--material", "01", "--config", config)
    found = answer("instant", "try", *given)
    assert (found["decides"], found["reason"], found["where"]) == (
        False,
        "scope_outside",
        "/business_scopes",
    )
    done = kuayu("instant", "try", *given)
    assert "经营范围不在秒批清单内" in done.stdout
    assert "烟花爆竹" not in done.stdout


def test_without_its_material_the_application_is_left_to_a_person(
    config: Path, tmp_path: Path
) -> None:
    path = written(tmp_path)
    found = answer("instant", "try", path, "--item", INDIVIDUAL, "--config", config)
    assert (found["decides"], found["missing_materials"]) == (False, ["01"])


def test_a_covered_application_would_be_decided_and_nothing_is_stored(
    config: Path, tmp_path: Path
) -> None:
    path = written(tmp_path)
    given = (path, "--item", INDIVIDUAL, "--material", "01", "--config", config)
    first, second = answer("instant", "try", *given), answer("instant", "try", *given)
    assert first == second
    assert first["decides"] is True
    assert first["decision"]["instant"]["rule"] == "individual-business"
    assert "秒批 decided at once" in kuayu("instant", "try", *given).stdout
    assert answer("case", "list", "--config", config)["cases"] == []


def test_rules_are_listed_and_shown_with_their_33_scopes(config: Path) -> None:
    [row] = answer("instant", "list", "--config", config)
    assert (row["rule"], row["scopes"], row["in_force"]) == ("individual-business", 33, True)
    shown = answer("instant", "show", "individual-business", "--config", config)
    assert [len(c["scopes"]) for c in shown["classes"]] == [11, 11, 11]
    assert shown["document"] == row["document"]
    text = kuayu("instant", "show", "individual-business", "--config", config).stdout
    assert "all_in_classes" in text


def test_a_gateway_without_rules_says_so(pair: tuple[Site, Site]) -> None:
    assert "没有秒批规则" in kuayu("instant", "list", "--config", pair[0].config).stdout
