from __future__ import annotations

from pathlib import Path

import pytest

from gateway.app.provision import Site
from tests.support.world import make_pair

from .console import kuayu


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Site, Site]:
    """Jiuquan and Jiayuguan, introduced to each other and agreed; not running."""
    return make_pair(tmp_path)


@pytest.fixture
def lone(tmp_path: Path) -> Path:
    """The configuration of a gateway that `kuayu init` made; it knows no partner."""
    state = tmp_path / "gateway"
    done = kuayu(
        "init",
        *("--state", state, "--id", "620900", "--unit", "11620900MB00000000", "--demo"),
        *("--name-zh", "酒泉市（示例）", "--name-en", "Jiuquan (sample)"),
        *("--exchange", "127.0.0.1:0", "--portal", "127.0.0.1:0"),
    )
    assert done.returncode == 0, done.stderr
    return state / "kuayu.toml"
