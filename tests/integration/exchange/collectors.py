"""A gateway whose two partners can only call out; a test plays both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from gateway.adapters.pki.key_files import load_signer
from gateway.adapters.system.clock import SystemClock
from gateway.app.provision import Site, add_items, agree, introduce, make_site
from gateway.app.wiring import Seams
from gateway.kernel.digests import TYPE_RECEIPT, digest, pae
from gateway.kernel.envelope import Attachment, AttachmentRef, Kind, Outcome, Receipt, Signature
from gateway.kernel.identifiers import parse_uuid7
from gateway.wire.envelopes import Envelope, decode_envelope
from gateway.wire.headers import decode_body
from gateway.wire.receipts import encode_receipt, encode_signed_receipt
from tests.fakes.clock import FixedClock
from tests.support.peer import Line
from tests.support.world import (
    JIAYUGUAN,
    JIUQUAN,
    PARTNERS,
    PDF,
    ZHANGYE,
    Node,
    agreement_bytes,
    branch_case,
    run_nodes,
    sample_files,
    site_at,
)

from .worlds import JournalFile, own_channel

QUERY_CASE = {
    "region": "620200",
    "item_code": "00013112700701",
    "mode": "online",
    "purpose": "enterprise-information-query",
    "form": {"uscc": "91620200MA0000000H", "query_purpose": "核对（示例）"},
    "identity": {"method": "real_name_account"},
}
LARGE = PDF + b"% sample\n" * 100_000
"""A file of four chunks."""


@dataclass
class Caller:
    """A partner that only calls out, with its real keys."""

    site: Site
    line: Line
    clock: FixedClock

    def receipt(
        self, raw: bytes, outcome: Outcome = Outcome.TAKEN_IN, /, **changes: object
    ) -> bytes:
        """Return what this partner signs of an envelope; `changes` go to the receipt."""
        header_bytes = decode_envelope(raw).header_bytes
        header = decode_envelope(raw).header
        said = Receipt(
            header.sender,
            self.site.identity.gateway_id,
            header.message_id,
            digest(header_bytes),
            self.clock.now_ms(),
            outcome,
        )
        encoded = encode_receipt(said._replace(**changes))  # type: ignore[arg-type]
        signer = load_signer(self.site.signing_keys[0])
        made = signer.sign(pae(TYPE_RECEIPT, encoded))
        return encode_signed_receipt(encoded, [Signature(signer.key_id, made)])

    async def collected(self, wait_ms: int = 0) -> list[bytes]:
        """Return what is handed out now."""
        return list((await self.line.collect(wait_ms=wait_ms)).envelopes)

    async def hand_in(self, *receipts: bytes) -> list[str]:
        """Hand in receipts and fetch nothing; return the rule of each answer."""
        answer = await self.line.collect(receipts, envelopes_max=0)
        assert answer.envelopes == ()
        return [one.rule for one in answer.receipts]


@dataclass
class Collecting:
    """Jiuquan's gateway runs; Jiayuguan and Zhangye call it."""

    sites: tuple[Site, Site, Site]
    clock: FixedClock = field(default_factory=lambda: FixedClock(SystemClock().now_ms()))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Bench]:
        """Run the gateway, anew each time, on the same files."""
        jiuquan, jiayuguan, zhangye = self.sites
        async with AsyncExitStack() as stack:
            seams = Seams(clock=self.clock)
            (node,) = await stack.enter_async_context(run_nodes([jiuquan], seams))
            callers = []
            for site in (jiayuguan, zhangye):
                line = own_channel(site, jiuquan, node.running.exchange_port)
                stack.push_async_callback(line.channel.close)
                callers.append(Caller(site, line, self.clock))
            yield Bench(node, callers[0], callers[1], self.clock, JournalFile(jiuquan.journal))


@dataclass
class Bench:
    """What a test looks at and plays with."""

    node: Node
    jiayuguan: Caller
    zhangye: Caller
    clock: FixedClock
    journal: JournalFile

    async def ask(self) -> str:
        """Open a case that waits for Jiayuguan; return its id."""
        case = await self.node.call("POST", "/v1/cases", json_body=QUERY_CASE, wanted=201)
        return str(case["case_id"])

    async def found(self, large: bytes = LARGE) -> str:
        """Open a case with files, the first of them large."""
        files = sample_files() | {"01": large}
        case = await self.node.call("POST", "/v1/cases", json_body=branch_case(files), wanted=201)
        for code, content in files.items():
            path = f"/v1/cases/{case['case_id']}/materials?material={code}"
            headers = {**_AS_PDF, "Authorization": f"Bearer {self.node.token()}"}
            # As a stream: aiohttp warns of large bodies that are handed over at once.
            body = BytesIO(content)
            async with self.node.http.post(self.node.url + path, data=body, headers=headers) as got:
                assert got.status == 200, await got.text()
        return str(case["case_id"])

    def outcomes(self, case_id: str) -> list[object]:
        """Return what was said of each message of ours in a case; None where nothing was yet."""
        sql = "SELECT outcome FROM messages WHERE case_id = ? AND direction = 'out'"
        return [outcome for (outcome,) in self.journal.rows(sql, parse_uuid7(case_id))]

    def waiting(self) -> list[tuple[object, ...]]:
        return self.journal.rows("SELECT status, attempts FROM outbox ORDER BY draft_id")


_AS_PDF = {"Content-Type": "application/pdf"}


def files_of(raw: bytes) -> tuple[Envelope, dict[str, tuple[Attachment, AttachmentRef]]]:
    """Return an envelope, and each file it lists as its recipient asks for it."""
    envelope = decode_envelope(raw)
    header = envelope.header
    found = {}
    for a in decode_body(envelope.body_bytes).attachments:
        ref = AttachmentRef(
            header.case_key, header.agreement_digest, a.salt, a.commitment, a.size, a.media_type
        )
        found[a.material_code] = (a, ref)
    assert header.kind is Kind.SUBMITTED
    return envelope, found


def only_calls_out(root: Path, name: str) -> None:
    """Have the gateway at `root` wait for a partner's calls instead of dialling it."""
    path = root / "partners" / name / "partner.toml"
    text = path.read_text(encoding="utf-8")
    changed = text.replace('kind = "grpc"\n', 'kind = "grpc"\n\n[outlet.grpc]\ncollects = true\n')
    assert changed != text
    path.write_text(changed, encoding="utf-8")


def collecting(root: Path) -> Collecting:
    """Provision three sites; nothing runs yet."""
    now_ms = SystemClock().now_ms()
    sites = jiuquan, jiayuguan, zhangye = (
        site_at(root, JIUQUAN),
        site_at(root, JIAYUGUAN),
        site_at(root, ZHANGYE),
    )
    for site in sites:
        make_site(site, now_ms, demo=True)
    add_items(jiayuguan, PARTNERS / "jiayuguan" / "items")
    for site in (jiayuguan, zhangye):
        introduce(site, jiuquan)
        introduce(jiuquan, site)
        only_calls_out(jiuquan.root, site.identity.folder)
    agree(jiuquan, jiayuguan, agreement_bytes(), now_ms)
    return Collecting(sites)
