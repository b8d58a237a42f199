"""`kuayu demo` as a stranger runs it: real processes, real sockets, real files."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import struct
import subprocess
import tomllib
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stdnum.iso7064 import mod_37_36

from gateway.kernel.limits import SALT_BYTES
from tests.acceptance.processes import gateways_in, is_alive, listening, run, started, until

pytestmark = pytest.mark.slow

SIDES = {"jiuquan": "620900", "jiayuguan": "620200"}
STORY = [
    ("submitted", "620900", 1),
    ("acknowledged", "620200", 1),
    ("materials_requested", "620200", 2),
    ("materials_supplied", "620900", 2),
    ("accepted", "620200", 3),
    ("decided", "620200", 4),
    ("delivered", "620900", 3),
]
FACE = {
    "licence_type", "licence_id", "uniscid", "entname", "enttypeCn", "name", "opscope", "dom",
    "estdate", "opfrom", "regorgCn", "apprdate",
}  # fmt: skip


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "state"


@pytest.fixture(scope="module")
def ended(state: Path) -> subprocess.CompletedProcess[str]:
    return run("--once", "--json", "--state", str(state))


@pytest.fixture(scope="module")
def document(ended: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def rows(state: Path, side: str, query: str) -> list[tuple[Any, ...]]:
    journal = sqlite3.connect(
        f"file:{state / side / 'state' / 'journal.sqlite3'}?mode=ro", uri=True
    )
    try:
        return journal.execute(query).fetchall()
    finally:
        journal.close()


def setting(state: Path, side: str, table: str) -> int:
    document = tomllib.loads((state / side / "kuayu.toml").read_text(encoding="utf-8"))
    return int(document[table]["listen"].rpartition(":")[2])


def doors(state: Path, side: str) -> set[int]:
    document = tomllib.loads((state / side / "kuayu.toml").read_text(encoding="utf-8"))
    names = [n for n in ("exchange", "portal", "callbacks") if "listen" in document.get(n, {})]
    return {setting(state, side, name) for name in names}


def test_it_ends_well_and_leaves_no_process(
    ended: subprocess.CompletedProcess[str], document: dict[str, Any], state: Path
) -> None:
    assert (ended.returncode, ended.stderr) == (0, "")
    assert sorted(document["gateways"]) == sorted(SIDES.values())
    assert not any(is_alive(pid) for pid in document["gateways"].values())
    assert list(gateways_in(state)) == []


def test_the_object_says_all_that_it_promises(document: dict[str, Any], state: Path) -> None:
    assert set(document) == {
        "scenario", "case_id", "deciding", "state", "result", "case_numbers", "licence", "answer",
        "reason", "instant", "joint", "decided_ms", "messages", "receipts", "elapsed_ms",
        "state_dir", "portal_url", "gateways", "also",
    }  # fmt: skip
    assert (document["scenario"], document["result"]) == ("founding-case", "approved")
    assert document["instant"] is None
    assert document["state"] == "delivered"
    assert document["state_dir"] == str(state)
    assert 0 < document["elapsed_ms"] < 60_000
    port = setting(state, "jiuquan", "portal")
    assert document["portal_url"] == f"http://127.0.0.1:{port}"
    numbers = document["case_numbers"]
    assert re.fullmatch(r"11620900MB00000000[0-9A-Z]{13}\d{12}", numbers["applicant"])
    assert re.fullmatch(r"11620200MB0000000U[0-9A-Z]{13}\d{12}", numbers["handling"])


def test_every_message_of_the_story_crossed_once_in_order(document: dict[str, Any]) -> None:
    told = [(m["kind"], m["sender"], m["sequence"]) for m in document["messages"]]
    assert told == STORY
    for message in document["messages"]:
        assert {message["sender"], message["recipient"]} == set(SIDES.values())
        assert message["receipt"] == "taken_in"
        assert isinstance(message["ms"], int)
        assert message["ms"] >= 0


def test_the_recipient_of_each_message_signed_its_receipt(document: dict[str, Any]) -> None:
    expected = {m["message_id"]: m["recipient"] for m in document["messages"]}
    assert {r["message_id"]: r["signed_by"] for r in document["receipts"]} == expected
    assert {r["outcome"] for r in document["receipts"]} == {"taken_in"}


def test_the_founding_case_crosses_two_processes_with_their_own_files(
    document: dict[str, Any], state: Path
) -> None:
    query = "SELECT sender, message_id, header_digest, envelope, receipt FROM messages"
    own = f" WHERE case_id = x'{document['case_id'].replace('-', '')}'"
    jiuquan, jiayuguan = (sorted(rows(state, side, query + own)) for side in SIDES)
    assert jiuquan == jiayuguan
    assert len(jiuquan) == len(document["messages"])
    assert all(receipt for *_, receipt in jiuquan)
    assert {m["message_id"].replace("-", "") for m in document["messages"]} == {
        message_id.hex() for _, message_id, *_ in jiuquan
    }


def test_nothing_waits_in_either_outbox(document: dict[str, Any], state: Path) -> None:
    assert [rows(state, side, "SELECT kind FROM outbox") for side in SIDES] == [[], []]


def test_the_licence_is_the_form_s_and_its_id_verifies(
    document: dict[str, Any], state: Path
) -> None:
    licence = document["licence"]
    assert set(licence) == FACE
    assert "示例" in licence["entname"]
    assert "示例" in licence["regorgCn"]
    prefix, _, rest = licence["licence_id"].partition("3005.2.")
    assert prefix == "1.2.156."
    assert mod_37_36.is_valid(rest.replace(".", ""))
    assert rest.split(".")[:2] == [licence["licence_type"], "11620200MB0000000U"]
    serial = document["case_numbers"]["handling"][-12:-4]
    assert rest.split(".")[2].startswith(serial)
    assert licence["apprdate"] == f"{serial[:4]}-{serial[4:6]}-{serial[6:]}"


def test_the_materials_are_real_files_and_the_other_side_holds_them_all(
    document: dict[str, Any], state: Path
) -> None:
    papers = {path.name[:2]: path for path in sorted((state / "materials").iterdir())}
    assert list(papers) == ["01", "02", "03", "04", "05", "06"]
    for path in (state / "materials").glob("*.pdf"):
        assert_pdf(path.read_bytes())
    assert_png(papers["06"].read_bytes())
    vault = state / "jiayuguan" / "state" / "vault"
    salted = [path.read_bytes() for path in vault.rglob("*") if path.is_file()]
    held = {file[SALT_BYTES:] for file in salted}
    assert {path.read_bytes() for path in (state / "materials").iterdir()} <= held


def assert_pdf(content: bytes) -> None:
    """Follow the cross-reference table as a reader does."""
    assert content.startswith(b"%PDF-")
    assert content.endswith(b"%%EOF\n")
    start = int(content.rsplit(b"startxref\n", 1)[1].split()[0])
    assert content[start:].startswith(b"xref\n0 ")
    offsets = re.findall(rb"(\d{10}) 00000 n ", content[start:])
    assert len(offsets) == int(content[start:].split()[2]) - 1
    for number, offset in enumerate(offsets, 1):
        assert content[int(offset) :].startswith(b"%d 0 obj\n" % number)
    stream = re.search(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", content, re.DOTALL)
    assert stream is not None
    assert int(stream[1]) == len(stream[2])
    assert "示例 SAMPLE".encode("utf-16-be").hex().encode() in stream[2]


def assert_png(content: bytes) -> None:
    """Check every chunk and the size of the picture inside."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    at, chunks = 8, {}
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at)
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", content, at + 8 + size)[0] == zlib.crc32(kind + body)
        chunks[kind] = body
        at += 12 + size
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    assert len(zlib.decompress(chunks[b"IDAT"])) == height * (1 + 3 * width)
    assert "示例".encode() in chunks[b"iTXt"]


