"""The example client for Node delivers to a real gateway process and believes only what is proven.

It was written from `docs/wire.md` and `protos/` alone, so that it also proves the document.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

import pytest

from gateway.app.provision import Site
from gateway.wire.receipts import decode_signed_receipt, encode_receipt, encode_signed_receipt
from tests.integration.cli.console import Served, served
from tests.support.peer import IDENTITY, QUERY_FORM
from tests.support.world import (
    BRANCH,
    PDF,
    QUERY,
    ROOT,
    agreement_bytes,
    make_pair,
    sample_form,
)

CLIENT = ROOT / "examples" / "clients" / "node"
VECTORS = ROOT / "tests" / "vectors" / "wire"
ENDS_S = 60.0


def node(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run one script of the client to its end."""
    program = shutil.which("node")
    assert program is not None, "node is missing; on Debian: apt-get install nodejs"
    return subprocess.run(
        [program, "--unhandled-rejections=strict", str(CLIENT / script), *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=ENDS_S,
        check=False,
    )


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


class Office:
    """Jiuquan's keys in the hands of the Node client, and Jiayuguan's gateway as a process."""

    def __init__(self, jiuquan: Site, jiayuguan: Site, gateway: Served, folder: Path) -> None:
        self.jiuquan = jiuquan
        self.jiayuguan = jiayuguan
        self.gateway = gateway
        self.folder = folder
        (folder / "agreement.toml").write_bytes(agreement_bytes())

    def config(self, name: str = "client.json", **gateway: object) -> Path:
        """Write the client's configuration; `gateway` changes what it knows of the gateway."""
        ours, theirs = self.jiuquan.root / "keys", self.jiayuguan.root / "keys"
        path = self.folder / name
        known = {
            "address": f"127.0.0.1:{self.gateway.told['exchange_port']}",
            "server_name": "localhost",
            "authorities": str(theirs / "authorities.pem"),
            "id": "620200",
            "signing_certificates": [str(theirs / "signing_es256.pem")],
        }
        own = {
            "id": "620900",
            "transport_certificate": str(ours / "transport.pem"),
            "transport_key": str(ours / "transport.key.pem"),
            "signing_key": str(ours / "signing_es256.key.pem"),
        }
        path.write_text(json.dumps({"gateway": known | gateway, "own": own}), encoding="utf-8")
        return path

    def message(self, name: str, document: dict[str, Any]) -> Path:
        path = self.folder / name
        path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        return path

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        uri = f"file:{self.jiayuguan.journal}?mode=ro"
        with closing(connect(uri, uri=True)) as connection:
            return connection.execute(sql, values).fetchall()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    root = tmp_path_factory.mktemp("node")
    jiuquan, jiayuguan = make_pair(root)
    with served(jiayuguan.config) as gateway:
        yield Office(jiuquan, jiayuguan, gateway, root)


PING = {"kind": "ping", "form": {}}
ASKED = {
    "item_code": QUERY,
    "item_version": "1",
    "purpose": "enterprise-information-query",
    "acting_unit": "11620900MB00000000",
    "staff_pseudonym": "staff-7",
    "staff_capacity": "window",
    "required_suites": ["ES256"],
    "mode": "MODE_ONLINE",
    "agreement": "agreement.toml",
}
SUBMISSION = {
    "kind": "submitted",
    "form": {"applicant_number": "JQ-2026-000003", "form": QUERY_FORM, "identity": IDENTITY},
    "case": ASKED,
}


def test_the_client_keeps_every_vector() -> None:
    done = node("vectors.mjs", VECTORS)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(" checks, 0 wrong\n")


@pytest.mark.parametrize("name", ["refusals", "receipts", "signatures", "structures"])
def test_a_vector_that_says_otherwise_is_noticed(tmp_path: Path, name: str) -> None:
    shutil.copytree(VECTORS, tmp_path / "wire")
    path = tmp_path / "wire" / f"{name}.json"
    text = path.read_text(encoding="utf-8")
    spoilt = {
        "refusals": ('"wire.not_minimal"', '"wire.unparseable"'),
        "receipts": ('"receipt.invalid"', '""'),
        "signatures": ('"valid": false', '"valid": true'),
        "structures": ('"sequence": 1,', '"sequence": 2,'),
    }[name]
    assert spoilt[0] in text
    path.write_text(text.replace(*spoilt), encoding="utf-8")
    done = node("vectors.mjs", tmp_path / "wire")
    assert done.returncode == 1
    assert f"{name}: " in done.stderr


def test_a_case_that_the_client_submits_arrives(office: Office) -> None:
    out = office.folder / "submitted"
    message = office.message("query.json", SUBMISSION)
    done = node("deliver.mjs", office.config(), message, "--out", out)
    assert done.returncode == 0, done.stderr + done.stdout
    (said,) = lines(done)
    assert said["outcome"] == "taken_in"
    case_id, message_id = bytes.fromhex(said["case_id"]), bytes.fromhex(said["message_id"])
    ((stage,),) = office.rows("SELECT stage FROM cases WHERE case_id = ?", case_id)
    assert stage == "submitted"
    ((envelope, receipt),) = office.rows(
        "SELECT envelope, receipt FROM messages WHERE message_id = ?", message_id
    )
    assert (out / "0.envelope.bin").read_bytes() == envelope, "verbatim"
    assert (out / "0.receipt.bin").read_bytes() == receipt


def test_files_go_before_the_message_that_names_them(office: Office) -> None:
    files = []
    for code in ("01", "02", "03", "04", "05"):
        path = office.folder / f"{code}.pdf"
        path.write_bytes(PDF + f"% 示例 {code}\n".encode() * 40_000)
        files.append({"material_code": code, "path": path.name, "media_type": "application/pdf"})
    founding = {
        "item_code": BRANCH,
        "item_version": "2",
        "purpose": "branch-registration",
        "mode": "MODE_COLLECT_ON_BEHALF",
        "delegated_right": "RIGHT_VERIFY_ORIGINALS",
    }
    document = SUBMISSION | {
        "form": {**SUBMISSION["form"], "form": sample_form()},  # type: ignore[dict-item]
        "case": ASKED | founding,
        "files": files,
    }
    done = node("deliver.mjs", office.config(), office.message("branch.json", document))
    assert done.returncode == 0, done.stderr + done.stdout
    (said,) = lines(done)
    case_id = bytes.fromhex(said["case_id"])
    ((item,),) = office.rows("SELECT item_code FROM cases WHERE case_id = ?", case_id)
    assert item == BRANCH


def test_receipts_of_one_commit_are_verified_by_their_paths(office: Office) -> None:
    done = node("deliver.mjs", office.config(), office.message("ping.json", PING), "--times", "40")
    assert done.returncode == 0, done.stderr + done.stdout
    said = lines(done)
    assert [one["outcome"] for one in said] == ["taken_in"] * 40
    assert max(one["batchSize"] for one in said) >= 40


def test_a_refusal_is_a_receipt_too_and_says_why(office: Office) -> None:
    wrong = SUBMISSION | {"case": ASKED | {"purpose": "curiosity"}}
    done = node("deliver.mjs", office.config(), office.message("refused.json", wrong))
    assert done.returncode == 1
    (said,) = lines(done)
    assert (said["outcome"], said["rule"]) == ("refused", "agreement.purpose_unlisted")
    assert said["textZh"]
    assert said["textEn"]


def flip_last(raw: bytes) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 1])


