"""The committed examples: rebuilt byte for byte, complete, usable in demo mode."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jwt
import pytest

from gateway.adapters.pki.certificates import gateway_of, read_signing_certificate
from gateway.adapters.pki.chains import Purpose, verify_chain
from gateway.adapters.pki.examples import EXAMPLE_AUTHORITY_KEY_ID, EXAMPLE_KEY_IDS
from gateway.adapters.pki.key_files import load_signer, read_key_file
from gateway.adapters.pki.suites import EDDSA, ES256, SuiteVerifier
from tests.unit.adapters.pki_forge import WITHIN_MS
from tools.build_certs_example import BY_HAND, build, stale, unlisted

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "certs_example"
GATEWAYS = ("620900", "620200")


def test_the_recipe_rebuilds_the_folder_byte_for_byte() -> None:
    command = [sys.executable, "-m", "tools.build_certs_example", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_changed_missing_or_foreign_file_is_found(tmp_path: Path) -> None:
    files = build()
    copy = tmp_path / "copy"
    shutil.copytree(EXAMPLES, copy)
    assert stale(files, copy) == []
    (copy / "authority.pem").write_bytes(files["authority.pem"] + b"\n")
    (copy / "620900/jwks.json").unlink()
    (copy / "extra.pem").write_bytes(b"")
    assert stale(files, copy) == [
        "620900/jwks.json: missing",
        "extra.pem: not made by the recipe",
        "authority.pem: differs",
    ]


def test_a_key_that_the_gateway_would_not_refuse_is_found() -> None:
    files = build()
    assert unlisted(files) == []
    swapped = {**files, "620900/portal.key.pem": files["620200/portal.key.pem"]}
    assert len(unlisted(swapped)) == 1


def test_the_gateway_knows_every_published_key() -> None:
    assert len(EXAMPLE_KEY_IDS) == 9 == len(list(EXAMPLES.rglob("*.key.pem")))
    assert EXAMPLE_AUTHORITY_KEY_ID in EXAMPLE_KEY_IDS
    assert {p.name for p in EXAMPLES.iterdir()} >= BY_HAND


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_the_certificates_of_each_gateway_serve_in_demo_mode(gateway: str) -> None:
    authorities = (EXAMPLES / "authority.pem").read_bytes()
    for name, purposes in {
        "transport": (Purpose.CLIENT, Purpose.SERVER),
        "signing_es256": (Purpose.SIGNING,),
        "signing_eddsa": (Purpose.SIGNING,),
    }.items():
        pem = (EXAMPLES / gateway / f"{name}.pem").read_bytes()
        assert gateway_of(pem) == gateway
        assert read_key_file(EXAMPLES / gateway / f"{name}.key.pem", allow_public=True)
        for purpose in purposes:
            assert verify_chain(pem, authorities, WITHIN_MS, purpose, demo=True)


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("suite", [ES256, EDDSA])
def test_each_signing_key_belongs_to_its_certificate(gateway: str, suite: str) -> None:
    stem = EXAMPLES / gateway / f"signing_{suite.lower()}"
    signer = load_signer(stem.with_suffix(".key.pem"), allow_public=True)
    read = read_signing_certificate(stem.with_suffix(".pem").read_bytes())
    assert (read.suite, read.key_id) == (suite, signer.key_id)
    assert SuiteVerifier().verify(suite, read.public_key, signer.sign(b"m"), b"m")


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_token_made_with_the_portal_key_verifies_under_the_key_set(gateway: str) -> None:
    raw = (EXAMPLES / gateway / "jwks.json").read_text()
    keys = jwt.PyJWKSet.from_json(raw).keys
    key_id = json.loads(raw)["keys"][0]["kid"]
    pem = read_key_file(EXAMPLES / gateway / "portal.key.pem", allow_public=True)
    token = jwt.encode({"sub": "示例"}, pem, algorithm="ES256", headers={"kid": key_id})
    assert [k.key_id for k in keys] == [key_id]
    assert jwt.decode(token, keys[0].key, algorithms=["ES256"]) == {"sub": "示例"}
    other = EXAMPLES / next(g for g in GATEWAYS if g != gateway) / "jwks.json"
    stranger = jwt.PyJWKSet.from_json(other.read_text()).keys[0]
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, stranger.key, algorithms=["ES256"])
