"""`docs/platforms.md`: every example is one that the gateway takes, and every kind has one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.outlets.rest.settings import RestSettings
from gateway.app.dialects.registry import DIALECTS

TEXT = (Path(__file__).parents[3] / "docs" / "platforms.md").read_text("utf-8")
EXAMPLES: list[dict[str, Any]] = [
    tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: str(e["kind"]))
def test_an_example_can_be_copied(example: dict[str, Any]) -> None:
    kind = example["kind"]
    assert example.keys() == {"kind", kind}
    DIALECTS[kind].settings.model_validate(example[kind])


def test_every_dialect_and_every_scheme_has_one() -> None:
    assert {example["kind"] for example in EXAMPLES} == DIALECTS.keys()
    shown = {example["rest"]["scheme"] for example in EXAMPLES if example["kind"] == "rest"}
    schemes = RestSettings.model_fields["scheme"].annotation
    assert shown == set(schemes.__args__)  # type: ignore[union-attr]


def test_every_rule_it_names_is_one() -> None:
    from gateway.kernel.faults import FaultCode

    named = set(re.findall(r"`((?:partner|mapping|agreement|trust)\.[a-z_]+)`", TEXT))
    files = {"partner.toml", "mapping.toml", "agreement.toml"}
    assert named - files <= {code.value for code in FaultCode}
    assert len(named - files) >= 9
