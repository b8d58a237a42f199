"""What every clock and every source of randomness keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from gateway.adapters.system.clock import SystemClock, SystemEntropy
from gateway.kernel.identifiers import is_uuid7, uuid7, uuid7_unix_ms
from gateway.ports.clock import Clock, Entropy
from tests.fakes.clock import FixedClock, SeededEntropy

clocks = pytest.mark.parametrize("make", [SystemClock, FixedClock])
entropies = pytest.mark.parametrize("make", [SystemEntropy, SeededEntropy])


async def _pass(clock: Clock, ms: int) -> None:
    if isinstance(clock, FixedClock):
        clock.advance(ms)
    else:
        await clock.sleep_ms(ms)


@clocks
async def test_sleep_never_returns_early(make: Callable[[], Clock]) -> None:
    clock = make()
    for ms in (1, 2, 3, 7):
        began = clock.monotonic_ms()
        sleep = asyncio.ensure_future(clock.sleep_ms(ms))
        await asyncio.sleep(0)
        if isinstance(clock, FixedClock):
            clock.advance(ms - 1)
            await asyncio.sleep(0)
            assert not sleep.done()
            clock.advance(1)
        await sleep
        assert clock.monotonic_ms() - began >= ms - (not isinstance(clock, FixedClock))


@clocks
async def test_a_cancelled_sleep_ends_at_once(make: Callable[[], Clock]) -> None:
    clock = make()
    sleep = asyncio.ensure_future(clock.sleep_ms(3_600_000))
    await asyncio.sleep(0)
    sleep.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleep
    await _pass(clock, 1)


@clocks
async def test_no_sleep_at_all_still_lets_others_run(make: Callable[[], Clock]) -> None:
    ran = asyncio.Event()
    asyncio.get_running_loop().call_soon(ran.set)
    await make().sleep_ms(0)
    assert ran.is_set()


@clocks
async def test_time_passes_in_ms_on_both_clocks(make: Callable[[], Clock]) -> None:
    clock = make()
    wall, monotonic = clock.now_ms(), clock.monotonic_ms()
    await _pass(clock, 20)
    assert clock.monotonic_ms() - monotonic >= 19
    assert 1_600_000_000_000 < wall < 4_000_000_000_000
    assert is_uuid7(uuid7(wall, bytes(10)))
    assert uuid7_unix_ms(uuid7(wall, bytes(10))) == wall


async def test_the_time_of_day_may_step_back_and_the_passing_of_time_does_not() -> None:
    clock = FixedClock()
    clock.advance(10)
    before = clock.now_ms()
    clock.step(-5_000)
    assert clock.now_ms() == before - 5_000
    assert clock.monotonic_ms() == 10


async def test_sleepers_wake_in_the_order_of_their_deadlines() -> None:
    clock = FixedClock()
    woken: list[int] = []

    async def sleeper(ms: int) -> None:
        await clock.sleep_ms(ms)
        woken.append(ms)

    tasks = [asyncio.ensure_future(sleeper(ms)) for ms in (30, 10, 20)]
    await asyncio.sleep(0)
    assert clock.sleeping() == 3
    clock.advance(30)
    await asyncio.gather(*tasks)
    assert woken == [10, 20, 30]
    assert clock.sleeping() == 0


@entropies
def test_tokens_have_the_asked_size_and_differ(make: Callable[[], Entropy]) -> None:
    entropy = make()
    assert [len(entropy.token(n)) for n in (0, 1, 10, 32, 100)] == [0, 1, 10, 32, 100]
    assert len({entropy.token(32) for _ in range(100)}) == 100


def test_a_seed_repeats_and_another_seed_does_not() -> None:
    assert SeededEntropy(7).token(64) == SeededEntropy(7).token(64)
    assert SeededEntropy(7).token(64) != SeededEntropy(8).token(64)


def test_the_system_repeats_nothing() -> None:
    assert SystemEntropy().token(32) != SystemEntropy().token(32)
