"""The example client for Node, judged by the conformance kit as a partner that only calls out.

It is no whole system: it keeps what is proven and judges no case. What is not proven,
or comes with another file than was signed, it must not receipt all the same.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from gateway.app.judged_collectors import CollectorLine
from gateway.conformance.case_files import Case, applicable, load_cases
from gateway.conformance.running import Status
from gateway.conformance.soundness import expectations
from tests.integration.conformance.benches import failures, judged, results_of
from tests.integration.conformance.collectors import collector

from .test_node import node
from .test_node_collecting import written

AREAS = ("collect", "tamper", "trust")


def needs_no_refusal(case: Case) -> bool:
    """Tell whether a client that signs no refusals can pass a case."""
    met = [set(e.outcome) for step in case.file.steps for e in expectations(step)]
    return all(outcomes & {"taken_in", "not_taken_in"} for outcomes in met)


CASES = [
    case
    for case in applicable(load_cases(), "collector")
    if case.id.partition(".")[0] in AREAS and needs_no_refusal(case)
]


async def calling(config: Path, folder: Path, ended: asyncio.Event) -> None:
    """Run the client again and again, as a clock would."""
    while not ended.is_set():
        await asyncio.to_thread(node, "collect.mjs", config, folder, "500")


async def test_it_receipts_nothing_that_is_not_proven(tmp_path: Path) -> None:
    async with judged(tmp_path / "sites") as world, collector(world, calls=False) as bench:
        assert isinstance(bench.line, CollectorLine)
        config = written(tmp_path, world.jiayuguan, world.jiuquan, bench.line.port)
        ended = asyncio.Event()
        client = asyncio.create_task(calling(config, tmp_path / "inbox", ended))
        try:
            results = await results_of(bench, CASES)
        finally:
            ended.set()
            await client
    assert failures(results) == {}
    assert [r.id for r in results if r.status is not Status.PASSED] == []
    assert len(results) > 20
