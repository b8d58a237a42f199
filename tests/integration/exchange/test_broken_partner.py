"""A partner whose folder is broken is put aside; the others are served."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.adapters.pki.suites import SuiteVerifier
from gateway.app.partners import load_book
from gateway.app.problems import ConfigProblem
from gateway.app.provision import Site
from gateway.kernel.faults import FaultCode as F
from gateway.kernel.identifiers import GatewayId
from tests.support.peer import CallRefused

from .outcomes import taken_in
from .worlds import exchange_world


def no_toml(folder: Path) -> None:
    (folder / "partner.toml").write_bytes(b"\xff = [")


def no_key(folder: Path) -> None:
    for key in (folder / "keys").glob("signing*"):
        key.unlink()


def no_agreement(folder: Path) -> None:
    (folder / "agreement.toml").write_text("version = 2")


def stray_act(folder: Path) -> None:
    (folder / "acts" / "zz.act").write_bytes(b"nonsense")


def folder_for_a_file(folder: Path) -> None:
    (folder / "agreement.toml").unlink()
    (folder / "agreement.toml").mkdir()


BROKEN: list[Callable[[Path], None]] = [
    no_toml,
    no_key,
    no_agreement,
    stray_act,
    folder_for_a_file,
]


def folder_of(site: Site, gateway_id: str) -> Path:
    (found,) = [
        path.parent
        for path in (site.root / "partners").glob("*/partner.toml")
        if f'"{gateway_id}"' in path.read_text(encoding="utf-8")
    ]
    return found


@pytest.mark.parametrize("harm", BROKEN)
async def test_a_broken_folder_stops_its_own_partner_only(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    async with exchange_world(
        tmp_path, prepare=lambda site: harm(folder_of(site, "620700"))
    ) as world:
        book = world.node.running.directory.current()
        (broken,) = book.broken
        assert broken.gateway_id in ("620700", "") and broken.problems
        assert set(book.partners) == {"620900"}
        await taken_in(world, world.jiuquan.ping())
        with pytest.raises(CallRefused) as refused:
            await world.zhangye.deliver(world.zhangye.ping())
        said = refused.value.refusal
        # Without a folder its authority is not trusted either: the line itself may say no.
        assert said.rule in (F.TRUST_PEER_UNKNOWN, None)


@pytest.mark.parametrize("harm", BROKEN[:4])
async def test_our_own_folder_being_broken_stops_the_start(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    def own(site: Site) -> None:
        folder = folder_of(site, "620200")
        (folder / "acts").mkdir(exist_ok=True)
        if not (folder / "agreement.toml").exists():
            other = folder_of(site, "620900")
            (folder / "agreement.toml").write_bytes((other / "agreement.toml").read_bytes())
        harm(folder)

    with pytest.raises(ConfigProblem):
        async with exchange_world(tmp_path, prepare=own):
            raise AssertionError("it started")


async def test_two_folders_of_one_partner_are_broken_both(tmp_path: Path) -> None:
    def twice(site: Site) -> None:
        folder = folder_of(site, "620700")
        shutil.copytree(folder, folder.parent / "another")

    async with exchange_world(tmp_path, prepare=twice) as world:
        book = world.node.running.directory.current()
        assert [b.gateway_id for b in book.broken] == ["620700", "620700"]
        assert set(book.partners) == {"620900"}
        home = GatewayId("620200")
        again = load_book(world.node.config.partners_dir, home, SuiteVerifier(), demo=True)
        assert again.broken == book.broken
