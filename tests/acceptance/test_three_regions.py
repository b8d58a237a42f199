"""The demo with three regions: each runs its own gateway, and a case crosses between two."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.adapters.system.clock import SystemClock
from gateway.app.demo.outcome import Outcome
from gateway.app.demo.play import play
from gateway.app.demo.portal import Portal
from gateway.app.demo.registrar import Registrar
from gateway.app.demo.scenarios import Cast, Scenario
from gateway.app.demo.state import open_state
from gateway.app.demo.story import (
    BAOSHAN,
    HEXI,
    JIAYUGUAN,
    JIUQUAN,
    ZHANGJIAGANG,
    Federation,
    Quiet,
    Stage,
    Until,
)
from gateway.app.shipped import partners_root
from tests.acceptance.processes import is_alive

pytestmark = pytest.mark.slow

MEDICAL = "00203660100101"
THREE = Federation(
    (JIUQUAN, ZHANGJIAGANG, BAOSHAN),
    (
        (JIUQUAN, ZHANGJIAGANG, "zhangjiagang/native/agreement.toml"),
        (JIUQUAN, BAOSHAN, "baoshan/agreement.toml"),
    ),
)
ANSWER = "已办理异地就医登记备案（示例）"


class MedicalPortal(Portal):
    item = MEDICAL
    region = ZHANGJIAGANG.gateway_id

    async def run(self) -> None:
        item = await self._look_up()
        sample = partners_root() / "zhangjiagang" / "vectors" / "medical_elsewhere"
        body = {
            "region": ZHANGJIAGANG.gateway_id,
            "item_code": MEDICAL,
            "item_version": item["version"],
            "mode": "online",
            "purpose": "medical-elsewhere",
            "form": json.loads((sample / "submitted.json").read_bytes())["form"],
        }
        await self._open(body, [])
        await self._office.case_at(self.case_id, "delivered")


class MedicalDesk(Registrar):
    async def _review(self, task_id: str) -> None:
        task = await self._office.get(f"/v1/tasks/{task_id}")
        await self._say(task, "accept", "accepted", {"accepted_on": self._today()})
        answer = {"result": "approved", "answer_zh": ANSWER}
        await self._say(task, "decide", "decided", answer)
        told = {"method": "online", "delivered_on": self._today()}
        await self._say(task, "deliver", "delivered", told)


async def _run(cast: Cast, until: Until) -> str:
    assert set(cast.offices) == {"620900", "320582", "310113"}
    portal = MedicalPortal(cast.office(JIUQUAN), cast.papers)
    desk = MedicalDesk(cast.office(ZHANGJIAGANG), cast.jiuquan.stage.clock.now_ms())
    await until(portal.run(), desk.run())
    # The region that stands by knows nothing of the case.
    assert (await cast.office(BAOSHAN).get("/v1/tasks"))["tasks"] == []
    return portal.case_id


SCENARIO = Scenario("three", "三地", "three regions", "approved", _run, federation=THREE)


async def play_once(folder: Path, clock: SystemClock) -> Outcome:
    state = open_state(folder, clock.now_ms(), THREE)
    heard: list[Outcome] = []
    outcome = await play(
        state, Stage(Quiet(), clock, 0.0), SCENARIO, once=True, delivered=heard.append
    )
    assert heard == [outcome]
    return outcome


async def test_three_gateways_come_up_and_a_case_crosses_between_two(tmp_path: Path) -> None:
    outcome = await play_once(tmp_path / "state", SystemClock())
    assert (outcome.state, outcome.result, outcome.answer) == ("delivered", "approved", ANSWER)
    assert outcome.deciding == "320582"
    assert sorted(outcome.gateways) == ["310113", "320582", "620900"]
    assert not any(is_alive(pid) for pid in outcome.gateways.values())
    assert {m["recipient"] for m in outcome.messages} == {"620900", "320582"}


async def test_regions_join_a_folder_that_others_play_in(tmp_path: Path) -> None:
    clock, folder = SystemClock(), tmp_path / "state"
    first = open_state(folder, clock.now_ms(), HEXI)
    assert first.fresh
    key = (first.sites[0].signing_keys[0]).read_bytes()
    outcome = await play_once(folder, clock)
    assert outcome.state == "delivered"
    again = open_state(folder, clock.now_ms(), HEXI)
    assert not again.fresh
    assert [site.identity for site in again.sites] == [JIUQUAN, JIAYUGUAN]
    assert again.sites[0].signing_keys[0].read_bytes() == key
