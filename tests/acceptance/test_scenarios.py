"""Each story of the demo, as a stranger plays it: real processes, and its own ending."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.app.demo.scenarios import SCENARIOS, TOO_LATE
from tests.acceptance.processes import is_alive, run

pytestmark = pytest.mark.slow


def played(name: str, state: Path) -> dict[str, Any]:
    done = run("--scenario", name, "--once", "--json", "--state", str(state))
    assert (done.returncode, done.stderr) == (0, "")
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["scenario"] == name
    assert not any(is_alive(pid) for pid in document["gateways"].values())
    return document


def test_the_list_names_every_story_in_both_languages() -> None:
    listed = json.loads(run("--list", "--json").stdout)["scenarios"]
    assert [s["name"] for s in listed] == list(SCENARIOS)
    assert all(s["zh"] and s["en"] for s in listed)
    told = run("--list").stdout
    assert all(name in told for name in SCENARIOS)


def test_a_story_there_is_none_of_is_a_usage_error() -> None:
    done = run("--scenario", "nope", "--once")
    assert done.returncode == 2
    assert "founding-case" in done.stderr


def test_a_refusal_is_served_with_its_reasons_and_without_a_licence(tmp_path: Path) -> None:
    document = played("refused", tmp_path / "state")
    assert (document["state"], document["result"], document["licence"]) == (
        "delivered", "refused", None,
    )  # fmt: skip
    assert {r["outcome"] for r in document["receipts"]} == {"taken_in"}
    assert [m["kind"] for m in document["messages"]][-2:] == ["decided", "delivered"]


def test_a_withdrawal_that_crosses_the_decision_is_refused_and_the_decision_adopted(
    tmp_path: Path,
) -> None:
    document = played("withdrawn-too-late", tmp_path / "state")
    assert (document["state"], document["result"]) == ("delivered", "approved")
    assert document["licence"]["licence_id"]
    refused = {r["message_id"]: r["rule"] for r in document["receipts"] if r["rule"]}
    kinds = {m["message_id"]: m["kind"] for m in document["messages"]}
    assert {kinds[m]: rule for m, rule in refused.items()} in ({"withdrawn": TOO_LATE}, {})
