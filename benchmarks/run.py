"""First numbers: exchanges/s, latency and server CPU per exchange, as ratios in one run.

`python -m benchmarks.run [--quick] [--rounds N] [--calls N] [--out FILE]`. Workloads take turns,
round by round, so that a machine whose speed drifts treats them alike. Load comes from this
process; the echo and three gateways (`kuayu serve`) are processes of their own. `README.md` here
says more.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import aiohttp
import grpc
from rich.console import Console
from rich.table import Table

from benchmarks import allowing
from benchmarks.echo_servers import METHOD
from benchmarks.item_lists import ROWS, ItemListLoad, site_with_lists
from benchmarks.measure import Round, middle, run_round
from benchmarks.messages import MessageMaker, ReceiptReader, without_required_materials
from gateway.app.config import load_config
from gateway.app.provision import Site
from gateway.app.tokens import SCOPES, issue_token
from gateway.wire import calls
from tests.support.world import agreement_bytes, make_pair, sample_form

AT_ONCE = {1: 32, 64: 4}
SERVE = ("gateway.app.cli.main", "serve", "--config")
REFERENCE = dict.fromkeys(("portal_submit", "items_list", "items_search"), "http_echo")


class Child(NamedTuple):
    """A server process and its ports."""

    pid: int
    exchange_port: int
    portal_port: int


def start(stack: ExitStack, *arguments: str) -> Child:
    """Start a server of this package and wait until it tells its ports."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "KUAYU_LOG__LEVEL": "WARNING"},
    )
    stack.callback(process.wait)
    stack.callback(process.terminate)
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    return Child(process.pid, told["exchange_port"], told["portal_port"])


class Bench:
    """The servers, and one method a workload that runs a round of it."""

    def __init__(self, sender: Site, recipient: Site, children: dict[str, Child]) -> None:
        self._children = children
        self._maker = MessageMaker(sender, recipient, agreement_bytes(), sample_form())
        self._reader = ReceiptReader(sender, recipient)
        keys = sender.root / "keys"
        self._credentials = grpc.ssl_channel_credentials(
            (recipient.root / "keys" / "authorities.pem").read_bytes(),
            (keys / "transport.key.pem").read_bytes(),
            (keys / "transport.pem").read_bytes(),
        )
        self._token = issue_token(
            load_config(sender.config, {}),
            unit=sender.identity.unit,
            subject="bench",
            scopes=SCOPES,
            now_s=self._maker.now_s(),
        )
        self._case = {
            "region": "620200",
            "item_code": "00013112700402",
            "mode": "collect_on_behalf",
            "purpose": "branch-registration",
            "identity": {"method": "in_person_id_card"},
        }

    async def exchange(self, to: str, method: str, batch: int, count: int) -> Round:
        """Deliver, or echo, `count` calls of `batch` envelopes each.

        Messages are made before the clock runs, receipts are checked after it has stopped.
        """
        made = self._maker.envelopes(count * batch, batch)
        sent = [made[i : i + batch] for i in range(0, len(made), batch)]
        answers: list[tuple[list[bytes], bytes]] = []
        child = self._children[to]
        options = [("grpc.max_receive_message_length", 1 << 24)]
        async with grpc.aio.secure_channel(
            f"127.0.0.1:{child.exchange_port}", self._credentials, options
        ) as channel:
            call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
            await channel.channel_ready()

            def one(envelopes: list[bytes]) -> Callable[[], Awaitable[int]]:
                raw = calls.encode_deliver(envelopes)

                async def send() -> int:
                    answers.append((envelopes, await call(raw)))
                    return batch

                return send

            found = await run_round(child.pid, [one(e) for e in sent], at_once=AT_ONCE[batch])
        if method == METHOD:
            assert all(answer == calls.encode_deliver(e) for e, answer in answers)
        else:
            self._require_receipts(answers)
        return found

    def _require_receipts(self, answers: list[tuple[list[bytes], bytes]]) -> None:
        checks = set()
        for envelopes, answer in answers:
            checks |= self._reader.require(envelopes, answer, self._maker.now_ms())
        self._reader.verify(checks)

    async def http(self, to: str, path: str, count: int) -> Round:
        """Post `count` cases; at the gateway, until every receipt is in."""
        child = self._children[to]
        base = f"http://127.0.0.1:{child.portal_port}"
        headers = {"Authorization": f"Bearer {self._token}"}
        cases = iter([{**self._case, "form": self._maker.next_form()} for _ in range(count)])
        async with aiohttp.ClientSession(headers=headers) as session:

            async def post() -> int:
                async with session.post(base + path, json=next(cases)) as response:
                    body = await response.read()
                    assert response.status == 201, body
                return 1

            async def receipted() -> None:
                while True:
                    async with session.get(f"{base}/v1/cases?limit=200") as response:
                        found = (await response.json())["cases"]
                    if not any(case["unconfirmed"] for case in found):
                        return
                    await asyncio.sleep(0.05)

            settle = None if to == "echo" else receipted
            return await run_round(child.pid, [post] * count, at_once=16, settle=settle)


