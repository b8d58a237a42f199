"""Which items a mapping must carry: those agreed, in the way each goes."""

import shutil
from pathlib import Path

import pytest

from gateway.app.mapping.agreed import agreed_items, folders
from gateway.app.problems import ConfigProblem
from tests.support.world import ROOT

PARTNERS = ROOT / "partners"


@pytest.fixture
def partners(tmp_path: Path) -> Path:
    for name in ("jiuquan", "jiayuguan"):
        shutil.copytree(PARTNERS / name, tmp_path / name)
    return tmp_path


def test_items_go_the_way_the_agreement_says(partners: Path) -> None:
    region, items = agreed_items(partners / "jiayuguan")
    assert region == "620200"
    there = {item.code for item in items if item.decided_there}
    here = {item.code for item in items if not item.decided_there}
    assert "00013112700402" in there and "00013112700402" not in here
    assert here == {"00013112700701", "00201430200101"}
    branch = next(i for i in items if (i.code, i.version) == ("00013112700402", "2"))
    assert branch.modes == ("collect_on_behalf",)
    assert branch.purposes == ("branch-registration",)
    assert branch.materials


def test_an_item_that_is_not_agreed_is_not_asked_for(partners: Path) -> None:
    path = partners / "jiayuguan" / "agreement.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("00013112700402", "00013112700499"), encoding="utf-8")
    _, items = agreed_items(partners / "jiayuguan")
    assert "00013112700402" not in {item.code for item in items}


def test_a_broken_neighbour_keeps_nobody(partners: Path) -> None:
    (partners / "broken").mkdir()
    (partners / "broken" / "partner.toml").write_text("= nothing", encoding="utf-8")
    _, items = agreed_items(partners / "jiayuguan")
    assert items
    assert (partners / "broken", "") in folders(partners)
    with pytest.raises(ConfigProblem, match="not TOML"):
        agreed_items(partners / "broken")


def test_a_folder_without_an_id_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match="cannot be read"):
        agreed_items(tmp_path)
    (tmp_path / "partner.toml").write_text("state = 'draft'", encoding="utf-8")
    with pytest.raises(ConfigProblem, match="gateway_id: is missing"):
        agreed_items(tmp_path)