def test_only_its_owner_can_read_the_folder_s_secrets(
    document: dict[str, Any], state: Path
) -> None:
    secrets = [*state.rglob("*.key.pem"), *state.rglob("journal.sqlite3")]
    assert len(secrets) == 2 * 7
    assert [oct(p.stat().st_mode & 0o077) for p in secrets] == ["0o0"] * len(secrets)


def test_it_stays_up_on_loopback_with_the_same_identities_until_ctrl_c(
    document: dict[str, Any], state: Path
) -> None:
    keys = {path: path.read_bytes() for path in state.rglob("*.pem")}
    before = rows(state, "jiuquan", "SELECT 1 FROM messages")
    with started(state, "--json") as demo:
        second = demo.document()
        assert second["state"] == "delivered"
        assert second["case_id"] != document["case_id"]
        assert second["licence"]["licence_id"] != document["licence"]["licence_id"]
        with urllib.request.urlopen(f"{second['portal_url']}/readyz", timeout=10) as answer:
            assert json.load(answer) == {"status": "ready"}
        assert {SIDES[s]: pid for s, pid in demo.children().items()} == second["gateways"]
        for side, pid in demo.children().items():
            assert {port for _, port in listening(pid)} == doors(state, side)
            assert all(host.is_loopback for host, _ in listening(pid))
        assert listening(demo.process.pid) == []
        code, rest, complaints, seconds = demo.end(signal.SIGINT)
        assert (code, rest, complaints) == (0, "", "")
        assert seconds < 15
        assert not any(is_alive(pid) for pid in second["gateways"].values())
    assert {path: path.read_bytes() for path in state.rglob("*.pem")} == keys
    after = rows(state, "jiuquan", "SELECT 1 FROM messages")
    assert len(after) == len(before) + len(STORY)


