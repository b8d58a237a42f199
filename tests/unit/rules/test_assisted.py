"""Two people, one reading."""

from __future__ import annotations

import itertools

import pytest

from gateway.kernel.assisted import OPEN, TypingEvent, TypingStatus, WorkStatus
from gateway.kernel.envelope import Kind
from gateway.kernel.faults import Fault, FaultCode
from gateway.kernel.identifiers import GatewayId, is_uuid7, uuid7, uuid7_unix_ms
from gateway.rules import assisted

WORK = uuid7(1_700_000_000_000, bytes(10))
JINCHANG = GatewayId("620300")


@pytest.mark.parametrize("typist", ["desk-1", " DESK-1 ", "Desk-1"])
def test_nobody_confirms_his_own_typing_under_another_spelling(typist: str) -> None:
    with pytest.raises(Fault) as raised:
        assisted.require_other_person(typist, "desk-1")
    assert raised.value.code is FaultCode.ASSISTED_SAME_PERSON


def test_a_mismatch_names_fields_and_never_values() -> None:
    typed = {"kind": "decided", "number": "机密1", "result": "approved", "licence_id": "A"}
    with pytest.raises(Fault) as raised:
        assisted.require_match(typed, {**typed, "number": "机密2", "licence_id": "B"})
    assert raised.value.detail == "licence_id,number"
    assert "机密" not in str(raised.value) + repr(raised.value.errors)


def test_a_field_left_out_or_added_is_a_mismatch() -> None:
    typed = {"kind": "accepted", "number": "1"}
    for confirmed in ({"kind": "accepted"}, {**typed, "result": "approved"}):
        with pytest.raises(Fault) as raised:
            assisted.require_match(typed, confirmed)
        assert raised.value.code is FaultCode.ASSISTED_MISMATCH


def test_no_order_of_events_confirms_what_nobody_typed() -> None:
    """Of every sequence of five events, only typed ones reach an end, and only once."""
    for events in itertools.product(TypingEvent, repeat=5):
        status: TypingStatus | None = None
        ends = 0
        for event in events:
            before = status
            try:
                status = assisted.step(status, event)
            except Fault:
                continue
            if status in (TypingStatus.TAKEN_IN, TypingStatus.REFUSED):
                ends += 1
                assert before is TypingStatus.CONFIRMED
            if status is TypingStatus.CONFIRMED:
                assert before is TypingStatus.TYPED
            if before is TypingStatus.TAKEN_IN:
                raise AssertionError(f"{event} after it was taken in")
        assert ends <= 1


def test_what_is_open_blocks_and_what_is_over_does_not() -> None:
    assert {TypingStatus.TYPED, TypingStatus.CONFIRMED} == OPEN
    for over in (TypingStatus.MISMATCHED, TypingStatus.REFUSED, TypingStatus.REPLACED):
        assert assisted.step(over, TypingEvent.TYPE) is TypingStatus.TYPED


def test_done_work_may_still_be_answered() -> None:
    assisted.require_handed_over(WorkStatus.DONE)


def test_key_fields_are_what_the_outcome_hangs_on() -> None:
    content: dict[str, object] = {"result": "approved", "licence": {"licence_id": "1.2"}}
    assert assisted.key_fields(Kind.DECIDED, "7", content) == {
        "kind": "decided",
        "number": "7",
        "result": "approved",
        "licence_id": "1.2",
    }
    wanted: dict[str, object] = {"materials": [{"code": "05"}, {"code": "02"}]}
    assert assisted.key_fields(Kind.MATERIALS_REQUESTED, "7", wanted)["materials"] == "02,05"


def test_one_natural_key_is_one_id_and_another_partners_is_another() -> None:
    key = assisted.natural_key(WORK, Kind.ACCEPTED, "金示例〔2026〕1 号")
    assert key == assisted.natural_key(WORK, Kind.ACCEPTED, "金示例〔2026〕１号")
    at_ms = 1_700_000_000_123
    one = assisted.attested_id(JINCHANG, key, at_ms)
    assert one == assisted.attested_id(JINCHANG, key, at_ms)
    assert one != assisted.attested_id(GatewayId("620700"), key, at_ms)
    assert is_uuid7(one)
    assert uuid7_unix_ms(one) == at_ms
