"""Operators propose, accept and revoke by the command line; the gateways tell each other."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from gateway.app.provision import Site
from gateway.kernel.digests import digest
from tests.support.operators import write_operator_key
from tests.support.world import Node, agreement_bytes, run_nodes

from .console import answer, kuayu

AMENDED = agreement_bytes() + "# 修订（示例）\n".encode()
DIGEST = digest(AMENDED).hex()
ASKED = ("620900", "620200", "00013112700402", "--version", "2", "--mode", "collect_on_behalf",
         "--purpose", "branch-registration")  # fmt: skip


async def asks(site: Site, *line: str | Path) -> dict[str, Any]:
    return await asyncio.to_thread(answer, "agreement", *line, "--config", site.config)


async def until(site: Site, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the amended agreement as `site` lists it, once `wanted` holds."""
    async with asyncio.timeout(30):
        while True:
            for found in (await asks(site, "list"))["agreements"]:
                if found["digest"] == DIGEST and wanted(found):
                    assert isinstance(found, dict)
                    return found


def revoke_by_two(site: Site, folder: Path) -> None:
    """Revoke as the first operator; nothing comes of it before a second one agrees."""
    line = ("revoke", DIGEST, "--open-cases", "continue", "--reason", "示例")
    own, config = folder / "wang.key.pem", ("--config", site.config)
    public = write_operator_key(own)
    assert answer("operator", "add", "wang", "--key", public, *config)["act_status"] == "done"
    waits = kuayu("agreement", *line, *config, "--json")
    assert waits.returncode == 75, waits.stderr
    act = json.loads(waits.stdout)["waiting"]
    alone = kuayu("operator", "approve", act, *config)
    assert (alone.returncode, "operator.same_person" in alone.stderr) == (1, True)
    listed = answer("operator", "acts", "--waiting", *config)["acts"]
    assert [a["command"] for a in listed] == ["agreement-revoke"]
    env = {"KUAYU_OPERATOR__KEY": str(own)}
    done = kuayu("operator", "approve", act, *config, "--json", env=env)
    assert json.loads(done.stdout)["verdict"] == "revoke", done.stderr
    assert answer("operator", "verify", *config)["problems"] == []


@pytest.fixture
async def nodes(pair: tuple[Site, Site]) -> AsyncIterator[list[Node]]:
    async with run_nodes(pair) as running:
        yield running


async def test_an_agreement_travels_from_proposal_to_revocation(
    pair: tuple[Site, Site], nodes: list[Node], tmp_path: Path
) -> None:
    jiuquan, jiayuguan = pair
    file = tmp_path / "new.toml"
    file.write_bytes(AMENDED)
    told = await asks(jiuquan, "propose", file)
    assert (told["running"], told["told"], told["agreement"]) == (True, ["620200"], DIGEST)
    await until(jiayuguan, lambda a: not a["in_force"])
    await asks(jiayuguan, "accept", DIGEST[:8])
    here = await until(jiuquan, lambda a: a["in_force"])
    assert [a["party"] for a in here["acts"]] == ["620900", "620200"]
    again = await asks(jiayuguan, "accept", DIGEST)
    assert again["changed"] is False
    rejected = await asyncio.to_thread(
        kuayu, "agreement", "reject", DIGEST, "--config", jiayuguan.config
    )
    assert rejected.returncode == 1
    assert "agreement.act_out_of_order" in rejected.stderr
    await asyncio.to_thread(revoke_by_two, jiuquan, tmp_path)
    there = await until(jiayuguan, lambda a: not a["in_force"])
    assert there["because"]["rule"] == "agreement.revoked"
    assert there["open_cases"] == "continue"


async def test_what_was_said_beside_a_stopped_gateway_is_sent_when_it_starts(
    pair: tuple[Site, Site], tmp_path: Path
) -> None:
    jiuquan, jiayuguan = pair
    file = tmp_path / "new.toml"
    file.write_bytes(AMENDED)
    assert (await asks(jiuquan, "propose", file))["running"] is False
    async with run_nodes(pair):
        await until(jiayuguan, lambda a: bool(a["acts"]))


async def test_the_list_tells_what_is_on_its_way_and_what_was_refused(
    pair: tuple[Site, Site], tmp_path: Path
) -> None:
    jiuquan = pair[0]
    file = tmp_path / "new.toml"
    file.write_bytes(AMENDED)
    await asks(jiuquan, "propose", file)
    (notice,) = (await asks(jiuquan, "show", DIGEST))["notices"]
    assert (notice["partner"], notice["state"]) == ("620200", "on_its_way")
    shown = await asyncio.to_thread(kuayu, "agreement", "list", "--config", jiuquan.config)
    assert f"on its way since {notice['since']}" in shown.stdout
    with closing(sqlite3.connect(jiuquan.journal)) as journal, journal:
        journal.execute(
            "UPDATE agreement_notices SET outcome = 2, settled_at_ms = said_at_ms + 1, "
            "rule = 'agreement.content_invalid', text_zh = '内容不成立', text_en = 'bad\x1b[2J'"
        )
        journal.execute("DELETE FROM outbox")
    (refused,) = (await asks(jiuquan, "show", DIGEST))["notices"]
    assert (refused["state"], refused["rule"]) == ("refused", "agreement.content_invalid")
    shown = await asyncio.to_thread(kuayu, "agreement", "show", DIGEST, "--config", jiuquan.config)
    assert "内容不成立" in shown.stdout and "\x1b" not in shown.stdout
    assert f"kuayu agreement send {DIGEST[:16]} 620200" in shown.stdout
    assert (await asks(jiuquan, "send", DIGEST[:8], "620200"))["told"] == ["620200"]
    assert (await asks(jiuquan, "send", DIGEST[:8]))["changed"] is False, "it is on its way"
    async with run_nodes(pair):
        found = await until(jiuquan, lambda a: a["notices"][0]["state"] == "taken_in")
        assert found["notices"][0]["settled_at"] is not None


