"""An item list of 100,000 rows in a gateway of its own, and what is asked of it over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from hashlib import sha256
from itertools import count
from pathlib import Path
from urllib.parse import quote

import aiohttp

from benchmarks.measure import Round, run_round
from gateway.adapters.sql.sqlite import open_sqlite
from gateway.adapters.system.clock import SystemClock
from gateway.app.config import load_config
from gateway.app.provision import Identity, Site, make_site
from gateway.app.tokens import SCOPES, issue_token
from gateway.flow.item_list import ImportWish, import_items
from gateway.kernel.identifiers import GatewayId
from tests.support.item_list import AUTHORITY, OTHER_AUTHORITY, list_rows
from tests.support.world import site_at

ROWS = 100_000
HOME = Identity(GatewayId("620900"), "jiuquan", "酒泉市（示例）", "Jiuquan (sample)", AUTHORITY)
OTHER = GatewayId("620200")
QUERIES = (
    "户口",  # two characters: no index has them, everything is read until a page is full
    "查无",  # two characters that are nowhere: everything is read
    "查无 此事",
    "设立登记",
    "住房公积金转移接续",
    "公安局 迁移许可",
    "药品零售 注销 备案",
    "没有这样的事项",
    "示例{number}）",
    "{number:012d}",
    "11620900mb00000000",
)


async def _import(site: Site) -> float:
    config = load_config(site.config, {})
    journal = await open_sqlite(config.journal.path)
    took_s = 0.0
    try:
        for region, authority in ((HOME.gateway_id, AUTHORITY), (OTHER, OTHER_AUTHORITY)):
            rows = list_rows(ROWS // 2, authority)
            wish = ImportWish(region, rows, sha256(region.encode()).digest())
            begun = time.perf_counter()
            await import_items(journal, wish, now_ms=SystemClock().now_ms())
            took_s += time.perf_counter() - begun
    finally:
        await journal.close()
    return took_s


def site_with_lists(root: Path) -> tuple[Site, float]:
    """Provision a gateway that holds two lists of 50,000 rows; also the seconds it took to import.

    Reading the file is not in them: the rows are ready.
    """
    site = site_at(root / "lists", HOME)
    make_site(site, SystemClock().now_ms(), demo=True)
    return site, asyncio.run(_import(site))


def _listing() -> Iterator[str]:
    for number in count(1, 7_919):
        region, authority = ((HOME.gateway_id, AUTHORITY), (OTHER, OTHER_AUTHORITY))[number % 2]
        cursor = f"{authority}3{number % (ROWS // 2):012d}"
        yield f"/v1/item-list?region={region}&cursor={cursor}"


def _searching() -> Iterator[str]:
    for number in count(1):
        query = QUERIES[number % len(QUERIES)].format(number=number * 7_919 % (ROWS // 2))
        within = ("", "&region=620900", "&region=620200", "&region=620700")[number % 4]
        yield f"/v1/item-list?q={quote(query)}{within}"


class ItemListLoad:
    """Rounds of requests to the gateway that `site_with_lists` made."""

    def __init__(self, site: Site, pid: int, portal_port: int) -> None:
        self._pid = pid
        self._base = f"http://127.0.0.1:{portal_port}"
        config, now_s = load_config(site.config, {}), SystemClock().now_ms() // 1000
        unit = site.identity.unit
        self._token = issue_token(config, unit=unit, subject="bench", scopes=SCOPES, now_s=now_s)
        self._paths = {"items_list": _listing(), "items_search": _searching()}

    async def run(self, workload: str, calls: int) -> Round:
        """Ask `calls` times, two at once."""
        headers = {"Authorization": f"Bearer {self._token}"}
        paths = self._paths[workload]
        async with aiohttp.ClientSession(self._base, headers=headers) as session:

            def one(path: str) -> Callable[[], Awaitable[int]]:
                async def get() -> int:
                    async with session.get(path) as response:
                        body = await response.read()
                        assert response.status == 200, body
                    return 1

                return get

            asked = [one(next(paths)) for _ in range(calls)]
            return await run_round(self._pid, asked, at_once=2)
