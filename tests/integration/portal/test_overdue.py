"""`GET /v1/overdue` and `GET /v1/reviews`: tokens, scopes, pages."""

from __future__ import annotations

import pytest

from .conftest import World
from .fakes import OTHER_UNIT, bearer


async def test_without_a_token_or_its_scope_nothing_is_told(world: World) -> None:
    async with world.client.get("/v1/overdue") as answer:
        assert answer.status == 401
    async with world.client.get("/v1/overdue", headers=bearer(scope="tasks:read")) as answer:
        assert answer.status == 403
        assert (await answer.json())["rule"] == "portal.scope_missing"


@pytest.mark.parametrize("query", ["after=x.y", "limit=0", "unit=91620200MA0000000H"])
async def test_a_query_that_means_nothing_is_refused(world: World, query: str) -> None:
    async with world.client.get(f"/v1/overdue?{query}", headers=bearer()) as answer:
        assert answer.status == 400
        assert (await answer.json())["rule"] == "portal.request_invalid"


async def test_another_unit_sees_none_of_them(world: World) -> None:
    async with world.client.get("/v1/overdue", headers=bearer(unit=OTHER_UNIT)) as answer:
        assert await answer.json() == {"overdue": []}
        assert "Link" not in answer.headers


async def test_the_link_leads_through_every_page(world: World) -> None:
    path, seen = "/v1/overdue?limit=2", []
    while path:
        async with world.client.get(path, headers=bearer()) as answer:
            assert answer.status == 200
            seen += [late["case_id"] for late in (await answer.json())["overdue"]]
            link = answer.headers.get("Link", "")
        path = link.partition("<")[2].partition(">")[0]
    assert seen == ["late-0", "late-1", "late-2"]


async def test_an_office_asks_which_reviews_wait_for_its_answer(world: World) -> None:
    async with world.client.get("/v1/reviews", headers=bearer(scope="cases:read")) as answer:
        assert answer.status == 403
    async with world.client.get("/v1/reviews?after=1", headers=bearer()) as answer:
        assert answer.status == 400
    async with world.client.get("/v1/reviews?limit=3", headers=bearer()) as answer:
        assert await answer.json() == {"to_rectify": [{"case_id": "reviewed", "limit": 3}]}
    async with world.client.get("/v1/reviews", headers=bearer(unit=OTHER_UNIT)) as answer:
        assert await answer.json() == {"to_rectify": []}
