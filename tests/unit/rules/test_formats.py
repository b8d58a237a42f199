"""The field's identifiers: the check character decides, a register is never asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.rules.schema.formats import (
    is_citizen_id,
    is_date,
    is_instant,
    is_licence_id,
    is_region,
    is_uscc,
)

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "identifiers.json").read_text(encoding="utf-8")
)
PERSON = "629900198803150002"  # 示例: no county has this code


@pytest.mark.parametrize("code", VECTORS["uscc_valid"])
def test_a_right_credit_code_passes(code: str) -> None:
    assert is_uscc(code)


@pytest.mark.parametrize(
    "code",
    [
        *VECTORS["uscc_invalid"],
        "91620900MA0000000M ",
        "91620900MA0000000M\n",
        "9162-0900-MA0000000M",
        "91620900ma0000000m",
        "９1620900MA0000000M",
    ],
)
def test_a_wrong_credit_code_is_refused_and_never_mended(code: str) -> None:
    assert not is_uscc(code)


@pytest.mark.parametrize("text", VECTORS["licence_id_valid"])
def test_a_right_licence_id_passes(text: str) -> None:
    assert is_licence_id(text)


@pytest.mark.parametrize(
    "text", [*VECTORS["licence_id_invalid"], VECTORS["licence_id_valid"][0] + "\n", ""]
)
def test_a_wrong_licence_id_is_refused(text: str) -> None:
    assert not is_licence_id(text)


def test_every_changed_character_of_a_licence_id_is_noticed() -> None:
    text = VECTORS["licence_id_valid"][0]
    for at, old in enumerate(text):
        for new in "0123456789AMUR.":
            if new != old:
                assert not is_licence_id(text[:at] + new + text[at + 1 :]), (at, new)


def test_a_citizens_number_of_an_unknown_region_passes() -> None:
    assert is_citizen_id(PERSON)


def test_every_changed_digit_of_a_citizens_number_is_noticed() -> None:
    for at, old in enumerate(PERSON):
        for new in "0123456789X":
            if new != old:
                assert not is_citizen_id(PERSON[:at] + new + PERSON[at + 1 :]), (at, new)


@pytest.mark.parametrize("text", ["", "62990019880230000X", "629900880315000", PERSON + "\n"])
def test_a_number_without_a_real_birthday_or_length_is_refused(text: str) -> None:
    assert not is_citizen_id(text)


def test_a_region_has_six_digits() -> None:
    assert is_region("620900")
    for text in ("620900000000", "062090", "62090", "62090a", "620900\n", "６20900"):
        assert not is_region(text)


def test_dates_are_on_the_calendar() -> None:
    assert is_date("2024-02-29")
    for text in ("2023-02-29", "2024-2-29", "20240229", "2024-W09-4", "2024-02-29\n", ""):
        assert not is_date(text)


def test_instants_have_an_offset() -> None:
    assert is_instant("2021-05-27T09:00:00+08:00")
    assert is_instant("2021-05-27T01:00:00.123Z")
    for text in ("2021-05-27T09:00:00", "2021-05-27", "2021-05-27T25:00:00Z", "20210527T090000Z"):
        assert not is_instant(text)