def say_refused(raw: bytes) -> bytes:
    """Turn what was taken in into a refusal and leave its signature."""
    signed = decode_signed_receipt(raw)
    refused = signed.receipt._replace(outcome=2, rule="delivery.expired")  # type: ignore[arg-type]
    return encode_signed_receipt(encode_receipt(refused), signed.signatures)


TAMPERED = {
    "signature": (flip_last, "trust.signature_invalid"),
    "outcome": (say_refused, "trust.signature_invalid"),
    "unknown_field": (lambda raw: raw + b"\x98\x06\x01", "wire.unknown_field"),
    "cut_off": (lambda raw: raw[:-1], "wire.unparseable"),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_receipt_that_was_tampered_with_is_noticed(office: Office, how: str) -> None:
    out = office.folder / f"kept-{how}"
    config, ping = office.config(), office.message("ping.json", PING)
    assert node("deliver.mjs", config, ping, "--out", out).returncode == 0
    sent, receipt = out / "0.sent.json", out / "0.receipt.bin"
    assert node("verify.mjs", config, sent, receipt).returncode == 0
    change, rule = TAMPERED[how]
    receipt.write_bytes(change(receipt.read_bytes()))
    done = node("verify.mjs", config, sent, receipt)
    assert done.returncode == 1, done.stdout
    assert lines(done)[0]["rule"] == rule


def test_the_receipt_of_another_message_is_noticed(office: Office) -> None:
    out = office.folder / "two"
    config, ping = office.config(), office.message("ping.json", PING)
    assert node("deliver.mjs", config, ping, "--out", out, "--times", "2").returncode == 0
    done = node("verify.mjs", config, out / "0.sent.json", out / "1.receipt.bin")
    assert done.returncode == 1
    assert lines(done)[0]["rule"] == "receipt.invalid"


def test_a_receipt_by_a_key_that_is_not_registered_is_no_answer(office: Office) -> None:
    other = office.jiuquan.root / "keys" / "signing_es256.pem"
    config = office.config("other.json", signing_certificates=[str(other)])
    out = office.folder / "other-key"
    ping = office.message("ping.json", PING)
    done = node("deliver.mjs", config, ping, "--out", out, "--attempts", "2")
    assert done.returncode == 1
    assert lines(done)[0]["rule"] == "trust.key_unknown"
    assert not (out / "0.receipt.bin").exists()


def test_a_gateway_of_another_authority_is_not_spoken_to(office: Office) -> None:
    own = office.jiuquan.root / "keys" / "authorities.pem"
    config = office.config("stranger.json", authorities=str(own))
    done = node("deliver.mjs", config, office.message("ping.json", PING))
    assert done.returncode == 1
    assert done.stdout == ""
    assert "certificate" in done.stderr


def test_wrong_use_is_told(office: Office) -> None:
    done = node("deliver.mjs", office.config())
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")