def test_a_gateway_that_is_killed_while_it_stays_up_is_told(
    document: dict[str, Any], state: Path
) -> None:
    with started(state, "--json") as demo:
        pids = demo.document()["gateways"]
        os.kill(pids["620200"], signal.SIGKILL)
        code, _, complaints, _ = demo.end()
        assert code not in (0, 130)
        assert_told(complaints, "620200", "ended by itself")
        assert not is_alive(pids["620900"])


def test_a_gateway_that_is_killed_in_the_middle_of_the_case_is_told(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with started(state, "--json", "--pace", "1") as demo:
        until(lambda: received(state))
        children = demo.children()
        os.kill(children["jiayuguan"], signal.SIGKILL)
        code, out, complaints, _ = demo.end()
        assert code not in (0, 130)
        assert out == ""
        assert_told(complaints, "620200", "ended by itself")
        assert not any(is_alive(pid) for pid in children.values())


def test_ctrl_c_in_the_middle_of_the_case_is_no_success(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with started(state, "--json", "--pace", "1") as demo:
        until(lambda: received(state))
        children = demo.children()
        assert len(children) == 2
        code, out, complaints, seconds = demo.end(signal.SIGINT)
        assert (code, out) == (130, "")
        assert_told(complaints, "interrupted before the case was delivered")
        assert seconds < 15
        assert not any(is_alive(pid) for pid in children.values())


def received(state: Path) -> bool:
    """Tell whether Jiayuguan has taken a message in."""
    if not (state / "demo.json").exists():
        return False
    return rows(state, "jiayuguan", "SELECT 1 FROM messages WHERE direction = 'in'") != []


@pytest.fixture
def taken(document: dict[str, Any], state: Path, request: pytest.FixtureRequest) -> Iterator[int]:
    side, table = request.param
    with socket.socket() as other:
        port = setting(state, side, table)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        yield port


@pytest.mark.parametrize("taken", [("jiuquan", "portal"), ("jiayuguan", "exchange")], indirect=True)
def test_a_port_that_is_taken_is_named(taken: int, state: Path) -> None:
    ended = run("--once", "--json", "--state", str(state))
    assert ended.returncode != 0
    assert ended.stdout == ""
    assert_told(ended.stderr, str(taken), "is taken by another program")
    assert list(gateways_in(state)) == []


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine", encoding="utf-8")
    ended = run("--once", "--state", str(tmp_path))
    assert ended.returncode != 0
    assert_told(ended.stderr, str(tmp_path), "choose another folder")
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]


def assert_told(complaints: str, *words: str) -> None:
    """The person gets one clear line and no traceback."""
    assert "Traceback" not in complaints
    lines = complaints.strip().splitlines()
    assert len(lines) == 1, lines
    for word in words:
        assert word in lines[0]


def test_the_terminal_shows_each_step_and_says_what_is_simulated(tmp_path: Path) -> None:
    ended = run("--once", "--state", str(tmp_path / "state"))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "机构、人员、端点均为模拟" in ended.stdout
    assert "offices, people and endpoints are simulated" in ended.stdout
    steps = re.findall(r"^报文.* (\S+) (\w+)  #(\d+) …[0-9a-f]{8} +\d+ ms", ended.stdout, re.M)
    assert [(kind, int(sequence)) for _, kind, sequence in steps] == [
        (kind, sequence) for kind, _, sequence in STORY
    ]
    assert [zh for zh, *_ in steps] == ["提交", "签收", "补正", "补交", "受理", "办结", "送达"]
    assert ended.stdout.count("taken_in") == len(STORY)
    assert "办件在 the case is with 嘉峪关 620200" in ended.stdout
    summary = ended.stdout[ended.stdout.index("送达 delivered ·") :].splitlines()
    assert len(summary) <= 40
    assert max(len(line) for line in summary if line.startswith(("│", "╭", "╰"))) <= 100
    assert any("kuayu explain " in line for line in summary)
