"""Items and their lists: what is not on the list is not exchanged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.kernel.faults import Fault, FaultCode
from gateway.rules.catalogue import (
    current_version,
    missing_codes,
    require_current,
    require_listed,
    require_materials,
)
from tests.unit.rules.samples.catalogue import BEGIN_MS, END_MS, FULL, ITEM, NEW, OLD, file


def test_ten_thousand_attachments_are_refused_by_their_number() -> None:
    with pytest.raises(Fault) as raised:
        require_listed(NEW, [file("99", "x/y")] * 10_000)
    assert raised.value.code is FaultCode.LIMIT_ATTACHMENTS


def test_more_copies_than_the_list_allows_are_refused() -> None:
    require_listed(NEW, [file("04"), file("04")])
    with pytest.raises(Fault) as raised:
        require_listed(NEW, [file("04")] * 3)
    assert raised.value.code is FaultCode.LIMIT_ATTACHMENTS


def test_everything_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(Fault) as raised:
        require_materials(NEW, [])
    assert raised.value.code is FaultCode.CATALOGUE_MATERIAL_MISSING
    assert raised.value.detail == "01,04"
    assert missing_codes(NEW, ["04"]) == ["01"]


def test_what_is_not_required_may_be_left_out() -> None:
    require_materials(NEW, FULL)
    require_materials(NEW, [*FULL, file("06")])


def test_a_new_case_gets_the_version_in_use() -> None:
    assert current_version(ITEM, BEGIN_MS) is OLD
    assert current_version(ITEM, END_MS - 1) is OLD
    assert current_version(ITEM, END_MS) is NEW


def test_before_the_first_and_after_the_last_version_there_is_none() -> None:
    ended = replace(ITEM, versions={"1": OLD})
    for item, at_ms in ((ITEM, BEGIN_MS - 1), (ended, END_MS)):
        with pytest.raises(Fault) as raised:
            current_version(item, at_ms)
        assert raised.value.code is FaultCode.CATALOGUE_VERSION_NOT_YET


def test_both_versions_are_taken_during_the_overlap() -> None:
    require_current(OLD, END_MS + 1)
    require_current(NEW, END_MS + 1)
