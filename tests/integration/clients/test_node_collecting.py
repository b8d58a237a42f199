"""The example client for Node collects from a gateway that never dials it."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

from gateway.app.provision import Site
from gateway.kernel.envelope import Outcome
from gateway.kernel.limits import COLLECT_LEASE_MS
from tests.integration.exchange.collectors import LARGE, Bench, collecting, files_of

from .test_node import node


def config_of(bench: Bench, folder: Path) -> Path:
    """Write the client's configuration: Jiayuguan calls Jiuquan."""
    port = bench.node.running.exchange_port
    return written(folder, bench.jiayuguan.site, bench.node.site, port)


def written(folder: Path, jiayuguan: Site, jiuquan: Site, port: int) -> Path:
    own, theirs = jiayuguan.root / "keys", jiuquan.root / "keys"
    path = folder / "collect.json"
    gateway = {
        "address": f"127.0.0.1:{port}",
        "server_name": "localhost",
        "authorities": str(theirs / "authorities.pem"),
        "id": "620900",
        "signing_certificates": [str(theirs / "signing_es256.pem")],
    }
    client = {
        "id": "620200",
        "transport_certificate": str(own / "transport.pem"),
        "transport_key": str(own / "transport.key.pem"),
        "signing_key": str(own / "signing_es256.key.pem"),
    }
    path.write_text(json.dumps({"gateway": gateway, "own": client}), encoding="utf-8")
    return path


async def collect(
    bench: Bench, folder: Path, *more: str, inbox: str = "inbox"
) -> subprocess.CompletedProcess[str]:
    config = config_of(bench, folder)
    return await asyncio.to_thread(node, "collect.mjs", config, folder / inbox, *more)


async def test_messages_and_their_files_are_collected_and_receipted(tmp_path: Path) -> None:
    async with collecting(tmp_path).running() as bench:
        case_id = await bench.found()
        other = await bench.ask()
        done = await collect(bench, tmp_path, "10000")
        assert done.returncode == 0, done.stderr + done.stdout
        said = [json.loads(line) for line in done.stdout.splitlines()]
        assert [one["rule"] for one in said] == ["", ""]
        assert bench.outcomes(case_id) == bench.outcomes(other) == [Outcome.TAKEN_IN]
        kept = [p.read_bytes() for p in (tmp_path / "inbox").rglob("*") if p.is_file()]
        assert LARGE in kept
        again = await collect(bench, tmp_path)
        assert (again.returncode, again.stdout) == (0, "")


async def test_a_download_goes_on_where_an_earlier_one_broke_off(tmp_path: Path) -> None:
    async with collecting(tmp_path).running() as bench:
        case_id = await bench.found()
        (raw,) = await bench.jiayuguan.collected(wait_ms=10_000)
        early = await collect(bench, tmp_path)
        assert (early.returncode, early.stdout) == (0, ""), "leased to another call"
        bench.clock.step(COLLECT_LEASE_MS)
        envelope, files = files_of(raw)
        begun = tmp_path / "inbox" / envelope.header.message_id.hex()
        begun.mkdir(parents=True)
        part = begun / files["01"][0].commitment.hex()
        part.write_bytes(LARGE[:300_000])
        done = await collect(bench, tmp_path)
        assert done.returncode == 0, done.stderr + done.stdout
        assert part.read_bytes() == LARGE, "from where it broke off, not from the beginning"
        assert bench.outcomes(case_id) == [Outcome.TAKEN_IN]


async def test_a_file_that_is_not_what_was_signed_leaves_its_message_without_a_receipt(
    tmp_path: Path,
) -> None:
    async with collecting(tmp_path).running() as bench:
        case_id = await bench.found()
        (lies,) = [
            path
            for path in (bench.node.site.root / "state").rglob("*")
            if path.is_file() and LARGE in path.read_bytes()
        ]
        lies.chmod(0o600)
        lies.write_bytes(lies.read_bytes().replace(b"% sample", b"% sbmple", 1))
        done = await collect(bench, tmp_path, "10000")
        assert done.returncode == 1, done.stdout
        assert json.loads(done.stdout)["rule"] == "attachment.digest"
        assert bench.outcomes(case_id) == [None]


async def test_a_gateway_that_dials_says_why_nothing_can_be_collected(tmp_path: Path) -> None:
    made = collecting(tmp_path)
    path = made.sites[0].root / "partners" / "jiayuguan" / "partner.toml"
    text = path.read_text(encoding="utf-8").replace("collects = true", "collects = false")
    path.write_text(text, encoding="utf-8")
    async with made.running() as bench:
        done = await collect(bench, tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("collect: delivery.not_collected: ")
