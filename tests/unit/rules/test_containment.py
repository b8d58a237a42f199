"""When a partner is called, and how much is heard from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kernel.limits import BREAKER_DOWNS
from gateway.rules.containment import (
    Begin,
    Breaker,
    BreakerEvent,
    Bucket,
    Busy,
    Closed,
    Down,
    Heard,
    Idle,
    Nudged,
    Open,
    Probing,
    empty_ms,
    name_of,
    refilled,
    spent,
    step,
    wait_ms,
)

OPEN = Open(BREAKER_DOWNS, 1_000)


def after(state: Breaker, *events: BreakerEvent) -> Breaker:
    for event in events:
        state = step(state, event)
    return state


# --- the breaker ----------------------------------------------------------------------------------
def test_it_opens_after_so_many_calls_in_a_row_that_failed_and_not_before() -> None:
    state: Breaker = Closed()
    for number in range(1, BREAKER_DOWNS):
        state = step(state, Down(number * 100, 50))
        assert state == Closed(number, number * 100 + 50), "called again, after a while"
    assert step(state, Down(900, 50)) == Open(BREAKER_DOWNS, 950)


def test_an_answer_between_failures_begins_the_count_anew() -> None:
    almost = after(Closed(), *[Down(0, 1)] * (BREAKER_DOWNS - 1))
    assert after(almost, Heard(), Down(0, 1)) == Closed(1, 1)


def test_while_open_nobody_begins_before_its_time_and_then_one_does() -> None:
    assert step(OPEN, Begin(999)) == OPEN
    assert step(OPEN, Begin(1_000)) == Probing(BREAKER_DOWNS)
    assert step(Probing(3), Begin(5_000)) == Probing(3), "the others wait for the probe"


def test_a_probe_that_fails_opens_it_for_longer_and_one_that_is_answered_closes_it() -> None:
    assert step(Probing(3), Down(2_000, 700)) == Open(4, 2_700)
    assert step(Probing(3), Heard()) == Closed()
    assert step(Probing(3), Busy(2_000, 700)) == Closed(0, 2_700), "who asks for time is up"


def test_a_probe_that_made_no_call_leaves_it_open_and_due() -> None:
    assert step(Probing(3), Idle(2_000)) == Open(3, 2_000)
    assert step(Closed(), Idle(2_000)) == Closed()


def test_what_fails_late_does_not_lengthen_it_and_what_is_answered_late_closes_it() -> None:
    assert step(OPEN, Down(500, 9_999)) == OPEN
    assert step(OPEN, Heard()) == Closed()


@pytest.mark.parametrize(
    ("state", "then"),
    [(OPEN, Open(3, 10)), (Closed(2, 900), Closed(2)), (Probing(3), Probing(3))],
)
def test_an_operators_word_lets_one_try_at_once(state: Breaker, then: Breaker) -> None:
    assert step(state, Nudged(10)) == then


@given(
    st.lists(
        st.one_of(
            st.builds(Begin, st.integers(0, 9_999)),
            st.just(Heard()),
            st.builds(Busy, st.integers(0, 9_999), st.integers(0, 500)),
            st.builds(Down, st.integers(0, 9_999), st.integers(0, 500)),
            st.builds(Idle, st.integers(0, 9_999)),
            st.builds(Nudged, st.integers(0, 9_999)),
        )
    )
)
def test_whatever_happens_it_lets_somebody_through_in_time(events: list[BreakerEvent]) -> None:
    state = after(Closed(), *events)
    assert wait_ms(state, 10_500) == 0
    assert name_of(state) in ("closed", "open", "half_open")
    assert not isinstance(state, Open) or state.downs >= BREAKER_DOWNS
    assert isinstance(step(state, Begin(10_500)), Closed | Probing)
    assert step(step(state, Begin(10_500)), Heard()) == Closed()


# --- the bucket -----------------------------------------------------------------------------------
def test_a_bucket_is_empty_after_its_burst_and_says_when_it_is_not() -> None:
    bucket = spent(Bucket(3_000, 0), 3)
    assert empty_ms(bucket, per_s=2) == 500
    assert empty_ms(refilled(bucket, 2, 3, 499), per_s=2) == 1
    assert empty_ms(refilled(bucket, 2, 3, 500), per_s=2) == 0


def test_a_call_may_take_more_than_is_left_and_the_next_waits_for_it() -> None:
    overdrawn = spent(Bucket(1_000, 0), 256)
    assert overdrawn.left_milli == -255_000
    assert empty_ms(overdrawn, per_s=100) == 2_560


def test_a_bucket_never_holds_more_than_its_burst_whatever_the_clock_does() -> None:
    assert refilled(Bucket(0, 0), 1_000, 5, 10**9).left_milli == 5_000
    assert refilled(Bucket(700, 50), 10, 5, 50) == Bucket(700, 50)
    assert refilled(Bucket(700, 50), 10, 5, 40).left_milli == 700


@given(
    per_s=st.integers(1, 1_000_000),
    burst=st.integers(1, 10_000),
    steps=st.lists(st.tuples(st.integers(0, 5_000), st.integers(1, 256)), max_size=60),
)
def test_in_the_long_run_no_more_is_let_in_than_was_agreed(
    per_s: int, burst: int, steps: list[tuple[int, int]]
) -> None:
    bucket, now_ms, let_in, largest = Bucket(burst * 1_000, 0), 0, 0, 0
    for passed_ms, messages in steps:
        now_ms += passed_ms
        bucket = refilled(bucket, per_s, burst, now_ms)
        if not empty_ms(bucket, per_s):
            bucket = spent(bucket, messages)
            let_in += messages
            largest = max(largest, messages)
    assert let_in * 1_000 <= burst * 1_000 + now_ms * per_s + largest * 1_000
