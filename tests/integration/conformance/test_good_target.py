"""A gateway of our own passes every case."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.app.conformance import line_to
from gateway.conformance.bench import Gap
from gateway.conformance.case_files import applicable, load_cases
from gateway.conformance.running import Status, verdict_of
from tests.integration.conformance.benches import CALL_S, Judged, failures, results_of
from tests.support.world import BRANCH

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_our_own_gateway_passes_every_case(world: Judged) -> None:
    results = await world.judge()
    assert failures(results) == {}
    assert [(r.id, r.reason) for r in results if r.status is Status.NOT_RUN] == []
    assert verdict_of(results) == "passed"
    assert {r.case.id for r in results} == {c.id for c in applicable(load_cases(), "gateway")}


async def test_it_passes_again_and_once_for_each_agreed_item(world: Judged) -> None:
    results = await world.judge()
    assert failures(results) == {}
    items = {r.item for r in results if r.case.id == "casework.application"}
    assert f"{BRANCH} v2" in items
    assert len(items) >= 5


async def test_without_a_precondition_a_case_is_not_run_and_says_what_it_needs(
    world: Judged,
) -> None:
    line = line_to(world.config, world.target(), CALL_S)
    bench = world.bench(line)
    poor = replace(
        bench,
        sender=replace(bench.sender, expired=None, not_yet_valid=None),
    )
    try:
        results = await results_of(poor)
    finally:
        await line.close()
    apart = {r.id: r for r in results if r.status is not Status.PASSED}
    assert apart.keys() == {"trust.expired_key", "trust.key_not_yet_valid"}
    assert "--expired-key" in apart["trust.expired_key"].reason
    assert "--future-key" in apart["trust.key_not_yet_valid"].reason
    assert verdict_of(results) == "passed_with_gaps"


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"samples": (), "gaps": (Gap(BRANCH, "2", "示例"),)}, "failed"),
        ({"samples": (), "agreements": ()}, "failed"),
        ({"samples": ()}, "passed_with_gaps"),
    ],
    ids=["agreed_and_no_sample", "nothing_agreed", "agreed_for_the_other_side_only"],
)
async def test_without_a_sample_no_application_is_judged_and_the_run_says_so(
    world: Judged, changes: dict[str, Any], verdict: str
) -> None:
    line = line_to(world.config, world.target(), CALL_S)
    bench = world.bench(line)
    try:
        results = await results_of(replace(bench, target=replace(bench.target, **changes)))
    finally:
        await line.close()
    not_run = {r.case.id for r in results if r.status is Status.NOT_RUN}
    assert not_run == {
        c.id for c in applicable(load_cases(), "gateway") if "sample" in c.file.needs
    }
    assert failures(results) == {}
    assert verdict_of(results) == verdict
