"""Three offices and one household that moves: identities, agreements, forms."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from gateway.app.provision import Identity, Site, add_items, agree, introduce, make_site
from gateway.kernel.identifiers import GatewayId
from tests.support.world import JIUQUAN, PARTNERS

ZHANGJIAGANG = Identity(
    GatewayId("320582"),
    "zhangjiagang",
    "张家港市（示例）",
    "Zhangjiagang (sample)",
    "11320582MB00000013",
)
BAOSHAN = Identity(
    GatewayId("310113"), "baoshan", "宝山区（示例）", "Baoshan (sample)", "11310113MB0000001C"
)
MOVE = "00070920200301"
VECTOR = PARTNERS / "zhangjiagang" / "vectors" / "household_move_spouse" / "submitted.json"
APPLIED = (PARTNERS / "zhangjiagang" / "native" / "agreement.toml").read_bytes()
TASKED = (PARTNERS / "zhangjiagang" / "native" / "agreement_baoshan.toml").read_bytes()
AGREE = {
    "verdict": "agree",
    "findings_zh": "户口在册（示例）",
    "certificate": {"name_zh": "户口迁移证", "number": "示例-0001", "issued_on": "2026-06-02"},
}
DISAGREE = {"verdict": "disagree", "grounds_zh": "户口已冻结（示例）"}
APPROVED = {"result": "approved", "answer_zh": "准予迁入（示例）"}
REFUSED = {"result": "refused", "reason_zh": "迁出地未予核验（示例）"}


def move_form() -> dict[str, object]:
    """Return the sample form of 户口迁移."""
    form: dict[str, object] = json.loads(VECTOR.read_text(encoding="utf-8"))["form"]
    return form


def make_trio(
    root: Path,
    now_ms: int,
    site: Callable[[Path, Identity], Site],
    applied: bytes = APPLIED,
    tasked: bytes = TASKED,
) -> tuple[Site, Site, Site]:
    """Provision Jiuquan, Zhangjiagang and Baoshan; the outer two are strangers."""
    sites = [site(root, who) for who in (JIUQUAN, ZHANGJIAGANG, BAOSHAN)]
    for each in sites:
        make_site(each, now_ms, demo=True)
        add_items(each, PARTNERS / each.identity.folder / "items")
    jiuquan, zhangjiagang, baoshan = sites
    for one, other, content in (
        (jiuquan, zhangjiagang, applied),
        (zhangjiagang, baoshan, tasked),
    ):
        introduce(one, other)
        introduce(other, one)
        agree(one, other, content, now_ms)
    return jiuquan, zhangjiagang, baoshan
