"""Two gateways on sockets and SQLite: a hearing, a wrong result, the archive and reviews."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.support.world import QUERY, Node, make_pair, run_nodes, sample_answer

APPROVED = {"result": "approved", "answer_zh": "登记状态：存续（示例）"}
ARCHIVE = {
    "archived_on": "2026-06-30",
    "materials": [
        {
            "code": "result",
            "holder": {"region": "620200", "unit": "11620200MB0000000U"},
            "kept_as": "original",
            "retention": "permanent",
        }
    ],
}


async def until(node: Node, path: str, **wanted: object) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            view = await node.call("GET", path)
            if all(view.get(name) == value for name, value in wanted.items()):
                return view
            await asyncio.sleep(0.02)


async def test_a_case_is_suspended_corrected_archived_and_reviewed_over_the_socket(
    tmp_path: Path,
) -> None:
    async with run_nodes(make_pair(tmp_path)) as (window, registrar):

        async def say(node: Node, path: str, body: object, wanted: int = 200) -> dict[str, Any]:
            return await node.call("POST", path, json_body=body, wanted=wanted)

        wish = {
            "region": "620200",
            "item_code": QUERY,
            "mode": "online",
            "purpose": "enterprise-information-query",
            "form": {"uscc": "91620200MA0000000H", "query_purpose": "核对（示例）"},
            "identity": {"method": "real_name_account"},
        }
        case_id = str((await say(window, "/v1/cases", wish, 201))["case_id"])
        case, task = f"/v1/cases/{case_id}", f"/v1/tasks/{case_id}"
        await until(registrar, task, stage="submitted")
        await say(registrar, f"{task}/acknowledge", {})
        await say(registrar, f"{task}/accept", sample_answer("accepted"))
        hearing = {"procedure": "hearing", "reason_zh": "申请听证（示例）"}
        await say(registrar, f"{task}/suspend", hearing)
        refused = await say(registrar, f"{task}/decide", APPROVED, 409)
        assert refused["rule"] == "case.suspended"
        await until(window, case, stage="suspended", stage_zh="特别程序中")
        await say(registrar, f"{task}/resume", {})
        await say(registrar, f"{task}/decide", APPROVED)
        await until(window, case, stage="decided")
        standing = (await until(registrar, task, unconfirmed=[]))["decision"]

        refused = await say(registrar, f"{task}/decide", APPROVED, 409)
        assert refused["rule"] == "case.correction_unnamed"
        wrong = {"answer_zh": "登记状态：注销（示例）", "correction_reason_zh": "查询有误（示例）"}
        corrected = {**APPROVED, **wrong, "corrects": standing}
        await say(registrar, f"{task}/correct", corrected)
        await until(registrar, task, unconfirmed=[])
        await say(registrar, f"{task}/deliver", sample_answer("delivered"))
        view = await until(window, case, stage="delivered")
        assert view["decision"] not in (None, standing)

        await say(window, f"{case}/reviews", {"grade": "very_satisfied"})
        await say(registrar, f"{task}/archived", ARCHIVE)
        await until(window, case, stage="archived", unconfirmed=[])
        await say(window, f"{case}/archived", ARCHIVE)
        await until(window, case, unconfirmed=[])
        view = await until(registrar, task, stage="archived", unconfirmed=[])
        assert view["identity"]["method"] == "real_name_account"
        assert [r["grade"] for r in view["reviews"]] == ["very_satisfied"]
        assert [a["said_by"] for a in view["archives"]] == ["620200", "620900"]
        kinds = [m["kind"] for m in (await until(window, case))["history"]]
        assert sorted(kinds).count("decided") == 2
