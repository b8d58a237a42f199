"""An installed wheel carries the samples that the demo needs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gateway.app.shipped import certs_example_root, partners_root

ROOT = Path(__file__).resolve().parent.parent.parent
SHOW = """
import sys
sys.path.insert(0, sys.argv[1])
from gateway.app.shipped import certs_example_root, partners_root
print(partners_root())
print(certs_example_root())
"""


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_a_checkout_uses_its_own_samples() -> None:
    assert partners_root() == ROOT / "partners"
    assert certs_example_root() == ROOT / "certs_example"


@pytest.mark.slow
def test_a_wheel_finds_the_same_samples_inside_itself(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "w")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (tmp_path / "w").glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    shown = subprocess.run(
        [sys.executable, "-c", SHOW, str(installed)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    partners, certificates = map(Path, shown.stdout.splitlines())
    assert partners == installed / "gateway" / "app" / "shipped_data" / "partners"
    assert files(partners) == files(ROOT / "partners")
    assert files(certificates) == files(ROOT / "certs_example")
