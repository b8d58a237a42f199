"""A gateway takes in and refuses, over the socket, what `tests/vectors/wire/` says it does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.adapters.pki.key_files import load_signer
from gateway.app.provision import Site
from gateway.kernel.digests import TYPE_AGREEMENT_ACT, digest, pae
from gateway.kernel.envelope import NotTakenIn, Outcome, Signature
from gateway.kernel.faults import FaultCode
from gateway.kernel.identifiers import GatewayId
from gateway.rules.agreement import Act, Verdict
from gateway.wire.fault_table import entry
from gateway.wire.receipts import (
    decode_signed_receipt,
    encode_agreement_act,
    encode_signed_agreement_act,
)
from tests.support.world import ROOT

from .worlds import World, exchange_world

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOLDER = ROOT / "tests" / "vectors" / "wire"
EXAMPLES = ROOT / "certs_example"


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


ACCEPTED, REFUSALS = read("envelopes"), read("refusals")


def know_the_examples(site: Site) -> None:
    """Register the example keys of both beside their own; they agreed a day before the vectors."""
    for gateway_id, name in (("620900", "jiuquan"), ("620200", "jiayuguan")):
        folder = site.root / "partners" / name
        authorities = folder / "keys" / "authorities.pem"
        pem = authorities.read_bytes() + (EXAMPLES / "authority.pem").read_bytes()
        authorities.write_bytes(pem)
        _register(folder, EXAMPLES / gateway_id)
        _accept(site.root / "partners" / "jiuquan", gateway_id)


def _register(folder: Path, examples: Path) -> None:
    names = ["signing_es256.pem", "signing_eddsa.pem"]
    for name in names:
        (folder / "keys" / f"example_{name}").write_bytes((examples / name).read_bytes())
    path = folder / "partner.toml"
    text = path.read_text(encoding="utf-8")
    more = "".join(f'"keys/example_{name}", ' for name in names)
    changed = text.replace("signing_certificates = [", f"signing_certificates = [{more}")
    assert changed != text
    path.write_text(changed, encoding="utf-8")


def _accept(folder: Path, gateway_id: str) -> None:
    address = digest((folder / "agreement.toml").read_bytes())
    signer = load_signer(EXAMPLES / gateway_id / "signing_es256.key.pem", allow_public=True)
    acted_at_ms = ACCEPTED["now_ms"] - 86_400_000
    raw = encode_agreement_act(address, Act(GatewayId(gateway_id), Verdict.ACCEPT, acted_at_ms))
    signature = Signature(signer.key_id, signer.sign(pae(TYPE_AGREEMENT_ACT, raw)))
    act = encode_signed_agreement_act(raw, [signature])
    (folder / "acts" / f"{gateway_id}.accept.act").write_bytes(act)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A gateway that knows the example keys, at the instant of the vectors."""
    root = tmp_path_factory.mktemp("vectors")
    async with exchange_world(root, prepare=know_the_examples) as made:
        assert (made.jiuquan.site.identity.gateway_id, made.node.site.identity.gateway_id) == (
            ACCEPTED["peer"],
            ACCEPTED["recipient"],
        )
        made.clock.step(ACCEPTED["now_ms"] - made.clock.now_ms())
        yield made


@pytest.mark.parametrize("vector", REFUSALS["vectors"], ids=lambda v: v["name"].replace(" ", "-"))
async def test_an_envelope_is_refused_by_its_rule(world: World, vector: dict[str, str]) -> None:
    raw = bytes.fromhex(vector["envelope"])
    before = world.journal.everything()
    (answer,) = await world.jiuquan.line.deliver([raw])
    if vector["outcome"] == "not_taken_in":
        assert isinstance(answer, NotTakenIn), decode_signed_receipt(answer)
        assert answer.rule == vector["rule"]
        assert answer.retry is entry(FaultCode(vector["rule"])).retry
        assert world.journal.everything() == before
    else:
        assert isinstance(answer, bytes), answer
        receipt = decode_signed_receipt(answer).receipt
        assert (receipt.outcome, receipt.rule) == (Outcome.REFUSED, vector["rule"])


@pytest.mark.parametrize("vector", ACCEPTED["vectors"], ids=lambda v: v["name"].replace(" ", "-"))
async def test_an_envelope_is_taken_in(world: World, vector: dict[str, str]) -> None:
    raw = bytes.fromhex(vector["envelope"])
    (answer,) = await world.jiuquan.line.deliver([raw])
    assert isinstance(answer, bytes), answer
    receipt = decode_signed_receipt(answer).receipt
    assert (receipt.outcome, receipt.rule) == (Outcome.TAKEN_IN, "")
    assert receipt.header_digest.hex() == vector["header_digest"]
