"""What a partner's entry may say of how it is reached."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.app.partner_file import PartnerFile


def entry(outlet: dict[str, Any], **more: object) -> PartnerFile:
    return PartnerFile.model_validate(
        {
            "gateway_id": "629900",
            "name_zh": "示例",
            "name_en": "sample",
            "unit": "92620702MA00000005",
            "state": "active",
            "outlet": outlet,
            **more,
        }
    )


def test_a_gateway_is_dialled_unless_it_says_that_it_collects() -> None:
    assert not entry({"kind": "grpc"}).outlet.collects
    assert not entry({"kind": "grpc", "grpc": {}}).outlet.collects
    assert not entry({"kind": "grpc", "grpc": {"collects": False}}).outlet.collects
    assert entry({"kind": "grpc", "grpc": {"collects": True}}).outlet.collects


def test_a_gateway_that_collects_needs_no_address() -> None:
    assert entry({"kind": "grpc", "grpc": {"collects": True}}).address == ""


@pytest.mark.parametrize("kind", ["rest", "assisted", "file_drop"])
def test_only_a_gateway_can_collect(kind: str) -> None:
    with pytest.raises(ValidationError, match=r"outlet\.grpc: is not read"):
        entry({"kind": kind, "grpc": {"collects": True}})


@pytest.mark.parametrize("table", [{"collect": True}, {"collects": "perhaps"}, True])
def test_a_word_that_nobody_reads_is_refused(table: object) -> None:
    with pytest.raises(ValidationError):
        entry({"kind": "grpc", "grpc": table})
