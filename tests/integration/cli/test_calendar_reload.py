"""`kuayu calendar reload`: a running gateway goes by another file, or stays as it was."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

from gateway.adapters.system.clock import SystemClock
from gateway.app.provision import Site
from gateway.rules.deadlines import china_day
from tests.support.world import QUERY, Node, run_nodes, sample_form

from .console import answer, kuayu


def years_of(first: date, days: int) -> str:
    """Return two years in which `days` days from `first` on are rest days."""
    rest = [first + timedelta(days=n) for n in range(days)]
    tables = []
    for year in (first.year, first.year + 1):
        named = [d for d in rest if d.year == year] or [date(year, 10, 1)]
        listed = ", ".join(d.isoformat() for d in named)
        tables.append(f'[[years]]\nyear = {year}\nsource = "示例"\nrest_days = [{listed}]\n')
    return "".join(tables)


async def dues(node: Node, case_id: object) -> set[str]:
    shown: Any = await node.call("GET", f"/v1/cases/{case_id}", wanted=200)
    return {str(clock["due"]) for clock in shown["deadlines"]["clocks"]}


async def test_a_wrong_file_is_not_taken_and_a_right_one_moves_the_clocks(
    pair: tuple[Site, Site],
) -> None:
    file = pair[1].config.with_name("calendar.toml")
    asked = ("calendar", "reload", "--config", pair[1].config)
    today = china_day(SystemClock().now_ms())
    async with run_nodes(pair) as (jq, jyg):
        wish = {
            "region": "620200",
            "item_code": QUERY,
            "mode": "online",
            "purpose": "enterprise-information-query",
            "form": sample_form("enterprise_query"),
            "materials": [],
        }
        case_id = (await jq.call("POST", "/v1/cases", json_body=wish, wanted=201))["case_id"]
        await jyg.call("GET", "/v1/tasks?wait_s=20", wanted=200)
        before = await dues(jyg, case_id)
        file.write_text(years_of(today, 40)[:-9], encoding="utf-8")
        refused = await asyncio.to_thread(kuayu, *asked)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "not TOML" in refused.stderr and "the calendar stays as it was" in refused.stderr
        assert "calendar_kept" in [name for name, _ in jyg.log.events]
        assert await dues(jyg, case_id) == before
        file.write_text(years_of(today, 40), encoding="utf-8")
        assert await dues(jyg, case_id) == before  # nothing is read without being asked
        taken = await asyncio.to_thread(answer, *asked)
        assert (taken["running"], taken["removed"]) == (True, [])
        assert {today.year, today.year + 1} == {*taken["added"], *taken["changed"]}
        moved = await dues(jyg, case_id)
        assert moved.isdisjoint(before)
        assert all(date.fromisoformat(due) >= today + timedelta(days=40) for due in moved)
        async with asyncio.timeout(20):
            while "clocks_recounted" not in [name for name, _ in jyg.log.events]:
                await jyg.call("GET", f"/v1/cases/{case_id}", wanted=200)


def test_beside_a_stopped_gateway_the_file_waits_for_the_next_start(
    pair: tuple[Site, Site],
) -> None:
    done = kuayu("calendar", "reload", "--config", pair[0].config)
    assert done.returncode == 0
    assert "taken at the next start" in done.stdout
    pair[0].config.with_name("calendar.toml").write_text("years = 7", encoding="utf-8")
    refused = kuayu("calendar", "reload", "--config", pair[0].config)
    assert refused.returncode == 78
    assert "years" in refused.stderr
