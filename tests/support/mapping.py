"""A table of an invented partner, and documents for it."""

from pathlib import Path

from gateway.kernel.trees import Tree, Value
from gateway.rules.mapping import Mapping, parse_mapping

CITIZEN = "629900198803150002"
SAMPLE = (Path(__file__).parent / "mapping.toml").read_text(encoding="utf-8")


def mapping(text: str = SAMPLE) -> Mapping:
    return parse_mapping(text.encode())


def submitted(**form: Value) -> Tree:
    """Return an application of ours; `form` goes over its form."""
    return {
        "message": {
            "id": "0190a2b4-3c5d-7e6f-8a9b-0c1d2e3f4a5b",
            "kind": "submitted",
            "sent_at": 1_622_044_800_123,
            "item_code": "00099999900101",
            "item_version": "1",
            "mode": "collect_on_behalf",
            "purpose": "sample-application",
        },
        "case": {"applicant_number": "SL-2026-000001"},
        "form": {"name": "示例甲㛃𬭊", "region": "620200", "delivery": "online", **form},
        "materials": [
            {
                "code": "01",
                "name": "申请书",
                "media_type": "application/pdf",
                "size": 6,
                "sha256": "cd50e89c6f9d3c0daa6d9e49ee9eeb06ed79ba4cc4d06f73a9fd1f8b4a3ddc6c",
                "content": "示例".encode(),
            }
        ],
    }
