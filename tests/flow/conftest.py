"""Every test here runs on a loop in which time passes only when nothing else can happen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from tests.flow.sites import Setup, provision
from tests.flow.stillness import StillLoop
from tests.flow.world import World, world_of


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], StillLoop]]:
    return {"still": StillLoop}


@pytest.fixture(scope="session")
def setups(tmp_path_factory: pytest.TempPathFactory) -> tuple[Setup, Setup]:
    """Keys, certificates, agreement and items of both gateways."""
    return provision(tmp_path_factory.mktemp("sites"))


@pytest.fixture
async def world(setups: tuple[Setup, Setup]) -> AsyncIterator[World]:
    """Both gateways, running."""
    async with world_of(setups) as running:
        yield running
