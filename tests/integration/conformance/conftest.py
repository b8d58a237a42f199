from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from .benches import Judged, judged


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Judged]:
    """One gateway for a module's tests; each run opens cases of its own."""
    async with judged(tmp_path_factory.mktemp("judged")) as made:
        yield made
