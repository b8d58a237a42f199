"""Items and their lists: what is not on the list is not exchanged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.rules.catalogue import (
    Level,
    Scope,
    current_version,
    licences_named,
    missing_codes,
    reach,
    require_current,
    require_in_scope,
    require_listed,
    require_materials,
)
from tests.unit.rules.samples.catalogue import (
    BEGIN_MS,
    END_MS,
    FULL,
    ITEM,
    LICENCE,
    LICENCE_TYPE,
    NEW,
    OLD,
    RELYING,
    file,
    naming,
)


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


@pytest.mark.parametrize(
    "form",
    [
        None,
        [],
        {},
        {"parent": None},
        {"parent": [LICENCE]},
        {"parent": {"licence_id": ""}},
        {"parent": {"licence_id": 7}},
        {"parent": {"licence_id": [LICENCE]}},
        {"licence_id": LICENCE},
        {"/parent/licence_id": LICENCE},
    ],
)
def test_a_form_that_names_no_licence_at_the_place_leaves_the_material_missing(
    form: object,
) -> None:
    assert licences_named(RELYING, form) == {}
    with pytest.raises(Fault) as raised:
        require_materials(RELYING, FULL, form)
    assert (raised.value.code, raised.value.detail) == (FaultCode.CATALOGUE_MATERIAL_MISSING, "06")


@pytest.mark.parametrize("named", ["x", ".....", LICENCE_TYPE, LICENCE.lower(), "." + LICENCE])
def test_a_licence_of_no_accepted_type_is_refused_without_repeating_it(named: str) -> None:
    with pytest.raises(Fault) as raised:
        require_materials(RELYING, [*FULL, file("06")], naming(named))
    assert (raised.value.code, raised.value.detail) == (FaultCode.CATALOGUE_LICENCE_UNFIT, "06")


def test_a_named_licence_or_a_file_satisfies_the_material() -> None:
    assert licences_named(RELYING, naming(LICENCE)) == {"06": LICENCE_TYPE}
    require_materials(RELYING, FULL, naming(LICENCE))
    require_materials(RELYING, [*FULL, file("06")], {})
    require_materials(RELYING, [*FULL, file("06")], naming(LICENCE))


def test_a_wider_scope_does_not_include_a_narrower_one() -> None:
    wide = replace(ITEM, scope=frozenset({Scope.CROSS_PROVINCE}))
    require_in_scope(wide, GatewayId("310113"))
    with pytest.raises(Fault) as raised:
        require_in_scope(wide, GatewayId("620900"))
    assert raised.value.code is FaultCode.CATALOGUE_OUT_OF_SCOPE


def test_an_item_that_states_no_scope_leaves_it_to_agreements() -> None:
    require_in_scope(replace(ITEM, scope=frozenset()), GatewayId("310113"))


@pytest.mark.parametrize(
    ("origin", "deciding", "wanted"),
    [
        ("620900", "620921", Scope.CITY),
        ("620900", "620200", Scope.PROVINCE),
        ("620900", "310113", Scope.CROSS_PROVINCE),
        ("310115", "310113", Scope.CITY),
    ],
)
def test_how_far_apart_two_regions_lie(origin: str, deciding: str, wanted: Scope) -> None:
    assert reach(GatewayId(origin), GatewayId(deciding)) is wanted


def test_the_level_is_the_one_of_the_implementation_code() -> None:
    assert ITEM.level is Level.CITY
