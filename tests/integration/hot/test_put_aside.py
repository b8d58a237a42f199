"""A partner whose adapter cannot be opened is put aside; the gateway starts, and others go on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.adapters.system.clock import SystemClock
from gateway.app.provision import Site, adopt
from gateway.app.shipped import partners_root
from tests.integration.cli.console import answer, kuayu
from tests.integration.hot.reloads import asked, set_state
from tests.simulators.tls import make_authority
from tests.support.world import make_pair, run_nodes


@pytest.fixture
def sites(tmp_path: Path) -> tuple[Site, Site]:
    """Jiuquan has a platform as a partner whose secrets nobody has put there."""
    made = make_pair(tmp_path)
    adopt(made[0], partners_root() / "zhangjiagang", SystemClock().now_ms())
    return made


async def test_a_gateway_starts_without_a_partner_whose_secrets_are_missing(
    sites: tuple[Site, Site],
) -> None:
    set_state(sites[0].root / "partners" / "zhangjiagang", "active")
    async with run_nodes(sites) as (jq, _):
        assert [
            fields["partner"] for name, fields in jq.log.events if name == "partner_broken"
        ] == ["320582"]
        partners = jq.running.directory.current().partners
        assert "320582" not in partners and "620200" in partners
        lanes = (await asked(jq.config, "lane-list"))["lanes"]
        assert {lane["partner"]: lane["state"] for lane in lanes}["620200"] == "running"


async def test_a_check_says_what_is_missing_and_no_test_begins(sites: tuple[Site, Site]) -> None:
    config = ("--config", sites[0].config)
    done = await asyncio.to_thread(kuayu, "partner", "check", "zhangjiagang", *config)
    assert done.returncode == 1
    assert "✗ 不通过  adapter 适配器: keys/authorities.pem" in done.stdout, done.stdout
    refused = await asyncio.to_thread(kuayu, "partner", "test", "zhangjiagang", *config)
    assert refused.returncode == 1
    assert "keys/authorities.pem" in refused.stderr, refused.stderr
    listed = await asyncio.to_thread(answer, "partner", "list", *config)
    assert "320582" not in {p["gateway_id"] for p in listed["partners"] if p["state"] == "testing"}


async def test_a_secret_that_is_no_text_is_told_by_its_file(sites: tuple[Site, Site]) -> None:
    folder = sites[0].root / "partners" / "zhangjiagang"
    (folder / "keys").mkdir(exist_ok=True)
    authority = make_authority().pem
    (folder / "keys" / "authorities.pem").write_bytes(authority)
    (folder / "secrets").mkdir(mode=0o700, exist_ok=True)
    for name in ("app_secret", "inbound_secret"):
        (folder / "secrets" / name).touch(mode=0o600)
        (folder / "secrets" / name).write_bytes("密钥".encode("gb18030"))
    config = ("--config", sites[0].config)
    done = await asyncio.to_thread(kuayu, "partner", "check", "zhangjiagang", *config)
    assert done.returncode == 1
    assert "✗ 不通过  adapter 适配器: " in done.stdout, done.stdout
    assert "is not UTF-8 text" in done.stdout, done.stdout
