"""What `kuayu partner new` writes: every line of it, a comment or not, is one that is read."""

from __future__ import annotations

import re
import tomllib

import pytest
from pydantic import ValidationError

from gateway.app.dialects.registry import DIALECTS
from gateway.app.onboarding.templates import KINDS, Newcomer, files_of
from gateway.app.partner_file import PartnerFile


def manifest(kind: str) -> str:
    who = Newcomer(
        gateway_id="620500",
        name_zh="某市（示例）",
        name_en="Nowhere (sample)",
        unit="11620500MB0000000B",
        outlet=kind,
        simulated=True,
    )
    return files_of(who)["partner.toml"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_entry_is_read_as_a_draft(kind: str) -> None:
    entry = PartnerFile.model_validate(tomllib.loads(manifest(kind)))
    assert (entry.state, entry.outlet.kind) == ("draft", kind)


@pytest.mark.parametrize("kind", sorted(DIALECTS))
def test_a_line_that_is_no_comment_any_more_is_a_setting(kind: str) -> None:
    text, lines = re.subn(r"^# (?=\[outlet\.|[a-z0-9_]+ = )", "", manifest(kind), flags=re.M)
    assert lines >= 5
    table = tomllib.loads(text)["outlet"][kind]
    model = DIALECTS[kind].settings
    assert table.keys() == {f.alias or name for name, f in model.model_fields.items()}
    try:
        model.model_validate(table)
    except ValidationError as problem:
        unknown = [e["loc"] for e in problem.errors() if e["type"] == "extra_forbidden"]
        assert unknown == []
    else:
        pytest.fail("nothing of it had to be filled in")
