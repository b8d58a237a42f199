from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from .worlds import World, exchange_world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One gateway for a module's tests; each opens cases of its own."""
    async with exchange_world(tmp_path_factory.mktemp("world")) as made:
        yield made
