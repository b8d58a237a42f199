"""Who the gateways of these tests are: real keys, certificates, agreements and items, read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.pki.key_files import load_signer
from gateway.adapters.pki.suites import FileSigner, SuiteVerifier
from gateway.app.partners import load_book
from gateway.app.provision import Identity, Site, add_items, add_rules, agree, introduce, make_site
from gateway.kernel.identifiers import GatewayId
from gateway.ports.directory import Book
from tests.flow.stillness import NOW_MS
from tests.support.world import JIAYUGUAN, JIUQUAN, PARTNERS, agreement_bytes

AGREED = agreement_bytes().replace(b"rights = []", b'rights = ["deliver_result"]')
"""The sample agreement, but that the result of a query may be handed over by the asking side."""


@dataclass(frozen=True)
class Setup:
    """What one gateway is started with."""

    identity: Identity
    book: Book
    signers: Sequence[FileSigner]
    root: Path
    """Its folder, with its authority."""

    @property
    def gateway_id(self) -> GatewayId:
        return self.identity.gateway_id


def provision(root: Path) -> tuple[Setup, Setup]:
    """Return Jiuquan and Jiayuguan, introduced to each other and agreed."""
    sites = tuple(
        Site(root / who.folder, who, "127.0.0.1:1", "127.0.0.1:2") for who in (JIUQUAN, JIAYUGUAN)
    )
    for site in sites:
        make_site(site, NOW_MS, demo=True)
        add_items(site, PARTNERS / site.identity.folder / "items")
        add_rules(site, PARTNERS / site.identity.folder / "instant")
    jiuquan, jiayuguan = sites
    introduce(jiuquan, jiayuguan)
    introduce(jiayuguan, jiuquan)
    agree(jiuquan, jiayuguan, AGREED, NOW_MS)
    return _read(jiuquan), _read(jiayuguan)


def _read(site: Site) -> Setup:
    home = site.identity.gateway_id
    book = load_book(site.root / "partners", home, SuiteVerifier(), demo=True)
    signers = [load_signer(path) for path in site.signing_keys]
    return Setup(site.identity, book, signers, site.root)
