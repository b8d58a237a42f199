"""Rules of carriage: fields, times, chains, retries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kernel.case import Chain
from gateway.kernel.envelope import CASELESS, Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.limits import (
    CRITICAL_MAX,
    HEADER_TEXT_CHARS_MAX,
    REQUIRED_SUITES_MAX,
    RETRY_FIRST_MS,
    RETRY_JITTER,
    RETRY_MS_MAX,
)
from gateway.rules.delivery import require_next, require_well_formed, retry_delay_ms
from tests.unit.rules.samples.delivery import BEFORE, SENT_MS, header

BARE = {
    "case_origin": "",
    "case_id": b"",
    "sequence": 0,
    "previous_digest": b"",
    "kind": Kind.PING,
}
LONG = "x" * (HEADER_TEXT_CHARS_MAX + 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"message_id": b""},
        {"message_id": bytes(16)},
        {"sender": "062090"},
        {"recipient": "620200 "},
        {"body_commitment": bytes(31)},
        {"sent_at_ms": 0},
        {"sent_at_ms": -1},
        {"expires_at_ms": SENT_MS},
        {"case_origin": ""},
        {"case_id": bytes(16)},
        {"sequence": 0},
        {"sequence": 1},
        {"previous_digest": b""},
        {"previous_digest": bytes(33)},
        {"mode": None},
        {"strength": None},
        {"item_code": ""},
        {"item_version": ""},
        {"purpose": ""},
        {"acting_unit": ""},
        {"agreement_digest": b""},
        {"last_seen_digest": bytes(31)},
        {"in_reply_to": bytes(16)},
        {"required_suites": ("ES256",) * (REQUIRED_SUITES_MAX + 1)},
        {"critical": ("x",) * (CRITICAL_MAX + 1)},
        {"purpose": LONG},
        {"staff_pseudonym": LONG},
        {"trace_context": LONG},
        {"required_suites": (LONG,)},
        {"critical": (LONG,)},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_field_that_breaks_its_rule_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Fault) as raised:
        require_well_formed(header(**wrong))
    assert raised.value.code is FaultCode.WIRE_FIELD_INVALID


def test_every_kind_is_well_formed_with_the_fields_it_needs() -> None:
    for kind in Kind:
        bare = BARE if kind in CASELESS else {}
        require_well_formed(header(**{**bare, "kind": kind}))


@pytest.mark.parametrize("name", [n for n in BARE if n != "kind"])
def test_a_caseless_kind_names_no_case(name: str) -> None:
    value = getattr(header(), name)
    with pytest.raises(Fault) as raised:
        require_well_formed(header(**{**BARE, name: value}))
    assert raised.value.code is FaultCode.WIRE_FIELD_INVALID


def test_the_first_message_of_a_case_follows_nothing() -> None:
    first = header(sequence=1, previous_digest=b"")
    require_well_formed(first)
    require_next(first, Chain())


def test_a_gap_names_the_number_that_is_wanted() -> None:
    with pytest.raises(Fault) as raised:
        require_next(header(sequence=9), Chain(3, BEFORE))
    assert raised.value.code is FaultCode.DELIVERY_CHAIN_GAP
    assert raised.value.expected_sequence == 4


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_retry_waits_longer_each_time_within_bounds(attempts: int, draw: int) -> None:
    delay = retry_delay_ms(attempts, draw)
    assert RETRY_FIRST_MS * (1 - RETRY_JITTER) - 1 <= delay <= RETRY_MS_MAX * (1 + RETRY_JITTER)
    assert retry_delay_ms(attempts + 1, draw) >= delay


def test_lanes_that_failed_together_do_not_return_together() -> None:
    assert len({retry_delay_ms(8, draw) for draw in range(256)}) > 200
