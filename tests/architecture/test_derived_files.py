"""Files made from others are what their maker makes today."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize(
    "maker",
    [
        "tools.build_protos",
        "tools.build_certs_example",
        "tools.build_fault_docs",
        "tools.build_item_docs",
        "tools.build_conformance_docs",
        "tools.build_wire_vectors",
    ],
)
def test_a_derived_file_is_not_stale(maker: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", maker, "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_lock_file_names_an_address() -> None:
    for lock in ROOT.glob("*.lock"):
        assert "://" not in lock.read_text(encoding="utf-8")
