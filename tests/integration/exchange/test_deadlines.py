"""Deadlines of real gateways: overdue after days, and the same after a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from gateway.adapters.system.clock import SystemClock
from gateway.app.tokens import SCOPES, issue_token
from gateway.app.wiring import Seams
from gateway.kernel.limits import CLOCK_POLL_MS
from gateway.rules.deadlines import china_day
from tests.support.world import (
    JIAYUGUAN,
    QUERY,
    Node,
    make_pair,
    run_nodes,
    sample_form,
)

CALENDAR = """
[[years]]
year = {year}
source = "示例"
rest_days = [{year}-01-01]
"""


class LaterClock(SystemClock):
    """The system's clock some days ahead, at which one sleep takes no time."""

    def __init__(self, days: int) -> None:
        self.ahead_ms = days * 86_400_000

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms

    async def sleep_ms(self, ms: int) -> None:
        await super().sleep_ms(1 if ms == CLOCK_POLL_MS else ms)


async def asked(node: Node, clock: SystemClock, path: str, unit: str | None = None) -> Any:
    token = issue_token(
        node.config,
        unit=unit or node.site.identity.unit,
        subject="staff-7",
        scopes=SCOPES,
        now_s=clock.now_ms() // 1000,
        life_s=600,
        capacity="window",
    )
    return await node.call("GET", path, headers={"Authorization": f"Bearer {token}"}, wanted=200)


async def test_a_case_left_lying_is_overdue_at_both_ends_and_hidden_from_other_units(
    tmp_path: Path,
) -> None:
    sites, clock = make_pair(tmp_path), SystemClock()
    year = china_day(clock.now_ms()).year
    for site in sites:
        years = "".join(CALENDAR.format(year=y) for y in (year, year + 1))
        site.config.with_name("calendar.toml").write_text(years, encoding="utf-8")
    async with run_nodes(sites) as (jq, jyg):
        wish = {
            "region": "620200",
            "item_code": QUERY,
            "mode": "online",
            "purpose": "enterprise-information-query",
            "form": sample_form("enterprise_query"),
            "materials": [],
        }
        case_id = (await jq.call("POST", "/v1/cases", json_body=wish, wanted=201))["case_id"]
        tasks: Any = (await jyg.call("GET", "/v1/tasks?wait_s=20"))["tasks"]
        assert [task["case_id"] for task in tasks] == [case_id]
        assert await asked(jyg, clock, "/v1/overdue") == {"overdue": []}
    later = LaterClock(21)
    async with run_nodes(sites, Seams(clock=later)) as (jq, jyg):
        for node in (jq, jyg):
            (late,) = (await asked(node, later, "/v1/overdue"))["overdue"]
            assert (late["case_id"], late["held_by"]) == (case_id, "620200")
            assert {c["clock"] for c in late["clocks"]} == {
                "acknowledgement",
                "statutory",
                "promised",
            }
            assert late["late_days"] >= 13
        assert await asked(jyg, later, "/v1/overdue", "92620702MA00000005") == {"overdue": []}
        async with asyncio.timeout(20):
            while True:  # until the timekeeper has looked
                shown = (await asked(jyg, later, f"/v1/cases/{case_id}"))["deadlines"]
                if shown["told"]:
                    break
        told = [(t["clock"], t["told"]) for t in shown["told"]]
        assert len(told) == len(set(told))
        assert ("acceptance", "deemed_accepted") in told
        assert shown["held"][1]["gateway"] == JIAYUGUAN.gateway_id
        assert not [name for name, _ in jyg.log.events if name in ("task_died", "step_broke")]
