"""What one partner that misbehaves costs the others: p99 of their deliveries, with it and without.

`python -m benchmarks.containment [--quick] [--rounds N] [--seconds S] [--only MANNER ...]`. One
gateway (`kuayu serve`) with two partners: one that behaves, whose deliveries in both directions are
timed, and one that misbehaves in one way at a time. Without and with take turns, each pair in
another order; ratios are of neighbours, and their median is told. `README.md` here says more.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import aiohttp
import grpc
from rich.console import Console
from rich.table import Table

from benchmarks.run import SERVE, Child, start
from gateway.adapters.system.clock import SystemClock
from gateway.app.collector import settle_collector
from gateway.app.config import load_config
from gateway.app.provision import Identity, Site, add_items, agree, introduce, make_site
from gateway.app.tokens import SCOPES, issue_token
from gateway.kernel.digests import digest
from gateway.wire import calls
from tests.simulators.unruly_gateway import Manner, UnrulyGateway
from tests.support.peer import Line, Peer, open_channel
from tests.support.world import (
    JIAYUGUAN,
    JIUQUAN,
    PARTNERS,
    QUERY,
    ZHANGYE,
    agreement_bytes,
    sample_form,
    site_at,
)

INBOUND_PER_S: Final = 100
OUTBOUND_PER_S: Final = 50
TO_UNRULY_PER_S: Final = 10
FLOOD_AT_ONCE: Final = 64
LIMITS: Final = "\n[limits]\nmessages_per_s = 20\nmessages_burst = 40\nanswer_s_max = 2\n"
"""Of the partner that misbehaves: twice what it says when it behaves."""

SAYS: Final = ("flood", "loop")
_ANSWERS: Final = {manner.value: manner for manner in Manner}
MANNERS: Final = ("control", "hang", "slow", "garbage", "forged", *SAYS)


class Seen(NamedTuple):
    """p99 of one segment, in ms."""

    inbound: float
    outbound: float


def sites_at(root: Path) -> tuple[Site, Site, Site]:
    """Provision the gateway and its two partners, agreed with each."""
    now_ms = SystemClock().now_ms()

    def made(who: Identity) -> Site:
        site = site_at(root, who)
        make_site(site, now_ms, demo=True)
        return site

    own, well, unruly = made(JIUQUAN), made(JIAYUGUAN), made(ZHANGYE)
    for site in (well, unruly):
        add_items(site, PARTNERS / "jiayuguan" / "items")
        introduce(site, own)
        introduce(own, site)
        agree(own, site, _agreement(site), now_ms)
    entry = own.root / "partners" / "zhangye" / "partner.toml"
    entry.write_text(entry.read_text("utf-8") + LIMITS, "utf-8")
    return own, well, unruly


def _agreement(site: Site) -> bytes:
    return agreement_bytes().replace(b"620200", site.identity.gateway_id.encode())


def peer_of(site: Site, to: Site, port: int) -> Peer:
    """Return a partner that may say anything, on a connection of its own."""
    keys = site.root / "keys"
    channel = open_channel(
        port,
        authorities=(to.root / "keys" / "authorities.pem").read_bytes(),
        key=(keys / "transport.key.pem").read_bytes(),
        certificate=(keys / "transport.pem").read_bytes(),
    )
    return Peer(site, to, digest(_agreement(site)), SystemClock(), Line(channel))


async def paced(
    per_s: int, seconds: float, call: Callable[[], Awaitable[float | None]]
) -> list[float]:
    """Begin `per_s` calls a second, answered or not; return their times from when each was due.

    A call may tell by itself when it was over; else it is when it returns.
    """
    took: list[float] = []
    begun = time.perf_counter()

    async def one(due: float) -> None:
        over = await call()
        took.append(((over or time.perf_counter()) - due) * 1e3)

    async with asyncio.TaskGroup() as group:
        for number in range(int(per_s * seconds)):
            due = begun + number / per_s
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(one(due), name="load")
    return took


def p99(took: list[float]) -> float:
    """Return the value that 1 % of `took` exceeds."""
    return sorted(took)[min(len(took) - 1, int(len(took) * 0.99))]


class Bench:
    """The gateway under test, and what both partners do."""

    def __init__(
        self,
        own: Site,
        child: Child,
        well: UnrulyGateway,
        unruly: UnrulyGateway,
        peers: tuple[Peer, Peer],
        http: aiohttp.ClientSession,
    ) -> None:
        self._own = own
        self._child = child
        self._well = well
        self._unruly = unruly
        self._peer, self._unruly_peer = peers
        self._http = http

    async def segment(self, manner: str, seconds: float) -> Seen:
        """Time the partner that behaves while the other does as `manner` says."""
        self._unruly.manner = _ANSWERS.get(manner, Manner.RIGHT)
        pings = iter([self._peer.ping().raw for _ in range(int(INBOUND_PER_S * seconds))])

        async def heard() -> None:
            (answer,) = await self._peer.line.deliver([next(pings)])
            assert isinstance(answer, bytes), answer

        async def sent() -> float:
            case_id = await self._submit("620200")
            async with asyncio.timeout(60):
                while case_id not in self._well.arrived:  # noqa: ASYNC110 - a clock runs here
                    await asyncio.sleep(0.001)
            return self._well.arrived[case_id]

        async def to_unruly() -> None:
            await self._submit("620700")

        with self._saying(manner):
            await asyncio.sleep(1.0)  # whatever it does has begun
            inbound, outbound, _ = await asyncio.gather(
                paced(INBOUND_PER_S, seconds, heard),
                paced(OUTBOUND_PER_S, seconds, sent),
                paced(TO_UNRULY_PER_S, seconds, to_unruly),
            )
        await self._settle()
        return Seen(p99(inbound), p99(outbound))

    async def _submit(self, region: str) -> str:
        wish = {
            "region": region,
            "item_code": QUERY,
            "mode": "online",
            "purpose": "enterprise-information-query",
            "form": sample_form("enterprise_query"),
            "materials": [],
        }
        url = f"http://127.0.0.1:{self._child.portal_port}/v1/cases"
        async with self._http.post(url, json=wish) as answer:
            body = await answer.read()
            assert answer.status == 201, body
        return str(json.loads(body)["case_id"])

    @contextmanager
    def _saying(self, manner: str) -> Iterator[None]:
        """Have a process of its own say what the partner says too often."""
        if manner not in SAYS:
            yield
            return
        folder, port = self._unruly_peer.site.root.parent, self._child.exchange_port
        said = f"from benchmarks.containment import say; say({str(folder)!r}, {port}, {manner!r})"
        process = subprocess.Popen([sys.executable, "-c", said], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()  # it has begun
        try:
            yield
        finally:
            process.kill()
            process.communicate()

    async def _settle(self) -> None:
        """Let the partner behave until nothing of the segment is left."""
        self._unruly.manner = Manner.RIGHT
        async with asyncio.timeout(120):
            while await self._queued():
                await self._act("lane-resume", partner="620700")
                await asyncio.sleep(0.5)

    async def _queued(self) -> int:
        lanes = (await self._act("lane-list"))["lanes"]
        return sum(lane["queued"] for lane in lanes)

    async def _act(self, command: str, **arguments: str) -> dict[str, Any]:
        path = os.fspath(load_config(self._own.config, {}).operator.socket)
        connector = aiohttp.UnixConnector(path)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(f"http://operator/v1/{command}", json=arguments) as answer,
        ):
            found: dict[str, Any] = json.loads(await answer.read())
            return found


def say(root: str, port: int, manner: str) -> None:
    """Say too much for ever: new messages (`flood`), or one message again and again (`loop`)."""
    asyncio.run(_say(Path(root), port, manner))


async def _say(root: Path, port: int, manner: str) -> None:
    own, unruly = (Site(root / who.folder, who, "", "") for who in (JIUQUAN, ZHANGYE))
    peer = peer_of(unruly, own, port)
    count = 2_000 if manner == "flood" else 1
    raws = [calls.encode_deliver([peer.ping().raw]) for _ in range(count)]
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = peer.line.channel.unary_unary(
        f"/{calls.SERVICE}/Deliver"
    )

    async def one(first: int) -> None:
        number = first
        while True:
            with suppress(grpc.aio.AioRpcError):  # refused: it does not listen, and asks again
                await call(raws[number % count], timeout=20.0)
            number += FLOOD_AT_ONCE

    print("begun", flush=True)
    await asyncio.gather(*(one(number) for number in range(FLOOD_AT_ONCE)))


async def _measure(
    root: Path, manners: list[str], rounds: int, seconds: float, console: Console
) -> dict[str, list[tuple[Seen, Seen]]]:
    own, well_site, unruly_site = sites_at(root)
    authorities = (own.root / "keys" / "authorities.pem").read_bytes()
    seen: dict[str, list[tuple[Seen, Seen]]] = {manner: [] for manner in manners}
    async with AsyncExitStack() as stack:
        well, unruly = UnrulyGateway(well_site), UnrulyGateway(unruly_site)
        for gateway in (well, unruly):
            await stack.enter_async_context(gateway.listening(authorities))
        processes = stack.enter_context(ExitStack())
        child = await asyncio.to_thread(start, processes, *SERVE, str(own.config))
        token = issue_token(
            load_config(own.config, {}),
            unit=own.identity.unit,
            subject="bench",
            scopes=SCOPES,
            now_s=SystemClock().now_ms() // 1000,
        )
        headers = {"Authorization": f"Bearer {token}"}
        http = await stack.enter_async_context(aiohttp.ClientSession(headers=headers))
        peers = [peer_of(site, own, child.exchange_port) for site in (well_site, unruly_site)]
        for peer in peers:
            stack.push_async_callback(peer.line.channel.close)
        bench = Bench(own, child, well, unruly, (peers[0], peers[1]), http)
        settle_collector()  # what stops this process must not be told of the gateway
        await bench.segment("control", seconds)  # warms caches and connections up
        for number in range(rounds):
            for manner in manners:
                with console.status(f"round {number + 1} of {rounds}: {manner}"):
                    turns = ["control", manner] if number % 2 == 0 else [manner, "control"]
                    pair = [await bench.segment(turn, seconds) for turn in turns]
                without, with_it = pair if number % 2 == 0 else pair[::-1]
                seen[manner].append((without, with_it))
    return seen


def _report(
    seen: dict[str, list[tuple[Seen, Seen]]], console: Console
) -> dict[str, dict[str, float]]:
    table = Table(title="p99 of the partner that behaves, ms; medians over rounds")
    for column in ("the other one", "in without", "in with", "ratio", "out without", "out with",
                   "ratio"):  # fmt: skip
        table.add_column(column, justify="right")
    report: dict[str, dict[str, float]] = {}
    for manner, pairs in seen.items():
        row: dict[str, float] = {}
        for way in Seen._fields:
            times = [(getattr(a, way), getattr(b, way)) for a, b in pairs]
            row[f"{way}_without_ms"] = round(median(a for a, _ in times), 2)
            row[f"{way}_with_ms"] = round(median(b for _, b in times), 2)
            row[f"{way}_ratio"] = round(median(b / a for a, b in times), 2)
        report[manner] = row
        table.add_row(manner, *(f"{value:.2f}" for value in row.values()))
    console.print(table)
    return report


def main() -> None:
    """Run every manner, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=6.0, help="of one segment")
    parser.add_argument("--only", nargs="+", choices=MANNERS, default=list(MANNERS))
    parser.add_argument("--out", type=Path, default=Path("build/containment.json"))
    parser.add_argument("--quick", action="store_true", help="a look: 1 round of 2 seconds")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds = 1, 2.0
    console = Console(stderr=False)
    with tempfile.TemporaryDirectory(prefix="kuayu-contain-") as folder:
        seen = asyncio.run(
            _measure(Path(folder), arguments.only, arguments.rounds, arguments.seconds, console)
        )
    report = _report(seen, console)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
