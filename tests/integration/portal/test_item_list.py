"""`GET /v1/item-list` and the narrowing of `GET /v1/items`."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import pytest
from yarl import URL

from gateway.flow.desk import Actor, View
from gateway.flow.item_list import ImportWish, import_items
from gateway.flow.item_search import page_of
from gateway.kernel.faults import FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.rules.item_list.rows import COLUMNS
from tests.support.item_list import OTHER_AUTHORITY, list_row, list_rows

from .conftest import HOME, World
from .fakes import bearer

OTHER = GatewayId("620200")


@pytest.fixture
async def listed(world: World) -> World:
    """Thirty rows of this gateway's region and three of another's."""
    for region, rows in ((HOME, list_rows(30)), (OTHER, list_rows(3, OTHER_AUTHORITY))):
        await import_items(world.journal, ImportWish(region, rows, b""), now_ms=1_000)
    return world


async def got(world: World, path: str, status: int = 200) -> dict[str, object]:
    async with world.client.get(path, headers=bearer()) as response:
        assert response.status == status, await response.text()
        found: dict[str, object] = await response.json()
        return found


async def all_pages(world: World, path: str) -> list[dict[str, str]]:
    """Follow `Link` to the end."""
    rows: list[dict[str, str]] = []
    follow: str | None = path
    while follow is not None:
        async with world.client.get(follow, headers=bearer()) as response:
            assert response.status == 200, await response.text()
            body = await response.json()
            rows += body["items"]
            link = response.links.get("next")
            assert (link is None) == (body["next"] is None)
            follow = None if link is None else str(URL(link["url"]).relative())
    return rows


@pytest.mark.parametrize(
    "query",
    [
        "q=",
        "q=%20",
        "q=" + "x" * 129,
        "q=a%20b%20c%20d%20e%20f%20g%20h%20i",
        "q=x&q=y",
        "q=x&cursor=-1",
        "q=x&cursor=abc",
        "cursor=%22",
        "cursor=" + "0" * 41,
        "region=62090",
        "region=%27",
        "limit=0",
        "limit=x",
        "page=2",
    ],
)
async def test_a_query_that_is_not_understood_is_refused(listed: World, query: str) -> None:
    problem = await got(listed, f"/v1/item-list?{query}", 400)
    assert problem["rule"] == FaultCode.PORTAL_REQUEST_INVALID.value


async def test_without_a_token_or_its_scope_nothing_is_listed(listed: World) -> None:
    async with listed.client.get("/v1/item-list") as response:
        assert response.status == 401
    narrow = bearer(scope="tasks:read")
    async with listed.client.get("/v1/item-list", headers=narrow) as response:
        assert response.status == 403


@pytest.mark.parametrize(
    "query", ['"', "*", "示例3 OR 示例4", "' OR 1=1 --", "words:示例3）", "示例3)\x00"]
)
async def test_operators_are_text(listed: World, query: str) -> None:
    found = await got(listed, f"/v1/item-list?q={quote(query)}&region=620900")
    wanted = [list_row(3).code] if query.startswith("示例3)") else []
    items = found["items"]
    assert isinstance(items, list)
    assert [item["code"] for item in items] == wanted


async def test_the_list_comes_page_by_page_under_the_platforms_names(listed: World) -> None:
    rows = await all_pages(listed, "/v1/item-list?limit=7")
    assert [tuple(row[name] for name in COLUMNS) for row in rows] == list_rows(30)
    assert {row["region"] for row in rows} == {HOME}
    others = await all_pages(listed, "/v1/item-list?region=620200")
    assert [row["code"] for row in others] == [r.code for r in list_rows(3, OTHER_AUTHORITY)]
    assert await all_pages(listed, "/v1/item-list?region=620700") == []


async def test_what_is_found_comes_page_by_page(listed: World) -> None:
    every = await all_pages(listed, f"/v1/item-list?q={quote('示例')}&limit=8")
    assert len(every) == 33
    ours = await all_pages(
        listed, f"/v1/item-list?q={quote('示例市 （示例')}&region=620900&limit=8"
    )
    assert [row["code"] for row in ours] == [row.code for row in list_rows(30)]
    one = await all_pages(listed, f"/v1/item-list?q={quote('示例7）')}&limit=8")
    assert [row["local_task_code"] for row in one] == ["SL-7"]


# --- /v1/items ----------------------------------------------------------------------------------
def view(region: str, code: str, name: str, agreement: str = "a") -> View:
    return {"region": region, "item_code": code, "name_zh": name, "agreement": agreement}


VIEWS = [
    view("620200", "00013112700402", "分公司设立登记"),
    view("620200", "00013112700402", "分公司设立登记", "b"),
    view("620200", "00013112700701", "企业登记基本情况表查询"),
    view("620700", "00013112700402", "分公司设立登记"),
]


@pytest.fixture
def offering(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    async def items(actor: Actor) -> Sequence[View]:
        return VIEWS

    monkeypatch.setattr(world.desk, "items", items)
    return world


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", VIEWS),
        ("?region=620700", VIEWS[3:]),
        ("?region=620900", []),
        (f"?query={quote('登记')}", VIEWS),
        (f"?query={quote('登记 查询')}", VIEWS[2:3]),
        ("?query=00013112700701", VIEWS[2:3]),
        (f"?query={quote('设立')}&region=620200", VIEWS[:2]),
    ],
)
async def test_what_may_be_asked_for_is_narrowed(
    offering: World, query: str, wanted: Sequence[View]
) -> None:
    assert await got(offering, f"/v1/items{query}") == {"items": wanted}


async def test_what_may_be_asked_for_comes_in_pages_only_if_asked(offering: World) -> None:
    assert await all_pages(offering, "/v1/items?limit=1") == VIEWS
    first = await got(offering, "/v1/items?limit=1")
    assert first == {"items": VIEWS[:2], "next": "620200.00013112700402"}


@pytest.mark.parametrize("query", ["query=", "region=1", "limit=0", "unit=x"])
async def test_a_narrowing_that_is_not_understood_is_refused(world: World, query: str) -> None:
    problem = await got(world, f"/v1/items?{query}", 400)
    assert problem["rule"] == FaultCode.PORTAL_REQUEST_INVALID.value


def test_a_page_that_ends_with_the_last_item_has_no_next() -> None:
    assert page_of(VIEWS, "", 4) == (VIEWS, None)
    assert page_of(VIEWS, "620200.00013112700701", 1) == (VIEWS[3:], None)
    assert page_of(VIEWS, "9", 1) == ([], None)