async def test_a_proposal_can_be_let_go_of(
    pair: tuple[Site, Site], nodes: list[Node], tmp_path: Path
) -> None:
    jiuquan, jiayuguan = pair
    file = tmp_path / "new.toml"
    file.write_bytes(AMENDED)
    await asks(jiuquan, "propose", file)
    await until(jiayuguan, lambda a: True)
    ours = await asyncio.to_thread(kuayu, "agreement", "drop", DIGEST, "--config", jiuquan.config)
    assert (ours.returncode, "agreement.act_out_of_order" in ours.stderr) == (1, True)
    assert (await asks(jiayuguan, "drop", DIGEST[:8]))["agreement"] == DIGEST
    left = (await asks(jiayuguan, "list"))["agreements"]
    assert DIGEST not in [a["digest"] for a in left]


async def test_the_socket_is_for_its_owner_and_gone_after_a_stop(pair: tuple[Site, Site]) -> None:
    async with run_nodes(pair) as nodes:
        path = nodes[0].config.operator.socket
        mode = path.stat().st_mode
        assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_unix_connection(os.fspath(path))
            body = b'{"agreement": 1}'
            head = b"POST /v1/agreement-accept HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            writer.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            said = await reader.read()
            writer.close()
        assert b"401" in said.split(b"\r\n", 1)[0]
        assert b"operator.unsigned" in said
    assert not path.exists()


async def test_a_socket_that_a_killed_gateway_left_is_no_obstacle(pair: tuple[Site, Site]) -> None:
    left = socket.socket(socket.AF_UNIX)
    path = pair[0].root / "state" / "operator.sock"
    path.parent.mkdir(parents=True, exist_ok=True)
    left.bind(os.fspath(path))
    left.close()
    async with run_nodes(pair):
        assert (await asks(pair[0], "list"))["agreements"]


def test_history_answers_for_any_day(pair: tuple[Site, Site]) -> None:
    site = pair[0]
    now = answer("agreement", "allowed", *ASKED, "--config", site.config)
    assert now["allowed"] is True
    early = kuayu("agreement", "allowed", *ASKED, "--on", "2021-05-01", "--config", site.config)
    assert early.returncode == 1
    assert "agreement.not_accepted" in early.stdout
    late = kuayu("agreement", "allowed", *ASKED, "--on", "2036-05-28", "--config", site.config)
    assert late.returncode == 1
    assert "agreement.ended" in late.stdout
    unlisted = kuayu("agreement", "allowed", *ASKED, "--right", "accept", "--config", site.config)
    assert unlisted.returncode == 1
    assert "agreement.right_not_delegated" in unlisted.stdout
    for wrong in ("yesterday", "2024-13-01"):
        done = kuayu("agreement", "list", "--on", wrong, "--config", site.config)
        assert done.returncode == 2
        assert "2024-05-01" in done.stderr


def test_the_matrix_is_a_table_and_a_picture(pair: tuple[Site, Site], tmp_path: Path) -> None:
    site, picture = pair[0], tmp_path / "matrix.svg"
    shown = answer("agreement", "matrix", "--svg", picture, "--config", site.config)
    branch = [p for p in shown["permissions"] if p["item_code"] == "00013112700402"]
    assert [(p["origin"], p["deciding"], p["modes"]) for p in branch] == [
        ("620900", "620200", ["collect_on_behalf"])
    ]
    assert branch[0]["rights"] == ["deliver_result", "verify_originals"]
    root = ElementTree.fromstring(picture.read_text(encoding="utf-8"))
    texts = [text for node in root.iter() if (text := node.text)]
    assert any("00013112700402" in text for text in texts)
    assert "核达" in texts
    before = answer("agreement", "matrix", "--on", "2021-01-01", "--config", site.config)
    assert before["permissions"] == []
    table = kuayu("agreement", "matrix", "--config", site.config).stdout
    assert "嘉峪关市（示例）" in table and "●" in table


def test_an_unknown_or_short_digest_says_what_to_do(pair: tuple[Site, Site]) -> None:
    site = pair[0]
    short = kuayu("agreement", "show", "15", "--config", site.config)
    assert (short.returncode, "more digits" in short.stderr) == (2, True)
    unknown = kuayu("agreement", "accept", "abcdef01", "--config", site.config)
    assert (unknown.returncode, "kuayu agreement list" in unknown.stderr) == (1, True)
