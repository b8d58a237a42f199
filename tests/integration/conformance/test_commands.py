"""The kit on the command line, against a real gateway."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest

from tests.integration.conformance.benches import Judged
from tests.integration.conformance.faulty import Lenient, lying

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "conformance.md"
pytestmark = pytest.mark.asyncio(loop_scope="module")


class Ended(NamedTuple):
    code: int | None
    out: str
    err: str


async def started(world: Judged, *arguments: str | Path) -> asyncio.subprocess.Process:
    """Start `kuayu` as Jiuquan's operator, in a process of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("KUAYU_")}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway.app.cli.main",
        *map(str, arguments),
        env=kept | {"PYTHONUTF8": "1", "KUAYU_CONFIG": str(world.jiuquan.config)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run_kuayu(world: Judged, *arguments: str | Path) -> Ended:
    """Run `kuayu` to its end."""
    process = await started(world, *arguments)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return Ended(process.returncode, out.decode(), err.decode())


async def kuayu(world: Judged, *arguments: str | Path) -> Ended:
    """Run `kuayu conformance` to its end."""
    return await run_kuayu(world, "conformance", *arguments)


async def status(world: Judged) -> dict[str, Any]:
    ended = await kuayu(world, "status", "jiayuguan", "--json")
    found: dict[str, Any] = json.loads(ended.out)
    assert ended.code == (0 if found["passed"] else 1), ended.err
    return found


async def test_before_any_run_there_is_no_pass(world: Judged) -> None:
    assert not (await status(world))["passed"]


async def test_a_run_is_signed_kept_and_written_in_every_form(
    world: Judged, tmp_path: Path
) -> None:
    files = {name: tmp_path / f"report.{name}" for name in ("json", "junit", "html")}
    options = [part for name, path in files.items() for part in (f"--{name}", path)]
    ended = await kuayu(world, "run", "jiayuguan", *options)
    assert ended.code == 0, ended.out + ended.err
    assert "passed; some cases were not run" in ended.out
    report = json.loads(files["json"].read_bytes())["report"]
    assert report["verdict"] == "passed_with_gaps"
    assert report["counts"]["failed"] == 0
    pins = report["target"]["transport_pins"]
    assert report["target"]["certificate_pin_seen"] in pins
    suite = ElementTree.fromstring(files["junit"].read_bytes())
    assert suite.get("tests") == str(len(report["results"]))
    assert "模拟端点" in files["html"].read_text("utf-8")
    assert (await status(world))["passed"]

    assert (await kuayu(world, "verify", files["json"])).code == 0
    certificate = world.jiuquan.root / "keys" / "signing_es256.pem"
    alone = await kuayu(world, "verify", files["json"], "--certificate", certificate, "--json")
    assert json.loads(alone.out)["verified"] is True
    other = world.jiayuguan.root / "keys" / "signing_es256.pem"
    wrong = await kuayu(world, "verify", files["json"], "--certificate", other)
    assert wrong.code == 1
    assert "not registered" in wrong.err
    files["json"].write_bytes(files["json"].read_bytes().replace(b"passed_with", b"PASSED_with"))
    assert (await kuayu(world, "verify", files["json"])).code == 1


async def test_a_target_that_lies_does_not_pass(world: Judged, tmp_path: Path) -> None:
    async with lying(world, Lenient()) as bench:
        line: Any = bench.line
        address = line._to.address
        known = ("--gateway-id", "620200", "--case", "tamper")
        ended = await kuayu(world, "run", address, *known)
    assert ended.code == 1
    assert "did not pass" in ended.err
    assert "expected not_taken_in; got taken_in" in ended.out


async def test_an_address_that_nobody_answers_at_does_not_pass(world: Judged) -> None:
    options = ("--gateway-id", "620200", "--timeout", "0.5", "--json", "-")
    ended = await kuayu(world, "run", "127.0.0.1:1", *options)
    assert ended.code == 1
    report = json.loads(ended.out)["report"]
    assert report["verdict"] == "failed"
    assert report["target"]["certificate_pin_seen"] == ""
    reasons = {r["reason"] for r in report["results"] if r["status"] == "not_run"}
    assert "the target does not answer" in reasons


async def test_an_operators_own_case_is_run_beside_the_kits(world: Judged, tmp_path: Path) -> None:
    folder = tmp_path / "own" / "mine"
    folder.mkdir(parents=True)
    example = DOCUMENT.read_text("utf-8").split("```toml\n")[1].split("```")[0]
    mine = example.replace("own.form_is_an_object", "own.mine")
    (folder / "case.toml").write_text(mine, "utf-8")
    options = ("--cases", tmp_path, "--case", "own", "--json", "-")
    ended = await kuayu(world, "run", "jiayuguan", *options)
    (result,) = json.loads(ended.out)["report"]["results"]
    assert (result["id"], result["status"]) == ("own.mine", "passed")
    assert ended.code == 1, "a run without a single case of level must has proven nothing"


async def test_what_is_not_understood_is_said_in_a_line(world: Judged, tmp_path: Path) -> None:
    for code, wanted, *arguments in (
        (78, "no partner's folder or gateway id", "run", "nobody"),
        (78, "--gateway-id", "run", "127.0.0.1:1"),
        (2, "no case or area dance", "run", "jiayuguan", "--case", "dance"),
        (65, "no case.toml in it", "list", "--cases", str(tmp_path)),
        (78, "this gateway itself", "run", "jiuquan"),
    ):
        ended = await kuayu(world, *map(str, arguments))
        assert ended.code == code, ended
        assert wanted in ended.err
        assert len(ended.err.splitlines()) == 1


async def test_the_list_says_what_would_be_run_and_needs_no_target(world: Judged) -> None:
    found = json.loads((await kuayu(world, "list", "--json")).out)
    assert {"id", "title_zh", "requirement", "predicate", "level", "needs"} <= found[0].keys()
    shown = await kuayu(world, "run", "jiayuguan", "--case", "ping", "--list")
    assert "ping.reaches_no_one" in shown.out
    assert "tamper" not in shown.out
