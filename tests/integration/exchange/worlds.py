"""One gateway that listens, and two partners that may send it anything."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from gateway.adapters.system.clock import SystemClock
from gateway.app.provision import Site, add_items, agree, introduce, make_site
from gateway.app.wiring import Seams
from gateway.kernel.digests import digest
from gateway.kernel.envelope import Header
from tests.fakes.clock import FixedClock
from tests.support.peer import Line, Peer, open_channel
from tests.support.world import (
    JIAYUGUAN,
    JIUQUAN,
    PARTNERS,
    ZHANGYE,
    Node,
    agreement_bytes,
    run_nodes,
    site_at,
)

MINUTE_MS = 60_000
DAY_MS = 86_400_000

_BACKGROUND = frozenset({"outbox", "counters", "lanes", "alembic_version", "sqlite_sequence"})
"""Written by lanes and probes whenever they like; no message from a partner writes there."""

_BY_MESSAGE = ("messages", "second_receipts", "ledger_pending")


class JournalFile:
    """Looks into a gateway's SQLite file through connections that can only read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._uri = f"file:{path}?mode=ro"

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self._uri, uri=True)) as connection:
            return connection.execute(sql, values).fetchall()

    def holds(self, header: Header) -> dict[str, int]:
        """Return how many rows each table has under a message's id; tables without are left out."""
        found = {}
        for table in _BY_MESSAGE:
            sql = f"SELECT count(*) FROM {table} WHERE sender = ? AND message_id = ?"
            (count,) = self.rows(sql, header.sender, header.message_id)[0]
            if count:
                assert isinstance(count, int)
                found[table] = count
        return found

    def receipts(self, header: Header, header_digest: bytes) -> list[bytes]:
        """Return the receipts stored for a header, first or second under its id."""
        where = "WHERE sender = ? AND message_id = ? AND header_digest = ?"
        values = (header.sender, header.message_id, header_digest)
        first = self.rows(f"SELECT receipt FROM messages {where}", *values)
        second = self.rows(f"SELECT receipt FROM second_receipts {where}", *values)
        return [bytes(r) for (r,) in first + second if isinstance(r, bytes)]

    def envelope(self, header: Header) -> bytes:
        sql = "SELECT envelope FROM messages WHERE sender = ? AND message_id = ?"
        found = self.rows(sql, header.sender, header.message_id)[0][0]
        assert isinstance(found, bytes)
        return found

    def ledger(self, header: Header) -> list[tuple[object, ...]]:
        sql = "SELECT kind, digest FROM ledger_pending WHERE sender = ? AND message_id = ?"
        return self.rows(sql, header.sender, header.message_id)

    def case(self, header: Header) -> tuple[object, ...] | None:
        sql = "SELECT * FROM cases WHERE origin = ? AND case_id = ?"
        found = self.rows(sql, header.case_origin, header.case_id)
        return found[0] if found else None

    def stage(self, header: Header) -> object:
        sql = "SELECT stage FROM cases WHERE origin = ? AND case_id = ?"
        found = self.rows(sql, header.case_origin, header.case_id)
        return found[0][0] if found else None

    def cases(self) -> str:
        return self._table("cases")

    def everything(self) -> dict[str, str]:
        """Return a digest of each table's content, but for what runs in the background."""
        names = self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            name: self._table(name)
            for (name,) in names
            if isinstance(name, str) and name not in _BACKGROUND
        }

    def _table(self, name: str) -> str:
        rows = sorted(map(repr, self.rows(f"SELECT * FROM {name}")))
        return sha256("\n".join(rows).encode()).hexdigest()


@dataclass
class World:
    """Jiayuguan's gateway runs; Jiuquan and Zhangye are played by the test."""

    node: Node
    jiuquan: Peer
    zhangye: Peer
    clock: FixedClock
    journal: JournalFile

    @contextmanager
    def later(self, ms: int) -> Iterator[None]:
        """Let the gateway and the partners live at another time while the block runs."""
        self.clock.step(ms)
        try:
            yield
        finally:
            self.clock.step(-ms)

    def zhangye_channel_as(self, peer: Peer) -> Peer:
        """Return `peer` speaking over Zhangye's connection."""
        return peer.with_line(self.zhangye.line)


def zhangye_agreement() -> bytes:
    """Return the sample agreement as Zhangye would have it."""
    text = agreement_bytes().decode()
    return text.replace("620900", "620700").replace("酒泉", "张掖").encode()


def own_channel(site: Site, to: Site, port: int) -> Line:
    """Open a connection with a site's own transport certificate."""
    keys = site.root / "keys"
    channel = open_channel(
        port,
        authorities=(to.root / "keys" / "authorities.pem").read_bytes(),
        key=(keys / "transport.key.pem").read_bytes(),
        certificate=(keys / "transport.pem").read_bytes(),
    )
    return Line(channel)


def nothing(_site: Site) -> None:
    """Change nothing."""


@asynccontextmanager
async def exchange_world(
    root: Path,
    *,
    content: bytes | None = None,
    suites: tuple[str, ...] = ("ES256",),
    prepare: Callable[[Site], None] = nothing,
) -> AsyncIterator[World]:
    """Provision three sites and run Jiayuguan's gateway under a clock that the test moves.

    `content` is the agreement with Jiuquan; `prepare` may change Jiayuguan's files last.
    """
    now_ms = SystemClock().now_ms()
    clock = FixedClock(now_ms)
    jiuquan, jiayuguan, zhangye = (
        site_at(root, who, suites) for who in (JIUQUAN, JIAYUGUAN, ZHANGYE)
    )
    for site in (jiuquan, jiayuguan, zhangye):
        make_site(site, now_ms, demo=True)
    add_items(jiayuguan, PARTNERS / "jiayuguan" / "items")
    contents = {jiuquan: content or agreement_bytes(), zhangye: zhangye_agreement()}
    for site, agreed in contents.items():
        introduce(site, jiayuguan)
        introduce(jiayuguan, site)
        agree(site, jiayuguan, agreed, now_ms)
    prepare(jiayuguan)
    async with AsyncExitStack() as stack:
        seams = Seams(clock=clock)
        (node,) = await stack.enter_async_context(run_nodes([jiayuguan], seams))
        peers = []
        for site, agreed in contents.items():
            line = own_channel(site, jiayuguan, node.running.exchange_port)
            stack.push_async_callback(line.channel.close)
            peers.append(Peer(site, jiayuguan, digest(agreed), clock, line, suites))
        yield World(node, peers[0], peers[1], clock, JournalFile(jiayuguan.journal))
