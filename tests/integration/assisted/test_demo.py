"""The demo's scenario `assisted`, against a real gateway."""

from __future__ import annotations

from pathlib import Path

from gateway.adapters.system.clock import SystemClock
from gateway.app.demo.assisted import play_assisted, prepare_assisted
from gateway.app.demo.story import Act, Quiet, Stage
from gateway.app.provision import make_site
from tests.support.world import JIUQUAN, site_at

from .desks import desk_at


class Heard(Quiet):
    def __init__(self) -> None:
        self.acts: list[Act] = []

    def act(self, act: Act) -> None:
        self.acts.append(act)


async def test_three_people_bring_a_case_to_its_licence_and_nobody_confirms_himself(
    tmp_path: Path,
) -> None:
    clock, heard = SystemClock(), Heard()
    site = site_at(tmp_path, JIUQUAN)
    make_site(site, clock.now_ms(), demo=True)
    prepare_assisted(site, clock.now_ms())
    async with desk_at(site):
        view = await play_assisted(site, Stage(heard, clock, 0.0), tmp_path)
    assert view["stage"] == "decided"
    assert view["licence"]["entname"].startswith("金昌市示例")
    told = [act.zh for act in heard.acts]
    assert "录入人自行复核：拒绝" in told
    assert told[-1] == "另一人复核：decided"
    sheet = (tmp_path / "协办单.html").read_text(encoding="utf-8")
    assert "模拟 SIMULATED" in sheet
