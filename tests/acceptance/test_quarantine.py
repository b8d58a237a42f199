"""What a platform says and no table knows: put aside, shown, mended by a file, let go of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.acceptance.stranger import Live, live, until


async def _aside(there: Live, wanted: int) -> list[dict[str, Any]]:
    async def listed() -> list[dict[str, Any]]:
        found = json.loads(await there.operator.run("quarantine", "list", "--json"))["arrivals"]
        assert isinstance(found, list)
        return found

    found: list[dict[str, Any]] = await until(listed, lambda found: len(found) == wanted)
    return found


async def test_an_unknown_code_waits_for_its_table_and_what_is_no_message_is_let_go_of(
    tmp_path: Path,
) -> None:
    async with live(tmp_path) as there:
        operator, platform = there.operator, there.platform
        w = platform.words
        case_id, number = await there.opened()

        async def case() -> Any:
            return await there.case(case_id)

        platform.say(number, "S1")
        platform.say(number, "S2", day="20260602")
        await until(case, lambda view: view["stage"] == "accepted")
        platform.say(number, "S9", result="Z", text="已办结（示例）")
        entry = [*platform.waiting.values()][-1]
        (arrival,) = await _aside(there, 1)
        ident = arrival["arrival_id"]
        assert arrival["rule"] == "mapping.code_unmapped"
        assert arrival["field"] == f"/{w('result')} table result has no such code"

        shown = await operator.run("quarantine", "show", ident, "--raw", "arrival.json")
        assert "规则 rule: mapping.code_unmapped  " in shown
        assert "已办结" not in shown
        raw = operator.root / "arrival.json"
        assert json.loads(raw.read_bytes()) == entry
        assert raw.stat().st_mode & 0o777 == 0o600
        again = await operator.refused("quarantine", "show", ident, "--raw", "arrival.json")
        assert "name a new file" in again
        assert "operator.request_invalid" in await operator.refused("quarantine", "show", "nosuch")

        assert "partner reload" in await operator.refused("quarantine", "replay", ident)
        mapping = operator.root / "partners" / "nowhere" / "mapping.toml"
        table = mapping.read_text("utf-8")
        mapping.write_text(table.replace('approved = "Y"', 'approved = "Z"'), "utf-8")
        await operator.run("partner", "reload")
        done = await operator.run("quarantine", "replay", ident, "--reason", "映射表已更正")
        assert done.startswith("已接收 taken_in")
        view = await until(case, lambda view: view["stage"] == "decided")
        assert view["result"] == "approved"

        platform.say(number, "S7")
        (arrival,) = await _aside(there, 1)
        ident = arrival["arrival_id"]
        await operator.run("operator", "key", "wang.key.pem", "--no-passphrase")
        await operator.run("operator", "add", "wang", "--key", "wang.pub.pem")
        drop = ("quarantine", "drop", ident, "--reason", "对方确认为测试数据")
        act = json.loads(await operator.run(*drop, "--json", code=75))["act"]
        await operator.run("operator", "approve", act, key="wang.key.pem")
        assert await _aside(there, 0) == []
        assert "partner.arrival_settled" in await operator.refused("quarantine", "replay", ident)


async def test_a_poll_that_fails_is_told_once_and_a_lane_is_named_by_its_folder(
    tmp_path: Path,
) -> None:
    async with live(tmp_path) as there:
        there.platform.is_down = True

        async def warned() -> int:
            return there.gateway.log_text().count("poll_down")

        await until(warned, bool)
        asked = there.platform.turned_away

        async def turned_away() -> int:
            return there.platform.turned_away

        await until(turned_away, lambda now: now > asked + 3)
        assert await warned() == 1
        paused = await there.operator.run("lane", "pause", "nowhere", "--reason", "示例")
        assert "paused nowhere" in paused
        lanes = json.loads(await there.operator.run("lane", "list", "--json"))["lanes"]
        assert [(lane["partner"], lane["state"]) for lane in lanes] == [("620500", "paused")]
        await there.operator.run("lane", "resume", "620500")
        assert "operator.not_found" in await there.operator.refused("lane", "resume", "elsewhere")
