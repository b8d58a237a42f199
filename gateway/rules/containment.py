"""Keeping a partner's trouble in its lane (隔离): when to call it, and how much to hear from it.

Instants are of a clock that only goes forward, in ms.
"""

from __future__ import annotations

from typing import NamedTuple, assert_never

from gateway.kernel.limits import BREAKER_DOWNS


class Closed(NamedTuple):
    """The partner is called (闭合). After a call that failed, not before `until_ms`."""

    downs: int = 0
    """Calls that failed, one after another."""
    until_ms: int = 0


class Open(NamedTuple):
    """The partner is left alone until `until_ms` (断开)."""

    downs: int
    until_ms: int


class Probing(NamedTuple):
    """One message is on its way to see whether the partner is back (半开)."""

    downs: int


Breaker = Closed | Open | Probing


class Begin(NamedTuple):
    """Somebody would like to call."""

    now_ms: int


class Heard(NamedTuple):
    """A call was answered, whatever it says."""


class Busy(NamedTuple):
    """The partner answered that it takes no more for `wait_ms`: it is up."""

    now_ms: int
    wait_ms: int


class Down(NamedTuple):
    """A call had no answer, or one that cannot be read; wait `wait_ms` before the next."""

    now_ms: int
    wait_ms: int


class Idle(NamedTuple):
    """The probe ended without a call: nothing was due, or our own journal failed."""

    now_ms: int


class Nudged(NamedTuple):
    """An operator says that the partner is back."""

    now_ms: int


BreakerEvent = Begin | Heard | Busy | Down | Idle | Nudged


def step(state: Breaker, event: BreakerEvent) -> Breaker:
    """Return how a partner's breaker stands after an event.

    Events of calls that began before it opened may come late: an answer closes it all the same.
    """
    match event:
        case Begin(now_ms):
            due = isinstance(state, Open) and now_ms >= state.until_ms
            return Probing(state.downs) if due else state
        case Heard():
            return Closed()
        case Busy(now_ms, wait_ms):
            return Closed(0, now_ms + wait_ms)
        case Down(now_ms, wait_ms):
            return _after_down(state, now_ms + wait_ms)
        case Idle(now_ms):
            return Open(state.downs, now_ms) if isinstance(state, Probing) else state
        case Nudged(now_ms):
            return Open(state.downs, now_ms) if isinstance(state, Open) else _at_once(state)
        case _ as never:
            assert_never(never)


def _after_down(state: Breaker, until_ms: int) -> Breaker:
    match state:
        case Closed(downs):
            failed = downs + 1
            opens = failed >= BREAKER_DOWNS
            return Open(failed, until_ms) if opens else Closed(failed, until_ms)
        case Probing(downs):
            return Open(downs + 1, until_ms)
        case Open():
            return state  # a call that began before it opened
        case _ as never:
            assert_never(never)


def _at_once(state: Closed | Probing) -> Breaker:
    return Closed(state.downs) if isinstance(state, Closed) else state


def wait_ms(state: Breaker, now_ms: int) -> int:
    """Return how long nobody may call; 0 if a call may begin now, a probe included."""
    match state:
        case Closed(_, until_ms) | Open(_, until_ms):
            return max(0, until_ms - now_ms)
        case Probing():
            return 0
        case _ as never:
            assert_never(never)


def name_of(state: Breaker) -> str:
    """Return the state's name for operators."""
    match state:
        case Closed():
            return "closed"
        case Open():
            return "open"
        case Probing():
            return "half_open"
        case _ as never:
            assert_never(never)


class Bucket(NamedTuple):
    """What a partner may still say (令牌桶): thousandths of a message, as of `at_ms`.

    Below zero once a call carried more than was left: it was admitted whole, the next waits.
    """

    left_milli: int
    at_ms: int


def refilled(bucket: Bucket, per_s: int, burst: int, now_ms: int) -> Bucket:
    """Return the bucket as of `now_ms`: `per_s` messages more a second, never above `burst`."""
    passed_ms = max(0, now_ms - bucket.at_ms)
    return Bucket(min(burst * 1000, bucket.left_milli + passed_ms * per_s), now_ms)


def spent(bucket: Bucket, messages: int) -> Bucket:
    """Take messages out of the bucket, below zero if need be."""
    return bucket._replace(left_milli=bucket.left_milli - messages * 1000)


def empty_ms(bucket: Bucket, per_s: int) -> int:
    """Return for how many ms nothing may be said; 0 if at least one whole message may be."""
    lacking = 1000 - bucket.left_milli
    return 0 if lacking <= 0 else -(-lacking // per_s)
