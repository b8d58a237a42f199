"""Each rule a partner or a portal meets is kept by one sample and broken by another, live."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.app.provision import Site
from gateway.kernel.faults import FaultCode
from tests.integration.exchange.collectors import only_calls_out
from tests.integration.exchange.worlds import World, exchange_world
from tests.integration.samples import SAMPLES

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One gateway for all samples; each opens cases of its own."""

    def prepare(site: Site) -> None:
        only_calls_out(site.root, "zhangye")

    root = tmp_path_factory.mktemp("samples")
    async with exchange_world(root, prepare=prepare) as made:
        yield made


@pytest.mark.parametrize("code", SAMPLES, ids=lambda code: code.value)
async def test_the_failing_sample_is_told_exactly_its_rule(world: World, code: FaultCode) -> None:
    assert await SAMPLES[code].failing(world) == code.value


@pytest.mark.parametrize("code", SAMPLES, ids=lambda code: code.value)
async def test_the_passing_sample_is_told_no_rule(world: World, code: FaultCode) -> None:
    assert await SAMPLES[code].passing(world) == ""
