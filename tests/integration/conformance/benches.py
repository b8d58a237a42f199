"""A real gateway on loopback, judged by the kit as one of its partners."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.pki.issuing import Authority, issue_signing
from gateway.adapters.pki.key_files import write_key
from gateway.adapters.pki.suites import ES256, SuiteVerifier
from gateway.adapters.system.clock import SystemClock
from gateway.app.config import Config
from gateway.app.conformance import Named, bench_of, find_target, line_to, sender_of
from gateway.app.partners import load_book
from gateway.app.provision import Site
from gateway.conformance.bench import Bench, Line, Target
from gateway.conformance.case_files import Case, load_cases
from gateway.conformance.running import Result, Status, run_cases
from gateway.kernel.identifiers import GatewayId
from gateway.ports.directory import Book
from tests.support.world import Node, config_of, make_pair, run_nodes

DAY_MS = 86_400_000
CALL_S = 10.0


@dataclass
class Judged:
    """Jiayuguan's gateway runs; the kit acts as Jiuquan."""

    jiuquan: Site
    jiayuguan: Site
    config: Config
    book: Book
    node: Node | None
    keys: dict[str, Path]

    def target(self) -> Target:
        now_ms = SystemClock().now_ms()
        return find_target(self.config, self.book, "jiayuguan", Named(), now_ms)

    def bench(self, line: Line) -> Bench:
        now_ms = SystemClock().now_ms()
        target = self.target()
        sender = sender_of(
            self.config, self.book, now_ms, self.keys.get("expired"), self.keys.get("future")
        )
        return bench_of(sender, target, line)

    async def judge(self) -> list[Result]:
        """Run every case against the true gateway."""
        line = line_to(self.config, self.target(), CALL_S)
        try:
            return await results_of(self.bench(line))
        finally:
            await line.close()


def with_other_keys(jiuquan: Site, jiayuguan: Site) -> dict[str, Path]:
    """Register at Jiayuguan two keys of Jiuquan's: one that has expired, one not yet valid."""
    now_ms = SystemClock().now_ms()
    keys = jiuquan.root / "keys"
    authority = Authority(
        (keys / "authorities.pem").read_bytes(), (keys / "authority.key.pem").read_bytes()
    )
    entry = jiayuguan.root / "partners" / "jiuquan"
    spans = {
        "expired": (now_ms - 3_000_000, now_ms - DAY_MS // 1440),
        "future": (now_ms + 20 * DAY_MS, now_ms + 40 * DAY_MS),
    }
    made = {}
    for name, (begin, end) in spans.items():
        issued = issue_signing(
            authority,
            jiuquan.identity.gateway_id,
            ES256,
            common_name=f"示例 {name}",
            not_before_ms=begin,
            not_after_ms=end,
        )
        made[name] = keys / f"{name}.key.pem"
        write_key(made[name], issued.key)
        (entry / "keys" / f"{name}.pem").write_bytes(issued.certificate)
    path = entry / "partner.toml"
    text = path.read_text("utf-8")
    more = ', "keys/expired.pem", "keys/future.pem"]'
    line = next(li for li in text.splitlines() if li.startswith("signing_certificates"))
    path.write_text(text.replace(line, line.removesuffix("]") + more), "utf-8")
    return made


@asynccontextmanager
async def judged(root: Path, *, other_keys: bool = True) -> AsyncIterator[Judged]:
    jiuquan, jiayuguan = make_pair(root)
    keys = with_other_keys(jiuquan, jiayuguan) if other_keys else {}
    config = config_of(jiuquan)
    book = load_book(config.partners_dir, GatewayId("620900"), SuiteVerifier(), demo=True)
    async with run_nodes([jiayuguan]) as (node,):
        yield Judged(jiuquan, jiayuguan, config, book, node, keys)


async def results_of(bench: Bench, cases: Sequence[Case] | None = None) -> list[Result]:
    return await run_cases(bench, cases or load_cases(), lambda _: None)


def failures(results: Sequence[Result]) -> dict[str, str]:
    return {r.id: f"step {r.step}: {r.reason}" for r in results if r.status is Status.FAILED}
