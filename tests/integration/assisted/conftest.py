from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .desks import Desk, desk_at, make_assisted_site


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(make_assisted_site(tmp_path)) as made:
        yield made
