"""What operators are told of a case and its messages, while the gateways run and afterwards."""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.adapters.sql.sqlite import migrate_sqlite, open_sqlite_reader
from gateway.app.provision import Site
from tests.support.world import branch_case, make_pair, sample_files, sample_form

from .console import Served, answer, kuayu, served


async def submit(gateway: Served, config: Path) -> str:
    """Submit the founding case with its files as a portal would; return its id."""
    token = kuayu("token", "issue", "--config", config).stdout.strip()
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
        async with http.post(f"{gateway.url}/v1/cases", json=branch_case()) as response:
            case_id = str((await response.json())["case_id"])
        for code, content in sample_files().items():
            async with http.post(
                f"{gateway.url}/v1/cases/{case_id}/materials",
                params={"material": code},
                data=content,
                headers={"Content-Type": "application/pdf"},
            ) as response:
                assert response.status in (200, 201), await response.text()
    return case_id


async def explained(site: Site, case_id: str, *, messages: int) -> dict[str, Any]:
    """Explain again until the case has so many messages with receipts."""
    async with asyncio.timeout(60):
        while True:
            done = await asyncio.to_thread(
                kuayu, "explain", case_id, "--config", site.config, "--json"
            )
            if done.returncode == 0:
                case: dict[str, Any] = json.loads(done.stdout)["cases"][0]
                if len([m for m in case["history"] if m["receipt"]]) >= messages:
                    return case


async def outbox(site: Site, case_id: str) -> list[dict[str, Any]]:
    """Return what of the case has no receipt yet."""
    done = await asyncio.to_thread(answer, "explain", case_id, "--config", site.config)
    waiting: list[dict[str, Any]] = done["cases"][0]["outbox"]
    return waiting


def leaves(value: object) -> list[str]:
    """Return the texts of a form."""
    if isinstance(value, dict):
        return [text for part in value.values() for text in leaves(part)]
    if isinstance(value, list):
        return [text for part in value for text in leaves(part)]
    return [value] if isinstance(value, str) else []


async def test_a_case_and_its_message_are_explained_at_both_running_gateways(
    pair: tuple[Site, Site],
) -> None:
    jiuquan, jiayuguan = pair
    with served(jiuquan.config) as here, served(jiayuguan.config) as there:
        case_id = await submit(here, jiuquan.config)
        ours = await explained(jiuquan, case_id, messages=1)
        theirs = await explained(jiayuguan, case_id, messages=1)
        assert (ours["role"], theirs["role"]) == ("origin", "deciding")
        assert ours["held_by"] == theirs["held_by"] == "620200"
        [sent] = ours["history"]
        assert (sent["kind"], sent["receipt"]["outcome"]) == ("submitted", "taken_in")
        assert ours["outbox"] == []
        tree = kuayu("explain", case_id, "--config", jiuquan.config).stdout
        for shown in (case_id, "已提交 submitted", "620900 → 620200", "提交 submitted",
                      "回执 receipt: 已接收 taken_in", " ms", sent["message_id"],
                      "等待 waits: 无"):  # fmt: skip
            assert shown in tree
        whole = answer("explain", sent["message_id"].replace("-", ""), "--config", jiayuguan.config)
        [message] = whole["messages"]
        assert message["header"]["purpose"] == "branch-registration"
        assert message["evidence"]["agreement"] == message["header"]["agreement"]
        text = kuayu("explain", sent["message_id"], "--config", jiayuguan.config).stdout
        assert f"签名 signed by key {message['signatures'][0]['key_id']}" in text
        assert kuayu("case", "show", sent["message_id"], "--config", jiuquan.config).returncode == 1
        assert (here.stop(), there.stop()) == (0, 0)
    after = (await explained(jiuquan, case_id, messages=1))["history"]
    assert after == [sent], "the same once the gateway is down"


async def test_a_message_that_cannot_be_sent_says_where_and_why_it_waits(
    pair: tuple[Site, Site],
) -> None:
    site = pair[0]
    with served(site.config) as gateway:  # and nobody at the other address
        case_id = await submit(gateway, site.config)
        async with asyncio.timeout(60):
            while not (await outbox(site, case_id))[0]["attempts"]:
                assert gateway.process.poll() is None
        tree = kuayu("explain", case_id, "--config", site.config).stdout
        assert "等待 waits: 提交 submitted → 620200: 待发送 pending" in tree
        assert "回执 receipt: 尚无 none yet" in tree
        [listed] = answer("case", "list", "--config", site.config)["cases"]
        assert listed["unconfirmed"] == ["submitted"]
        table = kuayu("case", "list", "--config", site.config).stdout
        assert case_id in table
        assert gateway.stop() == 0


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, list[str]]:
    """Jiuquan, stopped, and its three cases, oldest first."""
    site = make_pair(tmp_path_factory.mktemp("stopped"))[0]

    async def submit_three(gateway: Served) -> list[str]:
        return [await submit(gateway, site.config) for _ in range(3)]

    with served(site.config) as gateway:
        ids = asyncio.run(submit_three(gateway))
        assert gateway.stop() == 0
    return site, ids


def test_nothing_of_the_form_is_shown(stopped: tuple[Site, list[str]]) -> None:
    site, ids = stopped
    public = {"11620900MB00000000", "620900", "620200"}
    secrets = {text for text in leaves(sample_form()) if len(text) > 4} - public
    assert secrets
    for command in (("explain", ids[0]), ("case", "show", ids[0]), ("case", "list")):
        for json_too in ((), ("--json",)):
            out = kuayu(*command, "--config", site.config, *json_too).stdout
            assert ids[0] in out
            assert [text for text in secrets if text in out] == []


def test_cases_are_listed_by_role_and_page_by_page(stopped: tuple[Site, list[str]]) -> None:
    site, ids = stopped

    def listed(*options: str) -> list[str]:
        found = answer("case", "list", *options, "--config", site.config)["cases"]
        return [case["case_id"] for case in found]

    assert listed("--role", "deciding") == []
    assert listed("--role", "origin", "--limit", "2") == [ids[2], ids[1]]
    assert listed("--before", ids[1]) == [ids[0]]
    assert listed("--unit", "11620200MB0000000U") == []


def test_looking_changes_no_byte_of_the_journal(stopped: tuple[Site, list[str]]) -> None:
    site, ids = stopped
    before = sha256(site.journal.read_bytes()).digest()
    answer("explain", ids[0], "--config", site.config)
    answer("case", "list", "--config", site.config)
    assert sha256(site.journal.read_bytes()).digest() == before


def test_a_reader_writes_nothing_and_does_not_take_the_journal_from_its_owner(
    stopped: tuple[Site, list[str]],
) -> None:
    site, ids = stopped
    with open_sqlite_reader(site.journal) as snapshot:
        assert [c.key.case_id.hex() for c in snapshot.cases_of(None, limit=1)] == [
            ids[2].replace("-", "")
        ]
        assert not hasattr(snapshot, "save_cases")
        before, after = migrate_sqlite(site.journal)  # takes the owner's lock and writes
        assert before == after
