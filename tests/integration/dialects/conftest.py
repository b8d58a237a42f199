from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulators.front_database import front_database


@pytest.fixture(scope="session")
def database_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A partner's database, for all tests of this folder."""
    with front_database(tmp_path_factory.mktemp("front") / "database") as port:
        yield port
