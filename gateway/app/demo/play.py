"""One run of the demo: gateways up, both offices at work, everything checked, gateways down."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from typing import Any, Final, TypeVar

import aiohttp

from gateway.app.demo.assisted import prepare_assisted
from gateway.app.demo.children import Child, running
from gateway.app.demo.moving import movable, unmoved
from gateway.app.demo.office import Office, open_office
from gateway.app.demo.outcome import Outcome, conclude
from gateway.app.demo.scenarios import Cast, Scenario
from gateway.app.demo.state import State, config_of
from gateway.app.demo.story import Act, DemoFailed, Stage, View
from gateway.app.provision import Site

T = TypeVar("T")
Work = Coroutine[Any, Any, T]

CASE_S_MAX: Final = 60.0
"""A case takes about a second; on a machine under load some."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LAST_WORDS_S: Final = 2.0


class Interrupted(Exception):
    """A person or the system asked the demo to stop."""


async def play(
    state: State,
    stage: Stage,
    scenario: Scenario,
    *,
    once: bool,
    delivered: Callable[[Outcome], None],
) -> Outcome:
    """Run the scenario's case; `delivered` hears of it at once. Unless `once`, stay until a signal.

    The gateways are stopped in any case.

    Raises:
        DemoFailed: anything did not happen.
        Interrupted: a signal came before the case was delivered.
    """
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, asked.set)
    try:
        if scenario.assisted:
            prepare_assisted(state.sites[0], stage.clock.now_ms())
        unmoved(state)
        if scenario.moved:
            stage.clock = movable(state)
        began_ms = stage.clock.monotonic_ms()
        async with _around(state, stage, scenario), running(state.sites) as children:
            for child in children:
                ms = stage.clock.monotonic_ms() - began_ms
                who = child.identity
                en = f"{who.name_en} {who.gateway_id} serves, process {child.pid}"
                stage.teller.act(Act(who.gateway_id, "网关已启动", en, ms))
            outcome = await _guarded(asked, children, _case(state, stage, scenario, children))
            delivered(outcome)
            if not once:
                try:
                    await _guarded(asked, children, asyncio.Event().wait())
                except Interrupted:
                    return outcome
            return outcome
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


def _around(state: State, stage: Stage, scenario: Scenario) -> AbstractAsyncContextManager[None]:
    return nullcontext() if scenario.around is None else scenario.around(state, stage)


async def _guarded(asked: asyncio.Event, children: Sequence[Child], work: Work[T]) -> T:
    """Do `work` unless a signal comes or a child ends; a child's end explains what it caused."""

    async def interrupted() -> None:
        await asked.wait()
        raise Interrupted

    try:
        return await _unless(work, interrupted(), *(child.watch() for child in children))
    except (aiohttp.ClientError, TimeoutError, DemoFailed) as problem:
        for child in children:
            if told := await child.ended_within(_LAST_WORDS_S / len(children)):
                raise DemoFailed(told) from problem
        if isinstance(problem, DemoFailed):
            raise
        kind = type(problem).__name__
        raise DemoFailed(f"网关没有应答 a gateway did not answer ({kind})") from problem


async def _unless(main: Work[T], *others: Work[None]) -> T:
    """Return what `main` returns; `others` run beside it and can only fail it."""
    loop = asyncio.get_running_loop()
    wanted = loop.create_task(main)
    beside = [loop.create_task(other) for other in others]
    every: list[asyncio.Task[Any]] = [wanted, *beside]
    try:
        await asyncio.wait(every, return_when=asyncio.FIRST_COMPLETED)
        for task in beside:
            if task.done():
                task.result()
        return await wanted
    finally:
        for each in every:
            each.cancel()
        await asyncio.gather(*every, return_exceptions=True)


async def _case(
    state: State, stage: Stage, scenario: Scenario, children: Sequence[Child]
) -> Outcome:
    """Have the offices work until one case is delivered."""
    async with AsyncExitStack() as stack:
        first, *others = state.sites
        home = await _open(stack, first, stage, "portal-demo")
        offices = [home, *[await _open(stack, site, stage, "registrar-demo") for site in others]]
        also: list[View] = []
        holds = {child.identity.gateway_id: child.held for child in children}
        cast = Cast({office.id: office for office in offices}, state.papers, first, also, holds)
        began_ms, paused_ms = stage.clock.monotonic_ms(), stage.paused_ms
        async with stage.limited(CASE_S_MAX):
            case_id = await scenario.run(cast, _unless)
            origin = await home.case_at(case_id, scenario.stage)
            deciding = origin
            if not scenario.assisted:
                deciding = await cast.office(scenario.deciding).case_at(case_id, scenario.stage)
        took_ms = stage.clock.monotonic_ms() - began_ms - (stage.paused_ms - paused_ms)
        return conclude(
            scenario,
            origin,
            deciding,
            also=also,
            elapsed_ms=took_ms,
            state_dir=str(state.folder),
            portal_url=home.url,
            gateways={child.identity.gateway_id: child.pid for child in children},
        )


async def _open(stack: AsyncExitStack, site: Site, stage: Stage, subject: str) -> Office:
    office = open_office(site.identity, config_of(site), stage, SCOPES_OF[subject], subject)
    return await stack.enter_async_context(office)


SCOPES_OF: Final = {
    "portal-demo": ("cases:read", "cases:write"),
    "registrar-demo": ("cases:read", "tasks:read", "tasks:act"),
}
"""Each office's token may do what the office needs and nothing else."""
