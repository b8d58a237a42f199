"""A partner with field names nobody has seen is added with files alone, while the gateway runs.

Every name of its interface, and of its item's form, is drawn anew in each run.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.stranger import Signing, by_hmac, by_http_signatures, live, until


@pytest.mark.parametrize("signing", [by_hmac, by_http_signatures])
async def test_a_partner_with_names_nobody_has_seen_goes_live_by_files_alone(
    tmp_path: Path, signing: Callable[[], Signing]
) -> None:
    async with live(tmp_path, signing()) as there:
        platform = there.platform
        w = platform.words
        case_id, number = await there.opened()
        theirs = platform.cases[number]
        assert theirs[w("box")] == {
            w("their name"): "示例甲㛃",
            w("their day"): "20260601",
            w("their region"): "620902000000",
            w("their kind"): "K-02",
        }

        async def case() -> Any:
            return await there.case(case_id)

        async def left() -> dict[str, Any]:
            return platform.waiting

        platform.say(number, "S1")
        platform.say(number, "S2", day="20260602")
        await until(case, lambda view: view["stage"] == "accepted")
        platform.say(number, "S9", result="Y", text="已办结（示例）")
        view = await until(case, lambda view: view["stage"] == "decided")
        assert (view["result"], view["answer"]) == ("approved", "已办结（示例）")
        told = {m["strength"] for m in view["history"] if m["direction"] == "in"}
        assert told == {"authenticated"}
        await until(left, lambda left: not left)
