"""The work list and the sheet on the command line, and a paper agreement attested."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gateway.app.provision import Site
from tests.integration.assisted.desks import desk_at, make_assisted_site

from .console import answer, kuayu


@pytest.fixture
async def listed(tmp_path: Path) -> tuple[Site, str]:
    """A gateway that ran until a message stood on its list."""
    site = make_assisted_site(tmp_path)
    async with desk_at(site) as desk:
        case_id = await desk.open_case(operator_name="示例<b>丙</b>")
        item = await desk.listed(case_id)
        await desk.parked(case_id)
    return site, str(item["work_id"])


async def test_the_list_shows_what_is_to_be_carried(listed: tuple[Site, str]) -> None:
    site, work_id = listed
    (item,) = answer("assisted", "list", "--config", site.config)["work"]
    assert (item["work_id"], item["status"], item["kind"]) == (work_id, "listed", "submitted")
    shown = kuayu("assisted", "list", "--config", site.config)
    assert work_id in shown.stdout and "待人工转交" in shown.stdout
    assert answer("assisted", "list", "--done", "--config", site.config)["work"] == []
    other = ("--unit", "11620200MB0000000U", "--config", site.config)
    assert "没有待办" in kuayu("assisted", "list", *other).stdout


async def test_the_sheet_is_printed_escaped_and_for_its_reader_alone(
    listed: tuple[Site, str], tmp_path: Path
) -> None:
    site, work_id = listed
    page = kuayu("assisted", "sheet", work_id, "--config", site.config)
    assert page.returncode == 0
    assert "示例&lt;b&gt;丙&lt;/b&gt;" in page.stdout and "<b>" not in page.stdout
    assert "模拟 SIMULATED" in page.stdout
    out = tmp_path / "sheet.html"
    done = kuayu("assisted", "sheet", work_id, "--out", out, "--config", site.config)
    assert done.returncode == 0
    assert out.read_text(encoding="utf-8").strip() == page.stdout.strip()
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    again = kuayu("assisted", "sheet", work_id, "--out", out, "--config", site.config)
    assert again.returncode != 0 and "cannot be written" in again.stderr


async def test_a_sheet_that_is_not_there_is_told_in_one_line(listed: tuple[Site, str]) -> None:
    site, _ = listed
    unknown = "0190a2b4-3c5d-7e6f-8a9b-0c1d2e3f4a5b"
    done = kuayu("assisted", "sheet", unknown, "--config", site.config)
    assert done.returncode == 1
    assert "stands on no list" in done.stderr
    assert kuayu("assisted", "sheet", "x", "--config", site.config).returncode == 2


async def test_explain_says_where_it_waits(listed: tuple[Site, str]) -> None:
    site, work_id = listed
    shown = kuayu("explain", work_id, "--config", site.config)
    assert "待人工转交" in shown.stdout


def test_a_paper_agreement_is_attested_once_and_then_in_force(tmp_path: Path) -> None:
    site = make_assisted_site(tmp_path)
    folder = site.root / "partners" / "jinchang"
    act = folder / "acts" / "620300.accept.act"
    config = ("--config", site.config)
    twice = kuayu("assisted", "accept", folder, *config)
    assert twice.returncode != 0 and "is there already" in twice.stderr
    act.unlink()
    listing = ("partner", "list", *config)
    assert not answer(*listing)["partners"][0]["agreements"][0]["in_force"]
    assert Path(answer("assisted", "accept", folder, *config)["act"]) == act
    assert answer(*listing)["partners"][0]["agreements"][0]["in_force"]


def test_a_partner_with_a_system_signs_for_itself(pair: tuple[Site, Site]) -> None:
    jiuquan, _ = pair
    folder = jiuquan.root / "partners" / "jiayuguan"
    done = kuayu("assisted", "accept", folder, "--config", jiuquan.config)
    assert done.returncode != 0
    assert "has keys" in done.stderr
    gone = kuayu("assisted", "accept", folder / "nowhere", "--config", jiuquan.config)
    assert gone.returncode != 0 and "is a partner's folder" not in gone.stdout
    assert "a partner's folder?" in gone.stderr
