"""Rules of a gateway in trouble: each is kept by one sample and broken by another."""

from __future__ import annotations

import pytest

from gateway.kernel.faults import FaultCode
from tests.flow.samples import SAMPLES
from tests.flow.world import World


@pytest.mark.parametrize("code", SAMPLES, ids=lambda code: code.value)
async def test_the_failing_sample_meets_exactly_its_rule(world: World, code: FaultCode) -> None:
    assert await SAMPLES[code].failing(world) == code.value


@pytest.mark.parametrize("code", SAMPLES, ids=lambda code: code.value)
async def test_the_passing_sample_meets_no_rule(world: World, code: FaultCode) -> None:
    assert await SAMPLES[code].passing(world) == ""
