"""What is signed past the command line: the gateway itself holds to the words and the states."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.adapters.system.clock import SystemClock
from gateway.app.cli.acting import act
from gateway.app.cli.exits import Stop
from gateway.app.onboarding.folders import find_entry
from gateway.app.onboarding.invitation import folder_of, read_invitation
from gateway.app.provision import Site, make_site
from tests.support.world import JIAYUGUAN, JIUQUAN, config_of, site_at

from .console import answer


@pytest.fixture
def swapped(tmp_path: Path) -> tuple[Site, Path, str]:
    """Return Jiuquan's gateway, Jiayuguan's invitation for it, and the words of that."""
    jiuquan, jiayuguan = site_at(tmp_path, JIUQUAN), site_at(tmp_path, JIAYUGUAN)
    for site in (jiuquan, jiayuguan):
        make_site(site, SystemClock().now_ms(), demo=True)
    file = tmp_path / "to-jiuquan.invite"
    said = answer("partner", "invite", "620900", "--out", file, "--config", jiayuguan.config)
    return jiuquan, file, said["phrase"]


def signed(site: Site, command: str, arguments: Mapping[str, object]) -> str:
    """Have the first operator sign a command; return how it was refused, empty if it was not."""
    try:
        act(config_of(site), command, arguments, json=True)
    except Stop as refused:
        return " ".join(refused.lines)
    return ""


def test_nobody_is_written_active_by_one_signature(swapped: tuple[Site, Path, str]) -> None:
    site, file, _ = swapped
    found = read_invitation(file, "620900", SystemClock().now_ms(), demo=True)
    files = folder_of(found.content)
    files["partner.toml"] = files["partner.toml"].replace('"testing"', '"active"')
    said = {"folder": "jiayuguan", "partner": "620200", "files": files}
    assert "a new entry is draft" in signed(site, "partner-new", said)
    assert find_entry(site.root / "partners", "620200") is None


@pytest.mark.parametrize("wrong", ["phrase", "file", "reply"])
def test_the_gateway_itself_compares_the_words(swapped: tuple[Site, Path, str], wrong: str) -> None:
    site, file, phrase = swapped
    said = {"folder": "", "partner": "620200", "file": file.read_text("utf-8"), "phrase": phrase}
    if wrong == "phrase":
        said["phrase"] = "老虎 狮子 大象 骆驼 羚羊 松鼠"
    elif wrong == "file":
        said["file"] = said["file"].replace("620200", "620700")
    else:
        said["file"] = "{}"
    assert signed(site, "partner-join", said).startswith("partner.entry_invalid")
    assert find_entry(site.root / "partners", "620200") is None


def test_with_its_words_it_is_taken_in_for_testing(swapped: tuple[Site, Path, str]) -> None:
    site, file, phrase = swapped
    said = {"folder": "", "partner": "620200", "file": file.read_text("utf-8"), "phrase": phrase}
    assert signed(site, "partner-join", said) == ""
    entry = find_entry(site.root / "partners", "620200")
    assert entry is not None
    assert entry.file.state.value == "testing"
