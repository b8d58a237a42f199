"""Who may be asked to take part in a joint case, and what may be passed on to whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.app.agreements import parse_agreement
from gateway.kernel.digests import digest
from gateway.kernel.envelope import Mode
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.rules.agreement import (
    Agreement,
    Exchange,
    JointWish,
    require_onward,
    require_permitted,
    require_task_permitted,
)
from tests.support.world import PARTNERS

JIUQUAN, ZHANGJIAGANG, BAOSHAN = GatewayId("620900"), GatewayId("320582"), GatewayId("310113")
CODE = "00070920200301"
TEXT = """
version = 1
name = "示例"
parties = ["320582", "310113"]
not_before = 2021-05-27T00:00:00+08:00
not_after = 2036-05-26T23:59:59.999+08:00
required_suites = ["ES256"]
strength_min = "signed"
confidentiality = ""
onward_sharing = false
[[grants]]
items = [{ code = "00070920200301", versions = ["1"] }]
origins = []
deciding = ["320582"]
participating = ["310113"]
modes = ["joint"]
rights = []
licence_types = []
purposes = ["household-move"]
"""
ASKED = parse_agreement(TEXT.encode())
WISH = JointWish(ZHANGJIAGANG, BAOSHAN, CODE, "1", Mode.JOINT, "household-move")
APPLIED = (
    TEXT.replace("320582", "620900", 1)
    .replace("310113", "320582", 1)
    .replace("origins = []", 'origins = ["620900"]')
    .replace('participating = ["310113"]', "")
)
ONWARD = (
    'onward = { to = ["310113"], form_fields = ["/mover", "/from_region"], materials = ["02"] }'
)
PASSED = parse_agreement(
    (APPLIED.replace("onward_sharing = false", "onward_sharing = true") + ONWARD).encode()
)
CASE = Exchange(JIUQUAN, ZHANGJIAGANG, CODE, "1", Mode.JOINT, "household-move")


def code_of(check: Callable[..., object], *args: object) -> FaultCode | None:
    try:
        check(*args)
    except Fault as fault:
        return fault.code
    return None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"deciding": BAOSHAN, "participating": ZHANGJIAGANG}, FaultCode.AGREEMENT_DIRECTION),
        ({"participating": JIUQUAN}, FaultCode.AGREEMENT_DIRECTION),
        ({"item_code": "00070920200302"}, FaultCode.AGREEMENT_ITEM_UNLISTED),
        ({"item_version": "2"}, FaultCode.AGREEMENT_VERSION_UNLISTED),
        ({"mode": Mode.ONLINE}, FaultCode.AGREEMENT_MODE_UNLISTED),
        ({"purpose": ""}, FaultCode.AGREEMENT_PURPOSE_UNLISTED),
        ({}, None),
    ],
)
def test_a_task_is_asked_only_of_a_place_that_a_grant_names(
    change: dict[str, object], code: FaultCode | None
) -> None:
    wish = replace(WISH, **change)  # type: ignore[arg-type]
    assert code_of(require_task_permitted, ASKED, wish) is code


def test_who_may_take_part_may_neither_apply_nor_decide() -> None:
    for origin, deciding in ((ZHANGJIAGANG, BAOSHAN), (BAOSHAN, ZHANGJIAGANG)):
        wish = Exchange(origin, deciding, CODE, "1", Mode.JOINT, "household-move")
        assert code_of(require_permitted, ASKED, wish) is FaultCode.AGREEMENT_DIRECTION


def test_no_grant_names_a_participating_place_unless_it_says_so() -> None:
    silent = parse_agreement(TEXT.replace('participating = ["310113"]', "").encode())
    assert code_of(require_task_permitted, silent, WISH) is FaultCode.AGREEMENT_DIRECTION


@pytest.mark.parametrize(
    ("agreement", "region", "fields", "materials", "code"),
    [
        (PASSED, BAOSHAN, [], [], None),
        (PASSED, BAOSHAN, ["/mover"], ["02"], None),
        (PASSED, BAOSHAN, ["/mover/name", "/from_region"], [], None),
        (PASSED, BAOSHAN, ["/mover_id_licence"], [], FaultCode.AGREEMENT_ONWARD_UNLISTED),
        (PASSED, BAOSHAN, ["/mover", "/spouse"], [], FaultCode.AGREEMENT_ONWARD_UNLISTED),
        (PASSED, BAOSHAN, [], ["01"], FaultCode.AGREEMENT_ONWARD_UNLISTED),
        (PASSED, GatewayId("320200"), ["/mover"], [], FaultCode.AGREEMENT_ONWARD_REFUSED),
        (PASSED, GatewayId("320200"), [], [], None),
        (parse_agreement(APPLIED.encode()), BAOSHAN, ["/mover"], [], "refused"),
        (parse_agreement(APPLIED.encode()), BAOSHAN, [], [], None),
        (replace(PASSED, onward_sharing=False), BAOSHAN, ["/mover"], [], "refused"),
    ],
)
def test_what_is_passed_on_is_the_word_of_the_agreement_with_the_place_of_application(
    agreement: Agreement,
    region: GatewayId,
    fields: list[str],
    materials: list[str],
    code: FaultCode | str | None,
) -> None:
    wanted = FaultCode.AGREEMENT_ONWARD_REFUSED if code == "refused" else code
    assert code_of(require_onward, agreement, CASE, region, fields, materials) is wanted


def test_the_word_on_one_item_version_or_purpose_is_none_on_another() -> None:
    for change in ({"item_version": "2"}, {"purpose": "x"}, {"mode": Mode.ONLINE}):
        wish = replace(CASE, **change)
        code = code_of(require_onward, PASSED, wish, BAOSHAN, ["/mover"], [])
        assert code is FaultCode.AGREEMENT_ONWARD_REFUSED


def test_agreements_written_before_joint_tasks_keep_their_address_and_allow_none() -> None:
    raw = (PARTNERS / "jiayuguan" / "agreement.toml").read_bytes()
    agreement = parse_agreement(raw)
    assert agreement.digest == digest(raw)
    assert (dict(agreement.tasks_of), agreement.onward_sharing) == ({}, False)
