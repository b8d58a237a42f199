"""Two operators put an agreement in force, by the command line and files alone."""

from __future__ import annotations

import shutil
from pathlib import Path

from gateway.app.provision import Site

from .console import answer, kuayu


def folders(pair: tuple[Site, Site]) -> list[tuple[Site, Path]]:
    """Return each side with its partner's folder, the acts of acceptance taken away."""
    found = []
    for site, partner in (pair, pair[::-1]):
        folder = site.root / "partners" / partner.identity.folder
        shutil.rmtree(folder / "acts")
        found.append((site, folder))
    return found


def in_force(site: Site) -> bool:
    [partner] = answer("partner", "list", "--config", site.config)["partners"]
    return bool(partner["agreements"][0]["in_force"])


def test_an_agreement_is_in_force_once_both_have_accepted_and_swapped(
    pair: tuple[Site, Site],
) -> None:
    sides = folders(pair)
    assert not any(in_force(site) for site, _ in sides)
    for site, folder in sides:
        act = Path(answer("agreement", "accept", folder, "--config", site.config)["act"])
        assert act.is_file()
        assert not in_force(site)
    (_, ours), (_, theirs) = sides
    for here, there in ((ours, theirs), (theirs, ours)):
        shutil.copytree(here / "acts", there / "acts", dirs_exist_ok=True)
    assert all(in_force(site) for site, _ in sides)


def test_an_agreement_of_others_is_not_accepted(pair: tuple[Site, Site]) -> None:
    (site, folder), _ = folders(pair)
    path = folder / "agreement.toml"
    path.write_bytes(path.read_bytes().replace(b"620900", b"620700"))
    done = kuayu("agreement", "accept", folder, "--config", site.config)
    assert done.returncode == 78
    assert "620900 is not a party" in done.stderr
    assert not (folder / "acts").exists()


def test_what_was_accepted_is_not_overwritten(pair: tuple[Site, Site]) -> None:
    site, partner = pair
    folder = site.root / "partners" / partner.identity.folder
    done = kuayu("agreement", "accept", folder, "--config", site.config)
    assert done.returncode == 78
    assert "is there already" in done.stderr
