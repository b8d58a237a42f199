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


@pytest.mark.parametrize(("first", "over_draft"), [(DRAFT, False), (JOINED, True)])
def test_nothing_else_gives_way(tmp_path: Path, first: str, over_draft: bool) -> None:
    folder = put_entry(tmp_path, "wuwei", {FILE: first}, over_draft=False)
    with pytest.raises(Fault) as refused:
        put_entry(tmp_path, "wuwei", {FILE: JOINED + "\n"}, over_draft=over_draft)
    assert refused.value.code is FaultCode.PARTNER_ENTRY_TAKEN
    assert (folder / FILE).read_text("utf-8") == first
