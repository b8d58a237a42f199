"""Two or more real gateways on loopback sockets, with files and keys in a temporary folder."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import aiohttp

from gateway.adapters.system.clock import SystemClock
from gateway.app.config import Config, load_config
from gateway.app.provision import Identity, Site, add_items, add_rules, agree, introduce, make_site
from gateway.app.tokens import SCOPES, issue_token
from gateway.app.wiring import Running, Seams, run_gateway
from gateway.kernel.identifiers import GatewayId

ROOT = Path(__file__).resolve().parent.parent.parent
PARTNERS = ROOT / "partners"
VECTORS = PARTNERS / "jiayuguan" / "vectors"
BRANCH = "00013112700402"
QUERY = "00013112700701"

JIUQUAN = Identity(
    GatewayId("620900"), "jiuquan", "酒泉市（示例）", "Jiuquan (sample)", "11620900MB00000000"
)
JIAYUGUAN = Identity(
    GatewayId("620200"), "jiayuguan", "嘉峪关市（示例）", "Jiayuguan (sample)", "11620200MB0000000U"
)
ZHANGYE = Identity(
    GatewayId("620700"), "zhangye", "张掖市（示例）", "Zhangye (sample)", "92620702MA00000005"
)


class QuietLog:
    """Keeps events for a test to look at."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, str | int | float]]] = []

    def event(self, name: str, /, **fields: str | int | float) -> None:
        self.events.append((name, fields))


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def site_at(root: Path, identity: Identity, suites: tuple[str, ...] = ("ES256",)) -> Site:
    """Return a site below `root` on free ports."""
    return Site(
        root / identity.folder,
        identity,
        f"127.0.0.1:{free_port()}",
        f"127.0.0.1:{free_port()}",
        suites,
    )


def agreement_bytes() -> bytes:
    """Return the sample agreement between Jiuquan and Jiayuguan."""
    return (PARTNERS / "jiayuguan" / "agreement.toml").read_bytes()


def make_pair(
    root: Path, *, suites: tuple[str, ...] = ("ES256",), content: bytes | None = None
) -> tuple[Site, Site]:
    """Provision Jiuquan and Jiayuguan, introduced to each other and agreed."""
    now_ms = SystemClock().now_ms()
    sites = site_at(root, JIUQUAN, suites), site_at(root, JIAYUGUAN, suites)
    for site in sites:
        make_site(site, now_ms, demo=True)
        add_items(site, PARTNERS / site.identity.folder / "items")
        add_rules(site, PARTNERS / site.identity.folder / "instant")
    jiuquan, jiayuguan = sites
    introduce(jiuquan, jiayuguan)
    introduce(jiayuguan, jiuquan)
    agree(jiuquan, jiayuguan, content or agreement_bytes(), now_ms)
    return jiuquan, jiayuguan


def config_of(site: Site) -> Config:
    """Read a site's configuration."""
    return load_config(site.config, {})


@dataclass
class Node:
    """A running gateway and its HTTP side."""

    site: Site
    config: Config
    running: Running
    log: QuietLog
    http: aiohttp.ClientSession = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.running.portal_port}"

    def token(
        self,
        unit: str | None = None,
        scopes: tuple[str, ...] = SCOPES,
        *,
        life_s: int = 3600,
    ) -> str:
        return issue_token(
            self.config,
            unit=unit or self.site.identity.unit,
            subject="staff-7",
            scopes=scopes,
            now_s=SystemClock().now_ms() // 1000,
            life_s=life_s,
            capacity="window",
        )

    async def call(
        self,
        method: str,
        path: str,
        *,
        json_body: object = None,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
        unit: str | None = None,
        wanted: int | None = None,
    ) -> dict[str, object]:
        """Call the HTTP side and return its JSON; with `wanted`, the status must be it."""
        sent = {"Authorization": f"Bearer {self.token(unit)}", **(headers or {})}
        async with self.http.request(
            method, self.url + path, json=json_body, data=data, headers=sent
        ) as response:
            raw = await response.read()
            assert wanted is None or response.status == wanted, (response.status, raw)
            found: dict[str, object] = json.loads(raw) if raw else {}
            return found


@asynccontextmanager
async def run_nodes(sites: Sequence[Site], seams: Seams | None = None) -> AsyncIterator[list[Node]]:
    """Run a gateway for each site, in this process."""
    async with AsyncExitStack() as stack:
        nodes = []
        for site in sites:
            config, log = config_of(site), QuietLog()
            running = await stack.enter_async_context(run_gateway(config, log, seams))
            http = await stack.enter_async_context(aiohttp.ClientSession())
            nodes.append(Node(site, config, running, log, http))
        yield nodes


PDF = b"%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n"


def sample_form(item: str = "branch_registration") -> dict[str, object]:
    """Return the sample form of an item, as a portal would send it."""
    submitted = json.loads((VECTORS / item / "submitted.json").read_bytes())
    form: dict[str, object] = submitted["form"]
    return form


def sample_answer(name: str, item: str = "branch_registration") -> dict[str, object]:
    """Return the sample body of a later message."""
    answer: dict[str, object] = json.loads((VECTORS / item / f"{name}.json").read_bytes())
    return answer


def sample_files(codes: Sequence[str] = ("01", "02", "03", "04", "05", "06")) -> dict[str, bytes]:
    """Return one small file a material code."""
    return {code: PDF + f"% 示例 {code}\n".encode() for code in codes}


def branch_case(files: dict[str, bytes] | None = None) -> dict[str, object]:
    """Return the body of POST /v1/cases for the founding case."""
    held = sample_files() if files is None else files
    return {
        "region": "620200",
        "item_code": BRANCH,
        "mode": "collect_on_behalf",
        "purpose": "branch-registration",
        "verified_originals": True,
        "identity": {"method": "in_person_id_card"},
        "form": sample_form(),
        "materials": [
            {
                "material_code": code,
                "name": f"{code}.pdf",
                "media_type": "application/pdf",
                "size": len(content),
                "sha256": sha256(content).hexdigest(),
            }
            for code, content in held.items()
        ],
    }
