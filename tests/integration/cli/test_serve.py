"""`kuayu serve` as a service manager sees it: one line when ready, one exit code at the end."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sqlite3
from pathlib import Path

import aiohttp
import pytest

from gateway.app.provision import Site
from tests.support.world import branch_case

from .console import answer, kuayu, served


def journal_of(config: Path) -> Path:
    return config.parent / "state" / "journal.sqlite3"


# --- what keeps it from serving ------------------------------------------------------------------
def test_five_errors_of_a_configuration_are_told_at_once_each_on_its_own_line(lone: Path) -> None:
    (lone.parent / "keys" / "jwks.json").unlink()
    done = kuayu(
        "serve",
        "--config",
        lone,
        env={
            "KUAYU_GATEWAY_ID": "62090",
            "KUAYU_UNIT": "11620900MB00000001",
            "KUAYU_EXCHANGE__LISTEN": "7443",
            "KUAYU_LOG__LEVEL": "LOUD",
        },
    )
    assert done.returncode == 78
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert [line.removeprefix(f"kuayu: {lone}: ").partition(":")[0] for line in lines] == [
        "gateway_id",
        "unit",
        "exchange.listen",
        "portal.jwks",
        "log.level",
    ]


def test_a_configuration_that_is_not_there_says_what_makes_one(tmp_path: Path) -> None:
    done = kuayu("serve", cwd=tmp_path)
    assert done.returncode == 78
    assert done.stderr == (
        "kuayu: kuayu.toml: cannot be read (No such file or directory); "
        "name another with --config; `kuayu init` makes one\n"
    )


def test_a_key_that_others_can_read_is_refused_outside_demo_mode(tmp_path: Path) -> None:
    done = kuayu(
        "init",
        *("--state", tmp_path, "--id", "620900", "--unit", "11620900MB00000000"),
        *("--name-zh", "酒泉市（示例）", "--name-en", "Jiuquan (sample)"),
    )
    assert done.returncode == 0, done.stderr
    (tmp_path / "keys" / "signing_es256.key.pem").chmod(0o644)
    done = kuayu("serve", "--config", tmp_path / "kuayu.toml")
    assert done.returncode == 78
    [line] = done.stderr.splitlines()[1:] or done.stderr.splitlines()
    assert "chmod 600" in line


def test_a_lost_journal_is_never_replaced_by_an_empty_one_unasked(lone: Path) -> None:
    journal_of(lone).unlink()
    for command in ("serve", "migrate"):
        done = kuayu(command, "--config", lone)
        assert done.returncode == 69
        assert f"there is no journal at {journal_of(lone)}" in done.stderr
        assert not journal_of(lone).exists()


def test_a_journal_of_other_tables_is_refused_until_it_was_migrated(lone: Path) -> None:
    journal_of(lone).unlink()
    journal_of(lone).touch(mode=0o600)
    done = kuayu("serve", "--config", lone)
    assert done.returncode == 69
    assert "run `kuayu migrate`" in done.stderr
    assert "Traceback" not in done.stderr
    assert answer("migrate", "--config", lone)["before"] is None
    again = answer("migrate", "--config", lone)
    assert again["before"] == again["after"]
    with served(lone) as gateway:
        assert gateway.stop() == 0


def test_a_second_process_on_the_same_journal_is_refused(lone: Path) -> None:
    with served(lone) as gateway:
        for command in ("serve", "migrate"):
            done = kuayu(command, "--config", lone)
            assert done.returncode == 69
            assert "another process owns the journal" in done.stderr
        assert gateway.stop() == 0


@pytest.mark.parametrize("door", ["exchange", "portal"])
def test_an_address_that_is_taken_is_named(lone: Path, door: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = kuayu("serve", "--config", lone, env={f"KUAYU_{door.upper()}__LISTEN": address})
    assert done.returncode == 69
    assert done.stdout == ""
    assert f"kuayu: {door}.listen {address} cannot be listened on" in done.stderr
    assert "Traceback" not in done.stderr


# --- serving -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("by", "loop"), [(signal.SIGTERM, "true"), (signal.SIGINT, "true"), (signal.SIGTERM, "false")]
)
async def test_from_init_to_a_graceful_stop(lone: Path, by: signal.Signals, loop: str) -> None:
    assert kuayu("migrate", "--config", lone).returncode == 0
    with served(lone, {"KUAYU_UVLOOP": loop}) as gateway:
        assert gateway.told.keys() == {"event", "exchange_port", "portal_port", "pid"}
        assert gateway.told["event"] == "serving"
        assert gateway.told["pid"] == gateway.process.pid
        async with aiohttp.ClientSession() as http, http.get(f"{gateway.url}/readyz") as ready:
            assert ready.status == 200
        with socket.create_connection(("127.0.0.1", gateway.told["exchange_port"])):
            assert gateway.process.poll() is None
        assert gateway.stop(by) == 0
        assert gateway.process.stdout is not None
        assert gateway.process.stdout.read() == "", "standard output is for scripts: one line"
        events = [json.loads(line) for line in gateway.log_text().splitlines()]
    assert [e["event"] for e in events] == ["starting", "serving", "stopping", "stopped"]
    assert events[2]["signal"] == by.name
    assert not journal_of(lone).with_name("journal.sqlite3-wal").exists(), "checkpointed"


async def test_a_stop_under_load_loses_no_case_that_was_acknowledged(
    pair: tuple[Site, Site],
) -> None:
    site = pair[0]
    token = kuayu("token", "issue", "--config", site.config).stdout.strip()
    acknowledged: set[str] = set()
    some = asyncio.Event()

    async def submit(http: aiohttp.ClientSession, url: str) -> None:
        while True:
            try:
                async with http.post(f"{url}/v1/cases", json=branch_case()) as response:
                    if response.status >= 500:
                        return
                    found = await response.json()
                    assert response.status in (201, 202), found
            except aiohttp.ClientConnectionError:
                return
            acknowledged.add(found["case_id"])
            if len(acknowledged) >= 20:
                some.set()

    with served(site.config) as gateway:
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(headers=headers) as http:
            work = [asyncio.ensure_future(submit(http, gateway.url)) for _ in range(8)]
            await asyncio.wait_for(some.wait(), 30)
            assert await asyncio.to_thread(gateway.stop) == 0
            await asyncio.gather(*work)
    with sqlite3.connect(f"file:{site.journal}?mode=ro", uri=True) as journal:
        kept = {row[0].hex() for row in journal.execute("SELECT case_id FROM cases")}
    journal.close()
    assert {case.replace("-", "") for case in acknowledged} <= kept
