"""`GET /v1/item-list` and the narrowing of `GET /v1/items`."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from yarl import URL

from gateway.flow.desk import ItemsWish
from gateway.flow.item_list import ImportWish, import_items
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
@pytest.mark.parametrize(
    ("query", "wish"),
    [
        ("", ItemsWish()),
        ("?region=620700", ItemsWish(region=GatewayId("620700"))),
        (f"?query={quote('分公司 登记')}&limit=9", ItemsWish("分公司 登记", limit=9)),
        ("?limit=1000&cursor=620200.0001", ItemsWish(after="620200.0001", limit=200)),
    ],
)
async def test_what_may_be_asked_for_is_narrowed(world: World, query: str, wish: ItemsWish) -> None:
    found = await got(world, f"/v1/items{query}")
    assert found.keys() == {"items"}
    assert world.desk.wishes == [wish]


async def test_what_may_be_asked_for_leads_on_where_there_is_more(world: World) -> None:
    world.desk.next_items = "620200.00013112700402"
    path = f"/v1/items?query={quote('登记')}&cursor=1"
    async with world.client.get(path, headers=bearer()) as response:
        assert (await response.json())["next"] == world.desk.next_items
        following = URL(response.links["next"]["url"])
    assert following.path == "/v1/items"
    assert dict(following.query) == {"query": "登记", "cursor": world.desk.next_items}


@pytest.mark.parametrize("query", ["region=1", "limit=0", "unit=x", "query=a&query=b"])
async def test_a_narrowing_that_is_not_understood_is_refused(world: World, query: str) -> None:
    problem = await got(world, f"/v1/items?{query}", 400)
    assert problem["rule"] == FaultCode.PORTAL_REQUEST_INVALID.value
    assert world.desk.wishes == []


# --- what changed ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "query",
    [
        "",
        "since=2021-05-27&since_edition=1",
        "since=yesterday",
        "since=9999-12-31",
        "since_edition=-1",
        "since_edition=1&cursor=a%20b",
        "since_edition=1&region=1",
        "since_edition=1&q=x",
    ],
)
async def test_a_wrong_question_for_changes_is_refused(world: World, query: str) -> None:
    found = await got(world, f"/v1/item-list/changes?{query}", 400)
    assert found["rule"] == FaultCode.PORTAL_REQUEST_INVALID.value


async def test_an_edition_there_never_was_is_not_found(listed: World) -> None:
    await got(listed, "/v1/item-list/changes?since_edition=7", 404)


async def test_a_window_sees_what_changed_in_a_partners_list(listed: World) -> None:
    rows = [list_row(1, OTHER_AUTHORITY, task_version="2", promise_day="3"),
            list_row(2, OTHER_AUTHORITY), list_row(4, OTHER_AUTHORITY)]  # fmt: skip
    await import_items(listed.journal, ImportWish(OTHER, rows, b""), now_ms=2_000)
    path = f"/v1/item-list/changes?region={OTHER}"
    found = await got(listed, f"{path}&since_edition=1")
    changes = found["changes"]
    assert isinstance(changes, list)
    assert [(c["change"], c["local_task_code"]) for c in changes] == [
        ("changed", "SL-1"),
        ("ended", "SL-3"),
        ("added", "SL-4"),
    ]
    assert changes[0]["columns"]["promise_day"] == {"before": "5", "after": "3"}
    page = await got(listed, f"{path}&since_edition=0&limit=2")
    assert len(page["changes"]) == 2  # type: ignore[arg-type]
    last = await got(listed, f"{path}&since_edition=0&limit=2&cursor={page['next']}")
    assert [c["change"] for c in last["changes"]] == ["added"]  # type: ignore[attr-defined]
    assert (await got(listed, f"{path}&since=2021-05-27"))["changes"] == []
    assert (await got(listed, f"{path}&since=1969-12-31"))["changes"] != []


async def test_the_editions_of_a_list_are_told_latest_first(listed: World) -> None:
    found = await got(listed, f"/v1/item-list/editions?region={OTHER}")
    [edition] = found["editions"]  # type: ignore[misc]
    assert (edition["number"], edition["rows"], edition["told_as"]) == (1, 3, None)  # type: ignore[has-type]
