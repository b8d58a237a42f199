"""Lanes as an operator holds them back: in a running gateway, beside one, over a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.app.provision import Site
from tests.integration.cli.console import answer, kuayu
from tests.support.world import QUERY, Node, make_pair, run_nodes, sample_form

from .reloads import asked, set_state, until

JYG = "620200"
WISH = {
    "region": JYG,
    "item_code": QUERY,
    "mode": "online",
    "purpose": "enterprise-information-query",
    "form": sample_form("enterprise_query"),
    "materials": [],
}


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Site, Site]:
    return make_pair(tmp_path)


async def lane(node: Node) -> dict[str, Any]:
    (found,) = (await asked(node.config, "lane-list"))["lanes"]
    assert found["partner"] == JYG
    return dict(found)


async def submit(node: Node) -> object:
    return (await node.call("POST", "/v1/cases", json_body=WISH, wanted=201))["case_id"]


async def test_a_partner_there_is_none_of_and_a_pause_without_a_reason_are_refused(
    pair: tuple[Site, Site],
) -> None:
    async with run_nodes(pair[:1]) as (jq,):
        stranger = await asked(jq.config, "lane-pause", partner="620999", reason="示例")
        assert stranger["rule"] == "operator.not_found"
        silent = await asked(jq.config, "lane-pause", partner=JYG, reason=" ")
        assert (silent["rule"], silent["detail"]) == ("operator.request_invalid", "reason")
        assert (await lane(jq))["state"] == "running"


async def test_a_paused_lane_sends_nothing_and_is_heard_all_the_same(
    pair: tuple[Site, Site],
) -> None:
    async with run_nodes(pair) as (jq, jyg):
        first = await submit(jq)
        await jyg.call("GET", "/v1/tasks?wait_s=20", wanted=200)
        view = await asked(jq.config, "lane-pause", partner=JYG, reason="对方今晚升级（示例）")
        assert (view["changed"], view["lane"]["state"]) == (True, "paused")
        again = await asked(jq.config, "lane-pause", partner=JYG, reason="别的原因")
        assert (again["changed"], again["lane"]["pause_reason"]) == (False, "对方今晚升级（示例）")
        second = await submit(jq)
        await jyg.call("POST", f"/v1/tasks/{first}/acknowledge")

        async def acknowledged() -> bool:
            shown = await jq.call("GET", f"/v1/cases/{first}", wanted=200)
            return shown["stage"] == "acknowledged"

        await until(acknowledged)
        held = await lane(jq)
        assert (held["queued"], held["next_try_at"], held["under_way"]) == (1, None, 0)
        assert held["paused_by"] == "operator-1"
        assert held["last_success_at"] is not None
        resumed = await asked(jq.config, "lane-resume", partner=JYG)
        assert (resumed["changed"], resumed["lane"]["paused_at"]) == (True, None)

        async def arrived() -> bool:
            found: Any = await jyg.call("GET", "/v1/tasks", wanted=200)
            return second in [task["case_id"] for task in found["tasks"]]

        await until(arrived)


async def test_a_pause_outlives_the_process_and_can_be_made_and_ended_beside_it(
    pair: tuple[Site, Site],
) -> None:
    config = pair[0].config
    reason = ("--reason", "对方机房搬迁（示例）")
    paused = answer("lane", "pause", JYG, "--config", config, *reason)
    assert (paused["running"], paused["changed"]) == (False, True)
    async with run_nodes(pair) as (jq, jyg):
        await submit(jq)
        (shown,) = (await asyncio.to_thread(answer, "lane", "list", "--config", config))["lanes"]
        assert (shown["state"], shown["queued"]) == ("paused", 1)
        assert shown["pause_reason"] == reason[1]
        found = await jyg.call("GET", "/v1/tasks?wait_s=2", wanted=200)
        assert found["tasks"] == []
    done = kuayu("lane", "list", "--config", config)
    assert done.returncode == 0
    assert "已暂停发送 paused" in done.stdout
    assert "对方机房搬迁" in done.stdout
    done = kuayu("lane", "resume", JYG, "--config", config)
    assert (done.returncode, "at the next start" in done.stdout) == (0, True)
    (stopped,) = answer("lane", "list", "--config", config)["lanes"]
    assert (stopped["state"], stopped["breaker"], stopped["queued"]) == ("stopped", None, 1)
    async with run_nodes(pair) as (_, jyg):
        found = await jyg.call("GET", "/v1/tasks?wait_s=20", wanted=200)
        assert isinstance(found["tasks"], list) and len(found["tasks"]) == 1


async def test_a_partner_that_is_down_shows_its_breaker_and_a_resume_tries_at_once(
    pair: tuple[Site, Site],
) -> None:
    async with run_nodes(pair[:1]) as (jq,):
        await submit(jq)

        async def opened() -> bool:
            return bool((await lane(jq))["breaker"] == "open")

        await until(opened)
        shown = await lane(jq)
        assert (shown["last_error"], shown["last_success_at"]) == ("unavailable", None)
        assert shown["calls_failed"] >= 3
        assert shown["next_try_at"] is not None
        assert "breaker_opened" in [name for name, _ in jq.log.events]
        async with run_nodes(pair[1:]) as (jyg,):
            await asked(jq.config, "lane-resume", partner=JYG, reason="对方已恢复（示例）")
            found = await jyg.call("GET", "/v1/tasks?wait_s=20", wanted=200)
            assert found["tasks"]

        async def closed() -> bool:
            return bool((await lane(jq))["breaker"] == "closed")

        await until(closed)
        assert (await lane(jq))["last_success_at"] is not None


async def test_a_suspended_partners_lane_is_listed_with_what_waits(
    pair: tuple[Site, Site],
) -> None:
    async with run_nodes(pair[:1]) as (jq,):
        await submit(jq)
        set_state(pair[0].root / "partners" / "jiayuguan", "suspended")
        await asked(jq.config, "partner-reload")
        shown = await lane(jq)
        assert (shown["state"], shown["queued"], shown["breaker"]) == ("suspended", 1, None)
