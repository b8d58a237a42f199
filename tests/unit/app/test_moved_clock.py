"""The demo's clock that a file moves; nobody else follows it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from gateway.adapters.system.clock import SystemClock
from gateway.app.config import Config
from gateway.app.demo.moved_clock import FILE, MovedClock
from gateway.app.serve import seams_of

DAY_MS = 86_400_000


@dataclass
class Told:
    """As much of a configuration as choosing the clock asks for."""

    demo: bool
    state_dir: Path


@pytest.mark.parametrize("demo", [False, True])
def test_only_a_demo_gateway_follows_the_file(tmp_path: Path, demo: bool) -> None:
    MovedClock(tmp_path / FILE).move(DAY_MS)
    clock = seams_of(cast(Config, Told(demo, tmp_path))).clock
    assert isinstance(clock, MovedClock) is demo
    ahead_ms = clock.now_ms() - SystemClock().now_ms()
    assert (ahead_ms > DAY_MS // 2) is demo


def test_a_demo_gateway_without_the_file_has_the_real_clock(tmp_path: Path) -> None:
    assert not isinstance(seams_of(cast(Config, Told(True, tmp_path))).clock, MovedClock)


@pytest.mark.parametrize("content", ["", "tomorrow", "1.5"])
def test_a_file_that_says_nothing_moves_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content, encoding="ascii")
    assert MovedClock(tmp_path / FILE).now_ms() - SystemClock().now_ms() < DAY_MS // 2
