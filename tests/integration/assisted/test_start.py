"""What a gateway with a partner without a system starts with, and what it does not start with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gateway.adapters.pki.suites import SuiteVerifier
from gateway.adapters.system.clock import SystemClock
from gateway.app.partners import load_book
from gateway.app.problems import ConfigProblem
from gateway.app.provision import Site, acceptance
from gateway.kernel.digests import digest
from gateway.kernel.identifiers import GatewayId
from gateway.ports.directory import Book
from tests.support.world import JIUQUAN

from .desks import JINCHANG, desk_at, make_assisted_site

HOME = JIUQUAN.gateway_id


def book_of(site: Site) -> Book:
    return load_book(site.root / "partners", HOME, SuiteVerifier(), demo=True)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_assisted_site(tmp_path)


def jinchang(site: Site) -> Path:
    return site.root / "partners" / "jinchang"


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('address = "127.0.0.1:7443"', "address"),
        ("[identity]\ntransport_pins = ['" + "0" * 64 + "']", "identity.transport_pins"),
        ("[identity]\nsigning_certificates = ['keys/x.pem']", "identity.signing_certificates"),
        ("[identity]\nrelays = ['620200']", "identity.relays"),
        ("[identity]\nadapter_certificates = ['keys/x.pem']", "identity.adapter_certificates"),
    ],
)
def test_nothing_may_speak_for_a_partner_without_a_system(
    site: Site, line: str, named: str
) -> None:
    path = jinchang(site) / "partner.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        f"{line}\n{text}" if line.startswith("address") else f"{text}\n{line}\n", encoding="utf-8"
    )
    book = book_of(site)
    (broken,) = book.broken
    assert JINCHANG not in book.partners
    assert f"remove {named}" in str(broken.problems)


async def test_without_an_adapter_key_the_gateway_does_not_start(site: Site) -> None:
    text = site.config.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("adapter =")]
    site.config.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ConfigProblem, match=r"keys\.adapter: is needed, since partner 620300"):
        async with desk_at(site):
            raise AssertionError("it started")


@pytest.mark.parametrize("wrong", ["signing_es256.key.pem", "transport.key.pem"])
async def test_a_key_that_is_no_adapter_key_of_ours_attests_nothing(site: Site, wrong: str) -> None:
    text = site.config.read_text(encoding="utf-8")
    site.config.write_text(text.replace("keys/adapter_es256.key.pem", f"keys/{wrong}"))
    with pytest.raises(ConfigProblem, match=r"keys\.adapter: trust\.key_unknown"):
        async with desk_at(site):
            raise AssertionError("it started")


def test_one_key_never_signs_messages_and_attests_too(site: Site) -> None:
    path = site.own_entry / "partner.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('["keys/adapter_es256.pem"]', '["keys/signing_es256.pem"]'))
    with pytest.raises(ConfigProblem, match="a key signs messages too"):
        book_of(site)


def test_the_adapter_key_is_none_of_the_gateways_signing_keys(site: Site) -> None:
    home = book_of(site).home
    assert len(home.adapter_keys) == 1
    assert home.keys.keys().isdisjoint(home.adapter_keys)


@pytest.mark.parametrize("as_party", [HOME, JINCHANG])
def test_an_acceptance_is_believed_of_the_right_key_only(site: Site, as_party: str) -> None:
    """The paper's acceptance by our message key, ours by the adapter key: neither holds."""
    party = GatewayId(as_party)
    keys = [site.adapter_key] if party == HOME else site.signing_keys
    address = digest((jinchang(site) / "agreement.toml").read_bytes())
    act = acceptance(party, keys, address, SystemClock().now_ms())
    (jinchang(site) / "acts" / f"{party}.accept.act").write_bytes(act)
    book = book_of(site)
    (broken,) = book.broken
    assert (broken.gateway_id, JINCHANG in book.partners) == (JINCHANG, False)
    assert address not in book.agreements
    assert "trust.key_unknown" in str(broken.problems)


def test_a_partner_without_a_system_needs_no_keys_folder(site: Site) -> None:
    assert not (jinchang(site) / "keys").exists()
    partner = book_of(site).partners[GatewayId(JINCHANG)]
    assert (partner.outlet, partner.address, partner.authorities) == ("assisted", "", b"")
    assert not partner.keys and not partner.transport_pins


async def test_a_gateway_without_such_a_partner_serves_no_desk(site: Site) -> None:
    shutil.rmtree(jinchang(site))
    text = site.config.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("adapter =")]
    site.config.write_text("\n".join(lines), encoding="utf-8")
    async with desk_at(site) as desk:
        await desk.refused("portal.not_found", "GET", "/v1/assisted/work", None)
