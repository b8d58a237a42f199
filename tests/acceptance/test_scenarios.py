"""Every scenario of the demo, played by real processes over real sockets."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from gateway.app.demo.scenarios import SCENARIOS
from gateway.kernel.envelope import Kind
from gateway.rules.schema.formats import is_licence_id, is_uscc
from tests.acceptance.processes import gateways_in, run
from tests.support.instant import FOLDER, RULE_FILE

pytestmark = pytest.mark.slow


def played(name: str, state: Path) -> dict[str, Any]:
    """Play a scenario to its end and return what it says; no process is left."""
    done = run("--scenario", name, "--once", "--json", "--state", str(state))
    assert (done.returncode, done.stderr) == (0, "")
    assert list(gateways_in(state)) == []
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["scenario"] == name
    refused = [m["kind"] for m in found["messages"] if m["receipt"] != "taken_in"]
    assert refused == (["withdrawn"] if name == "withdrawn-too-late" else [])
    return found


def kinds(document: dict[str, Any]) -> list[str]:
    return [m["kind"] for m in document["messages"]]


def rows(state: Path, side: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    path = state / side / "state" / "journal.sqlite3"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as journal:
        return journal.execute(query, values).fetchall()


def test_a_scenario_that_does_not_exist_is_told_with_those_that_do() -> None:
    done = run("--scenario", "nope")
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert all(name in line for name in SCENARIOS)


def test_the_scenarios_are_listed_for_people_and_for_scripts() -> None:
    told = run("--list")
    assert told.returncode == 0
    listed = json.loads(run("--list", "--json").stdout)
    assert [each["name"] for each in listed] == list(SCENARIOS)
    assert all(each["name"] in told.stdout and each["zh"] in told.stdout for each in listed)


def test_a_story_that_cannot_be_played_says_why_and_where_its_records_are(tmp_path: Path) -> None:
    state = tmp_path / "state"
    played("founding-case", state)
    folder = state / "jiuquan" / "partners" / "zhangjiagang"
    folder.mkdir()
    (folder / "partner.toml").write_text('[outlet]\nkind = "grpc"\n', "utf-8")
    done = run("--scenario", "all-partners", "--once", "--json", "--state", str(state))
    assert (done.returncode, done.stdout) == (69, "")
    [line] = done.stderr.splitlines()
    assert "zhangjiagang" in line
    assert str(state) in line
    assert list(gateways_in(state)) == []


def test_an_individual_business_is_registered_by_rule_with_no_one_at_the_desk(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    first = played("instant", state)
    document = played("instant", state)  # once more on the same journals: another licence
    assert kinds(document) == ["submitted", "acknowledged", "accepted", "decided", "delivered"]
    assert all(0 < d["decided_ms"] <= d["elapsed_ms"] for d in (first, document))
    licences = [first["licence"], document["licence"]]
    assert all(is_licence_id(each["licence_id"]) for each in licences)
    assert all(is_uscc(each["uniscid"]) for each in licences)
    assert len({each["licence_id"] for each in licences}) == 2
    assert len({each["uniscid"] for each in licences}) == 2


def test_the_decision_by_rule_names_bytes_that_are_kept_with_the_evidence(tmp_path: Path) -> None:
    state = tmp_path / "state"
    document = played("instant", state)
    said = document["instant"]
    assert (said["rule"], said["version"]) == ("individual-business", "1")
    assert "/business_scopes" in said["inputs"]
    raw = (FOLDER / RULE_FILE).read_bytes()
    assert said["document"] == sha256(raw).hexdigest()
    query = "SELECT kind, content FROM evidence WHERE digest = ?"
    assert rows(state, "jiayuguan", query, bytes.fromhex(said["document"])) == [
        ("instant_rule", raw)
    ]


def test_a_refusal_reaches_the_applicant_with_its_reasons_and_no_licence(tmp_path: Path) -> None:
    document = played("refused", tmp_path / "state")
    assert (document["result"], document["licence"]) == ("refused", None)
    assert "不予登记" in document["reason"]
    assert kinds(document) == ["submitted", "acknowledged", "accepted", "decided", "delivered"]
    shown = run("--scenario", "refused", "--once", "--state", str(tmp_path / "other"))
    assert "不予登记通知书" in shown.stdout


def test_a_withdrawal_that_crosses_the_decision_is_refused_on_the_wire(tmp_path: Path) -> None:
    state = tmp_path / "state"
    document = played("withdrawn-too-late", state)
    assert (document["state"], document["result"]) == ("delivered", "approved")
    (said,) = [m for m in document["messages"] if m["kind"] == "withdrawn"]
    query = "SELECT outcome, receipt FROM messages WHERE kind = ? AND direction = ?"
    (sent,) = rows(state, "jiuquan", query, int(Kind.WITHDRAWN), "out")
    (met,) = rows(state, "jiayuguan", query, int(Kind.WITHDRAWN), "in")
    assert sent == met, "both keep the one signed receipt"
    assert b"case.already_decided" in sent[1]
    (decided,) = [m for m in document["messages"] if m["kind"] == "decided"]
    assert decided["receipt"] == "taken_in" and said["sender"] == "620900"


def test_a_licence_with_a_slip_is_replaced_by_a_decision_that_names_the_old_one(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    document = played("correction", state)
    assert kinds(document)[-4:] == ["decided", "delivered", "decided", "delivered"]
    assert "太阳能" in document["licence"]["opscope"]
    query = "SELECT header_digest, envelope FROM messages WHERE kind = ? ORDER BY sequence"
    old, new = rows(state, "jiuquan", query, int(Kind.DECIDED))
    assert old[0].hex().encode() in new[1], "the new decision names the old one"


def test_a_partner_without_a_system_decides_a_case_through_three_people(tmp_path: Path) -> None:
    state = tmp_path / "state"
    document = played("assisted", state)
    assert (document["state"], document["result"]) == ("decided", "approved")
    assert kinds(document) == ["submitted", "acknowledged", "accepted", "decided"]
    sheet = (state / "materials" / "协办单.html").read_text(encoding="utf-8")
    assert "示例" in sheet and "<script" not in sheet
    assert played("assisted", state)["case_id"] != document["case_id"], "the folder goes on"


def test_a_case_left_lying_is_overdue_at_both_sides_and_says_with_whom(tmp_path: Path) -> None:
    state = tmp_path / "state"
    shown = run("--scenario", "overdue", "--once", "--state", str(state))
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count("责任在 620200") == 2
    document = played("overdue", state)
    assert (document["state"], document["result"]) == ("delivered", "approved")
    assert played("refused", state)["result"] == "refused", "the next story lives in the real day"


def test_a_case_crosses_every_dialect_and_comes_back(tmp_path: Path) -> None:
    state = tmp_path / "demo"
    found = played("all-partners", state)
    also = {case["partner"]: case for case in found["also"]}
    assert {name: (case["dialect"], case["strength"]) for name, case in also.items()} == {
        "620700": ("staging_table", ["authenticated"]),
        "620600": ("file_drop", ["authenticated"]),
        "320500": ("soap", ["authenticated"]),
        "310113": ("rest", ["signed"]),
        "320582": ("rest", ["authenticated"]),
        "620000": ("rest", ["integrity_only"]),
        "620300": ("assisted", ["assisted"]),
    }
    for case in also.values():
        at_once = case["partner"] in ("620000", "620300")  # nobody there hands anything over
        assert case["stage"] == ("decided" if at_once else "delivered")
        assert case["result"] == "approved"
        assert case["answer"] or is_licence_id(case["licence_id"])
    attested = "SELECT count(*) FROM arrivals WHERE partner = ? AND status = 'taken_in'"
    platforms = [name for name, case in also.items() if case["dialect"] != "assisted"]
    words = {name: 4 if name == "320582" else 3 for name in platforms}
    for partner, count in words.items():
        assert rows(state, "jiuquan", attested, partner) == [(count,)]
    kept = "SELECT count(*) FROM arrivals WHERE length(raw) > 0 OR length(document) > 0"
    assert rows(state, "jiuquan", kept) == [(0,)]
    raw = "SELECT count(*) FROM evidence WHERE kind = 'dialect-arrival'"
    assert rows(state, "jiuquan", raw) == [(sum(words.values()),)]
    # The same folder again: partners are known, their platforms have other addresses.
    again = played("all-partners", state)
    assert {case["case_id"] for case in again["also"]}.isdisjoint(
        {case["case_id"] for case in found["also"]}
    )
