"""A partner is suspended at once whatever its folder looks like: that is when it matters."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.kernel.identifiers import GatewayId
from gateway.rules.trust import PartnerState
from tests.integration.cli.console import kuayu
from tests.integration.hot.reloads import asked, reload, until
from tests.support.world import make_pair, run_nodes

JIAYUGUAN = GatewayId("620200")


def without_its_certificate(folder: Path) -> None:
    next((folder / "keys").glob("signing*.pem")).unlink()


def without_meaning(folder: Path) -> None:
    path = folder / "partner.toml"
    path.write_text(path.read_text("utf-8") + "\n[outlet\n", "utf-8")


def without_a_state(folder: Path) -> None:
    path = folder / "partner.toml"
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join(li for li in lines if not li.startswith("state")), "utf-8")


def without_text(folder: Path) -> None:
    path = folder / "partner.toml"
    path.write_bytes(path.read_bytes() + b"# \xff\xfe\n")


BROKEN = (without_its_certificate, without_meaning, without_a_state, without_text)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda b: b.__name__)
@pytest.mark.parametrize("named", ["620200", "jiayuguan"])
async def test_it_is_suspended_and_stays_so(
    tmp_path: Path, broken: Callable[[Path], None], named: str
) -> None:
    sites = make_pair(tmp_path)
    folder = sites[0].root / "partners" / "jiayuguan"
    async with run_nodes(sites) as (jq, _):
        directory = jq.running.directory
        broken(folder)
        await reload(jq)
        assert directory.current().partners[JIAYUGUAN].state is PartnerState.ACTIVE
        told = await asked(jq.config, "partner-suspend", partner=named, reason="密钥失窃（示例）")
        assert (told["before"], told["state"]) == ("active", "suspended"), told
        mended = broken is without_a_state  # that was all that was wrong with it
        assert bool(told["problems"]) is not mended, "and it is said what is wrong with it"
        assert directory.current().partners[JIAYUGUAN].state is PartnerState.SUSPENDED
        assert 'state = "suspended"' in (folder / "partner.toml").read_text("utf-8", "replace")

        async def no_lane() -> bool:
            lanes = (await asked(jq.config, "lane-list"))["lanes"]
            return ("620200", "suspended") in {(lane["partner"], lane["state"]) for lane in lanes}

        await until(no_lane)
        await reload(jq)
        assert directory.current().partners[JIAYUGUAN].state is PartnerState.SUSPENDED
        again = await asked(jq.config, "partner-activate", partner=named, reason="")
        assert "rule" in again, "and nobody goes live with a broken folder"


async def test_beside_a_stopped_gateway_too(tmp_path: Path) -> None:
    site = make_pair(tmp_path)[0]
    folder = site.root / "partners" / "jiayuguan"
    without_its_certificate(folder)
    line = ("partner", "suspend", "jiayuguan", "--reason", "示例", "--config", site.config)
    done = await asyncio.to_thread(kuayu, *line)
    assert done.returncode == 0, done.stderr
    assert "active → suspended" in done.stdout
    assert "cannot be read" in done.stdout
    nobody = await asyncio.to_thread(kuayu, "partner", "suspend", "nobody", *line[3:])
    assert nobody.returncode == 1
    assert "operator.not_found" in nobody.stderr
