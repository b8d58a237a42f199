"""A partner that misbehaves holds up nobody but itself, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.system.clock import SystemClock
from gateway.app.provision import add_items, agree, introduce, make_site
from tests.simulators.unruly_gateway import Manner, UnrulyGateway
from tests.support.world import (
    JIAYUGUAN,
    JIUQUAN,
    PARTNERS,
    QUERY,
    ZHANGYE,
    Node,
    agreement_bytes,
    run_nodes,
    sample_form,
    site_at,
)

from .reloads import asked, rewrite, until

JYG, ZY = "620200", "620700"
WISH = {
    "item_code": QUERY,
    "mode": "online",
    "purpose": "enterprise-information-query",
    "form": sample_form("enterprise_query"),
    "materials": [],
}


class Trio:
    """Jiuquan's gateway, and two partners that answer as told."""

    def __init__(self, node: Node, good: UnrulyGateway, bad: UnrulyGateway) -> None:
        self.node, self.good, self.bad = node, good, bad

    async def submit(self, region: str) -> str:
        wish = {**WISH, "region": region}
        case = await self.node.call("POST", "/v1/cases", json_body=wish, wanted=201)
        return str(case["case_id"])

    async def lane(self, partner: str) -> dict[str, Any]:
        lanes = (await asked(self.node.config, "lane-list"))["lanes"]
        (found,) = [lane for lane in lanes if lane["partner"] == partner]
        return dict(found)


@pytest.fixture
async def trio(tmp_path: Path) -> AsyncIterator[Trio]:
    now_ms = SystemClock().now_ms()
    jiuquan, *others = (site_at(tmp_path, who) for who in (JIUQUAN, JIAYUGUAN, ZHANGYE))
    make_site(jiuquan, now_ms, demo=True)
    authorities = (jiuquan.root / "keys" / "authorities.pem").read_bytes()
    async with AsyncExitStack() as stack:
        partners = []
        for site in others:
            make_site(site, now_ms, demo=True)
            add_items(site, PARTNERS / "jiayuguan" / "items")
            introduce(site, jiuquan)
            introduce(jiuquan, site)
            content = agreement_bytes().replace(b"620200", site.identity.gateway_id.encode())
            agree(jiuquan, site, content, now_ms)
            gateway = UnrulyGateway(site)
            partners.append(await stack.enter_async_context(gateway.listening(authorities)))
        entry = jiuquan.root / "partners" / "zhangye" / "partner.toml"
        entry.write_text(entry.read_text() + "\n[limits]\nanswer_s_max = 1\n")
        (node,) = await stack.enter_async_context(run_nodes([jiuquan]))
        yield Trio(node, *partners)


@pytest.mark.parametrize("manner", [Manner.HANG, Manner.GARBAGE, Manner.FORGED])
async def test_its_breaker_opens_others_go_on_and_nothing_is_lost_once_it_is_well(
    trio: Trio, manner: Manner
) -> None:
    trio.bad.manner = manner
    stuck = [await trio.submit(ZY) for _ in range(5)]

    async def opened() -> bool:
        return bool((await trio.lane(ZY))["breaker"] in ("open", "half_open"))

    await until(opened)
    well = [await trio.submit(JYG) for _ in range(5)]

    async def arrived() -> bool:
        return trio.good.arrived.keys() >= set(well)

    await until(arrived)
    assert (await trio.lane(JYG))["breaker"] == "closed"
    calls = trio.bad.calls[manner]
    assert calls <= 8, "left alone once it is known to be unwell"
    trio.bad.manner = Manner.RIGHT
    await asked(trio.node.config, "lane-resume", partner=ZY)

    async def delivered() -> bool:
        lane = await trio.lane(ZY)
        return bool(trio.bad.arrived.keys() >= set(stuck) and lane["queued"] == 0)

    await until(delivered)
    assert (await trio.lane(ZY))["breaker"] == "closed"


async def test_one_that_answers_slowly_has_never_more_calls_than_agreed(trio: Trio) -> None:
    folder = trio.node.site.root / "partners" / "zhangye"
    rewrite(folder, "answer_s_max = 1", "answer_s_max = 20\nlane_calls_max = 1")
    await asked(trio.node.config, "partner-reload")
    trio.bad.manner = Manner.SLOW
    stuck = [await trio.submit(ZY)]

    async def under_way() -> bool:
        return bool((await trio.lane(ZY))["under_way"] == 1)

    await until(under_way)
    stuck += [await trio.submit(ZY) for _ in range(3)]
    well = await trio.submit(JYG)

    async def arrived() -> bool:
        return well in trio.good.arrived

    await until(arrived)
    assert (await trio.lane(ZY))["under_way"] == 1
    assert trio.bad.calls[Manner.SLOW] == 1

    async def all_there() -> bool:
        return trio.bad.arrived.keys() >= set(stuck)

    await until(all_there)
    assert (await trio.lane(ZY))["breaker"] == "closed", "slow is not down"
