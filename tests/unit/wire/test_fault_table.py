"""The one table: complete, in both languages, and the page made of it is fresh."""

from __future__ import annotations

import re
from http import HTTPStatus
from pathlib import Path

import pytest
from google.rpc import code_pb2

from gateway.kernel.faults import FaultCode
from gateway.wire.fault_table import DETAIL_CHARS_MAX, TABLE, entry, is_final, render, texts

PAGE = Path(__file__).parents[3] / "docs" / "faults.md"
CHINESE = re.compile(r"[\u4e00-\u9fff]")

TEMPORARY = {
    FaultCode.DELIVERY_CHAIN_GAP,
    FaultCode.DELIVERY_JOURNAL_DOWN,
    FaultCode.DELIVERY_SIGNER_DOWN,
    FaultCode.DELIVERY_STOPPING,
    FaultCode.ATTACHMENT_ABSENT,
    FaultCode.AGREEMENT_UNKNOWN,
    FaultCode.CATALOGUE_ITEM_UNKNOWN,
    FaultCode.CATALOGUE_VERSION_UNKNOWN,
    FaultCode.CATALOGUE_EDITION_PENDING,
    FaultCode.TRUST_KEY_UNKNOWN,
    FaultCode.TRUST_KEY_NOT_YET_VALID,
    FaultCode.INTERNAL,
}


def test_every_rule_has_a_row_and_every_row_a_rule() -> None:
    assert list(TABLE) == list(FaultCode)


def test_no_two_rules_have_the_same_title() -> None:
    assert len({row.title_zh for row in TABLE.values()}) == len(TABLE)
    assert len({row.title_en for row in TABLE.values()}) == len(TABLE)


@pytest.mark.parametrize("code", FaultCode, ids=lambda code: code.value)
def test_a_row_speaks_both_languages_and_both_protocols(code: FaultCode) -> None:
    row = entry(code)
    for zh in (row.title_zh, row.advice_zh):
        assert CHINESE.search(zh)
    for en in (row.title_en, row.advice_en):
        assert en
        assert not CHINESE.search(en)
    assert code_pb2.Code.Value(row.grpc_status) != code_pb2.OK
    assert HTTPStatus(row.http_status) >= HTTPStatus.BAD_REQUEST
    assert row.level in ("fatal", "warning")
    assert row.retry or row.retry_after_ms == 0


@pytest.mark.parametrize("code", FaultCode, ids=lambda code: code.value)
def test_what_is_final_is_never_worth_repeating(code: FaultCode) -> None:
    assert not (is_final(code) and entry(code).retry)


@pytest.mark.parametrize("code", sorted(TEMPORARY))
def test_what_may_pass_is_not_taken_in_and_may_come_again(code: FaultCode) -> None:
    assert entry(code).outcome_class == "not_taken_in"
    assert entry(code).retry


@pytest.mark.parametrize(
    "code", [c for c in FaultCode if c.value.startswith(("trust.", "limit.", "portal."))]
)
def test_nothing_unproven_or_over_a_limit_is_ever_refused_with_a_signature(
    code: FaultCode,
) -> None:
    assert not is_final(code)


def test_rules_of_business_are_final_once_the_sender_is_proven() -> None:
    business = ("schema.", "catalogue.", "agreement.", "case.")
    final = {c for c in FaultCode if c.value.startswith(business)} - TEMPORARY
    assert {c for c in final if not is_final(c)} == set()


def test_a_text_carries_the_detail_within_bounds() -> None:
    zh, en = texts(FaultCode.CATALOGUE_MATERIAL_MISSING, "04,05")
    assert zh.endswith("：04,05")
    assert en.endswith(": 04,05")
    for text in texts(FaultCode.SCHEMA_FORM_INVALID, "x" * 10_000):
        assert len(text) < DETAIL_CHARS_MAX + 100
    assert texts(FaultCode.INTERNAL, "") == ("网关内部错误", "The gateway failed")


def test_the_page_of_faults_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run python -m tools.build_fault_docs"


def test_the_page_shows_every_rule_once() -> None:
    shown = re.findall(r"^\| `([a-z_.]+)` ", render(), re.MULTILINE)
    assert shown == [code.value for code in FaultCode]
