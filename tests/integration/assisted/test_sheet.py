"""The printed sheet: everything on it is text, and it says what it is."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from .desks import Desk, item_path

SHAPE = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "small", "bdi"}
TAGS = SHAPE | {"table", "tr", "th", "td", "ul", "li"}


class Page(HTMLParser):
    """Reads a page as a browser would: tags, attributes, text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str, str]] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(tag, name, value or "") for name, value in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


async def fetch(desk: Desk, work_id: str) -> tuple[Page, str, dict[str, str]]:
    headers = {"Authorization": f"Bearer {desk.node.token()}"}
    url = f"{desk.node.url}{item_path(work_id)}/sheet"
    async with desk.node.http.get(url, headers=headers) as answer:
        assert answer.status == 200
        raw = await answer.text()
        return Page(raw), raw, dict(answer.headers)


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</td></table><h1>准予</h1>",
        "&lt;b&gt; &#60;script&#62;",
        "<style>body{display:none}</style>",
        "]]><!--",
    ],
)
async def test_a_name_that_is_markup_is_printed_as_it_is(desk: Desk, name: str) -> None:
    item = await desk.listed(await desk.open_case(operator_name=name))
    page, _, _ = await fetch(desk, item["work_id"])
    assert name in page.text
    assert page.tags <= TAGS
    assert not {a for a in page.attributes if a[1].startswith("on") or a[1] in ("src", "href")}


async def test_a_name_that_turns_the_direction_of_writing_stays_in_its_cell(desk: Desk) -> None:
    name = "示例\u202e准予\u2066\u200f"
    item = await desk.listed(await desk.open_case(operator_name=name))
    page, raw, _ = await fetch(desk, item["work_id"])
    assert not set("\u202e\u2066\u200f") & set(raw)
    assert "示例\ufffd准予" in page.text


async def test_the_sheet_is_chinese_and_english_and_says_that_it_is_simulated(
    desk: Desk,
) -> None:
    case_id = await desk.open_case()
    item = await desk.listed(case_id)
    page, _, headers = await fetch(desk, item["work_id"])
    for text in (
        "跨域通办人工协办单 Assisted handling sheet",
        "模拟 SIMULATED",
        "示例乙㛃",  # a character that GBK does not have
        "经营者姓名",
        item["case_number"],
        "□ 签收 received",
        "□ 受理 accepted",
        "□ 办结 decided",
        "个体工商户经营场所变更登记（示例）",
    ):
        assert text in page.text
    assert "A4" in page.text
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "script" not in policy
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert re.search(r"style-src 'sha256-[A-Za-z0-9+/=]{44}'", policy)
