"""`docs/platforms.md`: every example is one that the gateway takes, and every kind has one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.outlets.rest.settings import RestSettings
from gateway.app.dialects.registry import DIALECTS
from gateway.app.partner_file import PartnerFile

TEXT = (Path(__file__).parents[3] / "docs" / "platforms.md").read_text("utf-8")
EXAMPLES: list[dict[str, Any]] = [
    tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
]
NAMED = """\
gateway_id = "620600"
name_zh = "武威市（示例）"
name_en = "Wuwei (sample)"
unit = "11620600MB0000001K"
state = "draft"
"""


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: str(e["outlet"]["kind"]))
def test_an_example_is_the_end_of_a_partner_file(example: dict[str, Any]) -> None:
    outlet = PartnerFile.model_validate({**tomllib.loads(NAMED), **example}).outlet
    assert example.keys() == {"outlet"}
    assert example["outlet"].keys() == {"kind", outlet.kind}
    DIALECTS[outlet.kind].settings.model_validate(example["outlet"][outlet.kind])


def test_every_dialect_and_every_scheme_has_one() -> None:
    outlets = [example["outlet"] for example in EXAMPLES]
    assert {outlet["kind"] for outlet in outlets} == DIALECTS.keys()
    shown = {outlet["rest"]["scheme"] for outlet in outlets if outlet["kind"] == "rest"}
    schemes = RestSettings.model_fields["scheme"].annotation
    assert shown == set(schemes.__args__)  # type: ignore[union-attr]


def test_every_rule_it_names_is_one() -> None:
    from gateway.kernel.faults import FaultCode

    named = set(re.findall(r"`((?:partner|mapping|agreement|trust)\.[a-z_]+)`", TEXT))
    files = {"partner.toml", "mapping.toml", "agreement.toml"}
    assert named - files <= {code.value for code in FaultCode}
    assert len(named - files) >= 9