async def _rounds(
    bench: Bench, lists: ItemListLoad, rounds: int, count: int, console: Console
) -> dict[str, Round]:
    echo, deliver = METHOD, f"/{calls.SERVICE}/Deliver"
    workloads: dict[str, Callable[[], Awaitable[Round]]] = {
        "echo_1": lambda: bench.exchange("echo", echo, 1, count),
        "deliver_1": lambda: bench.exchange("recipient", deliver, 1, count),
        "echo_64": lambda: bench.exchange("echo", echo, 64, max(count // 40, 4)),
        "deliver_64": lambda: bench.exchange("recipient", deliver, 64, max(count // 40, 4)),
        "http_echo": lambda: bench.http("echo", "/echo", count),
        "portal_submit": lambda: bench.http("sender", "/v1/cases", max(count // 2, 16)),
        "items_list": lambda: lists.run("items_list", max(count // 2, 16)),
        "items_search": lambda: lists.run("items_search", max(count // 2, 16)),
    }
    seen: dict[str, list[Round]] = {name: [] for name in workloads}
    for number in range(rounds + 1):
        with console.status(f"round {number} of {rounds}" if number else "warming up"):
            for name, workload in workloads.items():
                found = await workload()
                if number:  # the first round warms caches and connections up
                    seen[name].append(found)
    return {name: middle(found) for name, found in seen.items()}


def _report(found: dict[str, Round], console: Console) -> dict[str, dict[str, float]]:
    table = Table(title="Kuayu: medians; CPU is the server's, per exchange")
    for column in ("workload", "exchanges/s", "CPU µs", "CPU ratio", "p50 ms", "p99 ms"):
        table.add_column(column, justify="left" if column == "workload" else "right")
    report: dict[str, dict[str, float]] = {}
    for name, r in found.items():
        reference = found[REFERENCE.get(name, "http_echo" if name == "http_echo" else "echo_1")]
        ratio = r.cpu_us / reference.cpu_us
        report[name] = {
            "exchanges_per_s": round(r.exchanges_per_s, 1),
            "cpu_us": round(r.cpu_us, 1),
            "cpu_ratio": round(ratio, 3),
            "p50_ms": round(r.p50_ms, 3),
            "p99_ms": round(r.p99_ms, 3),
        }
        table.add_row(name, *(f"{value:,.2f}" for value in report[name].values()))
    console.print(table)
    return report


def _decisions(count: int, console: Console) -> dict[str, dict[str, float]]:
    """Time, in this process, what a message costs before anything is looked up on a disk."""
    with console.status("deciding with 300 partners × 2,000 items"):
        found = allowing.run(count)
    table = Table("decision", "p50 µs", "p99 µs", title="300 partners × 2,000 items")
    for name, took in found.items():
        table.add_row(name, f"{took.p50_us:,.1f}", f"{took.p99_us:,.1f}")
    console.print(table)
    return {name: took._asdict() for name, took in found.items()}


def main() -> None:
    """Run the workloads, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=1200, help="calls of one envelope a round")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    parser.add_argument("--quick", action="store_true", help="a look in seconds: 2 rounds of 400")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.calls = 2, 400
    console = Console(stderr=False)
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kuayu-bench-")))
        sender, recipient = make_pair(root)
        for site in (sender, recipient):
            without_required_materials(site)
        # Each site holds the other's items too.
        shutil.rmtree(sender.root / "partners" / "jiayuguan" / "items")
        shutil.copytree(
            recipient.own_entry / "items", sender.root / "partners" / "jiayuguan" / "items"
        )
        keys = recipient.root / "keys"
        (keys / "peers.pem").write_bytes((sender.root / "keys" / "authorities.pem").read_bytes())
        listed, import_s = site_with_lists(root)
        console.print(f"importing {ROWS:,} rows of item lists: {import_s:.1f} s")
        children = {
            "echo": start(stack, "benchmarks.echo_servers", str(keys)),
            "recipient": start(stack, *SERVE, str(recipient.config)),
            "sender": start(stack, *SERVE, str(sender.config)),
            "lists": start(stack, *SERVE, str(listed.config)),
        }
        bench = Bench(sender, recipient, children)
        lists = ItemListLoad(listed, children["lists"].pid, children["lists"].portal_port)
        found = asyncio.run(_rounds(bench, lists, arguments.rounds, arguments.calls, console))
    report = _report(found, console)
    report |= _decisions(20 * arguments.calls, console)
    report["items_import"] = {"rows": ROWS, "seconds": round(import_s, 2)}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
