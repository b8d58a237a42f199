"""Where scenarios share a folder, a partner stays what it is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.adapters.system.clock import SystemClock
from gateway.app.demo.platforms.everyone import STORIES
from gateway.app.demo.platforms.office import Register, adopted
from gateway.app.demo.platforms.rest_partners import CityPlatform
from gateway.app.demo.story import DemoFailed
from gateway.app.provision import make_site
from gateway.app.shipped import partners_root
from tests.support.world import JIUQUAN, site_at


def test_a_city_that_has_a_gateway_here_is_no_platform(tmp_path: Path) -> None:
    now_ms = SystemClock().now_ms()
    site = site_at(tmp_path, JIUQUAN)
    make_site(site, now_ms, demo=True)
    folder = site.root / "partners" / CityPlatform.story.folder
    folder.mkdir()
    (folder / "partner.toml").write_text('[outlet]\nkind = "grpc"\n', "utf-8")
    with pytest.raises(DemoFailed, match="another --state folder"):
        adopted(site, CityPlatform.story, now_ms)


def test_every_story_is_about_a_shipped_partner_and_one_of_its_items() -> None:
    for story in STORIES:
        entry = (partners_root() / story.folder / "partner.toml").read_text("utf-8")
        assert f'gateway_id = "{story.region}"' in entry
        assert f'kind = "{story.dialect}"' in entry
        assert "simulated = true" in entry
        assert story.item in story.items


def test_a_case_is_opened_once_for_each_number() -> None:
    register = Register({"a"})
    assert register.opened("1", "case")
    assert not register.opened("1", "case")
    assert register.has("case") and not register.has("other")
    assert register.lists("a") and not register.lists("b")
    assert Register(None).lists("b")
    register.withdraw("case")
    assert not register.goes_on("case")
