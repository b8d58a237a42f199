"""Writing a partner's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.app.onboarding.folders import FILE, put_entry
from gateway.kernel.faults import Fault, FaultCode

DRAFT = """gateway_id = "620600"
name_zh = "武威市（示例）"
name_en = "Wuwei (sample)"
unit = "11620600MB0000000G"
state = "draft"
outlet.kind = "grpc"
"""
JOINED = DRAFT.replace("draft", "testing")


def test_a_draft_gives_way_and_what_it_said_stays_beside(tmp_path: Path) -> None:
    folder = put_entry(tmp_path, "wuwei", {FILE: DRAFT}, over_draft=False)
    files = {FILE: JOINED, "keys/authorities.pem": "示例"}
    assert put_entry(tmp_path, "p620600", files, over_draft=True) == folder
    assert (folder / FILE).read_text("utf-8") == JOINED
    assert (folder / f"{FILE}.draft").read_text("utf-8") == DRAFT
    assert (folder / "keys" / "authorities.pem").read_text("utf-8") == "示例"


@pytest.mark.parametrize("over_draft", [False, True])
def test_nothing_else_gives_way(tmp_path: Path, over_draft: bool) -> None:
    first, second = (JOINED, JOINED + "\n") if over_draft else (DRAFT, DRAFT + "\n")
    folder = put_entry(tmp_path, "wuwei", {FILE: first}, over_draft=over_draft)
    with pytest.raises(Fault) as refused:
        put_entry(tmp_path, "wuwei", {FILE: second}, over_draft=over_draft)
    assert refused.value.code is FaultCode.PARTNER_ENTRY_TAKEN
    assert (folder / FILE).read_text("utf-8") == first


@pytest.mark.parametrize(
    ("files", "over_draft", "why"),
    [
        ({FILE: DRAFT.replace("draft", "active")}, False, "a new entry is draft"),
        ({FILE: DRAFT.replace("draft", "testing")}, False, "a new entry is draft"),
        ({FILE: DRAFT.replace("draft", "active")}, True, "a new entry is testing"),
        ({FILE: DRAFT, "translate.py": "def inbound(o, t): ..."}, False, "translate.py"),
        ({FILE: DRAFT, "keys/../../x.pem": ""}, False, "x.pem"),
        ({FILE: DRAFT, "agreement.toml": ""}, False, "agreement.toml"),
    ],
)
def test_nobody_goes_live_and_nothing_runs_by_being_written(
    tmp_path: Path, files: dict[str, str], over_draft: bool, why: str
) -> None:
    with pytest.raises(Fault) as refused:
        put_entry(tmp_path, "wuwei", files, over_draft=over_draft)
    assert refused.value.code is FaultCode.PARTNER_ENTRY_INVALID
    assert why in refused.value.detail
    assert list(tmp_path.iterdir()) == []
