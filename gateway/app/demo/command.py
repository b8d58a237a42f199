"""`kuayu demo`."""

from __future__ import annotations

import asyncio
import json as jsons
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.app.cli.exits import ExitCode, Stop

if TYPE_CHECKING:
    from gateway.app.demo.scenarios import Scenario

_PACE_S: Final = 0.6

PaceOption = Annotated[
    float | None,
    typer.Option(
        min=0, max=10, metavar="SECONDS", help="pause after each step, for human eyes; 0: none"
    ),
]
StateOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="folder of keys and journals; continues a demo that is there already"
    ),
]


ScenarioOption = Annotated[
    str, typer.Option(metavar="NAME", help="which story to play; --list names them")
]


def demo(
    scenario: ScenarioOption = "founding-case",
    list_: Annotated[bool, typer.Option("--list", help="name the scenarios and stop")] = False,
    once: Annotated[bool, typer.Option("--once", help="stop after the case")] = False,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object instead")] = False,
    state: StateOption = None,
    pace: PaceOption = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="show every HTTP call too")
    ] = False,
) -> None:
    """演示 Gateways on this machine, and one business licence that crosses between two of them.

    A company in 酒泉 Jiuquan opens a branch in 嘉峪关 Jiayuguan.
    It applies and collects its licence at home. Other stories: --list.
    Gateways, keys, signatures, files, connections are real, on loopback only;
    offices and staff are simulated (示例). The gateways stay up until Ctrl-C.
    Without --state everything is kept in a new folder below /tmp that is yours to remove.
    """
    # Imported here: help and usage errors need none of it.
    from gateway.adapters.system.clock import SystemClock
    from gateway.app.demo.display import Screen
    from gateway.app.demo.outcome import Outcome
    from gateway.app.demo.play import Interrupted, play
    from gateway.app.demo.scenarios import SCENARIOS
    from gateway.app.demo.state import open_state
    from gateway.app.demo.story import DemoFailed, Quiet, Stage

    if list_:
        _list(list(SCENARIOS.values()), json=json)
        return
    chosen = _named(scenario, SCENARIOS)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    clock = SystemClock()
    screen = None if json else Screen(verbose=verbose)

    def delivered(outcome: Outcome) -> None:
        if screen is not None:
            screen.closing(outcome, held, staying=not once)
        elif not once:
            _print(outcome.document())

    try:
        held = open_state(state, clock.now_ms(), chosen.federation)
    except DemoFailed as failed:
        raise _stopped(failed, "") from failed
    try:
        if screen is not None:
            screen.opening(held, chosen)
        stage = Stage(screen or Quiet(), clock, _pace(pace, quick=once or json))
        outcome = asyncio.run(play(held, stage, chosen, once=once, delivered=delivered))
    except DemoFailed as failed:
        raise _stopped(failed, str(held.folder)) from failed
    except Interrupted as asked:
        words = "办件送达前被中断 interrupted before the case was delivered"
        raise Stop(ExitCode.INTERRUPTED, words) from asked
    if screen is not None:
        screen.stopped()
    elif once:
        _print(outcome.document())  # only now is it certain that all went well


def _named(name: str, scenarios: Mapping[str, Scenario]) -> Scenario:
    if name in scenarios:
        return scenarios[name]
    raise Stop(ExitCode.USAGE, f"no scenario {name!r}; there are {', '.join(scenarios)}")


def _stopped(failed: Exception, folder: str) -> Stop:
    """Say what did not happen, and where what did is kept."""
    named = not folder or folder in str(failed)
    kept = "" if named else f"; 记录 journals and logs: {folder}"
    return Stop(ExitCode.UNAVAILABLE, f"演示未完成 the demo failed: {failed}{kept}")


def _list(scenarios: Sequence[Scenario], *, json: bool) -> None:
    if json:
        print(
            jsons.dumps(
                [{"name": s.name, "zh": s.zh, "en": s.en} for s in scenarios],
                ensure_ascii=False,
                indent=2,
            )
        )
        return
    for each in scenarios:
        print(f"{each.name:<20}{each.zh}\n{'':<20}{each.en}")


def _pace(wanted: float | None, *, quick: bool) -> float:
    """Return the pause between steps in seconds."""
    if wanted is not None:
        return wanted
    return _PACE_S if sys.stdout.isatty() and not quick else 0.0


def _print(document: dict[str, object]) -> None:
    print(jsons.dumps(document, ensure_ascii=False, indent=2), flush=True)
