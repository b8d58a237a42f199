"""How much a partner may say in a second, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from gateway.adapters.outlets.grpc import GrpcOutlet
from gateway.adapters.system.clock import SystemClock
from gateway.app.provision import Site
from gateway.kernel.digests import digest
from gateway.kernel.faults import FaultCode as F
from gateway.ports.outlet import OutletDown
from tests.integration.exchange.worlds import own_channel
from tests.support.peer import CallRefused, Peer, Refusal
from tests.support.world import Node, agreement_bytes, make_pair, run_nodes

from .reloads import reload, rewrite

LIMITS = "\n[limits]\nmessages_per_s = {}\nmessages_burst = {}\n"


def set_rate(site: Site, per_s: int, burst: int) -> Path:
    folder = site.root / "partners" / "jiuquan"
    path = folder / "partner.toml"
    path.write_text(path.read_text() + LIMITS.format(per_s, burst))
    return folder


class Said:
    """A gateway that listens to Jiuquan at a rate of the test's, and Jiuquan."""

    def __init__(self, node: Node, peer: Peer, folder: Path) -> None:
        self.node, self.peer, self.folder = node, peer, folder

    async def refusal(self, *sealed: object) -> Refusal:
        with pytest.raises(CallRefused) as refused:
            await self.peer.deliver(*sealed)  # type: ignore[arg-type]
        return refused.value.refusal


@pytest.fixture
async def said(tmp_path: Path) -> AsyncIterator[Said]:
    """One message a minute in the long run, three at once."""
    jq, jyg = make_pair(tmp_path)
    folder = set_rate(jyg, 1, 3)
    async with run_nodes([jyg]) as (node,):
        line = own_channel(jq, jyg, node.running.exchange_port)
        yield Said(node, Peer(jq, jyg, digest(agreement_bytes()), SystemClock(), line), folder)
        await line.channel.close()


async def test_what_is_over_the_rate_is_refused_by_its_own_rule_and_heard_after_the_wait(
    said: Said,
) -> None:
    for _ in range(3):
        (answer,) = await said.peer.deliver(said.peer.ping())
        assert isinstance(answer, bytes)
    unread = said.peer.ping()._replace(header_bytes=b"\xff never parsed")
    assert await said.refusal(unread) == Refusal(
        grpc.StatusCode.RESOURCE_EXHAUSTED, F.LIMIT_PARTNER_RATE
    )
    async with asyncio.timeout(20):
        while True:
            try:
                (answer,) = await said.peer.deliver(said.peer.ping())
            except CallRefused as refused:
                assert refused.refusal.rule is F.LIMIT_PARTNER_RATE
            else:
                break
    assert isinstance(answer, bytes)


async def test_a_call_is_let_in_whole_and_its_messages_are_counted(said: Said) -> None:
    answers = await said.peer.deliver(*(said.peer.ping() for _ in range(30)))
    assert all(isinstance(answer, bytes) for answer in answers)
    refusal = await said.refusal(said.peer.ping())
    assert refusal.rule is F.LIMIT_PARTNER_RATE


async def test_a_gateway_that_is_refused_so_knows_how_long_to_wait(said: Said) -> None:
    await said.peer.deliver(*(said.peer.ping() for _ in range(30)))
    keys = said.peer.site.root / "keys"
    outlet = GrpcOutlet(
        f"127.0.0.1:{said.node.running.exchange_port}",
        key=(keys / "transport.key.pem").read_bytes(),
        certificate_chain=(keys / "transport.pem").read_bytes(),
        authorities=(said.peer.to.root / "keys" / "authorities.pem").read_bytes(),
    )
    with pytest.raises(OutletDown) as held:
        await outlet.deliver([said.peer.ping().raw], 10.0)
    await outlet.close()
    assert held.value.reason == "limit.partner_rate"
    assert 20_000 < held.value.retry_after_ms <= 28_000


async def test_another_rate_holds_from_the_next_reload(said: Said) -> None:
    await said.peer.deliver(*(said.peer.ping() for _ in range(30)))
    rewrite(said.folder, "messages_per_s = 1$", "messages_per_s = 1000000")
    assert (await reload(said.node))["changed"] == ["620900"]
    (answer,) = await said.peer.deliver(said.peer.ping())
    assert isinstance(answer, bytes)


async def test_one_partner_over_its_rate_takes_nothing_from_another(said: Said) -> None:
    """The gateway's own portal and its partner go on while a whole connection is held up."""
    await said.peer.deliver(*(said.peer.ping() for _ in range(200)))
    flood = [asyncio.ensure_future(said.refusal(said.peer.ping())) for _ in range(60)]
    for _ in range(20):
        await said.node.call("GET", "/v1/cases", wanted=200)
    assert not any(done.done() for done in flood), "held up, not answered at once"
    rules = {refusal.rule for refusal in await asyncio.gather(*flood)}
    assert rules == {F.LIMIT_PARTNER_RATE}
